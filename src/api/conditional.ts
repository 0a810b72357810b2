/** Headers that make a request conditional, patient or safe to send again: entity tags, `Prefer: wait`, `Idempotency-Key`. */
import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { LoomError } from "../lib/errors.ts";
import { canonicalJson } from "../lib/json.ts";
import type { Loom, Terms } from "../ports/loom.ts";
import { byOf } from "./caller.ts";

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

/** What a write on a task may carry, as OpenAPI shows it. */
export const writeHeaders = z.looseObject({
  "idempotency-key": z.string().optional().describe("Same key and body within 24 h: the first answer again."),
  "if-match": z.string().optional().describe("An ETag of the task; 412 when something happened since."),
});

export const readHeaders = z.looseObject({
  "if-none-match": z.string().optional().describe("An ETag; 304 when nothing happened since."),
});

/** @throws LoomError invalid_request */
export function termsOf(request: FastifyRequest): Terms {
  const idempotency = idempotencyOf(request);
  const ifSeq = expectedSeqs(request.headers["if-match"]);
  return { ...(idempotency === undefined ? {} : { idempotency }), ...(ifSeq === undefined ? {} : { ifSeq }) };
}

/** Says at which version of the task its write is visible, and whether it was done before. */
export function markApplied(
  reply: FastifyReply,
  { appliedSeq, replayed }: { readonly appliedSeq: number; readonly replayed?: true },
): void {
  reply.header("etag", etagOf(appliedSeq));
  if (replayed === true) reply.header("idempotency-replayed", "true");
}

/** For what is read off the task's log alone: 304 when the client has it. Looks at the version first, so that a tag never promises too much. */
export async function sendUnlessKnown(
  { loom, request, reply }: { readonly loom: Loom; readonly request: FastifyRequest; readonly reply: FastifyReply },
  taskId: string,
  read: () => Promise<unknown>,
): Promise<FastifyReply> {
  const { last_seq: lastSeq } = await loom.view(taskId);
  const answer = await read();
  const etag = etagOf(lastSeq);
  reply.header("etag", etag);
  return isUnchanged(request.headers["if-none-match"], etag) ? reply.code(304).send() : reply.send(answer);
}

/** Strong comparison; tags that are none of ours match nothing. @returns undefined when any version will do */
function expectedSeqs(ifMatch: string | undefined): readonly number[] | undefined {
  if (ifMatch === undefined || ifMatch.trim() === "*") return undefined;
  return ifMatch.split(",").flatMap((tag) => {
    const digits = /^"t-(?<digits>\d{1,15})"$/.exec(tag.trim())?.groups?.["digits"];
    return digits === undefined ? [] : [Number(digits)];
  });
}

/** The key is bare, or a structured-field string in quotes; it counts for one sender, one method and one path. */
function idempotencyOf(request: FastifyRequest): Terms["idempotency"] {
  const { headers, method, url, body, query } = request;
  const header = headers["idempotency-key"];
  if (header === undefined) return undefined;
  const text = String(header).trim();
  const key = /^"(?<quoted>[^"]*)"$/.exec(text)?.groups?.["quoted"] ?? text;
  if (!/^[\x21\x23-\x7e]{1,255}$/.test(key)) {
    const detail = "must be 1 to 255 visible ASCII characters";
    throw new LoomError("invalid_request", `Idempotency-Key ${detail}.`, {
      hint: "A UUID will do.",
      errors: [{ pointer: "#/headers/idempotency-key", detail }],
    });
  }
  const isPlain = Object.keys(query as object).length === 0;
  const content = canonicalJson(isPlain ? (body ?? null) : { body: body ?? null, query });
  const fingerprint = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  return { key: `${byOf(request)} ${method} ${url.split("?", 1)[0]} ${key}`, fingerprint };
}
