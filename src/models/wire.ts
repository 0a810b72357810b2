/** What the wires have in common: a call in, a stream of chunks out. The guard around them does the waiting and the judging of errors. */
import type { JsonObject } from "../lib/json.ts";
import type { Message, ModelReply, ModelRequest, Role, ToolSchema } from "../ports/model.ts";

export interface WireUsage {
  /** All of the prompt, cached tokens included. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens?: number;
}

/** A tool call as it came: the id may be missing, the arguments may be text of any kind. */
export interface RawCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string | JsonObject;
}

export type Chunk =
  | { readonly kind: "text"; readonly text: string }
  /** The model writes something that is not for us: thoughts, arguments of a call that is not whole yet. */
  | { readonly kind: "thinking" }
  /** The server answers, and the model has not begun. Some count the prompt then. */
  | { readonly kind: "quiet"; readonly usage?: WireUsage }
  | { readonly kind: "tool_call"; readonly call: RawCall }
  /** Once, last. A stream that ends without it was cut. */
  | { readonly kind: "end"; readonly finish: ModelReply["finish"]; readonly usage?: WireUsage };

export interface WireCall {
  readonly role: Role;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSchema[];
  readonly schema?: NonNullable<ModelRequest["schema"]>;
  readonly maxTokens: number;
  readonly temperature: number;
  /** Window to ask for, where it is the caller's to choose (Ollama). */
  readonly contextTokens: number;
}

/** What a server says of itself and of one model. */
export interface ServerFacts {
  readonly contextTokens: number | null;
  /** `unsure`: it does not say, or what it says is not to be trusted; a probe tells. */
  readonly tools: "native" | "dropped" | "unsure";
  readonly notes: readonly string[];
  /** Differs where another server, build, model or window answers; null: nothing that is said would tell. */
  readonly identity: string | null;
}

export interface Wire {
  /** Ends silently or throws when `signal` fires: the guard does not care which. */
  stream(call: WireCall, signal: AbortSignal): AsyncIterable<Chunk>;
  /** Asks the server; throws what it throws when it is not there. */
  facts(signal: AbortSignal): Promise<ServerFacts>;
  /** What was learnt of the server while talking to it, in plain words. */
  notes(): readonly string[];
}

/** Arguments as an object: providers refuse anything else in a history, whatever the model once wrote. */
export function argumentsObject(args: JsonObject | string): JsonObject {
  return typeof args === "string" ? { unparsed: args } : args;
}
