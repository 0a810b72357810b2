/** How many requests a key has left: one bucket for each, which fills by the minute's rate. In memory: a restart fills all. */

const minuteMs = 60_000;
/** More keys than anyone has; beyond, buckets that are full again are forgotten. */
const bucketsMax = 10_000;

interface Bucket {
  readonly left: number;
  readonly at: number;
}

export class Rates {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes one request of this key. @returns 0, or the milliseconds until there is one to take */
  take(id: string, perMinute: number): number {
    const now = this.#now();
    const before = this.#buckets.get(id) ?? { left: perMinute, at: now };
    const left = Math.min(perMinute, before.left + (Math.max(0, now - before.at) * perMinute) / minuteMs);
    if (this.#buckets.size > bucketsMax) this.#forget(now);
    if (left < 1) {
      this.#buckets.set(id, { left, at: now });
      return Math.ceil(((1 - left) * minuteMs) / perMinute);
    }
    this.#buckets.set(id, { left: left - 1, at: now });
    return 0;
  }

  #forget(now: number): void {
    for (const [id, { at }] of this.#buckets) if (now - at > minuteMs) this.#buckets.delete(id);
  }
}
