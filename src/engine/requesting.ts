/** The requests of the handle: what a client or a person asks of a task, as the domain's requests. */

import { questionView } from "../domain/view.ts";
import type { Loom } from "../ports/loom.ts";
import { type AccessPorts, send } from "./task-access.ts";

type Requests = Pick<
  Loom,
  "cancel" | "steer" | "message" | "pause" | "resume" | "retry" | "approve" | "answer" | "feedback"
>;

export function requestsOf(ports: AccessPorts): Requests {
  const applied = async (...[taskId, request]: [string, Parameters<typeof send>[2]]) =>
    (await send(ports, taskId, request)).applied;
  return {
    cancel: (taskId, request) => applied(taskId, { type: "CancelTask", ...request }),
    steer: (taskId, request) => applied(taskId, { type: "SteerTask", ...request }),
    message: (taskId, request) => applied(taskId, { type: "SendMessage", ...request }),
    pause: (taskId, request) => applied(taskId, { type: "PauseTask", ...request }),
    resume: (taskId, request) => applied(taskId, { type: "ResumeTask", ...request }),
    retry: (taskId, request) => applied(taskId, { type: "RetryTask", ...request }),
    feedback: (taskId, request) => applied(taskId, { type: "GiveFeedback", ...request }),
    approve: async (taskId, request) => {
      const sent = await send(ports, taskId, { type: "DecideApproval", ...request });
      return { ...sent.applied, resolvedPending: sent.events.length > 0 };
    },
    answer: async (taskId, request) => {
      const sent = await send(ports, taskId, { type: "AnswerQuestion", ...request });
      const question = sent.task.questions.get(request.questionId);
      if (question === undefined)
        throw new Error(`Task ${taskId} took an answer to ${request.questionId}, which it never asked`);
      return { ...sent.applied, question: questionView(sent.task, question) };
    },
  };
}
