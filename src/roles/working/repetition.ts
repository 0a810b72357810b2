/** Notices a loop that goes in circles: the same call with the same result over and over, while nothing else changes. */
import { canonicalJson, type JsonObject } from "../../lib/json.ts";

export interface CallSeen {
  readonly name: string;
  readonly arguments: JsonObject | string;
  readonly result: string;
  /** It changed a file, or is a command that may have changed one. */
  readonly mayChange: boolean;
}

export const repeatsToNudge = 3;
export const repeatsToFail = 5;

/**
 * Counts calls since something new was done. A circle of several calls is a circle too, in one turn or over several; but a
 * test run that fails as before, after an edit, is no repetition of anything.
 */
export class Repetition {
  readonly #digest: (text: string) => string;
  /** Every call of the attempt: what takes an earlier change back and makes it again does nothing new. */
  readonly #known = new Set<string>();
  #counts = new Map<string, number>();
  #stuck: readonly string[] = [];

  /** Names of tools of which the last turn held a call that gave the same as before. */
  get stuck(): readonly string[] {
    return this.#stuck;
  }

  /** @param digest keeps what is remembered of each call small */
  constructor(digest: (text: string) => string) {
    this.#digest = digest;
  }

  /** What others did meanwhile may give the same call another result. */
  begin(): void {
    this.#counts = new Map();
    this.#stuck = [];
  }

  /** @returns in how many turns a call of this one has now been seen with the same result, since something new was done */
  add(calls: readonly CallSeen[]): number {
    const counted = new Map<string, string>();
    for (const { mayChange, ...call } of calls) {
      const print = this.#digest(canonicalJson([call.name, call.arguments, call.result]));
      if (mayChange && !this.#known.has(print)) this.#counts = new Map();
      if (!counted.has(print)) this.#counts.set(print, (this.#counts.get(print) ?? 0) + 1);
      this.#known.add(print);
      counted.set(print, call.name);
    }
    const times = (print: string): number => this.#counts.get(print) ?? 0;
    this.#stuck = [...counted].flatMap(([print, name]) => (times(print) > 1 ? [name] : []));
    return Math.max(0, ...[...counted.keys()].map(times));
  }
}
