/** Runs the task's own checks, one after the other: all of them, so that one remedy can see everything that is wrong. */
import type { CheckResult } from "../../domain/verdict.ts";
import type { Executor } from "../../ports/executor.ts";
import type { Workspaces } from "../../ports/workspace.ts";
import { workspaceFailure } from "../workspace-failure.ts";
import { type CheckPorts, runCheck } from "./run-check.ts";

export interface CheckerPorts extends CheckPorts {
  readonly workspaces: Pick<Workspaces, "open">;
}

/** Stands where an event wants a subtask's id. */
const stageId = "task-checks";

export function createChecker(ports: CheckerPorts): Executor<"check"> {
  return async (execution) => {
    const { effect, journal, stop, task } = execution;
    const { key } = effect;
    try {
      const workspace = await ports.workspaces.open(task.brief.workspace);
      const results: CheckResult[] = [];
      for (const [index, check] of task.brief.checks.entries()) {
        if (stop.yielding.aborted) return { type: "Yielded", key };
        const step = `check-${index + 1}`;
        const marker = `${task.id}:${key}:${step}`;
        const place = {
          journal,
          execution,
          step,
          askedBy: "task" as const,
          subtaskId: stageId,
          attempt: effect.round,
          root: workspace.root,
          policy: task.brief.policy,
          marker,
          signal: stop.aborted,
        };
        const { isHeld: _, ...result } = await runCheck(ports, place, check);
        results.push(result);
      }
      return { type: "ChecksRan", key, results };
    } catch (error) {
      const report = workspaceFailure(key, error);
      if (report === null) throw error;
      return report;
    }
  };
}
