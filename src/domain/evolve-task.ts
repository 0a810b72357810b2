/** The part of `evolve` about the life of a task as a whole: pausing, recovering, checks, its end, and a life after it. */
import type { StampedEvents } from "./event.ts";
import { planningOf } from "./evolve-plan.ts";
import { lapsed } from "./reservation.ts";
import type { Folds, Subtask, Task } from "./task.ts";

/** Events that tell something and change nothing. */
const unchanged = (task: Task): Task => task;

export const taskFolds = {
  task_created: () => {
    throw new Error("task_created stands twice in the log");
  },
  task_executing: (task) => ({ ...task, phase: "executing" }),
  task_pausing: (task) => ({ ...task, paused: "asked" }),
  task_paused: (task) => ({ ...task, paused: "yes" }),
  task_resumed: (task, event) => (event.reopened ? reopened(task, event) : { ...task, paused: "no" }),
  task_recovered: (task, event) => ({
    ...task,
    ...lapsed(task),
    recoveries: event.recoveries,
    stepsInFlight: new Set(),
  }),
  task_cancelled: (task, event) => closed(task, "cancelled", event.at),
  task_completed: (task, event) => ({
    ...closed(task, "completed", event.at),
    result: { summary: event.summary, answer: event.answer },
  }),
  task_failed: (task, event) => ({
    ...closed(task, "failed", event.at),
    failure: { reason: event.reason, message: event.message },
    result: event.result ?? null,
  }),
  checks_started: (task, event) => ({
    ...task,
    checks: { ...task.checks, round: event.round, started: true },
  }),
  checks_passed: (task) => ({ ...task, checks: { ...task.checks, passed: true } }),
  checks_failed: (task, event) => ({
    ...task,
    checks: {
      round: event.round + 1,
      started: false,
      passed: false,
      failed: task.checks.failed + 1,
      failures: event.results.filter((result) => !result.passed).map((result) => result.name),
    },
  }),
  task_stalled: unchanged,
  task_cancel_requested: unchanged,
  task_budget_exhausted: unchanged,
  webhook_delivered: unchanged,
  webhook_failed: unchanged,
  feedback_received: unchanged,
} satisfies Partial<Folds>;

/** What nobody answered, and what had not come to an end when the task did, did not take place. */
function closed(task: Task, outcome: "completed" | "failed" | "cancelled", at: number): Task {
  const { planning } = task;
  return {
    ...task,
    ...lapsed(task),
    phase: "closed",
    outcome,
    paused: "no",
    completedAt: at,
    planning: null,
    abandoned: planning === null ? task.abandoned : { version: planning.version, call: planning.call },
    extracts: new Set(),
    leases: null,
    subtasks: changed(task.subtasks, settled),
    approvals: changed(task.approvals, (row) =>
      row.status === "pending" ? { ...row, status: "expired", decidedAt: at } : row,
    ),
    questions: changed(task.questions, (row) => (row.status === "pending" ? { ...row, status: "expired" } : row)),
    stepsInFlight: new Set(),
  };
}

function changed<T>(rows: ReadonlyMap<string, T>, change: (row: T) => T): ReadonlyMap<string, T> {
  return new Map([...rows].map(([id, row]) => [id, change(row)]));
}

function settled(subtask: Subtask): Subtask {
  const ended = ["completed", "failed", "skipped"].includes(subtask.status.kind);
  return ended ? subtask : { ...subtask, status: { kind: "skipped", reason: "the task ended" } };
}

/** A retried task: finished work is kept, the rest is wanted again as a new attempt. A plan nobody agreed to is made anew. */
function reopened(task: Task, event: StampedEvents["task_resumed"]): Task {
  const { checks, planApproval, planVersion } = task;
  const hasPlan = planVersion > 0 && planApproval === null;
  const replan = planVersion === 0 ? null : { reason: "The last plan was not approved, and the task is tried again" };
  return {
    ...task,
    opened: { seq: event.seq, at: event.at },
    phase: hasPlan ? "executing" : "pending",
    outcome: null,
    completedAt: null,
    failure: null,
    result: null,
    answer: null,
    planning: hasPlan ? null : planningOf(task, planVersion + 1, replan),
    attempts: 0,
    replans: 0,
    recoveries: 0,
    // A round that was begun keeps its number, and its journal: what it found may be true no more.
    checks: { round: checks.round + (checks.started ? 1 : 0), started: false, passed: false, failed: 0, failures: [] },
    subtasks: changed(task.subtasks, wantedAgain),
  };
}

function wantedAgain(subtask: Subtask): Subtask {
  if (subtask.retired || subtask.status.kind === "completed") return subtask;
  return {
    ...subtask,
    status: { kind: "queued" },
    attempt: subtask.startedSeq > 0 ? subtask.attempt + 1 : subtask.attempt,
    leg: 1,
    failures: 0,
    tier: subtask.spec.model_tier,
    startedSeq: 0,
    waitingSince: null,
  };
}
