/**
 * Tickets for browsers: `EventSource` can send no header, so a page asks for a ticket with its key and puts it in the URL of one
 * stream. Signed rather than stored, so that a stream's reconnects outlive a restart of the server.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { TaskView } from "../domain/view.ts";
import { LoomError } from "../lib/errors.ts";
import type { Keys } from "../ports/access.ts";
import { callerWith } from "./access.ts";
import { type Caller, owner } from "./caller.ts";

/** A ticket must be used within this time; from then on it is good for reconnects. */
const unusedMs = 60_000;
/** How long reconnects go on after the task's end. */
const afterEndMs = 60_000;
const ageMaxMs = 24 * 60 * 60 * 1000;
const form = /^(?<issued>[0-9a-z]{1,11})\.(?<nonce>[\w-]{16})\.(?<holder>[0-9a-z_]{1,40})\.(?<mac>[\w-]{43})$/;

export interface Ticket {
  readonly ticket: string;
  readonly expiresAt: number;
}

export class Tickets {
  readonly #ownerSecret: Buffer;
  readonly #isOwnerNamed: boolean;
  readonly #keys: Keys;
  readonly #now: () => number;
  readonly #startedAt: number;
  /** When each ticket that was used was issued. */
  readonly #used = new Map<string, number>();
  readonly #guests = new WeakSet<FastifyRequest>();

  /** @param apiKey what the owner's tickets are bound to: another key, and none of them is good any more */
  constructor({
    apiKey,
    keys,
    now,
  }: { readonly apiKey: string | null; readonly keys: Keys; readonly now: () => number }) {
    this.#ownerSecret = apiKey === null ? randomBytes(32) : secretFrom(apiKey);
    this.#isOwnerNamed = apiKey !== null;
    this.#keys = keys;
    this.#now = now;
    this.#startedAt = now();
  }

  /** @param caller whose key it stands for: with the key it ends */
  issue(stream: string, { keyId }: Caller): Ticket {
    const issuedAt = this.#now();
    for (const [nonce, at] of this.#used) if (issuedAt - at > ageMaxMs) this.#used.delete(nonce);
    const holder = keyId ?? owner.name;
    const head = `${issuedAt.toString(36)}.${randomBytes(12).toString("base64url")}.${holder}`;
    const bond = this.#bondOf(holder);
    if (bond === null) throw new LoomError("unauthorized", "The API key was revoked just now.");
    return { ticket: `${head}.${sign(bond.secret, stream, head)}`, expiresAt: issuedAt + unusedMs };
  }

  /** @returns whose ticket it is, when it is good and for the very stream that is asked for */
  admit(request: FastifyRequest): Caller | null {
    if (request.method !== "GET" && request.method !== "HEAD") return null;
    const ticket = ticketOf(request);
    const caller = ticket === undefined ? null : this.#holderOf(ticket, request.url.split("?", 1)[0] ?? "");
    if (caller !== null) this.#guests.add(request);
    return caller;
  }

  /** @throws LoomError unauthorized, for whoever came by ticket when the task has been over for a while */
  refuseAfterEnd(request: FastifyRequest, { completed_at: completedAt }: TaskView): void {
    if (!this.#guests.has(request) || completedAt === null) return;
    if (this.#now() - Date.parse(completedAt) <= afterEndMs) return;
    throw new LoomError("unauthorized", "The ticket is over: the task ended a while ago.", {
      hint: "POST /stream-tickets makes a new one.",
    });
  }

  #holderOf(ticket: string, stream: string): Caller | null {
    const parts = form.exec(ticket)?.groups;
    if (parts === undefined) return null;
    const { issued = "", nonce = "", holder = "", mac = "" } = parts;
    const bond = this.#bondOf(holder);
    if (bond === null) return null;
    const made = sign(bond.secret, stream, `${issued}.${nonce}.${holder}`);
    if (!timingSafeEqual(Buffer.from(mac), Buffer.from(made))) return null;
    return this.#isInTime(Number.parseInt(issued, 36), nonce) ? bond.caller : null;
  }

  #isInTime(issuedAt: number, nonce: string): boolean {
    const age = this.#now() - issuedAt;
    if (age > ageMaxMs) return false;
    // Whether one from before the start was used, nobody knows any more: a page that reconnects must not be shut out.
    const isFirst = !this.#used.has(nonce) && issuedAt >= this.#startedAt;
    if (isFirst && age > unusedMs) return false;
    this.#used.set(nonce, issuedAt);
    return true;
  }

  /** Who needed no key yesterday needs one as soon as there is any. */
  get #hasOwner(): boolean {
    return this.#isOwnerNamed || !this.#keys.any();
  }

  /** @returns what a holder's tickets are signed with; null for a key that is revoked or was none */
  #bondOf(holder: string): { readonly secret: Buffer; readonly caller: Caller } | null {
    if (holder === owner.name) return this.#hasOwner ? { secret: this.#ownerSecret, caller: owner } : null;
    const found = this.#keys.find(holder);
    if (found === null || found.key.revokedAt !== null) return null;
    return { secret: secretFrom(found.digest), caller: callerWith(found.key) };
  }
}

function secretFrom(key: string | Uint8Array): Buffer {
  return createHmac("sha256", key).update("loom stream tickets").digest();
}

function sign(secret: Buffer, stream: string, head: string): string {
  return createHmac("sha256", secret).update(`${head} ${stream}`).digest("base64url");
}

function ticketOf({ query }: FastifyRequest): string | undefined {
  const ticket: unknown = typeof query === "object" && query !== null && "ticket" in query ? query.ticket : undefined;
  return typeof ticket === "string" ? ticket : undefined;
}
