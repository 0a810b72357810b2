/** Starting: what is said when an effect begins, when one of its steps begins, and when Loom itself begins anew. */
import { attemptsExhausted } from "./attempts.ts";
import { failTask } from "./closing.ts";
import type { Draft } from "./draft.ts";
import type { Effect, EffectKind, EffectOf } from "./effect.ts";
import { effects } from "./effects.ts";
import { heldByOther } from "./holders.ts";
import { ifKind } from "./narrowing.ts";
import type { Report, StepStartEvent } from "./report.ts";
import { reservedCalls } from "./reservation.ts";
import { bounds } from "./rules.ts";
import { paidFor } from "./spending.ts";
import { isClosed, type Task } from "./task.ts";

/** Plans, attempts, verifications and checks are announced; what else begins shows by what comes of it. */
export function started(draft: Draft, effect: Effect): void {
  if (hasBegun(draft.task, effect)) return;
  ifKind(effect, "plan", (plan) => planStarted(draft, plan));
  ifKind(effect, "work", (work) => workStarted(draft, work));
  ifKind(effect, "verify", ({ attempt, subtaskId: subtask_id, tier, try: nth }) =>
    draft.say({ type: "verification_started", subtask_id, attempt, try: nth, target_tier: tier }),
  );
  ifKind(effect, "check", ({ round }) =>
    draft.say({ type: "checks_started", round, checks: [...draft.task.brief.checks] }),
  );
}

/**
 * May this effect have been in flight before? A wanted one whose beginning is announced has begun when that was said; a
 * new leg and a replanning were announced before they began.
 */
function hasBegun<K extends EffectKind>(
  task: Task,
  effect: { [P in K]: EffectOf<P> & { readonly kind: P } }[K],
): boolean {
  return begun[effect.kind](task, effect);
}

const begun: { readonly [K in EffectKind]: (task: Task, effect: EffectOf<K>) => boolean } = {
  plan: ({ planning }) => planning?.started === true || planning?.replan !== null,
  work: ({ subtasks }, { subtaskId }) => subtasks.get(subtaskId)?.startedSeq !== 0,
  verify: ({ subtasks }, { subtaskId }) => {
    const status = subtasks.get(subtaskId)?.status;
    return status?.kind === "verifying" && status.started;
  },
  check: ({ checks }) => checks.started,
  revert: () => true,
  extract: () => true,
  answer: () => true,
  undo: () => true,
  wait: () => false,
};

function planStarted(draft: Draft, { call, version }: EffectOf<"plan">): void {
  draft.say({ type: "task_planning", goal: draft.task.brief.goal.slice(0, 500), version, call });
}

function workStarted(draft: Draft, { attempt, subtaskId, tier }: EffectOf<"work">): void {
  const { attempts, brief } = draft.task;
  if (attempts >= brief.rules.max_loop_iterations) attemptsExhausted(draft);
  else draft.say({ type: "subtask_started", subtask_id: subtaskId, attempt, model_tier: tier });
}

export function stepStarted(draft: Draft, report: Extract<Report, { type: "StepStarted" }>, effect: Effect): void {
  const { instructionSeqs } = report;
  if (isHeldFrom(draft.task, report.event, effect)) return;
  const event = putsBack(effect) ? report.event : paidFor(draft, report);
  if (event === null) return;
  draft.say(event);
  if (effect.kind !== "work") return;
  const iteration = event.type === "model_invocation" ? event.iteration : 0;
  for (const seq of instructionSeqs) {
    const { attempt, subtaskId: subtask_id } = effect;
    draft.say({ type: "steer_applied", subtask_id, attempt, iteration, instruction_seq: seq });
  }
}

/** Two that set out at the same moment both saw the path free; the log puts one of them first. */
function isHeldFrom(task: Task, event: StepStartEvent, effect: Effect): boolean {
  if (effect.kind !== "work" || event.type !== "tool_call_started") return false;
  return heldByOther(task, effect.subtaskId, event.writes ?? []) !== null;
}

/** Putting back costs nothing that a budget is for, and is owed also when the budget is spent, or the task is closed. */
function putsBack(effect: Effect): boolean {
  return effect.kind === "undo" || effect.kind === "revert";
}

/** A task that had nothing in flight when Loom went down lost nothing by it, and says nothing about it. */
export function recovered(draft: Draft, stepsInFlight: readonly string[]): void {
  const { task } = draft;
  const settled = reservedCalls(task);
  if (isClosed(task) || !(settled !== null || wasInFlight(task))) return;
  const recoveries = task.recoveries + 1;
  draft.say({
    type: "task_recovered",
    steps_in_flight: [...stepsInFlight],
    recoveries,
    ...(settled === null ? {} : { settled }),
  });
  if (recoveries < bounds.recoveriesMax) return;
  const message = `Loom died ${recoveries} times in a row without a new step of this task; it is not tried again`;
  failTask(draft, "crash_loop", message);
}

/** Nothing of a paused task runs but what is being put back; else what has begun may have been running. */
function wasInFlight(task: Task): boolean {
  return effects(task).some((effect) => (task.paused !== "yes" || effect.mode === "run") && hasBegun(task, effect));
}
