/** Puts back what a person asked to have undone: one change, a subtask's, or the whole task's. */
import { selectedChanges } from "../../domain/selection.ts";
import type { Executor } from "../../ports/executor.ts";
import { workspaceFailure } from "../workspace-failure.ts";
import { type PutBackPorts, putBack } from "./put-back.ts";

/** Stands where an event wants a subtask's id. */
const stageId = "task-undo";

export function createUndoer(ports: PutBackPorts): Executor<"undo"> {
  return async (execution) => {
    const { effect, journal } = execution;
    const { key, scope, id, k } = effect;
    const task = execution.current();
    const selected = selectedChanges(task, { scope, ...(id === undefined ? {} : { id }) });
    const subtask = scope === "subtask" && id !== undefined ? { subtask: id } : {};
    try {
      return {
        type: "UndoDone",
        key,
        ...(await putBack(ports, { task, journal, selected, subtaskId: stageId, attempt: k, ...subtask })),
      };
    } catch (error) {
      const report = workspaceFailure(key, error);
      if (report === null) throw error;
      return report;
    }
  };
}
