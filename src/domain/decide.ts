/**
 * decide (task, request, now) → events | refusal: a person or a client asks, and may be told no, with a reason. Pure.
 */
import type { Refusal } from "../lib/errors.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { answerText } from "./approval.ts";
import { advance, cancelTask } from "./closing.ts";
import { Draft } from "./draft.ts";
import type { Event } from "./event.ts";
import { addressed, answerFlaw, decideApproval, sameAnswer } from "./persons.ts";
import type { Circumstances } from "./report.ts";
import type { Request } from "./request.ts";
import { changesOf, isClosed, isUnderWay, type Subtask, type Task } from "./task.ts";

/** @param task null before the task exists */
export function decide(
  task: Task | null,
  request: Request,
  circumstances: Circumstances,
): Result<readonly Event[], Refusal> {
  if (request.type === "SubmitTask") {
    if (task === null) return ok([{ type: "task_created", ...request.brief }]);
    return err({ code: "wrong_state", message: `Task ${task.id} exists already` });
  }
  if (task === null) return err({ code: "not_found", message: "There is no such task" });
  const draft = new Draft(task, circumstances);
  const refusal = answer(draft, request);
  if (refusal !== null) return err(refusal);
  if (draft.events.length > 0) advance(draft);
  return ok(draft.events);
}

type LaterType = Exclude<Request["type"], "SubmitTask">;
type Requests = { readonly [T in LaterType]: Extract<Request, { readonly type: T }> };

function answer<T extends LaterType>(
  draft: Draft,
  request: { [K in T]: Requests[K] & { readonly type: K } }[T],
): Refusal | null {
  return answers[request.type](draft, request);
}

type Answers = { readonly [T in LaterType]: (draft: Draft, request: Requests[T]) => Refusal | null };

/** Each says what the request leads to and returns null, or says nothing and returns why not. */
const answers: Answers = {
  DecideApproval: (draft, request) => {
    const row = addressed(draft.task, request);
    if (!row.ok) return row.error;
    if (row.value !== null) decideApproval(draft, row.value, request);
    return null;
  },
  AnswerQuestion: answerQuestion,
  SteerTask: (draft, { by, instruction, mode }) =>
    whileOpen(draft, "steered", () =>
      draft.say({
        type: "steer_instruction",
        instruction,
        instruction_chars: instruction.length,
        mode,
        source: by,
      }),
    ),
  SendMessage: (draft, { by, message }) =>
    whileOpen(draft, "sent a message", () =>
      draft.say({ type: "conversation_message", role: "user", message, source: by }),
    ),
  PauseTask: (draft, { by }) =>
    whileOpen(draft, "paused", () => {
      if (draft.task.paused === "no") draft.say({ type: "task_pausing", requested_by: by });
    }),
  ResumeTask: (draft, { by }) =>
    whileOpen(draft, "resumed", () => {
      if (draft.task.paused !== "no") draft.say({ type: "task_resumed", requested_by: by, reopened: false });
    }),
  CancelTask: cancel,
  RetryTask: retry,
  UndoChanges: undo,
  GiveFeedback: giveFeedback,
};

function whileOpen({ task }: Draft, done: string, then: () => void): Refusal | null {
  if (isClosed(task)) {
    return {
      code: "wrong_state",
      message: `Task ${task.id} is ${task.outcome}; it cannot be ${done}`,
      hint:
        task.outcome === "completed"
          ? "Submit a new task"
          : "POST /tasks/{id}/retry goes on with a failed or cancelled task",
    };
  }
  then();
  return null;
}

function cancel(draft: Draft, { by, reason }: Requests["CancelTask"]): null {
  if (isClosed(draft.task)) return null;
  draft.say({ type: "task_cancel_requested", requested_by: by, ...(reason === undefined ? {} : { reason }) });
  cancelTask(draft, reason ?? "cancel_requested");
  return null;
}

function retry(draft: Draft, { by }: Requests["RetryTask"]): Refusal | null {
  const { id, outcome, phase } = draft.task;
  if (outcome === "failed" || outcome === "cancelled") {
    draft.say({ type: "task_resumed", requested_by: by, reopened: true });
    return null;
  }
  const message = `Task ${id} is ${outcome ?? phase}; only a failed or cancelled task can be retried`;
  return { code: "wrong_state", message };
}

