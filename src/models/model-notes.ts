/** What is told of a model beside its settings: what it costs, and what its server was seen to do with long prompts. */
import type { Price } from "../domain/price.ts";
import type { ModelInfo } from "../ports/model.ts";

export const truncationNote =
  "model_context_truncated: the server counted far fewer prompt tokens than were sent; raise context_tokens";

export function windowNote({
  configured,
  shown,
}: {
  readonly configured: number;
  readonly shown: number | null;
}): string | null {
  if (shown === null || configured <= shown) return null;
  return `the server holds ${shown} tokens, not the ${configured} of context_tokens; prompts are made to fit`;
}

/** From pico-dollars a token. */
export function priceList(price: Price | null): ModelInfo["price"] {
  if (price === null) return null;
  return {
    input_usd_per_million: price.input / 1e6,
    cached_input_usd_per_million: price.cachedInput / 1e6,
    output_usd_per_million: price.output / 1e6,
  };
}
