/**
 * How many tokens a request may have at most: what the model counted of this conversation last, and half a token for each
 * byte that was added since; for a conversation that it has not counted yet, half a token for each byte of all.
 */
import type { CallUsage } from "../../domain/budget.ts";
import { asOffered } from "../../lib/prompt-size.ts";
import type { Message, ModelRequest } from "../../ports/model.ts";

const bytesPerToken = 2;
/** Of the template around a message, and around all of them. */
const bytesAroundMessage = 16;
const bytesAroundRequest = 64;

export class PromptMeter {
  #counted: { readonly request: ModelRequest; readonly tokens: number } | null = null;

  /** @returns tokens of the prompt, as many as it can have */
  tokensOf(request: ModelRequest): number {
    const known = this.#counted;
    if (known === null || !goesOn(request, known.request)) return Math.ceil(bytesOf(request) / bytesPerToken);
    const added = request.messages.slice(known.request.messages.length);
    return known.tokens + Math.ceil(bytesOfAll(added) / bytesPerToken);
  }

  /** Learns what the model counted. Estimates of ours say nothing new. */
  observe(request: ModelRequest, usage: CallUsage | undefined): void {
    if (usage === undefined || usage.estimated === true || usage.input_tokens === 0) return;
    this.#counted = { request, tokens: usage.input_tokens };
  }
}

/** Does it begin with all that was sent before? Messages are never changed, so the same ones are the same objects. */
function goesOn(request: ModelRequest, before: ModelRequest): boolean {
  return (
    request.tools === before.tools &&
    request.schema === before.schema &&
    request.messages.length >= before.messages.length &&
    before.messages.every((message, index) => message === request.messages[index])
  );
}

/** Worked examples are sent to some models only; what may be sent is reserved. */
function bytesOf({ messages, tools = [], schema, examples = [] }: ModelRequest): number {
  const offered = tools.reduce((sum, tool) => sum + sizeOf(tool, () => JSON.stringify(asOffered(tool))), 0);
  const bound = schema === undefined ? 0 : sizeOf(schema.schema, () => JSON.stringify(schema));
  return bytesAroundRequest + offered + bound + bytesOfAll(examples) + bytesOfAll(messages);
}

function bytesOfAll(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + bytesAroundMessage + sizeOf(message, () => textOf(message)), 0);
}

function textOf(message: Message): string {
  if (message.role === "assistant" && message.toolCalls !== undefined) {
    return message.content + JSON.stringify(message.toolCalls);
  }
  return message.role === "tool" ? message.toolCallId + message.name + message.content : message.content;
}

const sizes = new WeakMap<object, number>();

/** The same messages and tools are sent with every turn: each is measured once. */
function sizeOf(part: object, text: () => string): number {
  const size = sizes.get(part) ?? Buffer.byteLength(text(), "utf8");
  sizes.set(part, size);
  return size;
}
