/**
 * Failures of the world, each with a code that never changes. The one table of codes: what a code means to a client
 * (HTTP status, whether trying again may help) is said here and nowhere else.
 */

const codes = {
  invalid_request: { status: 422, retryable: false },
  malformed_json: { status: 400, retryable: false },
  workspace_unusable: { status: 400, retryable: false },
  not_found: { status: 404, retryable: false },
  wrong_state: { status: 409, retryable: false },
  approval_id_required: { status: 409, retryable: false },
  approval_decided: { status: 409, retryable: false },
  nothing_pending: { status: 409, retryable: false },
  log_corrupt: { status: 409, retryable: false },
  precondition_failed: { status: 412, retryable: false },
  idempotency_conflict: { status: 422, retryable: false },
  idempotency_running: { status: 409, retryable: true },
  not_available_yet: { status: 422, retryable: false },
  body_too_large: { status: 413, retryable: false },
  unsupported_media_type: { status: 415, retryable: false },
  method_not_allowed: { status: 405, retryable: false },
  unauthorized: { status: 401, retryable: false },
  forbidden: { status: 403, retryable: false },
  rate_limited: { status: 429, retryable: true },
  quota_exceeded: { status: 429, retryable: true },
  callback_refused: { status: 422, retryable: false },
  no_model_configured: { status: 503, retryable: true },
  shutting_down: { status: 503, retryable: true },
  storage_full: { status: 503, retryable: true },
  storage_locked: { status: 503, retryable: true },
  storage_newer: { status: 503, retryable: false },
  storage_failed: { status: 503, retryable: true },
  model_unavailable: { status: 503, retryable: true },
  model_refused: { status: 503, retryable: false },
  context_overflow: { status: 503, retryable: false },
  config_invalid: { status: 503, retryable: false },
  server_unreachable: { status: 503, retryable: true },
  path_refused: { status: 422, retryable: false },
  host_refused: { status: 422, retryable: false },
} as const satisfies Record<string, { status: number; retryable: boolean }>;

export type ErrorCode = keyof typeof codes;

export interface LoomErrorOptions {
  /** What the reader can do about it. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** How long to wait before trying again, when the other side said so. */
  readonly retryAfterMs?: number;
  /** Where in the request it went wrong: RFC 6901 pointers. */
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
  /** Further members of a problem document. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A refusal as a value: what `Result` carries where a caller may expect a no. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly extra?: Readonly<Record<string, unknown>>;
}

export class LoomError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[] | undefined;
  readonly extra: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: LoomErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "LoomError";
    this.code = code;
    this.hint = options.hint;
    this.retryAfterMs = options.retryAfterMs;
    this.errors = options.errors;
    this.extra = options.extra;
  }

  /** @returns the HTTP status that this code stands for */
  get status(): number {
    return codes[this.code].status;
  }

  get retryable(): boolean {
    return codes[this.code].retryable;
  }
}

/** A refusal turned into a throw, for callers that did not expect it. */
export function refused(refusal: Refusal): LoomError {
  return new LoomError(refusal.code, refusal.message, {
    ...(refusal.hint === undefined ? {} : { hint: refusal.hint }),
    ...(refusal.extra === undefined ? {} : { extra: refusal.extra }),
  });
}

/** @returns the message of whatever was thrown, never "[object Object]" */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  if (typeof error === "string") return error;
  return JSON.stringify(error) ?? String(error);
}
