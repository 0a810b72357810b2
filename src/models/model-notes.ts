/** What is told of a model beside its settings: what it costs, and what its server was seen to do with long prompts. */
import type { Price } from "../domain/price.ts";
import type { ToolProtocol } from "../domain/protocol.ts";
import type { ModelInfo } from "../ports/model.ts";
import type { KeptProfile } from "./kept-profile.ts";

export const truncationNote =
  "model_context_truncated: the server counted far fewer prompt tokens than were sent; raise context_tokens";

/** Why tools do not travel natively; null where they do. */
export function unspokenNote({
  protocol,
  tools,
}: {
  readonly protocol: ToolProtocol;
  readonly tools: KeptProfile["tools"];
}): string | null {
  if (protocol === "native") return null;
  const spoken = protocol === "text" ? "text: it binds no reply to a schema either" : "JSON by schema";
  if (tools?.value !== "no") return `calls of this model were malformed again and again; Loom speaks ${spoken}`;
  return `this server ${toolless[tools.known_by]}; Loom speaks ${spoken}`;
}

/** By how it is known that `tools` do not reach the model. */
const toolless = {
  server: "says that it has no place for `tools` with this model",
  probe: "drops `tools` without a word",
  use: "refuses `tools` for this model",
} as const;

export function windowNote({
  configured,
  shown,
}: {
  readonly configured: number;
  readonly shown: number | null;
}): string | null {
  if (shown === null || configured <= shown) return null;
  return `the server holds ${shown} tokens, not the ${configured} of context_tokens; prompts are made to fit; after a change of the server, loom models --probe asks anew`;
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
