/** The three wires of the test's model server: what a request asks, and how a reply looks, streamed or whole. */
import { isJsonObject, type Json, type JsonObject } from "../../src/lib/json.ts";

export type ServedWire = "openai" | "ollama" | "anthropic";

export interface ServedCall {
  readonly id?: string;
  readonly name: string;
  readonly arguments: JsonObject | string;
}

/** One chat request, the same whatever the wire. */
export interface ServedRequest {
  readonly wire: ServedWire;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: JsonObject;
  readonly isStream: boolean;
  /** The system prompt included. */
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly tools: readonly string[];
  readonly schema: JsonObject | null;
  /** Everything the model would read: what tokens are counted of. */
  readonly prompt: string;
}

export interface ServedUsage {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
}

export interface Rendering {
  readonly model: string;
  readonly pieces: readonly string[];
  readonly thinking: string;
  readonly calls: readonly ServedCall[];
  readonly finish: "stop" | "tool_calls" | "length";
  readonly usage: ServedUsage | null;
  readonly turn: number;
}

export interface Wire {
  readonly wire: ServedWire;
  readonly contentType: string;
  parse(body: JsonObject): Pick<ServedRequest, "messages" | "tools" | "schema" | "isStream">;
  /** Frames of a streamed reply, in order. */
  stream(reply: Rendering): string[];
  whole(reply: Rendering): JsonObject;
  error(status: number, message: string, type: string): JsonObject;
}

export const wires: Readonly<Record<string, Wire>> = {
  "/v1/chat/completions": {
    wire: "openai",
    contentType: "text/event-stream",
    parse: (body) => ({
      isStream: body["stream"] === true,
      messages: list(body["messages"]).map((message) => ({
        role: textOf(message["role"]),
        content: textOf(message["content"]),
      })),
      tools: list(body["tools"]).map((tool) => textOf(inner(tool, "function")["name"])),
      schema: nullable(inner(inner(body, "response_format"), "json_schema")["schema"]),
    }),
    stream: openAiStream,
    whole: openAiWhole,
    error: (status, message, type) => ({ error: { code: status, message, type } }),
  },
  "/api/chat": {
    wire: "ollama",
    contentType: "application/x-ndjson",
    parse: (body) => ({
      isStream: body["stream"] !== false,
      messages: list(body["messages"]).map((message) => ({
        role: textOf(message["role"]),
        content: textOf(message["content"]),
      })),
      tools: list(body["tools"]).map((tool) => textOf(inner(tool, "function")["name"])),
      schema: nullable(body["format"]),
    }),
    stream: ollamaStream,
    whole: (reply) => ollamaEnd(reply, { role: "assistant", content: reply.pieces.join(""), ...ollamaCalls(reply) }),
    error: (_status, message) => ({ error: message }),
  },
  "/v1/messages": {
    wire: "anthropic",
    contentType: "text/event-stream",
    parse: parseAnthropic,
    stream: anthropicStream,
    whole: anthropicWhole,
    error: (_status, message, type) => ({ type: "error", error: { type, message } }),
  },
};

