/**
 * A prompt that is too long, in the words of each server: whether an error says so, and how large the window really is. The
 * words are a server's: every number in them is taken only where it can be one.
 */
import { LoomError } from "../lib/errors.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";

/** As far as the server said. */
export interface OverflowSizes {
  readonly windowTokens?: number;
  /** Of the prompt, as the server counted it. */
  readonly promptTokens?: number;
}

const overflowText =
  /exceed_context_size|context_length_exceeded|prompt is too long|maximum context length|maximum model length|context (?:length|window|size|limit)|too many tokens|input is too long|reduce the length of the (?:messages|input)|input token count .{0,40}exceeds|inputs` tokens \+/i;

export function saysTooLong(text: string): boolean {
  return overflowText.test(text);
}

/** No window of a model in use is smaller or larger. */
const plausible = { least: 128, most: 100_000_000 };

/** How servers put it; numbers may be grouped by commas. Bounded gaps only: the text is not ours. */
const windowPhrases = [
  // OpenAI, vLLM, OpenRouter, Mistral: "maximum context length is 8192 tokens"
  /maximum (?:context|model) length (?:is|of) ([\d,]{1,15})/i,
  // Anthropic: "prompt is too long: 210000 tokens > 200000 maximum"; with the reply: "188240 + 21333 > 200000"
  /> ?([\d,]{1,15}) maximum/i,
  /exceed context limit: [\d,]{1,15} \+ [\d,]{1,15} > ([\d,]{1,15})/i,
  // llama.cpp: "exceeds the available context size (8192 tokens)"
  /context size \(([\d,]{1,15}) tokens\)/i,
  // LM Studio: "the model is loaded with context length of only 4096 tokens"
  /context length of (?:only )?([\d,]{1,15})/i,
  // Gemini: "exceeds the maximum number of tokens allowed (1048576)"
  /tokens allowed \(([\d,]{1,15})\)/i,
  // Mistral: "too large for model with 32768 maximum context length"
  /([\d,]{1,15}) maximum context length/i,
  // TGI: "`inputs` tokens + `max_new_tokens` must be <= 4096"
  /must be <= ([\d,]{1,15})/i,
];

const promptPhrases = [
  /\(([\d,]{1,15}) (?:of text input|in the messages|in your prompt|in the prompt)/i,
  /request has ([\d,]{1,15}) input tokens/i,
  /prompt \(length ([\d,]{1,15})\)/i,
  /prompt is too long: ([\d,]{1,15}) tokens/i,
  /messages resulted in ([\d,]{1,15}) tokens/i,
  /request \(([\d,]{1,15}) tokens\)/i,
  /exceed context limit: ([\d,]{1,15}) \+/i,
  /input token count \(([\d,]{1,15})\)/i,
  /prompt contains ([\d,]{1,15}) tokens/i,
];

/** @param body of the error reply, where there is one: llama.cpp says it in members */
export function overflowSizes(text: string, body: JsonObject | null): OverflowSizes {
  const inner = isJsonObject(body?.["error"]) ? body["error"] : body;
  const windowTokens = countIn(inner?.["n_ctx"]) ?? found(text, windowPhrases);
  const promptTokens = countIn(inner?.["n_prompt_tokens"]) ?? found(text, promptPhrases);
  return {
    ...(windowTokens === null ? {} : { windowTokens }),
    ...(promptTokens === null ? {} : { promptTokens }),
  };
}

/** The sizes that a `context_overflow` carries; none for any other error. */
export function sizesOf(error: unknown): OverflowSizes {
  if (!(error instanceof LoomError) || error.code !== "context_overflow") return {};
  const { windowTokens, promptTokens } = error.extra ?? {};
  return {
    ...(typeof windowTokens === "number" ? { windowTokens } : {}),
    ...(typeof promptTokens === "number" ? { promptTokens } : {}),
  };
}

function found(text: string, phrases: readonly RegExp[]): number | null {
  for (const phrase of phrases) {
    const count = countIn(Number(phrase.exec(text)?.[1]?.replaceAll(",", "")));
    if (count !== null) return count;
  }
  return null;
}

function countIn(value: unknown): number | null {
  const isCount = typeof value === "number" && Number.isInteger(value);
  return isCount && value >= plausible.least && value <= plausible.most ? value : null;
}
