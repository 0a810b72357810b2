/** Persons: what follows from a yes, a no, or no answer. An approval is decided once. */
import type { Refusal } from "../lib/errors.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Approval, Question, QuestionAnswer } from "./approval.ts";
import { cancelTask } from "./closing.ts";
import type { Draft } from "./draft.ts";
import type { Request } from "./request.ts";
import type { Task } from "./task.ts";
import { completeSubtask } from "./verdicts.ts";

interface Decision {
  readonly approved: boolean;
  readonly by: string;
  readonly reason?: string;
}

/** Records a decision and what follows from it by kind. */
export function decideApproval(draft: Draft, approval: Approval, decision: Decision): void {
  const { approval_id, kind, subtask_id } = approval;
  const { approved, by } = decision;
  const reason = decision.reason ? { reason: decision.reason } : {};
  draft.say({ type: "approval_received", subtask_id, approval_id, approved, by, ...reason });
  if (kind === "plan") planDecided(draft, { approved, by, ...reason });
  const verdict = kind === "subtask" && approved ? draft.subtask(subtask_id).verdict : null;
  if (verdict !== null) completeSubtask(draft, subtask_id, { verdict });
}

/** What a yes or a no to a plan leads to. */
export function planDecided(draft: Draft, decision: Decision): void {
  const { phase, planVersion } = draft.task;
  if (decision.approved) {
    draft.say({ type: "plan_approved", version: planVersion });
    if (phase !== "executing") draft.say({ type: "task_executing", version: planVersion });
  } else if (decision.reason === undefined) {
    cancelTask(draft, "plan_rejected");
  } else {
    const reason = `A person rejected the plan: ${decision.reason}`;
    draft.say({ type: "task_replanning", reason, version: planVersion + 1, requested_by: "person" });
  }
}

/** The time for an answer is up: never a yes. */
export function expireApproval(draft: Draft, approval: Approval): void {
  const { approval_id, subtask_id } = approval;
  const { on_timeout } = draft.task.brief.rules;
  draft.say({ type: "approval_expired", subtask_id, approval_id, on_timeout });
  if (on_timeout === "reject") decideApproval(draft, approval, { approved: false, by: "timeout" });
  else if (draft.task.paused === "no") pauseFor(draft, approval_id);
}

/** What is in flight ends at its next step boundary before the task is paused. */
function pauseFor(draft: Draft, approvalId: string): void {
  if (draft.inFlight > 0) draft.say({ type: "task_pausing", requested_by: "timeout" });
  else draft.say({ type: "task_paused", reason: `nobody answered ${approvalId} in time` });
}

/**
 * Which approval a request speaks of. @see DECISIONS 17
 *
 * @returns the pending approval; `null` when the same decision was made before; else why not
 */
export function addressed(
  task: Task,
  request: Extract<Request, { type: "DecideApproval" }>,
): Result<Approval | null, Refusal> {
  const { subtaskId, approvalId, approved } = request;
  if (subtaskId !== "plan" && !task.subtasks.has(subtaskId)) {
    return err({
      code: "not_found",
      message: `Task ${task.id} has no subtask "${subtaskId}"`,
      hint: "GET /tasks/{id}/approvals lists what waits for an answer",
    });
  }
  const rows = [...task.approvals.values()].filter((row) => row.subtask_id === subtaskId);
  if (approvalId !== undefined) {
    const row = rows.find((candidate) => candidate.approval_id === approvalId);
    const message = `Task ${task.id} has no approval "${approvalId}" for this subtask`;
    return row === undefined ? err({ code: "not_found", message }) : decidable(row, approved);
  }
  const pending = rows.find((row) => row.status === "pending");
  if (pending !== undefined && pending !== rows[0]) return err(mustBeNamed(pending));
  const last = pending ?? rows.at(-1);
  if (last !== undefined) return decidable(last, approved);
  return err({
    code: "nothing_pending",
    message: `Nothing of subtask "${subtaskId}" waits for an approval`,
    hint: "GET /tasks/{id}/approvals lists what waits for an answer",
  });
}

function mustBeNamed({ approval_id, subtask_id }: Approval): Refusal {
  return {
    code: "approval_id_required",
    message: `Subtask "${subtask_id}" has been asked about before; this one must be named`,
    hint: `Send "approval_id": "${approval_id}"`,
    extra: { approval_id },
  };
}

function decidable(row: Approval, approved: boolean): Result<Approval | null, Refusal> {
  const { approval_id, decidedBy, status } = row;
  if (status === "pending") return ok(row);
  if (status === (approved ? "approved" : "rejected")) return ok(null);
  const decided = { approval_id, decision: status, ...(decidedBy === undefined ? {} : { decided_by: decidedBy }) };
  return err({
    code: "approval_decided",
    message: `Approval "${approval_id}" is already ${status}${howDecided(row)}`,
    hint: "It is decided once, and stands; while the task is open, POST /tasks/{id}/steer tells it otherwise",
    extra: decided,
  });
}

function howDecided({ decidedBy, status }: Approval): string {
  if (status === "expired") return decidedBy === "timeout" ? ": nobody answered in time" : "";
  return ` by ${decidedBy}`;
}

/** Is the answer one that the question allows? */
export function answerFlaw(question: Question, answer: QuestionAnswer): string | null {
  const { custom_response: custom, selected_option_ids: selected } = answer;
  const optionIds = question.options.map((option) => option.id);
  const unknown = selected.find((id) => !optionIds.includes(id));
  if (unknown !== undefined) return `"${unknown}" is none of the options ${optionIds.join(", ")}`;
  if (custom === "" && selected.length === 0) return "the answer is empty";
  if (custom !== "" && optionIds.length > 0 && !question.allow_custom_response) {
    return "this question takes one of its options only";
  }
  return question.question_type === "single_choice" && selected.length > 1 ? "this question takes one option" : null;
}

export function sameAnswer(a: QuestionAnswer, b: QuestionAnswer): boolean {
  const [some, others] = [a, b].map(({ selected_option_ids }) => selected_option_ids.toSorted().join("\n"));
  return a.custom_response === b.custom_response && some === others;
}
