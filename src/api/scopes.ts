/** The one table of what each route asks of a key, and which of them the audit log tells of. A route that is not here is not served. */
import type { FastifyRequest } from "fastify";
import type { Scope } from "../ports/access.ts";

export interface RouteRule {
  /** Null: open to all, keys or not. */
  readonly scope: Scope | null;
  /** Name in the audit log. */
  readonly audited?: string;
}

const read: RouteRule = { scope: "read" };
const open: RouteRule = { scope: null };
const submit = (audited: string): RouteRule => ({ scope: "submit", audited });
const approve = (audited: string): RouteRule => ({ scope: "approve", audited });
const admin = (audited: string): RouteRule => ({ scope: "admin", audited });

const purge = admin("task.purge");

const rules: Readonly<Record<string, RouteRule>> = {
  "POST /tasks": submit("task.submit"),
  "GET /tasks": read,
  "GET /tasks/:id": read,
  "PATCH /tasks/:id": submit("task.steer"),
  "DELETE /tasks/:id": submit("task.cancel"),
  "GET /tasks/:id/events": read,
  "GET /tasks/:id/stream": read,
  "GET /tasks/:id/tokens": read,
  "POST /tasks/:id/cancel": submit("task.cancel"),
  "POST /tasks/:id/steer": submit("task.steer"),
  "POST /tasks/:id/pause": submit("task.pause"),
  "POST /tasks/:id/resume": submit("task.resume"),
  "POST /tasks/:id/retry": submit("task.retry"),
  "POST /tasks/:id/undo": submit("task.undo"),
  "POST /tasks/:id/feedback": submit("task.feedback"),
  "POST /tasks/:id/message": submit("task.message"),
  "POST /tasks/:id/approve": approve("approval.decide"),
  "GET /tasks/:id/approvals": read,
  "GET /approvals": read,
  "GET /tasks/:id/questions": read,
  "POST /tasks/:id/questions/:qid/answer": approve("question.answer"),
  "GET /tasks/:id/conversation": read,
  "GET /tasks/:id/subtasks": read,
  "GET /tasks/:id/subtasks/:sid": read,
  "GET /tasks/:id/subtasks/:sid/trace": read,
  "GET /tasks/:id/memory": read,
  "GET /memory/search": read,
  "GET /tasks/:id/changes": read,
  "GET /tasks/:id/changes.diff": read,
  "GET /tasks/:id/files/*": read,
  "GET /stream": read,
  "POST /stream-tickets": read,
  "GET /models": read,
  "GET /tools": read,
  "GET /config": admin("config.read"),
  "GET /webhooks/deliveries": read,
  "POST /webhooks/deliveries/:id/redeliver": admin("webhook.redeliver"),
  "GET /metrics": read,
  "GET /slo": read,
  "GET /processes": read,
  "GET /openapi.json": read,
  "GET /docs": read,
  "GET /docs/*": read,
  // Probes come by address and without a key, and learn nothing that is secret.
  "GET /health": open,
  "GET /health/live": open,
  "GET /health/ready": open,
};

/** Throws where there is none: a route that nobody gave a scope to must not be reached by any key. */
export function ruleFor(method: string, url: string): RouteRule {
  const rule = rules[`${method === "HEAD" ? "GET" : method} ${url}`];
  if (rule === undefined) throw new Error(`${method} ${url} has no scope: give it one in api/scopes.ts`);
  return rule;
}

/** @returns undefined where there is no route */
export function ruleOf(request: FastifyRequest): RouteRule | undefined {
  const { url } = request.routeOptions;
  if (request.is404 || url === undefined) return undefined;
  return isPurge(request) ? purge : ruleFor(request.method, url);
}

/** Read before the query is checked: whatever is not a clear no counts as a yes. */
function isPurge({ method, query }: FastifyRequest): boolean {
  if (method !== "DELETE" || typeof query !== "object" || query === null || !("purge" in query)) return false;
  return query.purge !== "false" && query.purge !== "0";
}
