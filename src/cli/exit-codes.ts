/** How a command ends: the exit codes of the contract, and which failure means which. */
import { LoomError } from "../lib/errors.ts";

export const exits = {
  done: 0,
  failed: 1,
  cancelled: 2,
  awaiting: 3,
  usage: 64,
  unreachable: 69,
  configuration: 78,
} as const;

/** The command line itself was wrong. */
export class UsageError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = "UsageError";
    this.hint = hint;
  }
}

/** A server refused, in its own words. */
export class ServerRefusal extends Error {
  readonly code: string;
  readonly status: number;
  readonly hint: string | undefined;

  constructor(refusal: {
    readonly code: string;
    readonly status: number;
    readonly message: string;
    readonly hint?: string | undefined;
  }) {
    super(refusal.message);
    this.name = "ServerRefusal";
    this.code = refusal.code;
    this.status = refusal.status;
    this.hint = refusal.hint;
  }
}

const configuration: ReadonlySet<string> = new Set([
  "config_invalid",
  "unauthorized",
  "forbidden",
  "no_model_configured",
  "storage_newer",
]);

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exits.usage;
  if (!(error instanceof LoomError || error instanceof ServerRefusal)) return exits.failed;
  if (configuration.has(error.code)) return exits.configuration;
  if (error.status >= 500) return exits.unreachable;
  return error.status === 409 || error.status === 412 ? exits.failed : exits.usage;
}

/** What a person reads of a failure: what failed, and what to do. */
export function failureLines(error: unknown): readonly string[] {
  if (error instanceof UsageError || error instanceof LoomError || error instanceof ServerRefusal) {
    return [`loom: ${error.message}`, ...(error.hint === undefined ? [] : [`  ${error.hint}`])];
  }
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return ["loom: an error that should not happen; please report it with what stands below", shown];
}
