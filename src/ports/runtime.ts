/** The world's time, chance and log as arguments, so that nothing below the composition root reaches for them. */

export interface Clock {
  /** @returns epoch milliseconds */
  now(): number;
  /** Resolves at `until` (epoch ms) or at once when it has passed; rejects with `signal.reason`. Holds the process open no longer than the signal. */
  sleepUntil(until: number, signal: AbortSignal): Promise<void>;
}

export interface Ids {
  /** @returns a new id, sortable by time, in lower-case letters and digits: `prefix_01jd…` */
  next(prefix: string): string;
}

export interface Random {
  /** @returns a number in [0, 1) */
  next(): number;
}

/** Structured log lines. Values are redacted by the adapter; never pass prompts or file contents. */
export interface Log {
  debug(facts: Readonly<Record<string, unknown>>, message: string): void;
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}
