/**
 * effects (task) → effects: the work that should be in flight now, each with a stable key. The driver makes it so; what is
 * not in this list is stopped. Pure, and derived from the state alone.
 */
import { unreachable } from "../lib/result.ts";
import type { Approval, Question } from "./approval.ts";
import { type Effect, type EffectMode, type EffectWork, keyOf, wallBudget } from "./effect.ts";
import { Outputs } from "./outputs.ts";
import { allDone, hasBegun, isClosed, isUnderWay, type Subtask, type Task } from "./task.ts";

const known = new WeakMap<Task, readonly Effect[]>();

/** Asked for several times of each state: the rules, the status and the driver all begin with it. */
export function effects(task: Task): readonly Effect[] {
  const found = known.get(task) ?? effectsOf(task);
  known.set(task, found);
  return found;
}

function effectsOf(task: Task): readonly Effect[] {
  const undos = task.undos.map((undo) => effect({ kind: "undo", ...undo }, "run"));
  if (isClosed(task)) return undos;
  const mode: EffectMode = task.paused === "no" ? "run" : "yield";
  return [
    ...undos,
    ...planEffects(task, mode),
    ...subtaskEffects(task, mode),
    ...endEffects(task, mode),
    ...waits(task),
  ];
}

function effect(work: EffectWork, mode: EffectMode): Effect {
  return { ...work, key: keyOf(work), mode };
}

function planEffects(task: Task, mode: EffectMode): Effect[] {
  const { planning } = task;
  if (planning === null || planning.wait !== null) return [];
  return [effect({ kind: "plan", version: planning.version, call: planning.call }, mode)];
}

function subtaskEffects(task: Task, mode: EffectMode): Effect[] {
  const ready = new Set(readyOnes(task));
  const wanted: Effect[] = [];
  for (const subtask of task.subtasks.values()) {
    const work = subtaskWork(task, subtask, ready);
    if (work !== null) wanted.push(effect(work, work.kind === "revert" ? "run" : mode));
  }
  for (const id of task.extracts) wanted.push(effect({ kind: "extract", subtaskId: id }, mode));
  return wanted;
}

function subtaskWork(task: Task, subtask: Subtask, ready: ReadonlySet<Subtask>): EffectWork | null {
  const { attempt, leg, status, tier } = subtask;
  const subtaskId = subtask.spec.id;
  switch (status.kind) {
    case "queued":
      return ready.has(subtask) ? { kind: "work", subtaskId, attempt, leg, tier } : null;
    case "working":
      return { kind: "work", subtaskId, attempt, leg, tier };
    case "verifying":
      return { kind: "verify", subtaskId, attempt, try: status.try, tier: verificationTier(task, subtask) };
    case "reverting":
      return { kind: "revert", subtaskId, attempt };
    case "parked":
    case "judged":
    case "backoff":
    case "completed":
    case "failed":
    case "blocked":
    case "skipped":
      return null;
    default:
      return unreachable(status);
  }
}

/** The least tier a verification aims at; what the attempt did can raise it. @see DECISIONS 16 */
function verificationTier(task: Task, subtask: Subtask): number {
  const { tier2_enabled, tier3_enabled } = task.brief.rules;
  const planned = subtask.spec.verification_tier;
  if (planned >= 3 && tier3_enabled) return 3;
  return planned >= 2 && tier2_enabled ? 2 : 1;
}

/**
 * Queued subtasks that may go on or begin. One begins when its dependencies are completed, the plan has its yes, nothing
 * of a dropped subtask is still being put back, and no other one has begun on an output that it names too.
 */
function readyOnes(task: Task): Subtask[] {
  const subtasks = [...task.subtasks.values()];
  const underWay = subtasks.filter(isUnderWay);
  const ready = underWay.filter(({ status }) => status.kind === "queued");
  const isPuttingBack = subtasks.some(({ status }) => status.kind === "reverting" && status.next === "drop");
  if (task.phase !== "executing" || task.planApproval !== null || isPuttingBack) return ready;
  const taken = new Outputs();
  for (const subtask of subtasks) if (hasBegun(subtask)) taken.add(subtask.outputs);
  for (const subtask of subtasks) {
    if (subtask.status.kind !== "queued" || isUnderWay(subtask)) continue;
    if (!subtask.spec.depends_on.every((id) => task.subtasks.get(id)?.status.kind === "completed")) continue;
    if (!hasBegun(subtask) && taken.overlaps(subtask.outputs)) continue;
    ready.push(subtask);
    taken.add(subtask.outputs);
  }
  return ready;
}

function endEffects(task: Task, mode: EffectMode): Effect[] {
  if (!allDone(task)) return [];
  if (task.brief.checks.length > 0 && !task.checks.passed) {
    return [effect({ kind: "check", round: task.checks.round }, mode)];
  }
  return task.answer === null ? [effect({ kind: "answer", call: task.planVersion }, mode)] : [];
}

/** Times that are waited for: back-off, models that are down, answers that are due, the end of the wall budget. */
function waits(task: Task): Effect[] {
  const wanted: Effect[] = [];
  const wait = (what: string, n: number, until: number) => wanted.push(effect({ kind: "wait", what, n, until }, "run"));
  if (task.planning?.wait) wait("plan", task.planning.wait.n, task.planning.wait.until);
  for (const { spec, status } of task.subtasks.values()) {
    if (status.kind === "backoff") wait(spec.id, status.n, status.until);
  }
  for (const row of pendingRows(task)) {
    if (row.expiresAt !== undefined) wait(idOf(row), 0, row.expiresAt);
  }
  const wall = task.brief.budget.wall_seconds;
  if (wall !== undefined) wait(wallBudget, task.opened.seq, task.opened.at + wall * 1000);
  return wanted;
}

export function pendingRows(task: Task): (Approval | Question)[] {
  return [...task.approvals.values(), ...task.questions.values()].filter((row) => row.status === "pending");
}

export function idOf(row: Approval | Question): string {
  return "approval_id" in row ? row.approval_id : row.question_id;
}
