/** Calls as text: how a request is told without any help of the server, and which block of a reply is a call. */
import { describe, expect, test } from "vitest";
import { speakText, tellSchema, toolBlockIn } from "../../src/models/protocol-text.ts";
import { replyOf } from "../../src/models/reply.ts";
import type { Message, ModelReply, ModelRequest } from "../../src/ports/model.ts";

const write = {
  name: "write_file",
  description: "Write a file. Its folders are made.",
  parameters: {
    type: "object",
    properties: { path: { type: "string" }, content: { type: "string" }, mode: { type: "string" } },
    required: ["path", "content"],
  },
  simple: {
    type: "object",
    properties: { path: { type: "string" }, content: { type: "string" } },
    required: ["path", "content"],
  },
};
const read = {
  name: "read_file",
  description: "Read a file.",
  parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
};
const tools = [write, read];
const opening: Message[] = [
  { role: "system", content: "Rules." },
  { role: "user", content: "Go" },
];
const block = (step: object): string => `\`\`\`tool\n${JSON.stringify(step)}\n\`\`\``;

describe("a request in text", () => {
  test("tells the tools at their simplest in the system message, and asks nothing of the server", () => {
    const told = speakText({ messages: opening, tools });
    expect(Object.keys(told)).toEqual(["messages"]);
    const [system, user] = told.messages;
    expect(system?.content).toMatch(/^Rules\.\n\n# Tools\n/);
    expect(system?.content).toContain("- write_file(path: string, content: string): Write a file.");
    expect(system?.content).toContain(`Your reply: \n${block({ tool: "read_file", path: "notes/harbour.txt" })}`);
    expect(system?.content).toContain('```tool\n{"tool":"finish","summary":');
    expect(user).toEqual(opening[1]);
  });

  test("shows what was called before one by one, each with its result, as it is to be called", () => {
    const messages: Message[] = [
      ...opening,
      {
        role: "assistant",
        content: "Both.",
        toolCalls: [
          { id: "1", name: "read_file", arguments: { path: "a" } },
          { id: "2", name: "write_file", arguments: "{broken" },
        ],
      },
      { role: "tool", toolCallId: "1", name: "read_file", content: "seven" },
      { role: "tool", toolCallId: "2", name: "write_file", content: "ERROR: it was cut" },
      { role: "assistant", content: "half a bl", cut: true },
      { role: "user", content: "Shorter" },
      { role: "assistant", content: "It is done." },
    ];
    expect(speakText({ messages, tools }).messages.slice(1)).toEqual([
      { role: "user", content: "Go" },
      { role: "assistant", content: `Both.\n\n${block({ tool: "read_file", path: "a" })}` },
      { role: "user", content: "Result of read_file:\nseven" },
      { role: "assistant", content: "```tool\n{broken\n```" },
      { role: "user", content: "Result of write_file:\nERROR: it was cut" },
      { role: "assistant", content: "half a bl" },
      { role: "user", content: "Shorter" },
      { role: "assistant", content: block({ tool: "finish", summary: "It is done." }) },
    ]);
  });

  test("shows worked examples in place of made ones, before the conversation", () => {
    const examples: Message[] = [
      { role: "user", content: "Job" },
      { role: "assistant", content: "", toolCalls: [{ id: "e", name: "read_file", arguments: { path: "b" } }] },
      { role: "tool", toolCallId: "e", name: "read_file", content: "eight" },
      { role: "assistant", content: "It says eight." },
    ];
    const [system, ...rest] = speakText({ messages: opening, tools, examples }).messages;
    expect(system?.content).not.toContain("Examples from another job");
    expect(rest.map(({ content }) => content)).toEqual([
      "Job",
      block({ tool: "read_file", path: "b" }),
      "Result of read_file:\neight",
      block({ tool: "finish", summary: "It says eight." }),
      "Go",
    ]);
  });

  test("tells a schema in words, and leaves what was answered before as it was", () => {
    const schema = { name: "verdict", schema: { type: "object", properties: { passed: { type: "boolean" } } } };
    const messages: Message[] = [
      ...opening,
      { role: "assistant", content: "Well" },
      { role: "user", content: "JSON!" },
    ];
    const { messages: told, ...others } = speakText({ messages, schema });
    expect(others).toEqual({});
    expect(told[0]?.content).toContain(`# Form of your reply\n`);
    expect(told[0]?.content).toContain(JSON.stringify(schema.schema));
    expect(told.slice(1)).toEqual(messages.slice(1));
    expect(tellSchema({ messages, schema })).toEqual({ messages: told });
    expect(tellSchema({ messages, tools })).toEqual({ messages, tools });
  });
});

describe("a reply in text", () => {
  const usage = { input_tokens: 1, output_tokens: 1 };
  const request: ModelRequest = { messages: opening, tools };
  const heard = (text: string, finish: "stop" | "length" = "stop"): ModelReply =>
    replyOf(
      { text, calls: [], finish, usage: null, broken: { attempts: 0, characters: 0 }, left: null },
      { request, protocol: "text", usage, model: "m" },
    );
  const called = { id: "call_0_0", name: "read_file", arguments: { path: "a" } };
  const good = block({ tool: "read_file", path: "a" });

  test.each<[string, string, Partial<ModelReply>]>([
    ["one block", good, { text: "", toolCalls: [called], finish: "tool_calls", repaired: [] }],
    ["talk, then a block", `I look.\n\n${good}\n`, { text: "I look.", toolCalls: [called], repaired: [] }],
    [
      "a block and an answer that nobody gave",
      `${good}\nResult of read_file:\nnine\n${block({ tool: "finish", summary: "It says nine." })}`,
      { text: "", toolCalls: [called], repaired: ["tail_removed"] },
    ],
    [
      "the block of finish",
      `Well.\n${block({ tool: "finish", summary: "Done." })}`,
      { text: "Done.", toolCalls: [], finish: "stop" },
    ],
    ["a block that is left open", '```tool\n{"tool":"read_file","path":"a"}', { toolCalls: [called] }],
    ["bare JSON", '{"tool":"read_file","path":"a"}', { toolCalls: [called] }],
    ["a fence of another name alone", '```json\n{"tool":"read_file","path":"a"}\n```', { toolCalls: [called] }],
    ["no block at all", "All is done.", { text: "All is done.", toolCalls: [], finish: "stop" }],
    [
      "a call that is only shown",
      'You could call\n\n```json\n{"tool":"read_file","path":"a"}\n```\n\nbut there is no need.',
      { toolCalls: [], finish: "stop" },
    ],
  ])("is read: %s", (_name, text, wanted) => {
    expect(heard(text)).toMatchObject({ ...wanted, protocol: "text" });
  });

  test("is repaired by the rules for any reply, and the call says so", () => {
    const [call] = heard("```tool\n{'tool': 'readFile', 'path': 'a',}\n```").toolCalls;
    expect(call).toMatchObject({ name: "read_file", arguments: { path: "a" } });
    expect(call?.repaired).toContain("name_mapped");
  });

  test.each([
    ["that holds no call", "```tool\nread the file a\n```"],
    [
      "whose text was not escaped, and ends where it should not",
      '```tool\n{"tool":"write_file","path":"a","content":"x\n```\ny"}\n```',
    ],
  ])("with a block %s runs nothing, and says what is wrong", (_name, text) => {
    const { toolCalls, finish } = heard(text);
    expect(toolCalls).toHaveLength(1);
    expect(toolCalls[0]?.error).toBeDefined();
    expect(finish).toBe("tool_calls");
  });

  test("that was cut within its block runs nothing, and is a cut reply", () => {
    const cut = '```tool\n{"tool":"write_file","path":"a","content":"half a li';
    expect(heard(cut, "length")).toMatchObject({ toolCalls: [], finish: "length" });
    expect(toolBlockIn(cut, true)).toBeNull();
    // What was whole before the cut is.
    expect(heard(`${good}\nand so`, "length")).toMatchObject({ toolCalls: [called] });
  });
});
