/**
 * Requests that are sent again under one idempotency key: the first that is taken keeps its answer beside its effect, all later
 * ones get that answer. Two with one key never run at once. What is refused keeps nothing, and may be tried again.
 */

import { LoomError } from "../lib/errors.ts";
import type { EventStore, IdempotencyRow } from "../ports/event-store.ts";
import type { Terms } from "../ports/loom.ts";
import type { Clock } from "../ports/runtime.ts";
import { deadlineIn } from "./deadline.ts";

export type Key = NonNullable<Terms["idempotency"]>;

/** How long one that comes while the first is still running waits for its answer. @see DECISIONS 31 */
const patienceMs = 2000;

export class Repeats {
  readonly #store: Pick<EventStore, "idempotency">;
  readonly #clock: Clock;
  readonly #running = new Map<string, Promise<void>>();

  constructor({ store, clock }: { readonly store: Pick<EventStore, "idempotency">; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * @param first does it; keeps a row under the key in the append of its effect
   * @param again makes the answer from the row that was kept
   * @throws LoomError idempotency_conflict for another body, idempotency_running when the first takes too long
   */
  async once<T>(
    key: Key | undefined,
    { first, again }: { readonly first: () => Promise<T>; readonly again: (row: IdempotencyRow) => T },
  ): Promise<T> {
    if (key === undefined) return await first();
    const until = this.#clock.now() + patienceMs;
    for (let before = this.#running.get(key.key); before !== undefined; before = this.#running.get(key.key))
      await this.#ended(before, until);
    // Nothing may come between the look above and this: of several who waited, one goes on.
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running.set(key.key, promise);
    try {
      const row = await this.#store.idempotency(key.key);
      return row === null ? await first() : again(sameRequest(row, key));
    } finally {
      this.#running.delete(key.key);
      resolve();
    }
  }

  async #ended(running: Promise<void>, until: number): Promise<void> {
    using deadline = deadlineIn(this.#clock, until - this.#clock.now());
    const { promise: late, resolve } = Promise.withResolvers<void>();
    deadline.signal.addEventListener("abort", () => resolve(), { once: true });
    await Promise.race([running, late]);
    if (!deadline.signal.aborted) return;
    throw new LoomError("idempotency_running", "A request with this Idempotency-Key is still running", {
      hint: "Send it again in a moment; it will get the first one's answer",
      retryAfterMs: 1000,
    });
  }
}

/** @throws LoomError idempotency_conflict */
export function sameRequest(row: IdempotencyRow, { fingerprint }: Key): IdempotencyRow {
  if (row.fingerprint === fingerprint) return row;
  throw new LoomError("idempotency_conflict", "This Idempotency-Key was used with another body", {
    hint: "Use a new key for a new request; keys are kept for 24 hours",
  });
}
