/** A prompt that the server cut without a word, seen by what it counted: fewer tokens than the text can have. */
import type { Message } from "../ports/model.ts";

/** What the server seems to hold. */
export interface PromptCut {
  readonly countedTokens: number;
  readonly windowTokens: number;
}

export interface CountedPrompt {
  readonly messages: readonly Message[];
  /** All that was sent, tools included, at the least that a token can be worth here. */
  readonly sentTokens: number;
  readonly countedTokens: number;
  /** Whether the server cuts by its nature, to the window that it was asked for (Ollama). */
  readonly cutsTo: number | null;
}

/** Below this, what a template adds and leaves out weighs too much. */
const judgedFromTokens = 500;
/** Of an estimate, for servers that are known to cut. */
const cutShare = 0.6;
/** A count below the words is no doubt; a little is left for what some templates take away. */
const wordShare = 0.9;
/** No server that is used for work holds less. */
const windowLeast = 512;

/** @returns null when there is no sign of a cut */
export function promptCut({ messages, sentTokens, countedTokens, cutsTo }: CountedPrompt): PromptCut | null {
  if (sentTokens <= judgedFromTokens) return null;
  const isFull = cutsTo !== null && countedTokens === cutsTo;
  const isFar = cutsTo !== null && countedTokens < sentTokens * cutShare;
  if (!isFull && !isFar && countedTokens >= wordsIn(messages) * wordShare) return null;
  // A window that was asked for and sent too much is as large as was asked: it was the prompt that was too long.
  const held = cutsTo !== null && sentTokens >= cutsTo ? cutsTo : Math.max(countedTokens, windowLeast);
  return { countedTokens, windowTokens: held };
}

const letters = 3;

/** Words of three letters and more: no tokenizer joins two of them into one token, whatever stands between. */
function wordsIn(messages: readonly Message[]): number {
  return messages.reduce((sum, { content }) => sum + wordsOf(content), 0);
}

function wordsOf(text: string): number {
  let words = 0;
  let run = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at) | 0x20;
    run = code >= 0x61 && code <= 0x7a ? run + 1 : 0;
    if (run === letters) words += 1;
  }
  return words;
}
