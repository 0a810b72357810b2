/** A clock that only moves when a test says so. What a sleeper leads to runs before the next one wakes. */
import type { Clock } from "../../src/ports/runtime.ts";

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** One turn of the event loop: everything that is ready has run when it resolves. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class StepClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<Sleeper>();
  readonly #settled: () => Promise<void>;

  /** @param settled resolves when nothing but the clock can make anything happen */
  constructor(settled: () => Promise<void> = turn, start = Date.UTC(2026, 0, 1)) {
    this.#settled = settled;
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** When the next sleeper wakes; null when nobody sleeps. */
  get nextWake(): number | null {
    return this.#first()?.until ?? null;
  }

  get sleepers(): number {
    return this.#sleepers.size;
  }

  async sleepUntil(until: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (until <= this.#now) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper = { until, wake: resolve };
    const leave = () => {
      this.#sleepers.delete(sleeper);
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#sleepers.add(sleeper);
    await promise;
    signal.removeEventListener("abort", leave);
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.#settled();
    for (let next = this.#first(); next !== undefined && next.until <= end; next = this.#first()) {
      this.#now = Math.max(this.#now, next.until);
      this.#sleepers.delete(next);
      next.wake();
      await this.#settled();
    }
    this.#now = end;
  }

  /** The earliest, of several the one that fell asleep first. */
  #first(): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) if (first === undefined || sleeper.until < first.until) first = sleeper;
    return first;
  }
}
