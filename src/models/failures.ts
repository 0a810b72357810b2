/** Whatever a server, a socket or an SDK throws, told apart: wait and try again, never try again, or too long a prompt. */
import { LoomError, messageOf } from "../lib/errors.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import { unreachable } from "../lib/result.ts";
import { type OverflowSizes, overflowSizes, saysTooLong } from "./overflow.ts";

/** An HTTP error status, for wires whose SDK loses the headers. The SDKs' own errors have the same members. */
export class ServerError extends Error {
  readonly status: number;
  readonly headers: Headers;
  readonly error: unknown;

  constructor(
    status: number,
    message: string,
    { headers = new Headers(), body }: { headers?: Headers; body?: unknown } = {},
  ) {
    super(message);
    this.name = "ServerError";
    this.status = status;
    this.headers = headers;
    this.error = body;
  }
}

/** The server went silent, or ended its stream before the reply was whole. */
export class StreamFailure extends Error {
  readonly retry: boolean;

  constructor(message: string, { retry }: { retry: boolean }) {
    super(message);
    this.name = "StreamFailure";
    this.retry = retry;
  }
}

export type Failure =
  | { readonly kind: "unavailable"; readonly retry: boolean; readonly retryAfterMs?: number; readonly detail: string }
  | { readonly kind: "refused"; readonly status: number; readonly detail: string; readonly toolsUnsupported: boolean }
  | { readonly kind: "overflow"; readonly detail: string; readonly sizes: OverflowSizes };

export interface FailingModel {
  readonly name: string;
  readonly model: string;
  readonly url: string;
  readonly provider: string;
}

const retriedStatuses = new Set([408, 409, 425, 429]);
/** The last one is vLLM's, started without a tool parser. */
const toolsUnsupportedText =
  /does not support (?:tools|tool|function)|(?:tools?|function)(?: use| calling| calls?)? (?:is|are) not supported|enable-auto-tool-choice/i;
const networkText =
  /terminated|fetch failed|connection error|socket hang up|other side closed|premature close|network|aborted|malformed server-sent event/i;
const detailMax = 500;

/** @returns null for what is a bug of ours, and shall be thrown as it is */
export function judge(error: unknown, now: number): Failure | null {
  if (error instanceof StreamFailure) return { kind: "unavailable", retry: error.retry, detail: error.message };
  const detail = detailOf(error);
  const status = statusOf(error);
  if (status !== null) return judgeStatus(status, detail, { error, now });
  if (saysTooLong(detail)) return { kind: "overflow", detail, sizes: overflowSizes(detail, null) };
  const isNetwork = networkCodeOf(error) !== null || networkText.test(detail);
  const isBug = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
  return isBug && !isNetwork ? null : { kind: "unavailable", retry: true, detail };
}

function judgeStatus(status: number, detail: string, { error, now }: { error: unknown; now: number }): Failure {
  if (status < 500 && status !== 429 && saysTooLong(detail))
    return { kind: "overflow", detail, sizes: overflowSizes(detail, bodyOf(error)) };
  if (retriedStatuses.has(status) || status >= 500) {
    const retryAfterMs = retryAfterOf(error, now);
    const waited = retryAfterMs === null ? {} : { retryAfterMs };
    return { kind: "unavailable", retry: true, detail: `HTTP ${status}: ${detail}`, ...waited };
  }
  const toolsUnsupported = status < 500 && toolsUnsupportedText.test(detail);
  return { kind: "refused", status, detail: `HTTP ${status}: ${detail}`, toolsUnsupported };
}

