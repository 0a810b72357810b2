/** Attempts: what follows when one fails. Another one with the critique, remediation, a new plan, or the end of the task. */
import { failTask } from "./closing.ts";
import type { Draft } from "./draft.ts";
import type { FailureClass } from "./event.ts";
import { dependentsOf, type SubtaskSpec, type Tier } from "./plan.ts";
import { madeNoProgress, strategyOf } from "./recovery.ts";
import { planned, type Subtask, type Task } from "./task.ts";

export interface AttemptFailure {
  readonly class: FailureClass;
  readonly feedback: string;
  /** Tier of the verification that found it; 0 when none ran. */
  readonly tier: number;
  /** Of the verdict that found it. */
  readonly reasonCode?: string;
  /** No further attempt, whatever is left: a person said no. */
  readonly final?: boolean;
}

/** Classes where the same thing may go well a little later; the others are retried at once, with the critique. */
const transient: ReadonlySet<FailureClass> = new Set(["model", "internal", "timeout"]);

export function failAttempt(draft: Draft, id: string, failure: AttemptFailure): void {
  const subtask = draft.subtask(id);
  const isStuck = madeNoProgress(draft.task, subtask, failure);
  const final = failure.final === true || isStuck || !mayRetry(draft.task, subtask, failure.class);
  draft.say({
    type: "subtask_failed",
    subtask_id: id,
    attempt: subtask.attempt,
    final,
    class: failure.class,
    feedback: failure.feedback,
    verification_tier: failure.tier,
    ...(isStuck ? { no_progress: true as const } : {}),
  });
  if (final) giveUp(draft, id, failure);
  else retry(draft, id, failure);
}

function mayRetry(task: Task, subtask: Subtask, failure: FailureClass): boolean {
  const { max_loop_iterations, max_subtask_retries } = task.brief.rules;
  const { critiques, failures } = subtask;
  if (task.attempts >= max_loop_iterations || failures >= max_subtask_retries) return false;
  // What is blocked a second time under one plan is blocked by the plan. @see DECISIONS 6
  const underThisPlan = critiques.slice(Math.max(0, critiques.length - failures));
  return failure !== "blocked" || !underThisPlan.some((critique) => critique.class === "blocked");
}

function retry(draft: Draft, id: string, failure: AttemptFailure): void {
  const { attempt, failures, spec } = draft.subtask(id);
  const until = { until: draft.now + Math.min(30_000, 1000 * 2 ** (failures - 1)) };
  draft.say({
    type: "subtask_retrying",
    subtask_id: id,
    attempt: attempt + 1,
    escalated_tier: tierOf(spec.model_tier, failures + 1),
    feedback: failure.feedback,
    retry_strategy: strategyOf(failure.class, failure.reasonCode),
    ...(transient.has(failure.class) ? until : {}),
  });
}

/** @param nth which attempt of this plan version it is, from 1: the third goes one tier up, the fourth to the top */
export function tierOf(tier: Tier, nth: number): Tier {
  if (nth <= 2) return tier;
  return nth === 3 && tier === 1 ? 2 : 3;
}

function giveUp(draft: Draft, id: string, failure: AttemptFailure): void {
  block(draft, id);
  const { attempts, brief, planApproval, planning, planVersion, replans } = draft.task;
  const { max_loop_iterations: attemptsMax, max_replans } = brief.rules;
  const { spec } = draft.subtask(id);
  // A person's no stands, and a plan that is being made already takes this failure in: `advance` finds what is left.
  const isTakenIn = failure.class === "rejected" || planning !== null;
  if (attempts >= attemptsMax) attemptsExhausted(draft);
  else if (isTakenIn) return;
  else if (spec.is_critical_path && failure.class !== "blocked" && planApproval === null) {
    remediate(draft, spec, failure);
  } else if (replans < max_replans) {
    const reason = `Subtask "${id}" failed: ${failure.feedback}`.slice(0, 2000);
    const version = planVersion + 1;
    draft.say({ type: "task_replanning", reason, failed_subtask_id: id, version, requested_by: "harness" });
  } else {
    failedForGood(draft, spec, failure);
  }
}

export function attemptsExhausted(draft: Draft): void {
  const limit = draft.task.brief.rules.max_loop_iterations;
  failTask(draft, "attempts_exhausted", `All ${limit} attempts (execution.max_loop_iterations) are used up`);
}

function failedForGood(draft: Draft, spec: SubtaskSpec, failure: AttemptFailure): void {
  const { is_critical_path: critical, id } = spec;
  const message = `${critical ? "Critical subtask" : "Subtask"} "${id}" failed for good: ${failure.feedback}`;
  failTask(draft, critical ? "critical_subtask_failed" : "subtask_failed", message.slice(0, 2000));
}

function block(draft: Draft, id: string): void {
  const subtasks = planned(draft.task);
  const specs = subtasks.map(({ spec }) => spec);
  const below = new Set(dependentsOf(id, specs));
  for (const { spec, status } of subtasks) {
    if (below.has(spec.id) && status.kind === "queued") {
      draft.say({ type: "subtask_blocked", subtask_id: spec.id, reasons: [id] });
    }
  }
}

/** One subtask in the place of a critical one that failed, by the strongest model; its own failure is final. */
function remediate(draft: Draft, spec: SubtaskSpec, failure: AttemptFailure): void {
  const fixId = fixIdOf(spec.id);
  if (isFix(draft.task, spec.id) || draft.task.subtasks.has(fixId)) {
    failedForGood(draft, spec, failure);
    return;
  }
  const fix: SubtaskSpec = {
    ...spec,
    id: fixId,
    description: `Finish what subtask "${spec.id}" could not. ${spec.description}`
      .slice(0, 3000)
      .concat(`\nIt failed with: ${failure.feedback}`.slice(0, 900)),
    model_tier: 3,
  };
  const instead = (id: string) => (id === spec.id ? fixId : id);
  replacePlan(
    draft,
    planned(draft.task).map(({ spec: other }) =>
      other.id === spec.id ? fix : { ...other, depends_on: other.depends_on.map(instead) },
    ),
  );
}

function fixIdOf(id: string): string {
  return `fix-${id}`.slice(0, 64);
}

/** Was it put in the place of something that failed? A planner may well name a subtask `fix-…` too. */
function isFix(task: Task, id: string): boolean {
  return /^fix-checks-\d+$/.test(id) || [...task.subtasks.keys()].some((other) => fixIdOf(other) === id);
}

/** A plan that the harness itself makes of the one in force. */
export function replacePlan(draft: Draft, subtasks: readonly SubtaskSpec[], reverting: readonly string[] = []): void {
  draft.say({
    type: "task_plan_ready",
    version: draft.task.planVersion + 1,
    replanned: draft.task.planVersion > 0,
    subtask_count: subtasks.length,
    subtask_ids: subtasks.map(({ id }) => id),
    subtasks: [...subtasks],
    reverting: [...reverting],
  });
}
