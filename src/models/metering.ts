/** What a call used and cost: as the provider reported it, else estimated at four characters a token. */
import type { CallUsage } from "../domain/budget.ts";
import { costMicroUsd, type Price } from "../domain/price.ts";
import type { Message, ToolSchema } from "../ports/model.ts";
import type { Broken } from "./guarded.ts";
import type { WireCall, WireUsage } from "./wire.ts";

const charactersPerToken = 4;

export function charactersOf({ messages, tools, schema }: Pick<WireCall, "messages" | "tools" | "schema">): number {
  const texts = messages.reduce((sum, message) => sum + charactersOfMessage(message), 0);
  return texts + toolCharacters(tools) + (schema === undefined ? 0 : JSON.stringify(schema.schema).length);
}

export function estimatedTokens(characters: number): number {
  return Math.ceil(characters / charactersPerToken);
}

export function callUsage(
  reported: WireUsage | null,
  {
    sentCharacters,
    receivedCharacters,
    broken,
    price,
  }: {
    readonly sentCharacters: number;
    readonly receivedCharacters: number;
    readonly broken: Broken;
    readonly price: Price | null;
  },
): CallUsage {
  const once = reported?.inputTokens ?? estimatedTokens(sentCharacters);
  const input = once * (1 + broken.attempts);
  const output = (reported?.outputTokens ?? estimatedTokens(receivedCharacters)) + estimatedTokens(broken.characters);
  const cached = reported?.cachedTokens;
  return {
    input_tokens: input,
    output_tokens: output,
    ...(cached === undefined ? {} : { cached_tokens: cached }),
    ...(price === null ? {} : { cost_micro_usd: costMicroUsd({ input, output, cached: cached ?? 0 }, price) }),
    ...(reported === null || broken.attempts > 0 ? { estimated: true } : {}),
  };
}

const toolSizes = new WeakMap<ToolSchema, number>();

/** Tools are the same with every request of a task: each is measured once. */
function toolCharacters(tools: readonly ToolSchema[]): number {
  return tools.reduce((sum, tool) => {
    const known = toolSizes.get(tool) ?? JSON.stringify(tool).length + 1;
    toolSizes.set(tool, known);
    return sum + known;
  }, 0);
}

function charactersOfMessage(message: Message): number {
  const calls =
    message.role === "assistant" && message.toolCalls !== undefined ? JSON.stringify(message.toolCalls).length : 0;
  return message.content.length + calls;
}