/** @param fallbackMs how long to wait where the server did not say. @param begun it had answered something before it failed */
export function loomErrorOf(
  failure: Failure,
  at: FailingModel,
  { cause, fallbackMs, begun }: { readonly cause: unknown; readonly fallbackMs: number; readonly begun: boolean },
): LoomError {
  const subject = `model "${at.model}" of [models.${at.name}] at ${at.url}`;
  switch (failure.kind) {
    case "unavailable":
      return new LoomError("model_unavailable", `Cannot reach ${subject}: ${failure.detail}`, {
        hint: "See that the server runs and has the model loaded (`loom doctor`), or name a second model for the role",
        retryAfterMs: failure.retryAfterMs ?? fallbackMs,
        ...(begun ? { extra: { begun } } : {}),
        cause,
      });
    case "refused":
      return new LoomError("model_refused", `The server refused the call of ${subject}: ${failure.detail}`, {
        hint: hintOf(failure, at),
        extra: { status: failure.status, tools_unsupported: failure.toolsUnsupported },
        cause,
      });
    case "overflow":
      return new LoomError("context_overflow", `The prompt is too long for ${subject}: ${failure.detail}`, {
        hint: `Set context_tokens under [models.${at.name}] to what the server grants, or start the server with a larger window`,
        extra: { ...failure.sizes },
        cause,
      });
    default:
      return unreachable(failure);
  }
}

function hintOf({ status }: { readonly status: number }, at: FailingModel): string {
  if (status === 401 || status === 403) return `Check api_key under [models.${at.name}]`;
  if (status === 402) return "The account has no credit left";
  if (status !== 404) return "The server's own words say what it did not like; the same call will not do better later";
  const fetchIt = at.provider === "ollama" ? `\`ollama pull ${at.model}\`, or c` : "C";
  return `Model "${at.model}" was not found there: ${fetchIt}heck model and base_url under [models.${at.name}]`;
}

function statusOf(error: unknown): number | null {
  if (typeof error !== "object" || error === null || !("status" in error)) return null;
  return typeof error.status === "number" ? error.status : null;
}

/** The body of the reply, which the SDKs' errors and ours carry as `error`. */
function bodyOf(error: unknown): JsonObject | null {
  const body = isJsonObject(error) ? error["error"] : undefined;
  return isJsonObject(body) ? body : null;
}

/** The server's own message where the error carries its body, with its type and code, which say more than the text. */
function detailOf(error: unknown): string {
  const message = messageOf(error);
  const body = bodyOf(error);
  const inner = isJsonObject(body?.["error"]) ? body["error"] : body;
  const words = isJsonObject(inner) ? [inner["type"], inner["code"]].filter((word) => typeof word === "string") : [];
  const code = networkCodeOf(error);
  const missing = [...words, ...(code === null ? [] : [code])].filter((word) => !message.includes(word));
  const text = missing.length === 0 ? message : `${message} (${missing.join(", ")})`;
  return text.length > detailMax ? `${text.slice(0, detailMax)}…` : text;
}

/** `ECONNREFUSED` and the like, wherever in the chain of causes it stands. */
function networkCodeOf(error: unknown): string | null {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if ("code" in at && typeof at.code === "string" && /^(?:E[A-Z_]+|UND_ERR_\w+)$/.test(at.code)) return at.code;
    const inner = at instanceof AggregateError ? (at.errors[0] as unknown) : undefined;
    if (inner !== undefined) return networkCodeOf(inner);
  }
  return null;
}

/** `retry-after-ms`, else `retry-after` in seconds or as a date. */
function retryAfterOf(error: unknown, now: number): number | null {
  const headers = typeof error === "object" && error !== null && "headers" in error ? error.headers : undefined;
  if (!(headers instanceof Headers)) return null;
  const ms = Number.parseFloat(headers.get("retry-after-ms") ?? "");
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const text = headers.get("retry-after") ?? "";
  const seconds = Number.parseFloat(text);
  if (/^\s*[\d.]+\s*$/.test(text) && Number.isFinite(seconds)) return seconds * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** The model cannot be had there at all, whatever is asked of it: another one may. */
export function isUnusable(error: LoomError): boolean {
  const status = error.extra?.["status"];
  return error.code === "model_refused" && (status === 401 || status === 402 || status === 403 || status === 404);
}
