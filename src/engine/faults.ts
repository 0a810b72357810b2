/** Faults: which trouble with the store passes, after how long it is worth another try, and what a log line says of an error. */
import { LoomError, messageOf } from "../lib/errors.ts";

/** @see DECISIONS 34 */
export const storageRetryMs = 5000;

export function isPassing(error: unknown): error is LoomError {
  return error instanceof LoomError && error.retryable;
}

export function factsOf(error: unknown): { readonly error: string; readonly stack?: string } {
  const stack = error instanceof Error ? error.stack : undefined;
  return { error: messageOf(error), ...(stack === undefined ? {} : { stack }) };
}
