/** What the contract names and this version does not have: refused by name, never ignored. @see DECISIONS 35 */
import type { FastifyRequest } from "fastify";
import { LoomError } from "../lib/errors.ts";
import { type App, answers } from "./door.ts";

const routes = [
  { method: "GET", url: "/metrics", what: "Prometheus metrics" },
  { method: "GET", url: "/slo", what: "success rate and durations" },
  { method: "GET", url: "/processes", what: "processes" },
] as const;

export function unavailableRoutes(app: App): void {
  for (const { method, url, what } of routes) {
    const schema = { summary: `Not available yet: ${what}`, tags: ["later"], response: answers({}, [422]) };
    app.route({
      method,
      url,
      schema,
      handler: () => {
        throw new LoomError("not_available_yet", `Not available yet: ${what}.`, {
          hint: "GET /openapi.json lists what there is.",
        });
      },
    });
  }
}

const reading: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** @throws LoomError for a header that asks for a promise this route cannot keep */
export function refuseUnkeptPromises({ method, headers, routeOptions: { url = "" } }: FastifyRequest): void {
  if (reading.has(method)) return;
  if (headers["idempotency-key"] !== undefined && !url.startsWith("/tasks") && !url.startsWith("/webhooks")) {
    throw new LoomError("not_available_yet", `Not available yet: Idempotency-Key on ${method} ${url}.`, {
      hint: "Leave the header out; all writes on tasks and webhooks take it.",
      errors: [{ pointer: "#/headers/idempotency-key", detail: "is not available on this route yet" }],
    });
  }
  if (headers["if-match"] !== undefined && !url.startsWith("/tasks/:id")) {
    throw new LoomError(
      "precondition_failed",
      `If-Match names a version, and ${method} ${url} writes to nothing that has one.`,
      {
        hint: "Leave the header out; writes on one task take it.",
      },
    );
  }
}
