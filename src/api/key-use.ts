/** What each request costs its key: one of its minute's requests, and a note of when it was used last. */
import { LoomError, messageOf } from "../lib/errors.ts";
import type { Keys } from "../ports/access.ts";
import type { Log } from "../ports/runtime.ts";
import type { Caller } from "./caller.ts";
import { Rates } from "./rates.ts";

/** A note is a write: one a minute tells enough. */
const noteEveryMs = 60_000;

export interface KeyUseOptions {
  readonly keys: Keys;
  readonly log: Log;
  readonly now: () => number;
}

export class KeyUse {
  readonly #keys: Keys;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #rates: Rates;
  readonly #noted = new Map<string, number>();

  constructor({ keys, log, now }: KeyUseOptions) {
    this.#keys = keys;
    this.#log = log;
    this.#now = now;
    this.#rates = new Rates(now);
  }

  /** @throws LoomError rate_limited */
  take({ keyId, name, ratePerMinute }: Caller): void {
    if (keyId === null) return;
    this.#note(keyId);
    const waitMs = ratePerMinute === null ? 0 : this.#rates.take(keyId, ratePerMinute);
    if (waitMs === 0) return;
    throw new LoomError("rate_limited", `The key "${name}" may send ${ratePerMinute} requests a minute, and has.`, {
      hint: "Wait as Retry-After says; a stream or `?wait=30` asks once where polling asks often.",
      retryAfterMs: waitMs,
    });
  }

  #note(keyId: string): void {
    const now = this.#now();
    if (now - (this.#noted.get(keyId) ?? Number.NEGATIVE_INFINITY) < noteEveryMs) return;
    this.#noted.set(keyId, now);
    this.#keys.used(keyId, now).catch((error: unknown) => {
      this.#log.warn({ key_id: keyId, error: messageOf(error) }, "The use of a key could not be noted");
    });
  }
}
