/** What was done to files, as the outside reads it. */
import { type Operation, operationOf } from "./change.ts";
import { changesOf, type Task } from "./task.ts";

export interface ChangeView {
  readonly change_id: string;
  readonly path: string;
  readonly operation: Operation;
  readonly subtask_id: string;
  readonly seq: number;
  readonly undone: boolean;
  readonly bytes_before: number | null;
  readonly bytes_after: number | null;
  readonly moved_to?: string;
  readonly moved_from?: string;
  /** Subtasks whose commands ran at the same time, and may have made it. */
  readonly shared_with?: readonly string[];
}

export function changeViews(task: Task): ChangeView[] {
  return changesOf(task).map((change) => ({
    change_id: change.changeId,
    path: change.path,
    operation: operationOf(change),
    subtask_id: change.subtaskId,
    seq: change.seq,
    undone: change.undone,
    bytes_before: change.before.kind === "file" ? change.before.bytes : null,
    bytes_after: change.after.kind === "file" ? change.after.bytes : null,
    ...(change.moved_to === undefined ? {} : { moved_to: change.moved_to }),
    ...(change.moved_from === undefined ? {} : { moved_from: change.moved_from }),
    ...(change.sharedWith === undefined ? {} : { shared_with: change.sharedWith }),
  }));
}
