/** How far a task has come: the public status of each subtask, how many have which, and what went wrong on the way. */
import { isUnderWay, planned, type Subtask, type Task } from "./task.ts";

export type SubtaskPublicStatus = "pending" | "running" | "completed" | "failed" | "blocked" | "skipped";

export interface Progress {
  readonly total_subtasks: number;
  readonly completed: number;
  readonly failed: number;
  readonly pending: number;
  readonly running: number;
  readonly percent_complete: number;
}

export interface ErrorView {
  readonly subtask: string | null;
  readonly error: string;
  readonly resolution?: string;
}

const publicStatus: Readonly<Record<Subtask["status"]["kind"], SubtaskPublicStatus>> = {
  queued: "pending",
  working: "running",
  parked: "running",
  verifying: "running",
  judged: "running",
  reverting: "running",
  backoff: "pending",
  completed: "completed",
  failed: "failed",
  blocked: "blocked",
  skipped: "skipped",
};

/** A leg that goes on after an answer or a wait is queued, and was begun. */
export function publicStatusOf(subtask: Subtask): SubtaskPublicStatus {
  const { kind } = subtask.status;
  return kind === "queued" && isUnderWay(subtask) ? "running" : publicStatus[kind];
}

export function progressOf(task: Task): Progress {
  const statuses = planned(task).map(publicStatusOf);
  const count = (...wanted: SubtaskPublicStatus[]) => statuses.filter((status) => wanted.includes(status)).length;
  const completed = count("completed");
  return {
    total_subtasks: statuses.length,
    completed,
    failed: count("failed"),
    pending: count("pending", "blocked"),
    running: count("running"),
    percent_complete: Math.round((1000 * completed) / Math.max(statuses.length, 1)) / 10,
  };
}

export function errorsOf(task: Task): ErrorView[] {
  const errors = [...task.subtasks.values()].flatMap(({ critiques, spec, status }) => {
    const resolution = status.kind === "completed" ? { resolution: "a later attempt succeeded" } : {};
    return critiques.map((critique): ErrorView => {
      const error = `attempt ${critique.attempt} (${critique.class}): ${critique.feedback}`;
      return { subtask: spec.id, error: error.slice(0, 2000), ...resolution };
    });
  });
  const { failure } = task;
  return failure === null ? errors : [...errors, { subtask: null, error: `${failure.reason}: ${failure.message}` }];
}
