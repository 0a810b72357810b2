/** What is answered about what people are asked and say, as schemas: approvals, questions, messages. */
import { z } from "zod";
import type { ApprovalView, QuestionView } from "../domain/view.ts";
import { applied, time } from "./answers.ts";

const text = z.string();
const count = z.int().min(0);

export const ApprovalAnswer: z.ZodType<ApprovalView> = z
  .looseObject({
    approval_id: text,
    task_id: text,
    subtask_id: text,
    kind: text,
    status: text,
    summary: text,
    reason_requested: text,
    action: z.unknown(),
    risk: text,
    requested_at: time,
    expires_at: time.exactOptional(),
    decided_at: time.exactOptional(),
    decided_by: text.exactOptional(),
    reason: text.exactOptional(),
  })
  .meta({ id: "Approval" });

export const QuestionAnswer: z.ZodType<QuestionView> = z
  .looseObject({
    question_id: text,
    task_id: text,
    subtask_id: text,
    status: text,
    question: text,
    question_type: text,
    options: z.array(z.looseObject({ id: text, label: text, description: text })),
    allow_custom_response: z.boolean(),
    default_option_id: text.exactOptional().describe("What stands when nobody answers in time."),
    context_note: text,
    urgency: text,
    requested_at: time,
    expires_at: time.exactOptional(),
    answer: z.unknown().optional(),
    answered_at: time.exactOptional(),
    answered_by: text.exactOptional(),
  })
  .meta({ id: "Question" });

export const ConversationAnswer = z.array(
  z.looseObject({ id: count, role: text, kind: text, message: text, timestamp: time }),
);

export const ApproveAnswer = z
  .looseObject({
    status: z.literal("ok"),
    approved: z.boolean(),
    subtask_id: text,
    resolved_pending: z.boolean(),
    ...applied,
  })
  .meta({ id: "Decided" });

export const MessageAnswer = z
  .looseObject({ status: z.literal("ok"), message: text, task_id: text, ...applied })
  .meta({ id: "Delivered" });
