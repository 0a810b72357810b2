/**
 * Tells the audit log what a request came to, after it was done and before it is answered: what a client heard of is in the
 * log. Only of those whose sender is known: what knocks without a key is counted by the access log.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Audit } from "../ports/access.ts";
import { knownCaller } from "./caller.ts";
import type { App } from "./door.ts";
import { pathOf, problemOf, problemText } from "./problems.ts";
import { ruleOf } from "./scopes.ts";

const tooMany = 429;
/** As our ids are made; anything else that stands in a path is not repeated. */
const idShape = /^[A-Za-z][\w.-]{0,99}$/;

export function auditRequests(app: App, { audit, now }: { readonly audit: Audit; readonly now: () => number }): void {
  app.addHook("onSend", async (request, reply, payload) => {
    const action = ruleOf(request)?.audited;
    const caller = knownCaller(request);
    if (action === undefined || caller === undefined || reply.statusCode === tooMany) return payload;
    const who = { at: now(), actor: caller.name, keyId: caller.keyId, remote: request.ip };
    const what = { action, subject: subjectOf(request, reply), outcome: outcomeOf(reply) };
    try {
      await audit.record({ ...who, ...what });
      return payload;
    } catch (error) {
      return unrecorded(error, request, reply);
    }
  });
}

/** What is not in the log must not be answered as done; a client that sends it again, by its key, gets the same answer. */
function unrecorded(error: unknown, request: FastifyRequest, reply: FastifyReply): string {
  const problem = problemOf(error);
  reply.code(problem.status).removeHeader("location").removeHeader("etag");
  reply.header("content-type", "application/problem+json; charset=utf-8");
  if (problem.retryAfterSeconds !== undefined) reply.header("retry-after", problem.retryAfterSeconds);
  return problemText(problem, pathOf(request.url));
}

function subjectOf({ params }: FastifyRequest, reply: FastifyReply): string | null {
  const named = typeof params === "object" && params !== null && "id" in params ? params.id : null;
  const made = String(reply.getHeader("location") ?? "")
    .split("/")
    .at(-1);
  const id = typeof named === "string" ? named : made;
  return id !== undefined && idShape.test(id) ? id : null;
}

function outcomeOf(reply: FastifyReply): string {
  if (reply.getHeader("idempotency-replayed") === "true") return "replayed";
  const { statusCode } = reply;
  if (statusCode < 400) return "ok";
  return `${statusCode < 500 ? "refused" : "failed"}:${statusCode}`;
}
