/** The Anthropic wire, messages: Anthropic itself and servers that speak it. The system prompt stands apart, turns alternate, and JSON comes from a forced tool. */
import type Anthropic from "@anthropic-ai/sdk";
import type { MessageCreateParamsStreaming, RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages";
import type { JsonObject } from "../lib/json.ts";
import type { ModelReply } from "../ports/model.ts";
import { conversationOf } from "./anthropic-messages.ts";
import type { ModelSettings } from "./config.ts";
import { askJson, askJsonOrNull, Concessions, countOf } from "./endpoint.ts";
import { openAiFacts } from "./openai-facts.ts";
import type { Chunk, RawCall, ServerFacts, Wire, WireCall, WireUsage } from "./wire.ts";

const sdkTimeoutMs = 2 ** 31 - 1;
/** Of the models offered today; asked for, and used when the answer does not say. */
const anthropicWindow = 200_000;
const unboundNote =
  "this server binds no reply to a schema on the Anthropic wire; provider openai_compatible does, at the same address";

export class AnthropicWire implements Wire {
  readonly #settings: ModelSettings;
  readonly #send: typeof fetch;
  readonly #concessions = new Concessions(["temperature", "cache_control", "tool_choice"]);
  #client: Promise<Anthropic> | null = null;

  constructor(settings: ModelSettings, send: typeof fetch) {
    this.#settings = settings;
    this.#send = send;
  }

  async *stream(call: WireCall, signal: AbortSignal): AsyncGenerator<Chunk, void, undefined> {
    const reader = new EventReader(answerToolOf(call)?.name ?? null);
    for await (const event of await this.#open(call, signal)) yield* reader.read(event);
  }

  async facts(signal: AbortSignal): Promise<ServerFacts> {
    const { baseUrl, model } = this.#settings;
    if (new URL(baseUrl).hostname !== "api.anthropic.com") return await this.#otherFacts(signal);
    const headers = { ...keyHeaders(this.#settings), "anthropic-version": "2023-06-01" };
    const shown = await askJson({ url: `${baseUrl}/v1/models/${encodeURIComponent(model)}`, headers }, signal);
    return {
      contextTokens: countOf(shown["max_input_tokens"]) ?? anthropicWindow,
      tools: "native",
      notes: [],
      identity: null,
    };
  }

  notes(): readonly string[] {
    return this.#concessions.notes();
  }

  /** llama.cpp speaks this wire beside OpenAI's, and drops a forced tool, as it does tools, for a model without them. */
  async #otherFacts(signal: AbortSignal): Promise<ServerFacts> {
    const facts = await openAiFacts(this.#settings, signal);
    const props = await askJsonOrNull(
      { url: `${this.#settings.baseUrl}/props`, headers: keyHeaders(this.#settings) },
      signal,
    );
    const isUnbound = props !== null && facts.tools === "dropped";
    return isUnbound ? { ...facts, notes: [...facts.notes, unboundNote] } : facts;
  }

  async #open(call: WireCall, signal: AbortSignal): Promise<AsyncIterable<RawMessageStreamEvent>> {
    this.#client ??= openClient(this.#settings, this.#send);
    const client = await this.#client;
    for (;;) {
      try {
        return await client.messages.create(this.#body(call), { signal });
      } catch (error) {
        if (!this.#concessions.learn(error)) throw error;
      }
    }
  }

  #body(call: WireCall): MessageCreateParamsStreaming {
    const { system, messages } = conversationOf(call.messages);
    const answer = answerToolOf(call);
    const offered = answer === null ? call.tools : [answer];
    const refused = this.#concessions;
    return {
      model: this.#settings.model,
      max_tokens: call.maxTokens,
      ...(system === "" ? {} : { system }),
      messages,
      ...(offered.length === 0
        ? {}
        : {
            tools: offered.map(({ name, description, parameters }) => ({
              name,
              description,
              input_schema: { ...parameters, type: "object" as const },
            })),
          }),
      ...(answer === null || refused.has("tool_choice")
        ? {}
        : { tool_choice: { type: "tool" as const, name: answer.name } }),
      ...(refused.has("temperature") ? {} : { temperature: call.temperature }),
      ...(refused.has("cache_control") ? {} : { cache_control: { type: "ephemeral" as const } }),
      stream: true,
    };
  }
}

/** The tool that stands for a schema: the model is made to call it, and its arguments are the reply. */
function answerToolOf({
  schema,
  tools,
}: WireCall): { name: string; description: string; parameters: JsonObject } | null {
  if (schema === undefined || tools.length > 0) return null;
  return { name: schema.name, description: "Give the answer, in this form.", parameters: schema.schema };
}

/** Nothing is taken from the environment, nor from a profile on this machine. Proxies expect x-api-key, which the SDK no longer sends. */
async function openClient(settings: ModelSettings, send: typeof fetch): Promise<Anthropic> {
  const { Anthropic: Client } = await import("@anthropic-ai/sdk");
  return new Client({
    baseURL: settings.baseUrl,
    apiKey: settings.apiKey ?? "none",
    defaultHeaders: settings.apiKey === null ? { authorization: null } : { "x-api-key": settings.apiKey },
    fetch: send,
    maxRetries: 0,
    timeout: sdkTimeoutMs,
    logLevel: "off",
  });
}

function keyHeaders({ apiKey }: ModelSettings): Record<string, string> {
  return apiKey === null ? {} : { "x-api-key": apiKey, authorization: `Bearer ${apiKey}` };
}

/** Reads the events of one reply. Arguments of the answer tool are text, those of others a call when their block is whole. */
class EventReader {
  readonly #answerTool: string | null;
  #block: { id: string; name: string; text: string } | null = null;
  #input = 0;
  #cached: number | undefined;
  #output = 0;
  #finish: ModelReply["finish"] = "other";

  constructor(answerTool: string | null) {
    this.#answerTool = answerTool;
  }

  *read(event: RawMessageStreamEvent): Generator<Chunk> {
    switch (event.type) {
      case "message_start":
        this.#count(event.message.usage);
        yield { kind: "quiet", ...this.#usage() };
        break;
      case "content_block_start":
        if (event.content_block.type === "tool_use")
          this.#block = { id: event.content_block.id, name: event.content_block.name, text: "" };
        break;
      case "content_block_delta":
        yield this.#delta(event.delta);
        break;
      case "content_block_stop":
        if (this.#block !== null && this.#block.name !== this.#answerTool)
          yield { kind: "tool_call", call: callOf(this.#block) };
        this.#block = null;
        break;
      case "message_delta":
        this.#count(event.usage);
        this.#finish = finishOf(event.delta.stop_reason, this.#answerTool !== null);
        break;
      case "message_stop":
        yield this.#end();
        break;
      default:
        // A ping, or an event of a kind that did not exist when this was written.
        yield { kind: "quiet" };
    }
  }

  #delta(delta: Extract<RawMessageStreamEvent, { type: "content_block_delta" }>["delta"]): Chunk {
    if (delta.type === "text_delta") return { kind: "text", text: delta.text };
    if (delta.type !== "input_json_delta" || this.#block === null) return { kind: "thinking" };
    this.#block.text += delta.partial_json;
    return this.#block.name === this.#answerTool ? { kind: "text", text: delta.partial_json } : { kind: "thinking" };
  }

  /** Input is told apart in three; ours is all of it. The last word of each counts. */
  #count(usage: {
    input_tokens?: number | null;
    output_tokens?: number;
    cache_read_input_tokens?: number | null;
    cache_creation_input_tokens?: number | null;
  }): void {
    const cached = usage.cache_read_input_tokens ?? undefined;
    const input = (usage.input_tokens ?? 0) + (cached ?? 0) + (usage.cache_creation_input_tokens ?? 0);
    if (input > 0) this.#input = input;
    this.#cached = cached ?? this.#cached;
    this.#output = usage.output_tokens ?? this.#output;
  }

  #end(): Chunk {
    return { kind: "end", finish: this.#finish, ...this.#usage() };
  }

  #usage(): { readonly usage?: WireUsage } {
    if (this.#input === 0) return {};
    const cached = this.#cached === undefined ? {} : { cachedTokens: this.#cached };
    return { usage: { inputTokens: this.#input, outputTokens: this.#output, ...cached } };
  }
}

function callOf({ id, name, text }: { readonly id: string; readonly name: string; readonly text: string }): RawCall {
  return { id, name, arguments: text };
}

function finishOf(reason: string | null, isAnswer: boolean): ModelReply["finish"] {
  switch (reason ?? "") {
    case "end_turn":
    case "stop_sequence":
      return "stop";
    case "tool_use":
      return isAnswer ? "stop" : "tool_calls";
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length";
    case "refusal":
      return "filtered";
    default:
      return "other";
  }
}
