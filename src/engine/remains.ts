/** What is left of a task whose log was dropped for its age: its last view, and a clear word to who wants more. @see DECISIONS 28 */
import type { TaskView } from "../domain/view.ts";
import { LoomError } from "../lib/errors.ts";
import type { EventStore } from "../ports/event-store.ts";

/** @returns the view as it was when the log went, or null when it did not */
export async function remainsOf(store: EventStore, taskId: string): Promise<TaskView | null> {
  const view = await store.remains(taskId);
  return view === null ? null : (JSON.parse(view) as TaskView);
}

/** The answer to who asks for a task that has no log. */
export async function withoutLog(store: EventStore, taskId: string): Promise<LoomError> {
  if ((await store.remains(taskId)) === null) {
    return new LoomError("not_found", `There is no task "${taskId}"`, { hint: "GET /tasks lists the tasks" });
  }
  const message = `Of task "${taskId}" only its last view is left: it is older than [memory] retention_days`;
  return new LoomError("not_found", message, {
    hint: `GET /tasks/${taskId} shows it; submit the goal again as a new task`,
  });
}
