/**
 * How large a prompt is in tokens: counted by the server where it does, estimated from bytes for what came after. What is
 * learnt is kept within an attempt, from its journal alone, so that a replay estimates the same.
 */
import { asOffered, bytesPerTokenOfCode, jsonSize, messageSize } from "../../lib/prompt-size.ts";
import type { Message, ToolSchema } from "../../ports/model.ts";

/** What a template puts around each message. */
const bytesAroundMessage = 16;

export function sizeOfMessages(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + messageSize(message) + bytesAroundMessage, 0);
}

export function sizeOfTools(tools: readonly ToolSchema[]): number {
  return tools.reduce((sum, tool) => sum + jsonSize(asOffered(tool)), 0);
}

/** What comes new is taken to be no lighter than code. */
const bytesPerTokenOfNew = bytesPerTokenOfCode;
const bytesPerTokenOfOthers = 3.5;
const bounds = { least: 1, most: 6 };
/** The next prompt is not of the same texts as the last. */
const margin = 0.95;

export class TokenGauge {
  #bytesPerToken: number;
  /** The last prompt that the server counted; what comes next begins with it. */
  #counted: { readonly bytes: number; readonly tokens: number } | null = null;

  /** @param bytesPerToken what is known of the model by other prompts; those may have been of lighter texts */
  constructor(bytesPerToken: number) {
    this.#bytesPerToken = Math.min(bytesPerTokenOfOthers, within(bytesPerToken));
  }

  /** The likely tokens of a prompt; within an epoch all but its end was counted. */
  tokens(bytes: number): number {
    if (this.#counted === null || bytes < this.#counted.bytes) return bytes / (this.#bytesPerToken * margin);
    return this.#counted.tokens + (bytes - this.#counted.bytes) / this.#bytesPerNewToken;
  }

  /** How many bytes of new text surely cost no more than this, unless they are very dense. */
  sizeFor(tokens: number): number {
    return Math.max(0, Math.floor(tokens * this.#bytesPerNewToken));
  }

  /** The server counted a prompt. */
  counted(bytes: number, tokens: number): void {
    if (tokens <= 0) return;
    this.#bytesPerToken = within(bytes / tokens);
    this.#counted = { bytes, tokens };
  }

  /** A prompt was at least so large: the server refused or cut it. */
  wasOver(bytes: number, tokens: number): void {
    this.#bytesPerToken = within(Math.min(this.#bytesPerToken, bytes / tokens));
    this.#counted = null;
  }

  /** The last prompt is not the beginning of the next one any more. */
  forget(): void {
    this.#counted = null;
  }

  /** Tokens of the last prompt, as the server counted it in this epoch; null when it did not. */
  get lastCount(): number | null {
    return this.#counted?.tokens ?? null;
  }

  get #bytesPerNewToken(): number {
    return Math.min(bytesPerTokenOfNew, this.#bytesPerToken * margin);
  }
}

function within(bytesPerToken: number): number {
  return Math.min(bounds.most, Math.max(bounds.least, bytesPerToken));
}

/** How full the window is, from calm to full; the fuller, the shorter the results that come in. @see DECISIONS 25 */
export type Pressure = "calm" | "raised" | "high" | "full";

const levels: readonly (readonly [number, Pressure])[] = [
  [0.8, "full"],
  [0.65, "high"],
  [0.5, "raised"],
];

export function pressureOf(tokens: number, windowTokens: number): Pressure {
  return levels.find(([share]) => tokens >= share * windowTokens)?.[1] ?? "calm";
}

/** What the results of one turn may take of the window together. */
export const resultShares: Readonly<Record<Pressure, number>> = { calm: 0.2, raised: 0.15, high: 0.1, full: 0.1 };
