/** A clock that a test moves: sleepers wake when their time has come, and a test can wait for someone to fall asleep. */
import type { Clock } from "../../src/ports/runtime.ts";

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

export class SteppedClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<Sleeper>();
  #fellAsleep = Promise.withResolvers<void>();

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  async sleepUntil(until: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (until <= this.#now) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper = { until, wake: resolve };
    const interrupt = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    signal.addEventListener("abort", interrupt, { once: true });
    this.#sleepers.add(sleeper);
    this.#fellAsleep.resolve();
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", interrupt);
      this.#sleepers.delete(sleeper);
    }
  }

  /** @returns for how long the next sleeper still sleeps, once there is one */
  async nextSleepMs(): Promise<number> {
    while (this.#sleepers.size === 0) {
      await this.#fellAsleep.promise;
      this.#fellAsleep = Promise.withResolvers<void>();
    }
    return Math.min(...[...this.#sleepers].map(({ until }) => until)) - this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.until > this.#now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}
