/**
 * JSON by schema, for servers that drop `tools`: the tools are told in the system message, each reply is one JSON object bound
 * by a schema, and what was called before is shown in the same form. Both ways are pure. @see DECISIONS 44
 */
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import { unreachable } from "../lib/result.ts";
import type { Message, ModelReply, ModelRequest, ToolCall, ToolSchema } from "../ports/model.ts";
import { type ReadJson, readJson, soleFence } from "./json-reading.ts";
import { toolGuide } from "./protocol-guide.ts";
import { replySchema } from "./protocol-schema.ts";

export type Asked = Pick<
  ModelRequest,
  "messages" | "tools" | "schema" | "examples" | "mustCall" | "barred" | "plain" | "standing" | "quotable"
>;
export type Told = Pick<ModelRequest, "messages" | "tools" | "schema">;
export type Answer = Pick<ModelReply, "text" | "toolCalls" | "finish" | "repaired">;

/**
 * @param maxTokens the model's cap on a reply, the same for all its calls
 * @returns the request without native tools; a caller's own schema is kept, and tools are then not told
 */
export function speakJson(asked: Asked, maxTokens: number): Told {
  const {
    messages,
    tools = [],
    schema,
    examples = [],
    mustCall = false,
    barred = [],
    plain,
    standing,
    quotable,
  } = asked;
  const told = withExamples(plainly(messages, plain), examples).map(rendered);
  if (schema !== undefined) return { messages: merged(told), schema };
  if (tools.length === 0) return { messages: merged(told) };
  const simple = simplest(tools);
  const open = opened(simple, messages).filter(({ name }) => !barred.includes(name));
  return {
    messages: merged(withGuide(told, toolGuide(simple, examples.length > 0))),
    schema: {
      name: "next_step",
      schema: replySchema(open.length === 0 ? simple : open, { maxTokens, mustCall, standing, quotable }),
    },
  };
}

export function plainly(messages: readonly Message[], plain: string | undefined): readonly Message[] {
  const [first, ...rest] = messages;
  return plain === undefined || first?.role !== "system" ? messages : [{ role: "system", content: plain }, ...rest];
}

export function simplest(tools: readonly ToolSchema[]): readonly ToolSchema[] {
  return tools.map((tool) => (tool.simple === undefined ? tool : { ...tool, parameters: tool.simple }));
}

/** @returns the tools without arguments that go on with what no message has begun; without tools that do nothing else */
function opened(tools: readonly ToolSchema[], messages: readonly Message[]): readonly ToolSchema[] {
  return tools.flatMap((tool): ToolSchema[] => {
    const { onward, parameters } = tool;
    if (
      onward === undefined ||
      messages.some(({ role, content }) => role !== "system" && content.includes(onward.sign))
    )
      return [tool];
    const required = Array.isArray(parameters["required"]) ? parameters["required"] : [];
    if (onward.arguments.some((name) => required.includes(name))) return [];
    const properties = Object.entries(isJsonObject(parameters["properties"]) ? parameters["properties"] : {}).filter(
      ([name]) => !onward.arguments.includes(name),
    );
    return [{ ...tool, parameters: { ...parameters, properties: Object.fromEntries(properties) } }];
  });
}

/** Behind the system message: with it they are the stable front of every request. */
export function withExamples(messages: readonly Message[], examples: readonly Message[]): readonly Message[] {
  const [first, ...rest] = messages;
  return first?.role === "system" ? [first, ...examples, ...rest] : [...examples, ...messages];
}

/**
 * Reads a reply to `speakJson`. What is not such an object and nothing else stays text, and the caller judges it: a call that
 * is merely shown within prose is not run.
 *
 * @param idOf makes the id of the one call
 */
export function hearJson(reply: Pick<ModelReply, "text" | "finish">, idOf: () => string): Answer {
  const asText: Answer = { text: reply.text, toolCalls: [], finish: reply.finish, repaired: [] };
  // Mending what was cut would run a call of which a part is missing.
  if (reply.finish === "length") return asText;
  const read = readSole(reply.text);
  if (read === null || !isJsonObject(read.value)) return asText;
  const { tool, ...args } = read.value;
  if (typeof tool !== "string") return asText;
  if (tool === "finish") return { text: summaryOf(args), toolCalls: [], finish: "stop", repaired: read.repaired };
  const call: ToolCall = { id: idOf(), name: tool, arguments: flat(args) };
  return { text: "", toolCalls: [call], finish: "tool_calls", repaired: read.repaired };
}

function readSole(text: string): ReadJson | null {
  const fenced = soleFence(text);
  const read = readJson(fenced ?? text);
  if (read === null || read.repaired.includes("prose_removed") || read.repaired.includes("fence_removed")) return null;
  return fenced === null ? read : { ...read, repaired: ["fence_removed", ...read.repaired] };
}

function summaryOf({ summary, quote, ...others }: JsonObject): string {
  if (typeof summary === "string") return summary;
  if (typeof quote === "string") return quote;
  return Object.keys(others).length === 0 ? "" : JSON.stringify(others);
}

/** `{"tool": name, "arguments": {…}}` is what many models have learnt, and means the same. */
function flat(args: JsonObject): JsonObject {
  const { arguments: nested, ...others } = args;
  return isJsonObject(nested) && Object.keys(others).length === 0 ? nested : args;
}

function rendered(message: Message): Message {
  switch (message.role) {
    case "system":
    case "user":
      return message;
    case "tool":
      return { role: "user", content: `Result of ${message.name}:\n${message.content}` };
    case "assistant":
      return { role: "assistant", content: spoken(message) };
    default:
      return unreachable(message);
  }
}

function spoken({ content, toolCalls = [], isQuote, cut }: Extract<Message, { role: "assistant" }>): string {
  // A reply that was cut, and what begins like a step and was none, are shown as they were.
  if (cut === true) return content;
  if (toolCalls.length === 0)
    return content.startsWith("{")
      ? content
      : JSON.stringify({ tool: "finish", [isQuote === true ? "quote" : "summary"]: content });
  const calls = toolCalls.map(({ name, arguments: args }) =>
    JSON.stringify({ tool: name, ...(typeof args === "string" ? { unparsed: args } : args) }),
  );
  return calls.join("\n");
}

/** The guide ends the first system message, so that it is part of the stable front of every request. */
export function withGuide(messages: readonly Message[], guide: string): Message[] {
  const [first, ...rest] = messages;
  if (first?.role !== "system") return [{ role: "system", content: guide }, ...messages];
  return [{ role: "system", content: `${first.content}\n\n${guide}` }, ...rest];
}

/** Many chat templates take only turns that alternate. */
export function merged(messages: readonly Message[]): Message[] {
  const turns: Message[] = [];
  for (const message of messages) {
    const last = turns.at(-1);
    if (last?.role === message.role && message.role === "user")
      turns[turns.length - 1] = { role: "user", content: `${last.content}\n\n${message.content}` };
    else turns.push(message);
  }
  return turns;
}

/** @returns whether the request needs translating where tools are dropped: it offers tools, or shows that some were used */
export function speaksTools({ messages, tools = [] }: Asked): boolean {
  return (
    tools.length > 0 ||
    messages.some(({ role, ...message }) => role === "tool" || ("toolCalls" in message && message.toolCalls.length > 0))
  );
}
