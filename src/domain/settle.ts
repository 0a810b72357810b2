/**
 * settle (task, report, now) → events: an executor reports. What it says is recorded, or, when its effect is not wanted any
 * more, dropped but for what happened to files and budget. Never refused. Pure. What follows is said by the rules it calls.
 */
import { askApproval, askQuestion } from "./asking.ts";
import { checksRan } from "./checking.ts";
import { advance } from "./closing.ts";
import { Draft } from "./draft.ts";
import type { Effect } from "./effect.ts";
import { effects } from "./effects.ts";
import type { Event } from "./event.ts";
import { leaseNeeded } from "./lease-waiting.ts";
import { ifKind } from "./narrowing.ts";
import { extracted, failed, reverted } from "./outcomes.ts";
import { propose } from "./planning.ts";
import type { Circumstances, Report } from "./report.ts";
import { recovered, started, stepStarted } from "./starting.ts";
import type { Task } from "./task.ts";
import { judge } from "./verdicts.ts";
import { modelDown, timeReached } from "./waiting.ts";

export function settle(task: Task, report: Report, circumstances: Circumstances): readonly Event[] {
  const draft = new Draft(task, circumstances);
  if (report.type === "Recovered") recovered(draft, report.stepsInFlight);
  else if (report.type === "WebhookSettled") draft.say(report.event);
  else keyed(draft, report);
  advance(draft);
  return draft.events;
}

type KeyedType = Exclude<Report["type"], "Recovered" | "WebhookSettled">;
type Reports = { readonly [T in KeyedType]: Extract<Report, { readonly type: T }> };
type Keyed = Reports[KeyedType];

function keyed(draft: Draft, report: Keyed): void {
  const effect = effects(draft.task).find((wanted) => wanted.key === report.key);
  if (effect === undefined) late(draft, report);
  else record(draft, report, effect);
}

/** What happened to files and budget is true whoever still wants it. */
function late(draft: Draft, report: Keyed): void {
  if (report.type === "StepEnded") {
    for (const event of report.events) {
      if (event.type !== "tool_call_completed") draft.say(event);
    }
  } else if ((report.type === "Reverted" || report.type === "UndoDone") && report.changes.length > 0) {
    draft.say({ type: "undo_applied", ...undone(report) });
  }
}

function record<T extends KeyedType>(
  draft: Draft,
  report: { [K in T]: Reports[K] & { readonly type: K } }[T],
  effect: Effect,
): void {
  recorders[report.type](draft, report, effect);
}

type Recorders = { readonly [T in KeyedType]: (draft: Draft, report: Reports[T], effect: Effect) => void };

/** Most reports are made by executors of one kind; from another they would be a mistake, and say nothing. */
const recorders: Recorders = {
  Started: (draft, _report, effect) => started(draft, effect),
  StepStarted: stepStarted,
  StepEnded: (draft, report) => {
    for (const event of report.events) draft.say(event);
  },
  StepUncertain: (draft, { ask, event }, effect) => {
    draft.say(event);
    if (ask !== undefined) ifKind(effect, "work", (work) => askApproval(draft, work, ask));
  },
  PlanProposed: (draft, report, effect) => ifKind(effect, "plan", (plan) => propose(draft, plan, report)),
  NeedsApproval: (draft, { ask }, effect) => ifKind(effect, "work", (work) => askApproval(draft, work, ask)),
  NeedsAnswer: (draft, { ask }, effect) => ifKind(effect, "work", (work) => askQuestion(draft, work, ask)),
  NeedsLease: (draft, report, effect) => ifKind(effect, "work", (work) => leaseNeeded(draft, report, work)),
  Delivered: (draft, { digest, summary }, effect) =>
    ifKind(effect, "work", ({ attempt, subtaskId }) =>
      draft.say({ type: "subtask_delivered", subtask_id: subtaskId, attempt, summary, digest }),
    ),
  Failed: failed,
  ModelDown: modelDown,
  Judged: (draft, { verdict }, effect) => ifKind(effect, "verify", (verify) => judge(draft, verify, verdict)),
  Yielded: () => undefined,
  Reverted: (draft, report, effect) => ifKind(effect, "revert", (revert) => reverted(draft, revert, undone(report))),
  Extracted: (draft, { entries }, effect) =>
    ifKind(effect, "extract", (extract) => extracted(draft, extract.subtaskId, entries)),
  ChecksRan: (draft, { results }, effect) => ifKind(effect, "check", (check) => checksRan(draft, results, check.round)),
  Answered: (draft, { answer, summary }, effect) =>
    ifKind(effect, "answer", () =>
      draft.say({ type: "subtask_delivered", subtask_id: "answer", attempt: 1, summary, answer, digest: "" }),
    ),
  TimeReached: (draft, _report, effect) => ifKind(effect, "wait", (wait) => timeReached(draft, wait)),
  UndoDone: (draft, report, effect) =>
    ifKind(effect, "undo", ({ k }) => draft.say({ type: "undo_applied", k, ...undone(report) })),
};

function undone(report: Extract<Report, { readonly type: "Reverted" | "UndoDone" }>) {
  return { ...report.outcome, changes: [...report.changes], undone_ids: [...report.undoneIds] };
}