function sse(data: Json, event?: string): string {
  return `${event === undefined ? "" : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** No role in the delta, as many servers have it. */
function openAiStream({ pieces, thinking, calls, finish, usage, model, turn }: Rendering): string[] {
  const chunk = (delta: JsonObject, reason: string | null = null): string =>
    sse({
      id: "chat-1",
      object: "chat.completion.chunk",
      model,
      choices: [{ index: 0, delta, finish_reason: reason }],
    });
  const fragments = calls.flatMap((call, index) => {
    const { id, name, text } = openAiCall(call, turn, index);
    const half = Math.ceil(text.length / 2);
    return [
      chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: text.slice(0, half) } }] }),
      chunk({ tool_calls: [{ index, function: { arguments: text.slice(half) } }] }),
    ];
  });
  return [
    ...(thinking === "" ? [] : [chunk({ reasoning_content: thinking })]),
    ...pieces.map((piece) => chunk({ content: piece })),
    ...fragments,
    chunk({}, finish),
    ...(usage === null
      ? []
      : [sse({ id: "chat-1", object: "chat.completion.chunk", model, choices: [], usage: openAiUsage(usage) })]),
    "data: [DONE]\n\n",
  ];
}

function openAiWhole({ pieces, calls, finish, usage, model, turn }: Rendering): JsonObject {
  const tool_calls = calls.map((call, index) => {
    const { id, name, text } = openAiCall(call, turn, index);
    return { id, type: "function", function: { name, arguments: text } };
  });
  const message = { role: "assistant", content: pieces.join(""), ...(calls.length === 0 ? {} : { tool_calls }) };
  const choices = [{ index: 0, message, finish_reason: finish }];
  return {
    id: "chat-1",
    object: "chat.completion",
    model,
    choices,
    ...(usage === null ? {} : { usage: openAiUsage(usage) }),
  };
}

function openAiCall({ id, name, arguments: args }: ServedCall, turn: number, index: number) {
  return { id: id ?? `call_${turn}_${index}`, name, text: typeof args === "string" ? args : JSON.stringify(args) };
}

function openAiUsage({ input, cached, output }: ServedUsage): JsonObject {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
  };
}

function ollamaStream(reply: Rendering): string[] {
  const line = (message: JsonObject): string => `${JSON.stringify({ model: reply.model, message, done: false })}\n`;
  return [
    ...(reply.thinking === "" ? [] : [line({ role: "assistant", content: "", thinking: reply.thinking })]),
    ...reply.pieces.map((content) => line({ role: "assistant", content })),
    ...(reply.calls.length === 0 ? [] : [line({ role: "assistant", content: "", ...ollamaCalls(reply) })]),
    `${JSON.stringify(ollamaEnd(reply, { role: "assistant", content: "" }))}\n`,
  ];
}

function ollamaCalls({ calls }: Rendering): JsonObject {
  const tool_calls = calls.map(({ name, arguments: args }) => ({ function: { name, arguments: args } }));
  return calls.length === 0 ? {} : { tool_calls };
}

function ollamaEnd({ model, finish, usage }: Rendering, message: JsonObject): JsonObject {
  const counts = usage === null ? {} : { prompt_eval_count: usage.input, eval_count: usage.output };
  return { model, message, done: true, done_reason: finish === "length" ? "length" : "stop", ...counts };
}

function parseAnthropic(body: JsonObject): ReturnType<Wire["parse"]> {
  const system = contentOf(body["system"]);
  const choice = inner(body, "tool_choice")["name"];
  const tools = list(body["tools"]);
  const forced = tools.find(({ name }) => choice !== undefined && name === choice);
  return {
    isStream: body["stream"] === true,
    messages: [
      ...(system === "" ? [] : [{ role: "system", content: system }]),
      ...list(body["messages"]).map((message) => ({
        role: textOf(message["role"]),
        content: contentOf(message["content"]),
      })),
    ],
    tools: forced === undefined ? tools.map(({ name }) => textOf(name)) : [],
    schema: nullable(forced?.["input_schema"]),
  };
}

function anthropicStream(reply: Rendering): string[] {
  const { pieces, thinking, finish, usage } = reply;
  const start = {
    type: "message_start",
    message: { ...anthropicHead(reply), content: [], usage: anthropicUsage(usage, 1) },
  };
  const blocks = [
    ...(thinking === ""
      ? []
      : [{ block: { type: "thinking", thinking: "" }, deltas: [{ type: "thinking_delta", thinking }] }]),
    ...(pieces.length === 0
      ? []
      : [{ block: { type: "text", text: "" }, deltas: pieces.map((text) => ({ type: "text_delta", text })) }]),
    ...anthropicCalls(reply).map((call) => ({
      block: { ...call, input: {} },
      deltas: [
        {
          type: "input_json_delta",
          partial_json: typeof call.input === "string" ? call.input : JSON.stringify(call.input),
        },
      ],
    })),
  ];
  return [
    sse(start, "message_start"),
    sse({ type: "ping" }, "ping"),
    ...blocks.flatMap(({ block, deltas }, index) => [
      sse({ type: "content_block_start", index, content_block: block }, "content_block_start"),
      ...deltas.map((delta) => sse({ type: "content_block_delta", index, delta }, "content_block_delta")),
      sse({ type: "content_block_stop", index }, "content_block_stop"),
    ]),
    sse(
      {
        type: "message_delta",
        delta: { stop_reason: stopReason(finish) },
        usage: { output_tokens: usage?.output ?? 0 },
      },
      "message_delta",
    ),
    sse({ type: "message_stop" }, "message_stop"),
  ];
}

function anthropicWhole(reply: Rendering): JsonObject {
  const text = reply.pieces.join("");
  const content = [...(text === "" ? [] : [{ type: "text", text }]), ...anthropicCalls(reply)];
  return {
    ...anthropicHead(reply),
    content,
    stop_reason: stopReason(reply.finish),
    usage: anthropicUsage(reply.usage, reply.usage?.output ?? 0),
  };
}

function anthropicHead({ model }: Rendering): JsonObject {
  return { id: "msg_1", type: "message", role: "assistant", model, stop_sequence: null, stop_reason: null };
}

function anthropicCalls({ calls, turn }: Rendering) {
  return calls.map(({ id, name, arguments: input }, index) => ({
    type: "tool_use",
    id: id ?? `toolu_${turn}_${index}`,
    name,
    input,
  }));
}

function anthropicUsage(usage: ServedUsage | null, output: number): JsonObject {
  if (usage === null) return { input_tokens: 0, output_tokens: 0 };
  return { input_tokens: usage.input - usage.cached, cache_read_input_tokens: usage.cached, output_tokens: output };
}

function stopReason(finish: Rendering["finish"]): string {
  return finish === "stop" ? "end_turn" : finish === "length" ? "max_tokens" : "tool_use";
}

function list(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function inner(value: JsonObject, key: string): JsonObject {
  const found = value[key];
  return isJsonObject(found) ? found : {};
}

function nullable(value: unknown): JsonObject | null {
  return isJsonObject(value) ? value : null;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function contentOf(value: unknown): string {
  if (typeof value === "string") return value;
  return list(value)
    .map((block) => textOf(block["text"]) || contentOf(block["content"]))
    .join("\n");
}
