/** How many tokens a prompt may have: the model's own count of what it has seen, half a token a byte for the rest. */
import { describe, expect, test } from "vitest";
import type { Message, ModelRequest } from "../../../src/ports/model.ts";
import { PromptMeter } from "../../../src/roles/context/prompt-meter.ts";

const user = (content: string): Message => ({ role: "user", content });
const used = (input: number, estimated = false) => ({
  input_tokens: input,
  output_tokens: 1,
  ...(estimated ? { estimated } : {}),
});

describe("a prompt", () => {
  test("that no model has counted has half a token for each byte, its tools and schema included", () => {
    const bare = new PromptMeter().tokensOf({ messages: [user("a".repeat(1000))] });
    expect(bare).toBe((1000 + 16 + 64) / 2);
    expect(new PromptMeter().tokensOf({ messages: [user("界".repeat(1000))] })).toBe((3000 + 16 + 64) / 2);
    const tools = [{ name: "read", description: "d".repeat(100), parameters: {} }];
    const schema = { name: "plan", schema: { type: "object" } };
    expect(new PromptMeter().tokensOf({ messages: [user("a".repeat(1000))], tools, schema })).toBeGreaterThan(
      bare + 70,
    );
  });

  test("that goes on with a counted one adds what came since", () => {
    const meter = new PromptMeter();
    const first: ModelRequest = { messages: [user("a".repeat(1000))] };
    meter.observe(first, used(200));
    const call = { id: "c1", name: "read_file", arguments: { path: "a.txt" } };
    const said: Message = { role: "assistant", content: "", toolCalls: [call] };
    const result: Message = { role: "tool", toolCallId: "c1", name: "read_file", content: "b".repeat(100) };
    const added = JSON.stringify([call]).length + 16 + "c1read_file".length + 100 + 16;
    expect(meter.tokensOf({ messages: [...first.messages, said, result] })).toBe(200 + Math.ceil(added / 2));
  });

  test("of another conversation, or a new epoch of it, is measured whole", () => {
    const meter = new PromptMeter();
    const first: ModelRequest = { messages: [user("a".repeat(1000)), user("b")] };
    meter.observe(first, used(200));
    expect(meter.tokensOf({ messages: [user("a".repeat(1000)), user("b")] })).toBe((1001 + 32 + 64) / 2 + 0.5);
    expect(meter.tokensOf({ messages: first.messages.slice(0, 1) })).toBe(540);
  });

  test("is not taken from what was only estimated", () => {
    const meter = new PromptMeter();
    const request: ModelRequest = { messages: [user("a".repeat(1000))] };
    for (const usage of [used(5, true), used(0), undefined]) meter.observe(request, usage);
    expect(meter.tokensOf(request)).toBe(540);
  });
});
