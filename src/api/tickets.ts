/**
 * Tickets for browsers: `EventSource` can send no header, so a page asks for a ticket with its key and puts it in the URL of one
 * stream. Signed rather than stored, so that a stream's reconnects outlive a restart of the server.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { TaskView } from "../domain/view.ts";
import { LoomError } from "../lib/errors.ts";

/** A ticket must be used within this time; from then on it is good for reconnects. */
const unusedMs = 60_000;
/** How long reconnects go on after the task's end. */
const afterEndMs = 60_000;
const ageMaxMs = 24 * 60 * 60 * 1000;
const form = /^(?<issued>[0-9a-z]{1,11})\.(?<nonce>[\w-]{16})\.(?<mac>[\w-]{43})$/;

export interface Ticket {
  readonly ticket: string;
  readonly expiresAt: number;
}

export class Tickets {
  readonly #secret: Buffer;
  readonly #now: () => number;
  readonly #startedAt: number;
  /** When each ticket that was used was issued. */
  readonly #used = new Map<string, number>();
  readonly #guests = new WeakSet<FastifyRequest>();

  /** @param apiKey what tickets are bound to: another key, and none of them is good any more */
  constructor({ apiKey, now }: { readonly apiKey: string | null; readonly now: () => number }) {
    this.#secret =
      apiKey === null ? randomBytes(32) : createHmac("sha256", apiKey).update("loom stream tickets").digest();
    this.#now = now;
    this.#startedAt = now();
  }

  issue(stream: string): Ticket {
    const issuedAt = this.#now();
    for (const [nonce, at] of this.#used) if (issuedAt - at > ageMaxMs) this.#used.delete(nonce);
    const head = `${issuedAt.toString(36)}.${randomBytes(12).toString("base64url")}`;
    return { ticket: `${head}.${this.#sign(stream, head)}`, expiresAt: issuedAt + unusedMs };
  }

  /** Lets a request in that shows a good ticket for the very stream it asks for. */
  admit(request: FastifyRequest): boolean {
    if (request.method !== "GET" && request.method !== "HEAD") return false;
    const ticket = ticketOf(request);
    if (ticket === undefined || !this.#isGood(ticket, request.url.split("?", 1)[0] ?? "")) return false;
    this.#guests.add(request);
    return true;
  }

  /** @throws LoomError unauthorized, for whoever came by ticket when the task has been over for a while */
  refuseAfterEnd(request: FastifyRequest, { completed_at: completedAt }: TaskView): void {
    if (!this.#guests.has(request) || completedAt === null) return;
    if (this.#now() - Date.parse(completedAt) <= afterEndMs) return;
    throw new LoomError("unauthorized", "The ticket is over: the task ended a while ago.", {
      hint: "POST /stream-tickets makes a new one.",
    });
  }

  #isGood(ticket: string, stream: string): boolean {
    const parts = form.exec(ticket)?.groups;
    if (parts === undefined) return false;
    const { issued = "", nonce = "", mac = "" } = parts;
    if (!timingSafeEqual(Buffer.from(mac), Buffer.from(this.#sign(stream, `${issued}.${nonce}`)))) return false;
    const issuedAt = Number.parseInt(issued, 36);
    const age = this.#now() - issuedAt;
    if (age > ageMaxMs) return false;
    // Whether one from before the start was used, nobody knows any more: a page that reconnects must not be shut out.
    const isFirst = !this.#used.has(nonce) && issuedAt >= this.#startedAt;
    if (isFirst && age > unusedMs) return false;
    this.#used.set(nonce, issuedAt);
    return true;
  }

  #sign(stream: string, head: string): string {
    return createHmac("sha256", this.#secret).update(`${head} ${stream}`).digest("base64url");
  }
}

function ticketOf({ query }: FastifyRequest): string | undefined {
  const ticket: unknown = typeof query === "object" && query !== null && "ticket" in query ? query.ticket : undefined;
  return typeof ticket === "string" ? ticket : undefined;
}
