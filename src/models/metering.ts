/** What a call used and cost: as the provider reported it, else estimated: the prompt by what was learnt of the model, the reply at four characters a token. */
import type { CallUsage } from "../domain/budget.ts";
import type { Price } from "./config.ts";
import type { WireUsage } from "./wire.ts";

const charactersPerToken = 4;

function estimatedTokens(characters: number): number {
  return Math.ceil(characters / charactersPerToken);
}

export function callUsage(
  reported: WireUsage | null,
  {
    sentTokens,
    receivedCharacters,
    price,
  }: { readonly sentTokens: number; readonly receivedCharacters: number; readonly price: Price | null },
): CallUsage {
  const input = reported?.inputTokens ?? sentTokens;
  const output = reported?.outputTokens ?? estimatedTokens(receivedCharacters);
  const cached = reported?.cachedTokens;
  return {
    input_tokens: input,
    output_tokens: output,
    ...(cached === undefined ? {} : { cached_tokens: cached }),
    ...(price === null ? {} : { cost_micro_usd: costMicroUsd({ input, output, cached: cached ?? 0 }, price) }),
    ...(reported === null ? { estimated: true } : {}),
  };
}

/** Dollars per million tokens are micro-dollars per token. */
function costMicroUsd(
  { input, output, cached }: { input: number; output: number; cached: number },
  price: Price,
): number {
  const fresh = Math.max(0, input - cached);
  return fresh * price.input + cached * (price.cached_input ?? price.input) + output * price.output;
}