function answerQuestion(draft: Draft, request: Requests["AnswerQuestion"]): Refusal | null {
  const { answer: given, by, questionId } = request;
  const question = draft.task.questions.get(questionId);
  if (question === undefined) {
    return {
      code: "not_found",
      message: `Task ${draft.task.id} has no question "${questionId}"`,
      hint: "GET /tasks/{id}/questions lists them",
    };
  }
  const { answer: earlier, answeredBy, status, subtask_id } = question;
  if (status === "answered" && earlier !== undefined) {
    if (sameAnswer(earlier, given)) return null;
    const message = `Question "${questionId}" was answered already by ${answeredBy}: ${answerText(question, earlier)}`;
    const hint = "The first answer stands; POST /tasks/{id}/steer tells the task otherwise";
    return { code: "approval_decided", message, hint };
  }
  if (status !== "pending") {
    return {
      code: "nothing_pending",
      message: `Question "${questionId}" waits for no answer any more: nobody answered in time`,
      hint: "POST /tasks/{id}/steer tells the task what you would have answered",
    };
  }
  const flaw = answerFlaw(question, given);
  if (flaw !== null) {
    return { code: "invalid_request", message: `Question "${questionId}" cannot be answered so: ${flaw}` };
  }
  draft.say({ type: "ask_user_answered", subtask_id, question_id: questionId, answer: given, by });
  return null;
}

function giveFeedback(draft: Draft, request: Requests["GiveFeedback"]): Refusal | null {
  const { by, comment, rating, subtaskId } = request;
  if (subtaskId !== undefined && !draft.task.subtasks.has(subtaskId)) return noSubtask(draft.task, subtaskId);
  draft.say({
    type: "feedback_received",
    source: by,
    ...(rating === undefined ? {} : { rating }),
    ...(comment === undefined ? {} : { comment }),
    ...(subtaskId === undefined ? {} : { subtask_id: subtaskId }),
  });
  return null;
}

function noSubtask(task: Task, id: string): Refusal {
  return {
    code: "not_found",
    message: `Task ${task.id} has no subtask "${id}"`,
    hint: "GET /tasks/{id}/subtasks lists them",
  };
}

function undo(draft: Draft, request: Requests["UndoChanges"]): Refusal | null {
  const refusal = undoRefusal(draft.task, request);
  if (refusal !== null) return refusal;
  const { by, id, scope } = request;
  const k = draft.task.undoCount + 1;
  draft.say({ type: "undo_requested", k, scope, requested_by: by, ...(id === undefined ? {} : { id }) });
  return null;
}

/** Why an undo of this scope cannot be done now; null when it can. @see DECISIONS 37 */
export function undoRefusal(task: Task, request: { readonly scope: string; readonly id?: string }): Refusal | null {
  const { id, scope } = request;
  const stands = isClosed(task) || task.paused === "yes";
  if (scope === "task") {
    const message = `Task ${task.id} is running; undo of the whole task needs it closed or paused`;
    return stands ? null : { code: "wrong_state", message, hint: "POST /tasks/{id}/pause first" };
  }
  const hint = "GET /tasks/{id}/changes lists changes and subtasks";
  if (id === undefined) return { code: "invalid_request", message: `Undo of a ${scope} needs its "id"`, hint };
  if (scope === "change") {
    const isKnown = changesOf(task).some((change) => change.changeId === id);
    return isKnown ? null : { code: "not_found", message: `Task ${task.id} has no change "${id}"`, hint };
  }
  const subtask = task.subtasks.get(id);
  if (subtask === undefined) return noSubtask(task, id);
  if (stands || !isRunning(subtask)) return null;
  const message = `Subtask "${id}" is running; its changes cannot be undone under it`;
  return { code: "wrong_state", message, hint: "Pause the task, or wait" };
}

/** A leg that goes on after an answer or a wait is queued, and may run. */
function isRunning(subtask: Subtask): boolean {
  const kinds = ["queued", "working", "verifying", "reverting"];
  return isUnderWay(subtask) && kinds.includes(subtask.status.kind);
}
