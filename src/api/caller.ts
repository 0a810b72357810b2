/** Who sent a request, as the gate found out: what every route behind it may ask. */
import type { FastifyRequest } from "fastify";
import type { Scope } from "../ports/access.ts";
import { scopes } from "../ports/access.ts";

export interface Caller {
  /** Stands in events and in the audit log. */
  readonly name: string;
  /** Null for the configured key, and where none is needed. */
  readonly keyId: string | null;
  readonly scopes: readonly Scope[];
  readonly ratePerMinute: number | null;
  readonly tasksMax: number | null;
  readonly tokensPerDay: number | null;
  readonly microUsdPerDay: number | null;
}

/** The owner: with the configured key, or on loopback while there are no keys. */
export const owner: Caller = {
  name: "api",
  keyId: null,
  scopes,
  ratePerMinute: null,
  tasksMax: null,
  tokensPerDay: null,
  microUsdPerDay: null,
};

const callers = new WeakMap<FastifyRequest, Caller>();

export function noteCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller);
}

/** Undefined before the gate let it in, and for routes that are open to all. */
export function knownCaller(request: FastifyRequest): Caller | undefined {
  return callers.get(request);
}

export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error(`${request.method} ${request.url} came past the gate`);
  return caller;
}

/** Who asked, as the log records it. */
export function byOf(request: FastifyRequest): string {
  return callerOf(request).name;
}
