/** Starts of model calls for which too little of the budget is left, until a call in flight gives back what it did not use. */
import type { Drafted } from "./batch.ts";
import type { Letter } from "./letters.ts";

export class WaitingCalls {
  #letters: readonly Letter[] = [];
  #isOver = false;

  /** @param taken the letters that were drafted. @returns those to ask again now: all of them, if anything has happened */
  follow(taken: readonly Letter[], { fates, stamped }: Drafted): readonly Letter[] {
    const late = taken.filter((_, index) => fates[index]?.kind === "later");
    this.#letters = [...this.#letters, ...late];
    if (this.#isOver) this.end();
    return stamped.length > 0 ? this.takeAll() : [];
  }

  takeAll(): readonly Letter[] {
    const letters = this.#letters;
    this.#letters = [];
    return letters;
  }

  /** Nothing starts any more: each learns that it did not. */
  end(): void {
    this.#isOver = true;
    for (const { answer } of this.takeAll()) answer({ events: [], refusal: null, appliedSeq: 0 });
  }
}
