/** Ollama's own wire, /api/chat: the only one that sets the window. The SDK has no signal, no limits and no headers of errors, so its fetch is ours. */
import type { ChatRequest, ChatResponse, Message as OllamaMessage, Tool as OllamaTool } from "ollama";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { Message, ModelReply, ToolSchema } from "../ports/model.ts";
import type { ModelSettings } from "./config.ts";
import { askJson, countOf, serverErrorOf } from "./endpoint.ts";
import { identityOf } from "./kept-profile.ts";
import { argumentsObject, type Chunk, type ServerFacts, type Wire, type WireCall } from "./wire.ts";

/** A window that was not asked for shall not eat the memory: at 16 384 an 8 B model keeps about 2 GB for it. */
const askedWindowMax = 16_384;

/**
 * A prompt that is too long shall be refused, not cut in front, and a reply at the window's end shall end there. The SDK does
 * not know of it yet, servers from before October 2025 do not heed it: what they cut is seen by their count.
 */
interface Unshortened {
  readonly truncate: false;
  readonly shift: false;
}

export class OllamaWire implements Wire {
  readonly #settings: ModelSettings;

  constructor(settings: ModelSettings) {
    this.#settings = settings;
  }

  async *stream(call: WireCall, signal: AbortSignal): AsyncGenerator<Chunk, void, undefined> {
    const { Ollama } = await import("ollama");
    // Without an abort on every early exit the server goes on generating.
    const leave = new AbortController();
    const stop = AbortSignal.any([signal, leave.signal]);
    const client = new Ollama({ host: this.#settings.baseUrl, headers: this.#headers(), fetch: checkedFetch(stop) });
    try {
      for await (const event of await client.chat(this.#body(call))) yield* chunksOf(event);
    } finally {
      leave.abort();
    }
  }

  async facts(signal: AbortSignal): Promise<ServerFacts> {
    const headers = this.#headers();
    const shown = await askJson(
      { url: `${this.#settings.baseUrl}/api/show`, headers, body: { model: this.#settings.model } },
      signal,
    );
    const window = windowOf(shown);
    const capabilities = shown["capabilities"];
    const isCut = window !== null && window > askedWindowMax;
    return {
      contextTokens: window === null ? null : Math.min(window, askedWindowMax),
      tools: Array.isArray(capabilities) ? (capabilities.includes("tools") ? "native" : "dropped") : "unsure",
      notes: isCut
        ? [`the model could take ${window} tokens, ${askedWindowMax} are used; set context_tokens for more`]
        : [],
      identity: identityOf(
        ["template", "parameters", "model_info", "details", "capabilities"].map((member) => shown[member] ?? null),
      ),
    };
  }

  notes(): readonly string[] {
    return [];
  }

  #headers(): Record<string, string> {
    return this.#settings.apiKey === null ? {} : { authorization: `Bearer ${this.#settings.apiKey}` };
  }

  #body(call: WireCall): ChatRequest & Unshortened & { stream: true } {
    return {
      model: this.#settings.model,
      messages: call.messages.map(messageOf),
      ...(call.tools.length === 0 ? {} : { tools: call.tools.map(toolOf) }),
      ...(call.schema === undefined ? {} : { format: call.schema.schema }),
      options: { num_ctx: call.contextTokens, num_predict: call.maxTokens, temperature: call.temperature },
      truncate: false,
      shift: false,
      stream: true,
    };
  }
}

/** Passes the signal, and throws bad statuses itself: the SDK would lose `retry-after` and write to the console. */
function checkedFetch(signal: AbortSignal): typeof fetch {
  return async (input, init = {}) => {
    const both = init.signal ? AbortSignal.any([init.signal, signal]) : signal;
    const response = await fetch(input, { ...init, signal: both });
    if (!response.ok) throw serverErrorOf(response, await response.text());
    return response;
  };
}

function* chunksOf({ message, ...event }: ChatResponse): Generator<Chunk> {
  if (message?.content) yield { kind: "text", text: message.content };
  else yield { kind: message?.thinking ? "thinking" : "quiet" };
  for (const { function: called } of message?.tool_calls ?? []) {
    const args: unknown = called.arguments;
    yield {
      kind: "tool_call",
      call: { id: "", name: called.name, arguments: isJsonObject(args) ? args : String(args) },
    };
  }
  if (!event.done) return;
  const usage = { inputTokens: event.prompt_eval_count ?? 0, outputTokens: event.eval_count ?? 0 };
  yield { kind: "end", finish: finishOf(event.done_reason), ...(usage.inputTokens === 0 ? {} : { usage }) };
}

function finishOf(reason: string | undefined): ModelReply["finish"] {
  return reason === "stop" || reason === "length" ? reason : reason === undefined ? "stop" : "other";
}

function messageOf(message: Message): OllamaMessage {
  if (message.role === "tool") return { role: "tool", tool_name: message.name, content: message.content };
  if (message.role !== "assistant") return { role: message.role, content: message.content };
  const tool_calls = (message.toolCalls ?? []).map(({ name, arguments: args }) => ({
    function: { name, arguments: { ...argumentsObject(args) } },
  }));
  return { role: "assistant", content: message.content, ...(tool_calls.length === 0 ? {} : { tool_calls }) };
}

/** The SDK's type of a schema is narrower than what the server takes. */
function toolOf({ name, description, parameters }: ToolSchema): OllamaTool {
  const schema: object = parameters;
  return { type: "function", function: { name, description, parameters: schema } };
}

/** What the Modelfile sets beats what the architecture could. */
function windowOf(shown: JsonObject): number | null {
  const set = /^\s*num_ctx\s+(\d+)/m.exec(typeof shown["parameters"] === "string" ? shown["parameters"] : "");
  if (set !== null) return countOf(Number(set[1]));
  const facts = shown["model_info"];
  if (!isJsonObject(facts)) return null;
  const key = Object.keys(facts).find((name) => name.endsWith(".context_length"));
  return key === undefined ? null : countOf(facts[key]);
}
