/** Planning: what becomes of a proposed plan. Taken, sent back with its flaws, or replaced by a plan that needs no model. */
import { askApproval } from "./asking.ts";
import { replacePlan } from "./attempts.ts";
import type { Draft } from "./draft.ts";
import type { EffectOf } from "./effect.ts";
import { staysAsItIs } from "./evolve-plan.ts";
import { planDecided } from "./persons.ts";
import { fallbackPlan, planFlaws, type SubtaskSpec } from "./plan.ts";
import { bounds } from "./rules.ts";
import { planned, type Task } from "./task.ts";

export interface Proposal {
  readonly subtasks: readonly SubtaskSpec[];
  /** Why it could not be read, where it could not. */
  readonly flaws: readonly string[];
}

export function propose(draft: Draft, effect: EffectOf<"plan">, proposal: Proposal): void {
  const kept = [...draft.task.subtasks.values()].filter(staysAsItIs).map(({ spec }) => spec);
  const flaws = proposal.flaws.length > 0 ? proposal.flaws : flawsIn(draft.task, proposal.subtasks, kept);
  if (flaws.length > 0) sendBack(draft, effect, { flaws, kept });
  else takePlan(draft, [...kept, ...freshIn(proposal.subtasks, kept)]);
}

/** What stays as it is need not be planned again; a planner that does so all the same means the same. */
function freshIn(subtasks: readonly SubtaskSpec[], kept: readonly SubtaskSpec[]): SubtaskSpec[] {
  const keptIds = new Set(kept.map(({ id }) => id));
  return subtasks.filter(({ id }) => !keptIds.has(id));
}

function flawsIn(task: Task, subtasks: readonly SubtaskSpec[], kept: readonly SubtaskSpec[]): string[] {
  const fresh = freshIn(subtasks, kept);
  // To do without what failed is a plan too.
  if (fresh.length === 0 && subtasks.length > 0) return [];
  const putBack = fresh.filter(({ id }) => task.subtasks.get(id)?.status.kind === "reverting");
  return [
    ...planFlaws(fresh, new Set(kept.map(({ id }) => id))),
    ...putBack.map(({ id }) => `The changes of an earlier subtask "${id}" are being put back; choose another id.`),
  ];
}

interface Flawed {
  readonly flaws: readonly string[];
  readonly kept: readonly SubtaskSpec[];
}

function sendBack(draft: Draft, { call, version }: EffectOf<"plan">, found: Flawed): void {
  const flaws = found.flaws.slice(0, 20).map((flaw) => flaw.slice(0, 500));
  draft.say({ type: "task_plan_rejected", version, call, flaws });
  const { rejected } = { rejected: 0, ...draft.task.planning };
  if (rejected < bounds.planCallsMax) return;
  const detail = flaws.join(" ").slice(0, 2000);
  draft.say({ type: "task_plan_degraded", reason_code: "planner_invalid_output", detail, version });
  const id = draft.task.subtasks.has("execute-goal") ? `execute-goal-${version}` : "execute-goal";
  takePlan(draft, [...found.kept, fallbackPlan(draft.task.brief.goal, id)]);
}

function takePlan(draft: Draft, subtasks: readonly SubtaskSpec[]): void {
  replacePlan(draft, subtasks, toRevert(draft.task, subtasks));
  const { task } = draft;
  if (task.brief.approve_plan) askAboutPlan(draft);
  else if (task.phase !== "executing") draft.say({ type: "task_executing", version: task.planVersion });
}

/** What a subtask changed that the new plan does without is put back. @see DECISIONS 5 */
function toRevert(task: Task, subtasks: readonly SubtaskSpec[]): string[] {
  const wanted = new Set(subtasks.map(({ id }) => id));
  return planned(task)
    .filter(({ spec, changedPaths }) => !wanted.has(spec.id) && changedPaths.length > 0)
    .map(({ spec }) => spec.id);
}

function askAboutPlan(draft: Draft): void {
  const { brief, planVersion } = draft.task;
  const lines = planned(draft.task).map(({ spec }) => `${spec.id}: ${spec.description}`);
  askApproval(
    draft,
    { subtaskId: "plan", attempt: planVersion },
    {
      approval_id: `apr_plan_${planVersion}_0_0`,
      kind: "plan",
      summary: lines.join("\n").slice(0, 4000),
      reason: "approve_plan was asked for with the task",
      risk: "medium",
      digest: `plan-${planVersion}`,
    },
  );
  if (brief.approvers === "none") planDecided(draft, { approved: false, by: "no approver" });
}
