/**
 * Bytes a token, learnt for one model from what its server counted. Careful until something was learnt, and after that quick
 * to believe in denser text and slow to believe in lighter: what is estimated must fit, and what is left over costs little.
 */
import { asOffered, jsonSize, messageSize } from "../lib/prompt-size.ts";
import type { WireCall } from "./wire.ts";

/** Denser than any usual text: prose has four and more, code over three. */
const atFirst = 3;
/** What is beyond these is no count of a whole prompt. */
const bounds = { least: 1, most: 6 };
/** Of short prompts the template around the messages is too large a part. */
const learnFromTokens = 200;
const rise = 0.25;
const margin = 0.95;

export class TokenRatio {
  #learnt: number | null = null;

  /** For others to begin with. */
  get bytesPerToken(): number {
    return this.#learnt ?? atFirst;
  }

  learn(bytes: number, tokens: number): void {
    if (tokens < learnFromTokens) return;
    const seen = Math.min(bounds.most, Math.max(bounds.least, bytes / tokens));
    const known = this.#learnt ?? seen;
    this.#learnt = seen < known ? seen : known + rise * (seen - known);
  }

  /** Rather too many than too few. */
  tokensAtMost(bytes: number): number {
    return Math.ceil(bytes / (this.#learnt === null ? atFirst : this.#learnt * margin));
  }

  /** The likeliest, for a usage that nobody reported. */
  tokensLikely(bytes: number): number {
    return Math.ceil(bytes / (this.#learnt ?? 4));
  }
}

type Sent = Pick<WireCall, "messages" | "tools" | "schema">;

/** Bytes of a request as far as they cost tokens. */
export function promptSize({ messages, tools, schema }: Sent): number {
  const texts = messages.reduce((sum, message) => sum + messageSize(message), 0);
  const inTools = tools.reduce((sum, tool) => sum + jsonSize(asOffered(tool)), 0);
  return texts + inTools + (schema === undefined ? 0 : jsonSize(schema.schema));
}
