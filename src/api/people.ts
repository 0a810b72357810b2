/** Routes between a task and people: approvals, questions, feedback, messages, and what was said so far. */
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { QuestionView } from "../domain/view.ts";
import { LoomError } from "../lib/errors.ts";
import { DoneAnswer } from "./answers.ts";
import { byOf, callerOf } from "./caller.ts";
import { markApplied, readHeaders, sendUnlessKnown, termsOf, writeHeaders } from "./conditional.ts";
import { type App, answers, bodyProblems, type Door, unchanged } from "./door.ts";
import { ApprovalAnswer, ApproveAnswer, ConversationAnswer, MessageAnswer, QuestionAnswer } from "./people-answers.ts";
import { present } from "./present.ts";
import { AnswerBody, ApproveBody, FeedbackBody, MessageBody, NoQuery, QuestionPath, TaskPath } from "./requests.ts";

const writing = [...bodyProblems, 404, 409, 412, 503];

export function peopleRoutes(app: App, door: Door): void {
  approvalRoutes(app, door);
  questionRoutes(app, door);
  feedbackRoute(app, door);
  conversationRoutes(app, door);
}

function approvalRoutes(app: App, { loom }: Door): void {
  const decide = {
    summary: "Approve or reject what waits",
    tags: ["people"],
    params: TaskPath,
    querystring: NoQuery,
    headers: writeHeaders,
    body: ApproveBody,
    response: answers(
      { 200: { description: "Decided, now or before in the same way", schema: ApproveAnswer } },
      writing,
    ),
  };
  app.post("/tasks/:id/approve", { schema: decide }, async (request, reply) => {
    const { subtask_id: subtaskId, approved, reason, approval_id: approvalId } = request.body;
    const decided = await loom.approve(request.params.id, {
      subtaskId,
      approved,
      by: byOf(request),
      ...present({ reason, approvalId }),
      ...termsOf(request),
    });
    markApplied(reply, decided);
    return reply.send({
      status: "ok",
      approved,
      subtask_id: subtaskId,
      resolved_pending: decided.resolvedPending,
      applied_seq: decided.appliedSeq,
    });
  });

  const ofTask = {
    summary: "Every approval of a task",
    tags: ["people"],
    params: TaskPath,
    querystring: NoQuery,
    headers: readHeaders,
    response: answers({ 200: { description: "Oldest first", schema: z.array(ApprovalAnswer) }, 304: unchanged }, [404]),
  };
  app.get("/tasks/:id/approvals", { schema: ofTask }, (request, reply) => {
    const { id } = request.params;
    return sendUnlessKnown({ loom, request, reply }, id, () => loom.approvals(id));
  });

  const pending = {
    summary: "Every task's pending approvals",
    tags: ["people"],
    querystring: NoQuery,
    response: answers({ 200: { description: "Oldest first", schema: z.array(ApprovalAnswer) } }, []),
  };
  app.get("/approvals", { schema: pending }, async (_request, reply) => reply.send(await loom.pendingApprovals()));
}

function questionRoutes(app: App, { loom }: Door): void {
  const list = {
    summary: "What models asked",
    tags: ["people"],
    params: TaskPath,
    querystring: NoQuery,
    headers: readHeaders,
    response: answers({ 200: { description: "Oldest first", schema: z.array(QuestionAnswer) }, 304: unchanged }, [404]),
  };
  app.get("/tasks/:id/questions", { schema: list }, (request, reply) => {
    const { id } = request.params;
    return sendUnlessKnown({ loom, request, reply }, id, () => loom.questions(id));
  });

  const answer = {
    summary: "Answer a question",
    tags: ["people"],
    params: QuestionPath,
    querystring: NoQuery,
    headers: writeHeaders,
    body: AnswerBody,
    response: answers({ 200: { description: "The question with its answer", schema: QuestionAnswer } }, writing),
  };
  app.post("/tasks/:id/questions/:qid/answer", { schema: answer }, async (request, reply) => {
    const { id, qid } = request.params;
    const { body } = request;
    const labelled =
      body.selected_labels.length === 0 ? [] : optionsNamed(await loom.questions(id), qid, body.selected_labels);
    const answered = await loom.answer(id, {
      questionId: qid,
      answer: {
        selected_option_ids: [...new Set([...body.selected_option_ids, ...labelled])],
        custom_response: body.custom_response,
      },
      by: answererOf(request, body.answered_by),
      ...termsOf(request),
    });
    markApplied(reply, answered);
    return reply.send({ ...answered.question, applied_seq: answered.appliedSeq });
  });
}

/** A client may say for whom it speaks; with a key that was made, it cannot hide that it does. */
function answererOf(request: FastifyRequest, answeredBy: string | null | undefined): string {
  const { name, keyId } = callerOf(request);
  if (answeredBy == null) return name;
  return keyId === null ? answeredBy : `${answeredBy} via ${name}`;
}

/** @throws LoomError not_found, invalid_request */
function optionsNamed(questions: readonly QuestionView[], questionId: string, labels: readonly string[]): string[] {
  const question = questions.find(({ question_id }) => question_id === questionId);
  if (question === undefined)
    throw new LoomError("not_found", `No question "${questionId}" in this task.`, {
      hint: "GET the task's questions lists them.",
    });
  return labels.map((label, index) => {
    const option = question.options.find((candidate) => candidate.label === label);
    if (option !== undefined) return option.id;
    throw new LoomError("invalid_request", `The question has no option "${label}".`, {
      hint: `Options are: ${question.options.map((known) => known.label).join(", ")}.`,
      errors: [{ pointer: `#/selected_labels/${index}`, detail: "is not an option of this question" }],
    });
  });
}

function feedbackRoute(app: App, { loom }: Door): void {
  const schema = {
    summary: "Say how it went",
    tags: ["people"],
    params: TaskPath,
    querystring: NoQuery,
    headers: writeHeaders,
    body: FeedbackBody,
    response: answers({ 200: { description: "Recorded", schema: DoneAnswer } }, writing),
  };
  app.post("/tasks/:id/feedback", { schema }, async (request, reply) => {
    const { rating, comment, feedback, subtask_id: subtaskId } = request.body;
    const applied = await loom.feedback(request.params.id, {
      by: byOf(request),
      ...present({ rating, comment: comment ?? feedback, subtaskId }),
      ...termsOf(request),
    });
    markApplied(reply, applied);
    return reply.send({ status: "ok", message: "Feedback recorded.", applied_seq: applied.appliedSeq });
  });
}

function conversationRoutes(app: App, { loom }: Door): void {
  const send = {
    summary: "Send a message, read by the next subtask",
    tags: ["people"],
    params: TaskPath,
    querystring: NoQuery,
    headers: writeHeaders,
    body: MessageBody,
    response: answers({ 200: { description: "Delivered", schema: MessageAnswer } }, writing),
  };
  app.post("/tasks/:id/message", { schema: send }, async (request, reply) => {
    const { id } = request.params;
    const applied = await loom.message(id, { message: request.body.message, by: byOf(request), ...termsOf(request) });
    markApplied(reply, applied);
    return reply.send({ status: "ok", message: "Message delivered.", task_id: id, applied_seq: applied.appliedSeq });
  });

  const read = {
    summary: "What people said to the task",
    tags: ["people"],
    params: TaskPath,
    querystring: NoQuery,
    response: answers({ 200: { description: "Messages", schema: ConversationAnswer } }, [404]),
  };
  app.get("/tasks/:id/conversation", { schema: read }, async ({ params: { id } }, reply) =>
    reply.send(await loom.conversation(id)),
  );
}
