/** Names of things: tasks, subtasks, approvals, digests. Ids inside a task are derived; only the task id comes from outside. */
import { z } from "zod";
import { digestForm } from "./digest.ts";

export const TaskId = z
  .string()
  .max(64)
  .regex(/^task_[0-9a-z]+$/, "must look like task_01abc…")
  .brand("TaskId");
export type TaskId = z.infer<typeof TaskId>;

/** @see DECISIONS 1: the shape a planner may choose ids from */
export const SubtaskId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
    "must be 1 to 64 letters, digits, _ . or -, starting with a letter or digit",
  );
export type SubtaskId = z.infer<typeof SubtaskId>;

/** Ids that name the task's own stages where a subtask id is expected. */
export const reservedIds: readonly string[] = ["plan", "answer", "task-checks", "task-undo"];

export const Digest = z.string().regex(digestForm);
export type Digest = z.infer<typeof Digest>;

export function runIdOf(taskId: string): string {
  return `run_${taskId.slice("task_".length)}`;
}

/** @see DECISIONS 2 */
export function approvalIdOf(at: {
  readonly subtaskId: string;
  readonly attempt: number;
  readonly turn: number;
  readonly call: number;
}): string {
  return `apr_${at.subtaskId}_${at.attempt}_${at.turn}_${at.call}`;
}

export function questionIdOf(at: {
  readonly subtaskId: string;
  readonly attempt: number;
  readonly turn: number;
  readonly call: number;
}): string {
  return `qst_${at.subtaskId}_${at.attempt}_${at.turn}_${at.call}`;
}
