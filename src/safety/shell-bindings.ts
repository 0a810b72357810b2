/** The variables of a line while it is walked: every value each may have had, since what runs when is not followed. */
import { NotUnderstood, type Word } from "./shell-tokens.ts";
import { type Argument, type Choice, choicesFor, expand, expandMarked } from "./shell-words.ts";

const valuesMax = 64;
/** Rounds of a loop until its variables hold nothing new. */
const roundsMax = 4;

export class Bindings {
  readonly #values = new Map<string, readonly string[]>();
  /** How many values all variables have had. */
  #count = 0;

  /** Has the line set a variable? Programs may then do otherwise than their words say. */
  get isSwayed(): boolean {
    return this.#values.size > 0;
  }

  /** @param values as marked text */
  remember(name: string, values: readonly string[]): void {
    const known = this.#values.get(name) ?? [];
    const all = [...new Set([...known, ...values])];
    if (all.length === known.length) return;
    if (all.length > valuesMax) throw new NotUnderstood(`"${name}" may hold too many values`);
    this.#count += all.length - known.length;
    this.#values.set(name, all);
  }

  /** Runs the body of a loop: later rounds start with what the earlier ones have set. */
  untilStable(round: () => void): void {
    for (let rounds = 1; rounds <= roundsMax; rounds += 1) {
      const before = this.#count;
      round();
      if (this.#count === before) return;
    }
    throw new NotUnderstood("a loop changes its variables with each round");
  }

  choices(words: readonly Word[]): readonly Choice[] {
    return choicesFor(words, this.#values);
  }

  valuesOf(words: readonly Word[]): readonly string[] {
    return this.choices(words).flatMap((choice) => words.flatMap((word) => expandMarked(word, choice)));
  }

  argumentsOf(word: Word): readonly Argument[] {
    return this.choices([word]).flatMap((choice) => expand(word, choice));
  }
}
