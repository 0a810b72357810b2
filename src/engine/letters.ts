/** Letters: the messages of a driver with the means to answer them, once what they led to is known. */
import type { IdempotencyRow } from "../ports/event-store.ts";
import type { Answer, Fate, Message } from "./batch.ts";
import type { Envelope } from "./mailbox.ts";

export type Letter = Envelope<Message, Answer>;

/** Those that are to be asked again later are left. @param fates one a letter */
export function answerAll(letters: readonly Letter[], fates: readonly Fate[]): void {
  for (const [index, letter] of letters.entries()) {
    const fate = fates[index];
    if (fate?.kind === "answer") letter.answer(fate.answer);
    else if (fate?.kind !== "later") letter.fail(fate?.error);
  }
}

/**
 * Nothing was kept: the one that brought the key is answered from its first use.
 * @returns the others, which are to be asked again
 */
export function answerDuplicate(
  letters: readonly Letter[],
  { keyed, row }: { readonly keyed: number | null; readonly row: IdempotencyRow },
): readonly Letter[] {
  const duplicate = letters.find((_, index) => index === keyed);
  if (duplicate === undefined) throw new Error(`The store knows the key "${row.key}", which nobody brought`);
  duplicate.answer({ events: [], refusal: null, appliedSeq: 0, duplicate: row });
  return letters.filter((letter) => letter !== duplicate);
}
