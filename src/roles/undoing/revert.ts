/** Puts back what a subtask changed, in all its attempts, once a person or a new plan does without it. */
import { selectedChanges } from "../../domain/selection.ts";
import type { Executor } from "../../ports/executor.ts";
import { workspaceFailure } from "../workspace-failure.ts";
import { type PutBackPorts, putBack } from "./put-back.ts";

export function createReverter(ports: PutBackPorts): Executor<"revert"> {
  return async (execution) => {
    const { effect, journal } = execution;
    const { key, subtaskId, attempt } = effect;
    const task = execution.current();
    const selected = selectedChanges(task, { scope: "subtask", id: subtaskId });
    try {
      return {
        type: "Reverted",
        key,
        ...(await putBack(ports, { task, journal, selected, subtaskId, attempt, subtask: subtaskId })),
      };
    } catch (error) {
      const report = workspaceFailure(key, error);
      if (report === null) throw error;
      return report;
    }
  };
}
