/** What model tests need of the world: a real clock, a clock to step by hand, fixed chance, and a log that is kept. */
import type { JsonObject } from "../../src/lib/json.ts";
import type { Profiles } from "../../src/ports/profiles.ts";
import type { Clock, Log, Random } from "../../src/ports/runtime.ts";

export const realClock: Clock = {
  now: () => Date.now(),
  sleepUntil: (until, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, Math.max(0, until - Date.now()));
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      });
      if (signal.aborted) reject(signal.reason as Error);
    }),
};

export const middling: Random = { next: () => 0.5 };

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** Time that moves only when told to. */
export class SteppedClock implements Clock {
  #now = 1_000_000;
  #sleepers: Sleeper[] = [];
  readonly #watchers: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  sleepUntil(until: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (until <= this.#now) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const sleeper: Sleeper = { until, wake: resolve };
      this.#sleepers.push(sleeper);
      signal.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason as Error);
      });
      for (const watcher of this.#watchers.splice(0)) watcher();
    });
  }

  /** How far ahead each sleeper wants to wake, soonest first. */
  get ahead(): number[] {
    return this.#sleepers.map(({ until }) => until - this.#now).toSorted((a, b) => a - b);
  }

  /** Resolves once someone sleeps for so long. */
  async whenAsleep(aheadMs: number): Promise<void> {
    while (!this.ahead.includes(aheadMs)) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  advance(ms: number): void {
    this.#now += ms;
    const due = this.#sleepers.filter(({ until }) => until <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ until }) => until > this.#now);
    for (const { wake } of due) wake();
  }
}

/** Profiles as a file would keep them. */
export function keptProfiles(): Profiles {
  const rows = new Map<string, string>();
  return {
    find: (key) => {
      const text = rows.get(key);
      return text === undefined ? null : (JSON.parse(text) as JsonObject);
    },
    keep: async (key, profile) => void rows.set(key, JSON.stringify(profile)),
  };
}

export class KeptLog implements Log {
  readonly lines: {
    readonly level: string;
    readonly facts: Readonly<Record<string, unknown>>;
    readonly message: string;
  }[] = [];

  debug(facts: Readonly<Record<string, unknown>>, message: string): void {
    this.lines.push({ level: "debug", facts, message });
  }

  info(facts: Readonly<Record<string, unknown>>, message: string): void {
    this.lines.push({ level: "info", facts, message });
  }

  warn(facts: Readonly<Record<string, unknown>>, message: string): void {
    this.lines.push({ level: "warn", facts, message });
  }

  error(facts: Readonly<Record<string, unknown>>, message: string): void {
    this.lines.push({ level: "error", facts, message });
  }
}
