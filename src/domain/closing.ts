/** How a task comes to its end: completed when all is done and told, failed when nothing more can be tried, never left without either. */
import { type Draft, totals } from "./draft.ts";
import { wallBudget } from "./effect.ts";
import { effects, pendingRows } from "./effects.ts";
import { leasesFreed } from "./lease-waiting.ts";
import { ifKind } from "./narrowing.ts";
import { allDone, isClosed, planned, type Task } from "./task.ts";

/**
 * What follows from a state by itself, said at the end of every decision: paths that are free for those who wait for them, a
 * pause that has come about, completion, a stall.
 * Law 2 stands here: an open task leaves this with work in flight or with something that it awaits.
 */
export function advance(draft: Draft): void {
  if (isClosed(draft.task)) return;
  leasesFreed(draft);
  if (draft.task.paused === "asked" && draft.inFlight === 0) draft.say({ type: "task_paused", reason: "requested" });
  const { answer, paused } = draft.task;
  if (paused !== "no") return;
  if (answer !== null && allDone(draft.task) && draft.task.extracts.size === 0) completeTask(draft, answer);
  else if (isStalled(draft.task)) stalled(draft);
}

function completeTask(draft: Draft, answer: { readonly summary: string; readonly answer: string }): void {
  const flagged = planned(draft.task).filter(({ status }) => status.kind === "completed" && status.flagged);
  draft.say({
    type: "task_completed",
    ...totals(draft.task),
    ...answer,
    subtasks_flagged: flagged.map(({ spec }) => spec.id),
  });
}

/** The end of the wall budget is nothing to wait for. */
function isStalled(task: Task): boolean {
  const goesOn = effects(task).some((effect) => effect.kind !== "wait" || effect.what !== wallBudget);
  return !goesOn && pendingRows(task).length === 0;
}

function stalled(draft: Draft): void {
  const { brief, planVersion, replans } = draft.task;
  const subtasks = planned(draft.task);
  const idsIn = (kind: string) => subtasks.filter(({ status }) => status.kind === kind).map(({ spec }) => spec.id);
  draft.say({ type: "task_stalled", blocked_subtasks: idsIn("blocked"), pending_subtasks: idsIn("queued") });
  const rejected = subtasks.find(({ status }) => status.kind === "failed" && status.class === "rejected");
  if (rejected !== undefined) {
    const message = `A person rejected subtask "${rejected.spec.id}"; what depends on it was not done`;
    failTask(draft, "subtask_rejected", message);
  } else if (replans < brief.rules.max_replans) {
    const reason = "no subtask can go on";
    draft.say({ type: "task_replanning", reason, version: planVersion + 1, requested_by: "harness" });
  } else {
    failTask(draft, "stalled", "No subtask can go on, and the plan may not be made again");
  }
}

/** Ends the task as failed; what had not come to an end is said to be skipped. @param result what there is to show all the same */
export function failTask(
  draft: Draft,
  reason: string,
  message: string,
  result?: { readonly summary: string; readonly answer: string },
): void {
  skipRest(draft, `task failed: ${reason}`);
  const failed = planned(draft.task).filter((subtask) => subtask.status.kind === "failed");
  draft.say({
    type: "task_failed",
    ...totals(draft.task),
    reason,
    message,
    failed_subtasks: failed.map(({ spec }) => spec.id),
    ...(result === undefined ? {} : { result }),
  });
}

export function cancelTask(draft: Draft, reason: string): void {
  skipRest(draft, "task cancelled");
  draft.say({ type: "task_cancelled", ...totals(draft.task), reason });
}

function skipRest(draft: Draft, reason: string): void {
  for (const { spec, status } of planned(draft.task)) {
    if (status.kind !== "completed" && status.kind !== "failed" && status.kind !== "skipped") {
      draft.say({ type: "subtask_skipped", subtask_id: spec.id, reason });
    }
  }
}

/** The answer that needs no model: what the subtasks said, in plan order. */
export function joinedSummaries(task: Task): { readonly summary: string; readonly answer: string } {
  const parts: string[] = [];
  for (const { spec, status } of planned(task)) {
    ifKind(status, "completed", ({ summary }) => parts.push(`${spec.id}: ${summary}`));
  }
  const answer = parts.join("\n").slice(0, 8000);
  return { summary: answer.slice(0, 1000), answer };
}
