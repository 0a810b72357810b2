/** What a call used and cost: as the provider reported it, else estimated: the prompt by what was learnt of the model, the reply at four characters a token. */
import type { CallUsage } from "../domain/budget.ts";
import { costMicroUsd, type Price } from "../domain/price.ts";
import type { Broken } from "./guarded.ts";
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
    broken,
    isLeft,
    price,
  }: {
    readonly sentTokens: number;
    readonly receivedCharacters: number;
    readonly broken: Broken;
    /** Before its end: what was reported is of the prompt alone. */
    readonly isLeft: boolean;
    readonly price: Price | null;
  },
): CallUsage {
  const once = reported?.inputTokens ?? sentTokens;
  const input = once * (1 + broken.attempts);
  const counted = isLeft ? undefined : reported?.outputTokens;
  const output = (counted ?? estimatedTokens(receivedCharacters)) + estimatedTokens(broken.characters);
  const cached = reported?.cachedTokens;
  return {
    input_tokens: input,
    output_tokens: output,
    ...(cached === undefined ? {} : { cached_tokens: cached }),
    ...(price === null ? {} : { cost_micro_usd: costMicroUsd({ input, output, cached: cached ?? 0 }, price) }),
    ...(reported === null || isLeft || broken.attempts > 0 ? { estimated: true } : {}),
  };
}
