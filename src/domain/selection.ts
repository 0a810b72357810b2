/** Which recorded changes an undo speaks of. */
import { unreachable } from "../lib/result.ts";
import type { RecordedChange } from "./change.ts";
import type { UndoScope } from "./event.ts";
import { changesOf, type Task } from "./task.ts";

/**
 * @returns oldest first, those that were undone before among them: with the undo that took them back they come to nothing,
 * and what came after is put back to where all of it began, not to where an undo left off
 */
export function selectedChanges(
  task: Task,
  request: { readonly scope: UndoScope; readonly id?: string },
): RecordedChange[] {
  const { id, scope } = request;
  const changes = changesOf(task);
  switch (scope) {
    case "task":
      return changes;
    case "subtask":
      return changes.filter(
        ({ sharedWith = [], subtaskId }) => subtaskId === id || (id !== undefined && sharedWith.includes(id)),
      );
    case "change":
      return changes.filter(({ changeId }) => changeId === id || changeId.startsWith(`${id}.`));
    default:
      return unreachable(scope);
  }
}
