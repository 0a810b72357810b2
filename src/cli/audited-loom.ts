/** A Loom in this process whose writes stand in the audit log, under the names that a server gives them. */
import { LoomError } from "../lib/errors.ts";
import type { Audit } from "../ports/access.ts";
import type { Loom } from "../ports/loom.ts";

export interface AuditPorts {
  readonly audit: Audit;
  /** Name of the user whose process this is. */
  readonly user: string;
  readonly now: () => number;
}

/** What was done is in the log before whoever asked for it is told. */
export function auditedLoom(loom: Loom, { audit, user, now }: AuditPorts): Loom {
  const note = (action: string, subject: string | null, outcome: string) =>
    audit.record({ at: now(), actor: `cli:${user}`, keyId: null, remote: "local", action, subject, outcome });
  const told = async <T>(action: string, taskId: string | null, doing: Promise<T>, idOf?: (done: T) => string) => {
    const done = await doing.catch(async (error: unknown) => {
      await note(action, taskId, outcomeOf(error));
      throw error;
    });
    await note(action, idOf?.(done) ?? taskId, "ok");
    return done;
  };
  return {
    ...loom,
    submit: (submission) => told("task.submit", null, loom.submit(submission), ({ task }) => task.taskId),
    cancel: (id, request) => told("task.cancel", id, loom.cancel(id, request)),
    steer: (id, request) => told("task.steer", id, loom.steer(id, request)),
    message: (id, request) => told("task.message", id, loom.message(id, request)),
    pause: (id, request) => told("task.pause", id, loom.pause(id, request)),
    resume: (id, request) => told("task.resume", id, loom.resume(id, request)),
    retry: (id, request) => told("task.retry", id, loom.retry(id, request)),
    approve: (id, request) => told("approval.decide", id, loom.approve(id, request)),
    answer: (id, request) => told("question.answer", id, loom.answer(id, request)),
    feedback: (id, request) => told("task.feedback", id, loom.feedback(id, request)),
    undo: (id, request) => told("task.undo", id, loom.undo(id, request)),
  };
}

function outcomeOf(error: unknown): string {
  const status = error instanceof LoomError ? error.status : 500;
  return `${status < 500 ? "refused" : "failed"}:${status}`;
}
