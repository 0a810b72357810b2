/** How the test's model server makes a reply of what it was told to say: pieces to stream, tokens counted, tools dropped or spoken as JSON. */
import { isJsonObject, type Json, type JsonObject, parseJson } from "../../src/lib/json.ts";
import { turnOf } from "../../src/models/script.ts";
import type { Rendering, ServedCall, ServedRequest } from "./model-server-wires.ts";

export const servedModel = "served-model";

export type Fault =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly retryAfterMs?: number;
      readonly message?: string;
      readonly type?: string;
    }
  /** No answer at all. */
  | { readonly kind: "hang" }
  /** The first piece, then silence; the connection stays. */
  | { readonly kind: "stall" }
  /** The first piece, then the connection is torn down. */
  | { readonly kind: "drop" }
  /** The first piece over and over, until the client leaves. */
  | { readonly kind: "circle" }
  /** The first piece, then an orderly end without the closing frames. */
  | { readonly kind: "cut" };

export interface ServedReply {
  readonly text?: string;
  readonly thinking?: string;
  readonly json?: Json;
  readonly toolCalls?: readonly ServedCall[];
  readonly finish?: "length";
  readonly delayMs?: number;
  readonly fault?: Fault;
}

const piecesMax = 8;

export class Renderer {
  readonly #dropsTools: boolean;
  readonly #ignoresSchema: boolean;
  readonly #reportsUsage: boolean;
  readonly #cache = new PrefixCache();
  readonly #count: ((request: ServedRequest) => number) | undefined;

  constructor({
    dropsTools,
    ignoresSchema,
    reportsUsage,
    count,
  }: {
    readonly dropsTools: boolean;
    readonly ignoresSchema: boolean;
    readonly reportsUsage: boolean;
    readonly count?: (request: ServedRequest) => number;
  }) {
    this.#dropsTools = dropsTools;
    this.#ignoresSchema = ignoresSchema;
    this.#count = count;
    this.#reportsUsage = reportsUsage;
  }

  render(asked: ServedRequest, reply: ServedReply): Rendering {
    const plain = reply.text ?? (reply.json === undefined ? "" : JSON.stringify(reply.json));
    const text = this.#dropsTools ? this.#spoken(asked, plain, reply) : plain;
    const forced = this.#dropsTools || this.#ignoresSchema ? null : forcedTool(asked);
    const own = this.#dropsTools ? [] : (reply.toolCalls ?? []);
    const calls = forced === null ? own : [{ name: forced, arguments: text }];
    return {
      model: servedModel,
      pieces: forced === null ? piecesOf(text) : [],
      thinking: reply.thinking ?? "",
      calls,
      finish: reply.finish ?? (calls.length > 0 ? "tool_calls" : "stop"),
      usage: this.#reportsUsage ? this.#usage(asked, text) : null,
      turn: turnOf(asked),
    };
  }

  /** Anthropic's way to a schema is a tool, and goes with the tools. */
  binds({ schema, wire }: ServedRequest): boolean {
    return schema !== null && !this.#ignoresSchema && !(this.#dropsTools && wire === "anthropic");
  }

  /** A call that the script makes, in the form that the request asks for. */
  #spoken(asked: ServedRequest, plain: string, reply: ServedReply): string {
    if (this.binds(asked) && asked.schema?.["anyOf"] !== undefined) return nextStep(plain, reply);
    const [call] = reply.toolCalls ?? [];
    if (call === undefined || !asked.prompt.includes("```tool")) return plain;
    const args = isJsonObject(call.arguments) ? call.arguments : {};
    return `${plain}\n\n\`\`\`tool\n${JSON.stringify({ tool: call.name, ...args })}\n\`\`\``.trim();
  }

  #usage(asked: ServedRequest, text: string): Rendering["usage"] {
    const { prompt, wire, body } = asked;
    const options = body["options"];
    const window = wire === "ollama" && isJsonObject(options) ? Number(options["num_ctx"]) : Number.POSITIVE_INFINITY;
    const cached = Math.floor(this.#cache.shared(prompt) / 4);
    return { input: Math.min(this.#count?.(asked) ?? tokensOf(prompt), window), cached, output: tokensOf(text) };
  }
}

/** The one answer that a schema of one choice leaves. */
export function boundAnswer(schema: JsonObject | null): JsonObject {
  const properties = schema?.["properties"];
  return Object.fromEntries(
    Object.entries(isJsonObject(properties) ? properties : {}).map(([name, inner]): [string, Json] => {
      const choices = isJsonObject(inner) ? inner["enum"] : undefined;
      return [name, Array.isArray(choices) ? ((choices as Json[])[0] ?? null) : "something"];
    }),
  );
}

export function tokensOf(text: string): number {
  return Math.ceil(text.length / 4);
}

/** What a model writes that is bound by the schema of the JSON protocol: one step. */
function nextStep(plain: string, { toolCalls }: ServedReply): string {
  const [call] = toolCalls ?? [];
  if (call !== undefined)
    return JSON.stringify({ tool: call.name, ...(isJsonObject(call.arguments) ? call.arguments : {}) });
  return isJsonObject(parseJson(plain)) ? plain : JSON.stringify({ tool: "finish", summary: plain });
}

/** Anthropic's way to a schema: the reply is the arguments of this tool. */
function forcedTool({ wire, schema, body }: ServedRequest): string | null {
  const choice = body["tool_choice"];
  const name = isJsonObject(choice) ? choice["name"] : undefined;
  return wire === "anthropic" && schema !== null && typeof name === "string" ? name : null;
}

function piecesOf(text: string): string[] {
  const words = text.match(/\s*\S+\s*/g) ?? [];
  const size = Math.max(1, Math.ceil(words.length / piecesMax));
  return Array.from({ length: Math.ceil(words.length / size) }, (_, at) =>
    words.slice(at * size, (at + 1) * size).join(""),
  );
}

/** How much of a prompt an earlier one began with, to the nearest 64 characters: a rolling digest at every such boundary. */
class PrefixCache {
  #seen = new Set<number>();

  shared(text: string): number {
    if (this.#seen.size > 500_000) this.#seen = new Set();
    let digest = 0;
    let shared = 0;
    for (let at = 0; at < text.length; at += 1) {
      digest = (Math.imul(digest, 31) + text.charCodeAt(at)) | 0;
      if ((at + 1) % 64 !== 0) continue;
      if (this.#seen.has(digest) && shared === at - 63) shared = at + 1;
      this.#seen.add(digest);
    }
    return shared;
  }
}
