/** What a failure of SQLite or of the disk means to the rest: a full store, a failed store, or a bug that is not wrapped. */
import { LoomError, messageOf } from "../lib/errors.ts";

/** Drivers try again every 5 s. @see DECISIONS 34 */
const retryAfterMs = 5000;

const fullCodes = new Set(["SQLITE_FULL", "ENOSPC", "EDQUOT"]);
const bugCodes = /^SQLITE_(CONSTRAINT|ERROR|MISMATCH|MISUSE|RANGE)|^ERR_/;

/** @returns the failure as a LoomError; a bug (broken constraint, bad SQL, wrong argument) as it was */
export function storageFailure(action: string, error: unknown): unknown {
  if (error instanceof LoomError) return error;
  const code = codeOf(error);
  if (code === undefined || bugCodes.test(code)) return error;
  if (fullCodes.has(code)) {
    const hint = "Free space on the disk of the database; what waits is tried again";
    return new LoomError("storage_full", `Cannot ${action}: the disk is full`, { hint, retryAfterMs, cause: error });
  }
  const message = `Cannot ${action}: ${messageOf(error)} (${code})`;
  return new LoomError("storage_failed", message, { hint: hintFor(code), retryAfterMs, cause: error });
}

/** Runs `work`, and says of a failure what it means. */
export function guarded<T>(action: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storageFailure(action, error);
  }
}

export function asError(failure: unknown): Error {
  return failure instanceof Error ? failure : new Error(messageOf(failure));
}

/** @returns what a write came to: what went wrong, as `storageFailure` says it, or null */
export function failureOf(action: string, write: () => unknown): Error | null {
  try {
    write();
    return null;
  } catch (failure) {
    return asError(storageFailure(action, failure));
  }
}

export function isStorageFull(error: unknown): boolean {
  return fullCodes.has(codeOf(error) ?? "");
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** The file itself is not what it should be. */
export function isDamage(error: unknown): boolean {
  return isDamageCode(codeOf(error) ?? "");
}

function isDamageCode(code: string): boolean {
  return code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB";
}

function hintFor(code: string): string {
  if (isDamageCode(code)) {
    return "The file is damaged or is no SQLite database: put a backup in its place, or name another file";
  }
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return "Another program holds a lock on the database: close it";
  }
  return "Check the disk, and that this user may read and write the database and its folder";
}
