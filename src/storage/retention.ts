/**
 * Which closed tasks are old enough to go, and what is left of each: its view, folded from its log a last time. A task with
 * a delivery that is still owed, or a log that cannot be folded, stays. @see DECISIONS 28
 */
import type { TaskEvent } from "../domain/event.ts";
import { created, evolve } from "../domain/evolve.ts";
import type { Task } from "../domain/task.ts";
import { viewOf } from "../domain/view.ts";
import type { EventStore } from "../ports/event-store.ts";
import { logState } from "./chores.sqlite.ts";
import type { StorageDatabase } from "./database.ts";
import { guarded } from "./failures.ts";

/** Few, so that the event loop is held up for a moment only. */
const pageEvents = 500;

export interface OldTask {
  readonly taskId: string;
  readonly lastSeq: number;
  readonly updatedAt: number;
}

/** @returns closed tasks that nothing has happened to since `untilAt`, behind the last of the page before, oldest first */
export function createOldTaskReader({
  connection,
}: StorageDatabase): (untilAt: number, after: OldTask | undefined, limit: number) => readonly OldTask[] {
  const select = connection.prepare<[number, number, string, number], OldTask>(
    `SELECT task_id AS taskId, last_seq AS lastSeq, updated_at AS updatedAt FROM task
     WHERE open = 0 AND log_state = ${logState.kept} AND updated_at <= ? AND (updated_at, task_id) > (?, ?)
       AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.task_id = task.task_id AND (delivery.status = 'pending' OR delivery.told = 0))
     ORDER BY updated_at, task_id LIMIT ?`,
  );
  return (untilAt, after, limit) =>
    guarded("look for old tasks", () => select.all(untilAt, after?.updatedAt ?? -1, after?.taskId ?? "", limit));
}

/** @returns the view as JSON, or null when the log holds none. @throws Error when it cannot be folded */
export async function lastViewOf(store: Pick<EventStore, "read">, taskId: string): Promise<string | null> {
  let task: Task | null = null;
  for (;;) {
    const page = await store.read(taskId, { after: task?.lastSeq ?? 0, limit: pageEvents });
    task = page.reduce<Task | null>((before, event) => folded(taskId, before, event), task);
    if (page.length < pageEvents) return task === null ? null : JSON.stringify(viewOf(task));
  }
}

function folded(taskId: string, task: Task | null, event: TaskEvent): Task {
  if (task !== null) return evolve(task, event);
  if (event.type !== "task_created") throw new Error(`The log of ${taskId} begins with ${event.type}`);
  return created(taskId, event);
}
