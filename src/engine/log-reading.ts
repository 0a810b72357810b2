/** Reading the log of one task: page by page from the store, event by event into its state. */
import type { TaskEvent } from "../domain/event.ts";
import { created, evolve } from "../domain/evolve.ts";
import type { Task } from "../domain/task.ts";
import type { EventStore } from "../ports/event-store.ts";

const pageSize = 2000;

/** @returns all events with `seq` over `after` */
export async function readLog(store: EventStore, taskId: string, after: number): Promise<TaskEvent[]> {
  const events: TaskEvent[] = [];
  for (;;) {
    const page = await store.read(taskId, { after: events.at(-1)?.seq ?? after, limit: pageSize });
    events.push(...page);
    if (page.length < pageSize) return events;
  }
}

/** The state after one more event, the first one included. @throws Error when it cannot follow */
export function folded(taskId: string, task: Task | null, event: TaskEvent): Task {
  if (task !== null) return evolve(task, event);
  if (event.type !== "task_created") throw new Error(`A log begins with task_created, not with ${event.type}`);
  return created(taskId, event);
}
