/** Waiting: for a model that is down, and what follows when a time that was waited for has come. */
import { expireQuestion } from "./asking.ts";
import { failTask } from "./closing.ts";
import type { Draft } from "./draft.ts";
import { type Effect, type EffectOf, wallBudget } from "./effect.ts";
import { failed } from "./outcomes.ts";
import { expireApproval } from "./persons.ts";
import type { Report } from "./report.ts";
import { overBudget } from "./spending.ts";

const waitMsLeast = 1000;
const waitMsMost = 300_000;

/** Planning, work and verification wait for their model, for so long; what else needed one does without. */
export function modelDown(draft: Draft, report: Extract<Report, { type: "ModelDown" }>, effect: Effect): void {
  const { key, reason, retryAfterMs } = report;
  const id = waiterOf(effect);
  if (id !== null && isPatient(draft, id)) {
    const until = draft.now + Math.min(waitMsMost, Math.max(waitMsLeast, retryAfterMs));
    draft.say({ type: "subtask_waiting", subtask_id: id, on: "model", until, reason: reason.slice(0, 1000) });
  } else if (id === "plan") failTask(draft, "model_unavailable", reason);
  else failed(draft, { type: "Failed", key, class: "model", feedback: reason }, effect);
}

function waiterOf(effect: Effect): string | null {
  if (effect.kind === "plan") return "plan";
  return effect.kind === "work" || effect.kind === "verify" ? effect.subtaskId : null;
}

function isPatient({ now, task }: Draft, id: string): boolean {
  const waiter = id === "plan" ? task.planning : task.subtasks.get(id);
  return now - (waiter?.waitingSince ?? now) < task.brief.rules.model_wait_ms;
}

export function timeReached(draft: Draft, { n, what }: EffectOf<"wait">): void {
  const { approvals, brief, opened, questions } = draft.task;
  const [approval, question] = [approvals.get(what), questions.get(what)];
  const limit = brief.budget.wall_seconds;
  if (approval !== undefined) expireApproval(draft, approval);
  else if (question !== undefined) expireQuestion(draft, question);
  else if (what === wallBudget && limit !== undefined) {
    overBudget(draft, { budget_name: "wall_seconds", observed: (draft.now - opened.at) / 1000, limit });
  } else draft.say({ type: "wait_elapsed", what, n });
}
