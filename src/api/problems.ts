/**
 * Problem documents (RFC 9457): every refusal that leaves the API, whatever raised it, told in one shape. What a code means
 * stands in lib/errors.ts; here it is only put into words that HTTP knows.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { ErrorCode } from "../lib/errors.ts";
import { LoomError } from "../lib/errors.ts";
import { present } from "./present.ts";
import { InvalidInput } from "./validation.ts";

export interface Flaw {
  readonly pointer: string;
  readonly detail: string;
}

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly hint?: string;
  readonly errors?: readonly Flaw[];
  readonly retryAfterSeconds?: number;
  readonly extra?: Readonly<Record<string, unknown>>;
}

const retryAfterSecondsDefault = 5;

/** @returns what to tell the client; anything that is nobody's refusal is `internal` */
export function problemOf(error: unknown): Problem {
  if (error instanceof LoomError) return ofLoom(error);
  if (!(error instanceof Error)) return internal;
  if (error instanceof InvalidInput) return ofValidation(error);
  return ofFramework(error);
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.retryAfterSeconds !== undefined) reply.header("retry-after", problem.retryAfterSeconds);
  if (problem.status === 401) reply.header("www-authenticate", 'Bearer realm="loom"');
  const allow = problem.extra?.["allow"];
  if (Array.isArray(allow)) reply.header("allow", allow.join(", "));
  return reply
    .code(problem.status)
    .header("cache-control", "no-store")
    .header("x-content-type-options", "nosniff")
    .header("content-type", "application/problem+json; charset=utf-8")
    .send(problemText(problem, pathOf(request.url)));
}

export function problemText(problem: Problem, instance: string): string {
  const { status, code, detail, hint, errors, extra } = problem;
  const known = { type: `urn:loom:problem:${code}`, title: titleOf(code), status, detail, instance, code };
  return JSON.stringify({ ...extra, ...known, ...present({ hint, errors }) });
}

export function pathOf(url: string): string {
  const query = url.indexOf("?");
  return query === -1 ? url : url.slice(0, query);
}

const internal: Problem = {
  status: 500,
  code: "internal",
  detail: "Loom failed in a way it did not foresee.",
  hint: "The server's log has the error. Please report it.",
};

function ofLoom(error: LoomError): Problem {
  const afterMs =
    error.retryAfterMs ?? (error.status === 503 && error.retryable ? retryAfterSecondsDefault * 1000 : undefined);
  return {
    status: error.status,
    code: error.code,
    detail: error.message,
    ...present({
      hint: error.hint,
      errors: error.errors,
      extra: error.extra,
      retryAfterSeconds: afterMs === undefined ? undefined : Math.max(1, Math.ceil(afterMs / 1000)),
    }),
  };
}

/** What the parts of a request are called in a pointer: the body is the document itself. */
const places: Readonly<Record<string, { readonly prefix: string; readonly name: string }>> = {
  body: { prefix: "#", name: "body" },
  querystring: { prefix: "#/query", name: "query" },
  headers: { prefix: "#/headers", name: "headers" },
};

function ofValidation(error: InvalidInput): Problem {
  const place = places[error.validationContext ?? ""];
  if (place === undefined) {
    return {
      status: 404,
      code: "not_found",
      detail: "No such thing: an id in this path has a shape that no id has.",
      hint: "GET /tasks lists the ids there are.",
    };
  }
  const errors = error.issues.flatMap((issue) => flawsOf(issue, place.prefix));
  const first = errors[0];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return {
    status: 422,
    code: "invalid_request",
    detail:
      first === undefined
        ? `The ${place.name} is not valid.`
        : `The ${place.name} is not valid: ${first.pointer} ${first.detail}${more}`,
    hint: "GET /openapi.json has the schema of every request.",
    errors,
  };
}

function flawsOf(issue: z.core.$ZodIssue, prefix: string): Flaw[] {
  const at = (path: readonly PropertyKey[]) => prefix + path.map((key) => `/${escaped(String(key))}`).join("");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ pointer: at([...issue.path, key]), detail: "is not a known field" }));
  }
  return [{ pointer: at(issue.path), detail: issue.message }];
}

function escaped(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

const frameworkCodes: Readonly<
  Record<string, { readonly code: ErrorCode; readonly detail: string; readonly hint: string }>
> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: "body_too_large",
    detail: "The body is larger than this server accepts.",
    hint: "Send at most 1 MiB; put large inputs into files in the workspace.",
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: "unsupported_media_type",
    detail: "The body is of a media type that this route does not read.",
    hint: "Send JSON with Content-Type: application/json.",
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: "malformed_json",
    detail: "The body is not as long as Content-Length says.",
    hint: "Send the whole body.",
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: "not_found",
    detail: "No such thing: an id in this path is longer than any id.",
    hint: "GET /tasks lists the ids there are.",
  },
};

function ofFramework(error: Error): Problem {
  const code = "code" in error ? String(error.code) : "";
  const known = frameworkCodes[code];
  if (known !== undefined) return ofLoom(new LoomError(known.code, known.detail, { hint: known.hint }));
  const status = "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500;
  return status >= 400 && status < 500 ? { status, code: "bad_request", detail: error.message } : internal;
}

function titleOf(code: string): string {
  const words = code.replaceAll("_", " ").replace("json", "JSON");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
