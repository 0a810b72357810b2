/** The requests of the handle: what a client or a person asks of a task, as the domain's requests. */

import type { Request } from "../domain/request.ts";
import { questionView, statusOf } from "../domain/view.ts";
import type { Applied, Loom, Terms } from "../ports/loom.ts";
import type { Outcome } from "./batch.ts";
import type { Places } from "./places.ts";
import { type SendPorts, send } from "./task-access.ts";

type Requests = Pick<
  Loom,
  "cancel" | "steer" | "message" | "pause" | "resume" | "retry" | "approve" | "answer" | "feedback"
>;

export function requestsOf(ports: SendPorts & { readonly places: Places }): Requests {
  const applied = (taskId: string, request: Request, terms: Terms) =>
    send(ports, { taskId, request, answerOf: appliedOf, ...terms });
  return {
    cancel: async (taskId, asked) => {
      const cancelled = await told(asked, (request, terms) =>
        applied(taskId, { type: "CancelTask", ...request }, terms),
      );
      // Who is told that it is cancelled may rely on it: nothing of it runs any more.
      return (await ports.supervisor.gone(taskId)) ? cancelled : { ...cancelled, lingers: true };
    },
    steer: (taskId, asked) =>
      told(asked, (request, terms) => applied(taskId, { type: "SteerTask", ...request }, terms)),
    message: (taskId, asked) =>
      told(asked, (request, terms) => applied(taskId, { type: "SendMessage", ...request }, terms)),
    pause: (taskId, asked) =>
      told(asked, (request, terms) => applied(taskId, { type: "PauseTask", ...request }, terms)),
    resume: (taskId, asked) =>
      told(asked, (request, terms) => applied(taskId, { type: "ResumeTask", ...request }, terms)),
    retry: async (taskId, { openTasksMax, ...asked }) => {
      // What is still being ended of its last run must not be taken for what the next one starts.
      await ports.supervisor.gone(taskId);
      return await told(asked, (request, terms) =>
        ports.places.within({ by: request.by, openTasksMax }, () =>
          applied(taskId, { type: "RetryTask", ...request }, terms),
        ),
      );
    },
    feedback: (taskId, asked) =>
      told(asked, (request, terms) => applied(taskId, { type: "GiveFeedback", ...request }, terms)),
    approve: (taskId, asked) =>
      told(asked, (request, terms) => {
        const answerOf = (outcome: Outcome) => ({ ...appliedOf(outcome), resolvedPending: outcome.events.length > 0 });
        return send(ports, { taskId, request: { type: "DecideApproval", ...request }, answerOf, ...terms });
      }),
    answer: (taskId, asked) =>
      told(asked, (request, terms) => {
        const answerOf = (outcome: Outcome) => answeredOf(outcome, request.questionId);
        return send(ports, { taskId, request: { type: "AnswerQuestion", ...request }, answerOf, ...terms });
      }),
  };
}

/** What is asked, and on which terms; the domain knows only of the first. */
function told<T extends Terms, R>(asked: T, go: (request: Omit<T, keyof Terms>, terms: Terms) => R): R {
  const { idempotency, ifSeq, ...request } = asked;
  return go(request, {
    ...(idempotency === undefined ? {} : { idempotency }),
    ...(ifSeq === undefined ? {} : { ifSeq }),
  });
}

function appliedOf({ task }: Outcome): Applied {
  return { appliedSeq: task.lastSeq, status: statusOf(task) };
}

function answeredOf(outcome: Outcome, questionId: string): Awaited<ReturnType<Loom["answer"]>> {
  const question = outcome.task.questions.get(questionId);
  if (question === undefined)
    throw new Error(`Task ${outcome.task.id} took an answer to ${questionId}, which it never asked`);
  return { ...appliedOf(outcome), question: questionView(outcome.task, question) };
}
