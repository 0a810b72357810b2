/** Approvals and questions: rows that wait for a person. Folded from events; never a waiting process. */
import { z } from "zod";

/** What a gated call would do, in words a person can judge. */
export const ActionSummary = z.strictObject({
  tool: z.string().max(100),
  arguments: z.record(z.string(), z.unknown()),
  command: z.string().max(8000).optional(),
  paths: z.array(z.string().max(1000)).max(100),
  hosts: z.array(z.string().max(300)).max(50),
  /** What a change of files would come to, as a unified diff; cut where it is long. */
  diff: z.string().max(8000).optional(),
});
export type ActionSummary = z.infer<typeof ActionSummary>;

export const ApprovalKind = z.enum(["tool", "subtask", "plan"]);
export type ApprovalKind = z.infer<typeof ApprovalKind>;

/** What is asked for; the id is derived, so that a replayed attempt asks for the same row. */
export const ApprovalAsk = z.strictObject({
  approval_id: z.string().max(200),
  kind: ApprovalKind,
  summary: z.string().max(4000),
  reason: z.string().max(2000),
  risk: z.enum(["low", "medium", "high", "critical"]),
  action: ActionSummary.optional(),
  /** Binds a yes to exactly this tool, these arguments and these pre-images. @see DECISIONS 17 */
  digest: z.string().max(100),
});
export type ApprovalAsk = z.infer<typeof ApprovalAsk>;

export interface Approval extends ApprovalAsk {
  readonly subtask_id: string;
  readonly status: "pending" | "approved" | "rejected" | "expired";
  readonly requestedAt: number;
  readonly expiresAt?: number;
  readonly decidedAt?: number;
  readonly decidedBy?: string;
  readonly decisionReason?: string;
}

export const QuestionAsk = z.strictObject({
  question_id: z.string().max(200),
  question: z.string().min(1).max(1200),
  question_type: z.enum(["free_text", "single_choice", "multi_choice"]),
  options: z
    .array(z.strictObject({ id: z.string().max(80), label: z.string().max(300), description: z.string().max(600) }))
    .max(25),
  allow_custom_response: z.boolean(),
  context_note: z.string().max(400),
  urgency: z.enum(["low", "normal", "high"]),
  default_option_id: z.string().max(80).optional(),
});
export type QuestionAsk = z.infer<typeof QuestionAsk>;

export const QuestionAnswer = z.strictObject({
  selected_option_ids: z.array(z.string().max(80)).max(25).default([]),
  custom_response: z.string().max(8000).default(""),
});
export type QuestionAnswer = z.infer<typeof QuestionAnswer>;

export interface Question extends QuestionAsk {
  readonly subtask_id: string;
  readonly status: "pending" | "answered" | "expired";
  readonly requestedAt: number;
  readonly expiresAt?: number;
  readonly answer?: QuestionAnswer;
  readonly answeredBy?: string;
  readonly answeredAt?: number;
}

/** What the model reads as the answer: what was written, else the labels that were chosen. */
export function answerText(question: QuestionAsk, answer: QuestionAnswer): string {
  if (answer.custom_response !== "") return answer.custom_response;
  const labels = answer.selected_option_ids.map(
    (id) => question.options.find((option) => option.id === id)?.label ?? id,
  );
  return labels.length > 0 ? labels.join(", ") : "No preference.";
}
