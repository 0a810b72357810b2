/** The OpenAI wire, chat completions: OpenAI itself, llama.cpp, vLLM, LM Studio and others. Raw chunks are read, since many servers omit what the SDK's helpers expect. */
import type {
  ChatCompletionChunk,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions";
import { isJsonObject } from "../lib/json.ts";
import { unreachable } from "../lib/result.ts";
import type { Message, ModelReply, ToolSchema } from "../ports/model.ts";
import type { ModelSettings } from "./config.ts";
import { Concessions } from "./endpoint.ts";
import { jsonEvents } from "./event-stream.ts";
import { openAiFacts } from "./openai-facts.ts";
import {
  argumentsObject,
  type Chunk,
  type RawCall,
  type ServerFacts,
  type Wire,
  type WireCall,
  type WireUsage,
} from "./wire.ts";

/** The guard keeps the time; the SDK's own limit is put out of the way. */
const sdkTimeoutMs = 2 ** 31 - 1;

type Module = typeof import("openai");
interface Sdk {
  readonly client: InstanceType<Module["OpenAI"]>;
  readonly APIError: Module["APIError"];
}

export class OpenAiWire implements Wire {
  readonly #settings: ModelSettings;
  readonly #send: typeof fetch;
  readonly #concessions = new Concessions(["stream_options", "temperature", "max_tokens", "response_format"]);
  #sdk: Promise<Sdk> | null = null;

  constructor(settings: ModelSettings, send: typeof fetch) {
    this.#settings = settings;
    this.#send = send;
  }

  async *stream(call: WireCall, signal: AbortSignal): AsyncGenerator<Chunk, void, undefined> {
    const calls = new CallFragments();
    let finish: ModelReply["finish"] | null = null;
    let usage: WireUsage | undefined;
    for await (const event of this.#open(call, signal)) {
      usage = usageOf(event) ?? usage;
      const choice = event.choices?.[0];
      if (choice === undefined) continue;
      calls.add(choice.delta?.tool_calls ?? []);
      yield chunkOf(choice.delta);
      finish = finishOf(choice.finish_reason) ?? finish;
    }
    for (const one of calls.whole()) yield { kind: "tool_call", call: one };
    if (finish !== null) yield { kind: "end", finish, ...(usage === undefined ? {} : { usage }) };
  }

  facts(signal: AbortSignal): Promise<ServerFacts> {
    return openAiFacts(this.#settings, signal);
  }

  notes(): readonly string[] {
    return this.#concessions.notes();
  }

  /** @throws what the SDK throws, also for an error that comes within the stream */
  async *#open(call: WireCall, signal: AbortSignal): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    this.#sdk ??= openSdk(this.#settings, this.#send);
    const { body, headers } = await this.#answer(await this.#sdk, call, signal);
    if (body === null) return;
    const { APIError } = await this.#sdk;
    let isWhole = false;
    try {
      for await (const { event, data } of jsonEvents(body)) {
        const error = isJsonObject(data) ? data["error"] : undefined;
        if (event === "error" || error) throw new APIError(undefined, Object(error ?? data), undefined, headers);
        // What is no object is no chunk of a reply.
        if (isJsonObject(data)) yield data as unknown as ChatCompletionChunk;
      }
      isWhole = true;
    } finally {
      // The server shall stop writing what nobody reads.
      if (!isWhole) await body.cancel().catch(() => undefined);
    }
  }

  async #answer({ client }: Sdk, call: WireCall, signal: AbortSignal): Promise<Response> {
    for (;;) {
      try {
        return await client.chat.completions.create(this.#body(call), { signal }).asResponse();
      } catch (error) {
        if (!this.#concessions.learn(error)) throw error;
      }
    }
  }

  #body(call: WireCall): ChatCompletionCreateParamsStreaming {
    const refused = this.#concessions;
    const { schema } = call;
    return {
      model: this.#settings.model,
      messages: call.messages.map(messageOf),
      ...(call.tools.length === 0 ? {} : { tools: call.tools.map(functionOf) }),
      ...(schema === undefined || refused.has("response_format")
        ? {}
        : {
            response_format: {
              type: "json_schema" as const,
              json_schema: { name: schema.name, schema: { ...schema.schema }, strict: false },
            },
          }),
      ...(refused.has("max_tokens") ? { max_completion_tokens: call.maxTokens } : { max_tokens: call.maxTokens }),
      ...(refused.has("temperature") ? {} : { temperature: call.temperature }),
      ...(refused.has("stream_options") ? {} : { stream_options: { include_usage: true } }),
      stream: true,
    };
  }
}

/** Nothing is taken from the environment: a key of OpenAI's must not reach another server. */
async function openSdk({ baseUrl, apiPath, apiKey }: ModelSettings, send: typeof fetch): Promise<Sdk> {
  const { OpenAI: Client, APIError } = await import("openai");
  const client = new Client({
    baseURL: `${baseUrl}${apiPath}`,
    apiKey: apiKey ?? "none",
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    defaultHeaders: apiKey === null ? { authorization: null } : {},
    fetch: send,
    maxRetries: 0,
    timeout: sdkTimeoutMs,
    logLevel: "off",
  });
  return { client, APIError };
}

function messageOf(message: Message): ChatCompletionMessageParam {
  switch (message.role) {
    case "system":
    case "user":
      return { role: message.role, content: message.content };
    case "tool":
      return { role: "tool", tool_call_id: message.toolCallId, content: message.content };
    case "assistant": {
      const calls = message.toolCalls ?? [];
      if (calls.length === 0) return { role: "assistant", content: message.content };
      const tool_calls = calls.map(({ id, name, arguments: args }) => ({
        id,
        type: "function" as const,
        function: { name, arguments: JSON.stringify(argumentsObject(args)) },
      }));
      return { role: "assistant", content: message.content === "" ? null : message.content, tool_calls };
    }
    default:
      return unreachable(message);
  }
}

/** Thoughts have no place in OpenAI's own schema; servers send them under either name. */
type Delta = ChatCompletionChunk.Choice.Delta & { readonly reasoning_content?: unknown; readonly reasoning?: unknown };

function chunkOf(delta: Delta | undefined): Chunk {
  if (typeof delta?.content === "string" && delta.content !== "") return { kind: "text", text: delta.content };
  const isAtWork =
    Boolean(delta?.reasoning_content) || Boolean(delta?.reasoning) || (delta?.tool_calls?.length ?? 0) > 0;
  return { kind: isAtWork ? "thinking" : "quiet" };
}

function finishOf(reason: string | null | undefined): ModelReply["finish"] | null {
  switch (reason) {
    case null:
    case undefined:
    case "":
      return null;
    case "stop":
    case "tool_calls":
    case "length":
      return reason;
    case "content_filter":
      return "filtered";
    case "function_call":
      return "tool_calls";
    default:
      return "other";
  }
}

function usageOf({ usage }: ChatCompletionChunk): WireUsage | undefined {
  if (usage === undefined || usage === null) return undefined;
  const cached = usage.prompt_tokens_details?.cached_tokens;
  return {
    inputTokens: usage.prompt_tokens ?? 0,
    outputTokens: usage.completion_tokens ?? 0,
    ...(typeof cached === "number" ? { cachedTokens: cached } : {}),
  };
}

type Fragment = ChatCompletionChunk.Choice.Delta.ToolCall;

/** Tool calls come in pieces, told apart by index; some servers send whole calls without one. */
class CallFragments {
  readonly #calls: { index: number | undefined; id: string; name: string; text: string }[] = [];

  add(fragments: readonly Fragment[]): void {
    for (const fragment of fragments) {
      const index: number | undefined = fragment.index;
      const { id = "", function: { name = "", arguments: text = "" } = {} } = fragment;
      const known = this.#find(index, id);
      if (known === undefined) {
        this.#calls.push({ index, id, name, text });
        continue;
      }
      if (known.id === "") known.id = id;
      if (known.name === "") known.name = name;
      known.text += text;
    }
  }

  whole(): RawCall[] {
    return this.#calls.map(({ id, name, text }) => ({ id, name, arguments: text }));
  }

  #find(index: number | undefined, id: string) {
    if (index !== undefined && index !== null) return this.#calls.find((call) => call.index === index);
    return id === "" ? this.#calls.at(-1) : this.#calls.find((call) => call.id === id);
  }
}

function functionOf({ name, description, parameters }: ToolSchema) {
  return { type: "function" as const, function: { name, description, parameters } };
}
