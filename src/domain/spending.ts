/** Spending: whether a step may start under the budgets of its task, what is set aside for it, and how a task ends whose budget is spent. */
import { type Exhausted, exhausted, nothing } from "./budget.ts";
import { failTask, joinedSummaries } from "./closing.ts";
import type { Draft } from "./draft.ts";
import { effects } from "./effects.ts";
import type { Circumstances, Report, StepStartEvent } from "./report.ts";
import { grant } from "./reservation.ts";
import { planned, type Task } from "./task.ts";

type StepStarted = Extract<Report, { readonly type: "StepStarted" }>;

/** @returns the event with what is set aside for it; null when it may not start: where nothing will ever be left, the task has ended */
export function paidFor(draft: Draft, { event, quote }: StepStarted): StepStartEvent | null {
  const { task } = draft;
  const step = event.type === "model_invocation" ? "model" : "tool";
  const spent = exhausted(task.brief.budget, task.usage, { wallMs: draft.now - task.opened.at, step });
  if (spent !== null) {
    overBudget(draft, spent);
    return null;
  }
  if (event.type !== "model_invocation" || quote === undefined) return event;
  const granted = grant(task, quote, draft.ledger);
  if (granted.kind === "granted") return { ...event, reserved: granted.reserved };
  if (granted.kind === "exhausted") overBudget(draft, granted.spent, granted.why);
  return null;
}

/** A model call for which too little is left only as long as others are in flight: it is asked again when one of them ends. */
export function mustWait(task: Task, report: Report, { now, ledger = nothing }: Circumstances): boolean {
  if (report.type !== "StepStarted" || report.quote === undefined) return false;
  const wallMs = now - task.opened.at;
  if (exhausted(task.brief.budget, task.usage, { wallMs, step: "model" }) !== null) return false;
  const isLater = grant(task, report.quote, ledger).kind === "later";
  return isLater && effects(task).some(({ key }) => key === report.key);
}

/** What started of this report: the same event, but for what was set aside for it. @returns undefined when it was not let start */
export function startedAs(
  report: StepStarted,
  events: readonly { readonly type: string }[],
): StepStartEvent | undefined {
  const { event } = report;
  const found = events.find(
    (said) => said === event || (report.quote !== undefined && said.type === "model_invocation"),
  );
  return found as StepStartEvent | undefined;
}

export function overBudget(draft: Draft, spent: Exhausted, why?: string): void {
  const { budget_name, limit, observed } = spent;
  draft.say({ type: "task_budget_exhausted", budget_name, observed, limit });
  const { account } = draft.task.brief;
  const whose = isDaily(spent) && account !== undefined ? ` of "${account.id}"` : "";
  const message = [
    `The budget for ${budget_name}${whose} is spent: ${observed} of ${limit}`,
    ...(why === undefined ? [] : [why]),
    ...(isDaily(spent) ? ["the next day begins at 00:00 UTC; the task can then be retried"] : []),
  ].join("; ");
  failTask(draft, "budget", message, workDone(draft.task));
}

function isDaily({ budget_name }: Exhausted): boolean {
  return budget_name === "tokens_per_day" || budget_name === "usd_per_day";
}

/** What was finished all the same, told without a model: it stays. */
function workDone(task: Task): { readonly summary: string; readonly answer: string } {
  const subtasks = planned(task);
  const done = subtasks.filter(({ status }) => status.kind === "completed");
  const left = subtasks.filter(({ status }) => status.kind !== "completed").map(({ spec }) => spec.id);
  const summary = `The budget was spent when ${done.length} of ${subtasks.length} subtasks were done; what was done is kept`;
  const { answer } = joinedSummaries(task);
  const parts = [answer, left.length === 0 ? "" : `Not done: ${left.join(", ")}`].filter((part) => part !== "");
  return { summary, answer: parts.length === 0 ? summary : parts.join("\n") };
}
