/** What every group of routes is given, and the words in which a route describes its answers to OpenAPI. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, RawServerDefault } from "fastify";
import type { FastifyZodOpenApiTypeProvider } from "fastify-zod-openapi";
import { z } from "zod";
import type { Loom } from "../ports/loom.ts";
import type { Log } from "../ports/runtime.ts";
import type { EventStreams } from "./sse.ts";
import type { Tickets } from "./tickets.ts";

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  FastifyZodOpenApiTypeProvider
>;

export interface Door {
  readonly loom: Loom;
  readonly streams: EventStreams;
  readonly tickets: Tickets;
  readonly log: Log;
  /** Fires when the server is going down: whoever waits answers with what it has. */
  readonly closing: AbortSignal;
}

const ProblemAnswer = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string().describe("Stable; switch on this."),
    hint: z.string().optional().describe("What to do about it."),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: "Problem" });

const reasons: Readonly<Record<number, string>> = {
  400: "Malformed JSON, or an unusable workspace",
  401: "An API key is wanted",
  403: "A foreign Host or Origin, or a key without the scope",
  404: "No such thing",
  405: "Another method is meant",
  409: "Not in this state",
  412: "The task has changed since: If-Match",
  413: "The body is too large",
  415: "The body is not JSON",
  422: "Input that the schema refuses, or a part of the contract that is not available yet",
  429: "The key has no requests, or no open tasks, left; see Retry-After",
  503: "Cannot be taken now; see Retry-After",
};

export interface Answer {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly type?: string;
}

/** For a read of events that waits for none. */
export const unhurried = new AbortController().signal;

/** Of a read with `If-None-Match`. */
export const unchanged: Answer = { description: "Nothing happened since" };

/** Everyone may be refused at the door; the rest is named by the route. */
const always = [401, 403, 429];

/** @param problems statuses of refusals beside those at the door */
export function answers(good: Readonly<Record<number, Answer>>, problems: readonly number[]): Record<string, unknown> {
  const told = Object.entries(good).map(([status, { description, schema, type = "application/json" }]) => {
    const content =
      schema === undefined && type === "application/json"
        ? {}
        : { content: { [type]: { schema: schema ?? z.string() } } };
    return [status, { description, ...content }] as const;
  });
  const refused = [...always, ...problems]
    .toSorted((a, b) => a - b)
    .map((status) => {
      return [
        String(status),
        {
          description: reasons[status] ?? "Refused",
          content: { "application/problem+json": { schema: ProblemAnswer } },
        },
      ] as const;
    });
  return Object.fromEntries([...told, ...refused]);
}

/** Refusals of a route with a body. */
export const bodyProblems: readonly number[] = [400, 413, 415, 422];

/** Fires when the client hung up before it got its answer, or the server is going down. */
export function givenUp(reply: FastifyReply, closing: AbortSignal): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  return AbortSignal.any([gone.signal, closing]);
}
