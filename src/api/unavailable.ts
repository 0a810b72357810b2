/** What the contract names and this version does not have: refused by name, never ignored. @see DECISIONS 35 */
import type { FastifyRequest } from "fastify";
import { LoomError } from "../lib/errors.ts";
import { type App, answers } from "./door.ts";

const routes = [
  { method: "GET", url: "/metrics", what: "Prometheus metrics" },
  { method: "GET", url: "/slo", what: "success rate and durations" },
  { method: "GET", url: "/processes", what: "processes" },
  { method: "GET", url: "/webhooks/deliveries", what: "the list of webhook deliveries" },
  { method: "POST", url: "/webhooks/deliveries/:id/redeliver", what: "delivering a webhook again" },
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

/** @throws LoomError not_available_yet for a header that asks for a promise this route cannot keep */
export function refuseUnkeptPromises({ method, headers, routeOptions }: FastifyRequest): void {
  if (method === "POST" && headers["idempotency-key"] !== undefined && routeOptions.url !== "/tasks") {
    throw new LoomError("not_available_yet", `Not available yet: Idempotency-Key on ${method} ${routeOptions.url}.`, {
      hint: "Leave the header out; POST /tasks takes it.",
      errors: [{ pointer: "#/headers/idempotency-key", detail: "is not available on this route yet" }],
    });
  }
  if (headers["if-match"] !== undefined && method !== "GET" && method !== "HEAD") {
    throw new LoomError("not_available_yet", "Not available yet: If-Match.", {
      hint: "Leave the header out.",
      errors: [{ pointer: "#/headers/if-match", detail: "is not available yet" }],
    });
  }
}
