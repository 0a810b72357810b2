/** The part of `evolve` about people: what they were asked, what they answered, what they said. */
import type { Approval, Question } from "./approval.ts";
import type { StampedEvents } from "./event.ts";
import { onPlanning } from "./evolve-plan.ts";
import { evolveSubtask } from "./evolve-subtask.ts";
import type { Folds, Instruction, Task } from "./task.ts";

export const personFolds = {
  steer_instruction: steered,
  conversation_message: (task, event) => instructed(task, { seq: event.seq, mode: "queue", text: event.message }),
  steer_applied: instructionRead,
  approval_requested: approvalAsked,
  approval_received: approvalDecided,
  approval_expired: (task, event) => withApproval(task, event.approval_id, (approval) => expired(approval, event)),
  ask_user_requested: questionAsked,
  ask_user_answered: questionAnswered,
} satisfies Partial<Folds>;

function instructed(task: Task, instruction: Omit<Instruction, "readBy">): Task {
  return { ...task, instructions: [...task.instructions, { ...instruction, readBy: [] }] };
}

function instructionRead(task: Task, { instruction_seq, subtask_id }: StampedEvents["steer_applied"]): Task {
  const instructions = task.instructions.map((instruction) =>
    instruction.seq === instruction_seq && !instruction.readBy.includes(subtask_id)
      ? { ...instruction, readBy: [...instruction.readBy, subtask_id] }
      : instruction,
  );
  return { ...task, instructions };
}

/** An interrupt while a plan is being made asks for the plan again. */
function steered(task: Task, event: StampedEvents["steer_instruction"]): Task {
  const told = instructed(task, { seq: event.seq, mode: event.mode, text: event.instruction });
  if (event.mode !== "interrupt") return told;
  return onPlanning(told, (planning) => ({ ...planning, call: planning.call + 1, started: false, wait: null }));
}

function approvalAsked(task: Task, event: StampedEvents["approval_requested"]): Task {
  const {
    type: _type,
    seq: _seq,
    at,
    proposed_action: _action,
    risk_level: _risk,
    attempt: _attempt,
    expires_at,
    ...ask
  } = event;
  const approval: Approval = { ...ask, status: "pending", requestedAt: at, ...expiry(expires_at) };
  const asked = { ...task, approvals: new Map(task.approvals).set(event.approval_id, approval) };
  return event.kind === "plan" ? { ...asked, planApproval: event.approval_id } : evolveSubtask(asked, event);
}

function expiry(at: number | undefined): { readonly expiresAt?: number } {
  return at === undefined ? {} : { expiresAt: at };
}

function approvalDecided(task: Task, event: StampedEvents["approval_received"]): Task {
  const decided = withApproval(task, event.approval_id, (approval) => ({
    ...approval,
    status: approval.status === "expired" ? "expired" : event.approved ? "approved" : "rejected",
    decidedAt: event.at,
    decidedBy: event.by,
    ...(event.reason === undefined ? {} : { decisionReason: event.reason }),
  }));
  return evolveSubtask(decided, event);
}

/** Paused for want of an answer, it can still be answered; rejected for want of one, it is decided. */
function expired(approval: Approval, event: StampedEvents["approval_expired"]): Approval {
  const { expiresAt: _expiresAt, ...lasting } = approval;
  return event.on_timeout === "pause" ? lasting : { ...approval, status: "expired", decidedAt: event.at };
}

function withApproval(task: Task, id: string, change: (approval: Approval) => Approval): Task {
  const approval = task.approvals.get(id);
  return approval === undefined ? task : { ...task, approvals: new Map(task.approvals).set(id, change(approval)) };
}

function questionAsked(task: Task, event: StampedEvents["ask_user_requested"]): Task {
  const { type: _type, seq: _seq, at, attempt: _attempt, expires_at, ...ask } = event;
  const question: Question = { ...ask, status: "pending", requestedAt: at, ...expiry(expires_at) };
  return evolveSubtask({ ...task, questions: new Map(task.questions).set(event.question_id, question) }, event);
}

function questionAnswered(task: Task, event: StampedEvents["ask_user_answered"]): Task {
  const question = task.questions.get(event.question_id);
  if (question === undefined) return task;
  const status = event.by === "timeout" ? "expired" : "answered";
  const answered: Question = { ...question, status, answer: event.answer, answeredBy: event.by, answeredAt: event.at };
  return evolveSubtask({ ...task, questions: new Map(task.questions).set(event.question_id, answered) }, event);
}
