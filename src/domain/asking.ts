/** Asking: how an approval or a question comes to be. Where nobody answers for the task, the answer is no at once. */
import type { ApprovalAsk, QuestionAsk } from "./approval.ts";
import type { Draft } from "./draft.ts";

export interface AskedAt {
  readonly subtaskId: string;
  readonly attempt: number;
}

/** Asks for an approval. What a refused plan leads to is for the caller to say. */
export function askApproval(draft: Draft, at: AskedAt, ask: ApprovalAsk): void {
  draft.say({
    type: "approval_requested",
    subtask_id: at.subtaskId,
    attempt: at.attempt,
    ...ask,
    proposed_action: ask.summary,
    risk_level: ask.risk,
    ...expiry(draft),
  });
  if (draft.task.brief.approvers === "none") {
    draft.say({
      type: "approval_received",
      subtask_id: at.subtaskId,
      approval_id: ask.approval_id,
      approved: false,
      by: "no approver",
    });
  }
}

export function askQuestion(draft: Draft, at: AskedAt, ask: QuestionAsk): void {
  const asked = { subtask_id: at.subtaskId, attempt: at.attempt, ...ask };
  draft.say({ type: "ask_user_requested", ...asked, ...expiry(draft) });
  if (draft.task.brief.approvers === "none") expireQuestion(draft, asked);
}

function expiry({ now, task }: Draft): { readonly expires_at?: number } {
  const { approval_timeout_ms } = task.brief.rules;
  return approval_timeout_ms > 0 ? { expires_at: now + approval_timeout_ms } : {};
}

/** The time is up: the default option stands, or no preference. */
export function expireQuestion(draft: Draft, question: QuestionAsk & { readonly subtask_id: string }): void {
  const { default_option_id: chosen, question_id, subtask_id } = question;
  const answer = { selected_option_ids: chosen === undefined ? [] : [chosen], custom_response: "" };
  draft.say({ type: "ask_user_answered", subtask_id, question_id, answer, by: "timeout" });
}
