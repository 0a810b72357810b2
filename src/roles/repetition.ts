/** Notices a loop that goes in circles: the same call, or the same turn, with the same result over and over. */
import { canonicalJson, type JsonObject } from "../lib/json.ts";

export interface CallSeen {
  readonly name: string;
  readonly arguments: JsonObject | string;
  readonly result: string;
}

export const repeatsToNudge = 3;
export const repeatsToFail = 5;

export class Repetition {
  readonly #call = new Streak();
  readonly #turn = new Streak();

  /** @returns how often in a row the last call, or the whole turn, has now been seen with the same result */
  add(calls: readonly CallSeen[]): number {
    const prints = calls.map(({ name, arguments: args, result }) => canonicalJson([name, args, result]));
    const byCall = prints.map((print) => this.#call.add(print));
    return Math.max(this.#turn.add(canonicalJson(prints)), ...byCall);
  }
}

class Streak {
  #last = "";
  #length = 0;

  add(print: string): number {
    this.#length = print === this.#last ? this.#length + 1 : 1;
    this.#last = print;
    return this.#length;
  }
}
