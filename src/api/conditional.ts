/** Headers that make a request conditional or patient: entity tags, `Prefer: wait`, and `Idempotency-Key`. */
import { createHash } from "node:crypto";
import { LoomError } from "../lib/errors.ts";
import { canonicalJson } from "../lib/json.ts";

export const waitSecondsMax = 300;

export function etagOf(lastSeq: number): string {
  return `"t-${lastSeq}"`;
}

/** Weak comparison, as If-None-Match asks for. */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch
    .split(",")
    .map((tag) => tag.trim().replace(/^W\//, ""))
    .some((tag) => tag === "*" || tag === etag);
}

/** @returns the seconds of `Prefer: wait=…`, at most what we grant; undefined when nothing (valid) is preferred */
export function preferredWait(prefer: string | undefined): number | undefined {
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?(?<seconds>\d{1,9})"?\s*(?:$|[,;])/i.exec(prefer ?? "")?.groups?.[
    "seconds"
  ];
  return seconds === undefined ? undefined : Math.min(Number(seconds), waitSecondsMax);
}

/**
 * @param header bare, or a structured-field string in quotes
 * @throws LoomError invalid_request
 */
export function idempotencyOf(
  header: string,
  request: { readonly route: string; readonly body: unknown },
): { readonly key: string; readonly fingerprint: string } {
  const key = /^"(?<quoted>[^"]*)"$/.exec(header.trim())?.groups?.["quoted"] ?? header.trim();
  if (!/^[\x21\x23-\x7e]{1,255}$/.test(key)) {
    const detail = "must be 1 to 255 visible ASCII characters";
    throw new LoomError("invalid_request", `Idempotency-Key ${detail}.`, {
      hint: "A UUID will do.",
      errors: [{ pointer: "#/headers/idempotency-key", detail }],
    });
  }
  const fingerprint = `sha256:${createHash("sha256").update(canonicalJson(request.body)).digest("hex")}`;
  return { key: `api ${request.route} ${key}`, fingerprint };
}
