/** A conversation in Anthropic's form: leading system messages apart, later ones as the user's, neighbours of one role merged, no empty text. */
import type { ContentBlockParam, MessageParam } from "@anthropic-ai/sdk/resources/messages";
import type { Message } from "../ports/model.ts";
import { argumentsObject } from "./wire.ts";

interface Turn {
  readonly role: "user" | "assistant";
  readonly blocks: ContentBlockParam[];
}

export function conversationOf(messages: readonly Message[]): {
  readonly system: string;
  readonly messages: MessageParam[];
} {
  const first = messages.findIndex(({ role }) => role !== "system");
  const split = first === -1 ? messages.length : first;
  const turns: Turn[] = [];
  for (const message of messages.slice(split)) {
    const blocks = blocksOf(message);
    if (blocks.length === 0) continue;
    const role = message.role === "assistant" ? "assistant" : "user";
    const last = turns.at(-1);
    if (last?.role === role) last.blocks.push(...blocks);
    else turns.push({ role, blocks });
  }
  return {
    system: messages
      .slice(0, split)
      .map(({ content }) => content)
      .join("\n\n"),
    messages: turns.map(({ role, blocks }) => ({ role, content: blocks })),
  };
}

function blocksOf(message: Message): ContentBlockParam[] {
  if (message.role === "tool") {
    return [{ type: "tool_result", tool_use_id: message.toolCallId, content: message.content }];
  }
  const text: ContentBlockParam[] = message.content.trim() === "" ? [] : [{ type: "text", text: message.content }];
  if (message.role !== "assistant") return text;
  const calls = (message.toolCalls ?? []).map(({ id, name, arguments: args }) => ({
    type: "tool_use" as const,
    id,
    name,
    input: { ...argumentsObject(args) },
  }));
  return [...text, ...calls];
}
