/**
 * Calls as text, for servers that drop `tools` and bind no reply to a schema: the tools are told in the system message, a call
 * is one fenced block at the end of a reply, and what was called before is shown in the same form. Pure.
 */
import type { JsonObject } from "../lib/json.ts";
import type { Message, ToolCall, ToolSchema } from "../ports/model.ts";
import { type Asked, merged, plainly, simplest, type Told, withExamples, withGuide } from "./protocol.ts";
import { toolLines, workedExamples } from "./protocol-guide.ts";

/** The word behind the fence: what stands in such a block is done, whatever else a reply shows. */
const mark = "tool";
const opening = new RegExp(`^[ \\t]{0,3}\`\`\`${mark}[ \\t]*$`);
const closing = /^[ \t]{0,3}```[ \t]*$/;

/** @returns the request with nothing in it that needs a server's help; a caller's own schema is told in words */
export function speakText({ messages, tools = [], schema, examples = [], plain }: Asked): Told {
  const told = withExamples(plainly(messages, plain), examples).flatMap(
    rendered([...messages, ...examples], schema === undefined),
  );
  if (schema !== undefined) return { messages: merged(withGuide(told, formGuide(schema.schema))) };
  return { messages: merged(tools.length === 0 ? told : withGuide(told, guide(simplest(tools), examples.length > 0))) };
}

/** Tools as they are, and a schema that this server would not bind: told in words instead. */
export function tellSchema({ messages, tools, schema }: Asked): Told {
  const offered = tools === undefined ? {} : { tools };
  return schema === undefined
    ? { messages, ...offered }
    : { messages: withGuide(messages, formGuide(schema.schema)), ...offered };
}

export interface ToolBlock {
  /** What stands before it. */
  readonly before: string;
  readonly body: string;
  /** Something stands behind it: an answer that nobody has given yet, or a second call. */
  readonly isFollowed: boolean;
}

/** @returns the first block of a reply; null where there is none, or where it has no end and the reply was cut */
export function toolBlockIn(text: string, isCut: boolean): ToolBlock | null {
  const lines = text.split(/\r?\n/);
  const from = lines.findIndex((line) => opening.test(line));
  if (from === -1) return null;
  const length = lines.slice(from + 1).findIndex((line) => closing.test(line));
  if (length === -1 && isCut) return null;
  const to = length === -1 ? lines.length : from + 1 + length;
  const isFollowed = lines.slice(to + 1).some((line) => line.trim() !== "");
  return {
    before: lines.slice(0, from).join("\n").trim(),
    body: lines.slice(from + 1, to).join("\n"),
    isFollowed,
  };
}

function guide(tools: readonly ToolSchema[], isShown: boolean): string {
  const harbour = { tool: "finish", summary: "The harbour opens at six; notes/harbour.txt says so now." };
  const examples = isShown
    ? []
    : ["", "# Examples from another job", ...workedExamples(tools, (call) => `\n${block(call)}`)];
  return [
    "# Tools",
    `To use a tool, end your reply with one block that begins with \`\`\`${mark} and holds one JSON object: the name of the tool, then its arguments. Write nothing behind it: the result comes back as the next message. One block a reply; take paths, names and text from the task, not from the examples.`,
    "When the work is done and you have seen that it is, end with the block of the tool finish, and say in its summary what was done and found:",
    block(harbour),
    "",
    ...toolLines(tools),
    ...examples,
  ].join("\n");
}

/** The schema itself: models that can follow one know how to read it. */
function formGuide(schema: JsonObject): string {
  return [
    "# Form of your reply",
    "One JSON object and nothing else, no text around it. It fits this JSON schema:",
    JSON.stringify(schema),
  ].join("\n");
}

function block(call: JsonObject): string {
  return fenced(JSON.stringify(call));
}

function fenced(body: string): string {
  return `\`\`\`${mark}\n${body}\n\`\`\``;
}

/**
 * Calls of one turn are shown one by one, each with its result behind it: that is how they are to be made.
 *
 * @param hasSteps replies are steps, the last of which is to finish
 */
function rendered(conversation: readonly Message[], hasSteps: boolean): (message: Message) => Message[] {
  const results = new Map(
    conversation.flatMap((message) => (message.role === "tool" ? [[message.toolCallId, message] as const] : [])),
  );
  const told = new Set<string>();
  const resultOf = (id: string): Message[] => {
    const result = results.get(id);
    if (result === undefined || told.has(id)) return [];
    told.add(id);
    return [{ role: "user", content: `Result of ${result.name}:\n${result.content}` }];
  };
  return (message) => {
    if (message.role === "tool") return resultOf(message.toolCallId);
    if (message.role !== "assistant") return [message];
    const { content, toolCalls = [], cut } = message;
    if (toolCalls.length === 0) {
      const isShownAsItIs = cut === true || !hasSteps || content.startsWith("{") || content.includes(`\`\`\`${mark}`);
      return [{ role: "assistant", content: isShownAsItIs ? content : block({ tool: "finish", summary: content }) }];
    }
    return toolCalls.flatMap((call, index): Message[] => [
      { role: "assistant", content: spoken(index === 0 ? content : "", call) },
      ...resultOf(call.id),
    ]);
  };
}

function spoken(content: string, { name, arguments: args }: ToolCall): string {
  const said = content.trim() === "" ? "" : `${content.trim()}\n\n`;
  // What could not be read is shown as it was: a form made for it would be copied.
  return said + (typeof args === "string" ? fenced(args) : block({ tool: name, ...args }));
}
