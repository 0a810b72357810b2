/** JSON by schema: how a request is told, and how a reply is heard. */
import { describe, expect, test } from "vitest";
import { hearJson, speakJson } from "../../src/models/protocol.ts";
import type { Message } from "../../src/ports/model.ts";

const write = {
  name: "write_file",
  description: "Write a file. Its folders are made.",
  parameters: {
    type: "object",
    properties: {
      path: { type: "string", pattern: "^[a-z]+$", description: "Where" },
      content: { type: "string", maxLength: 100_000 },
      mode: { type: "string", enum: ["new", "append"] },
      tags: { type: "array", items: { type: "string" } },
      meta: { type: "object", properties: { note: { type: ["string", "null"] } } },
      either: { anyOf: [{ type: "string" }, { type: "integer" }] },
    },
    required: ["path", "content"],
  },
};
const odd = {
  name: "weigh",
  description: "Weigh a thing",
  parameters: {
    type: "object",
    properties: {
      grams: { type: "integer" },
      what: { type: "string" },
      exact: { type: "boolean" },
      kind: { enum: ["a", "b"] },
    },
    required: ["grams", "what", "exact", "kind"],
  },
};
const messages: Message[] = [
  { role: "system", content: "Rules." },
  { role: "user", content: "Go" },
  {
    role: "assistant",
    content: "I write",
    toolCalls: [{ id: "c1", name: "write_file", arguments: { path: "a", content: "" } }],
  },
  { role: "tool", toolCallId: "c1", name: "write_file", content: "ok" },
  { role: "user", content: "Hurry" },
  { role: "assistant", content: "All done" },
];

describe("a request told as JSON", () => {
  const told = speakJson({ messages, tools: [write, odd] }, 4096);

  test("shows what was called, and what came back, in the form that is asked for", () => {
    expect(told.messages.slice(1)).toEqual([
      { role: "user", content: "Go" },
      { role: "assistant", content: '{"tool":"write_file","path":"a","content":""}' },
      { role: "user", content: "Result of write_file:\nok\n\nHurry" },
      { role: "assistant", content: '{"tool":"finish","summary":"All done"}' },
    ]);
    expect(told.tools).toBeUndefined();
  });

  test("describes the tools at the end of the system message, with examples that hold real values", () => {
    const [system] = told.messages;
    expect(system?.content.startsWith("Rules.\n\n# Tools\n")).toBe(true);
    expect(system?.content).toContain(
      '- write_file(path: string, content: string, mode?: "new"|"append", tags?: array, meta?: object, either?: any): Write a file.',
    );
    expect(system?.content).toContain(
      'Your reply: {"tool":"write_file","path":"notes/harbour.txt","content":"The harbour opens at six.\\n"}',
    );
    expect(system?.content).toContain(
      'Your reply: {"tool":"weigh","grams":3,"what":"harbour","exact":true,"kind":"a"}',
    );
  });

  test("begins word for word like the next request of the conversation", () => {
    const next = speakJson({ messages: [...messages, { role: "user", content: "More" }], tools: [write, odd] }, 4096);
    expect(JSON.stringify(next.messages).startsWith(JSON.stringify(told.messages).slice(0, -1))).toBe(true);
  });

  test("gets a system message where it had none", () => {
    expect(speakJson({ messages: [{ role: "user", content: "Go" }], tools: [odd] }, 4096).messages[0]?.role).toBe(
      "system",
    );
  });

  test("binds the reply to one call or the end, every string with a limit", () => {
    expect(told.schema?.schema).toEqual({
      anyOf: [
        {
          type: "object",
          properties: {
            tool: { const: "write_file" },
            path: { type: "string", maxLength: 400 },
            content: { type: "string", maxLength: 8000 },
            mode: { type: "string", enum: ["new", "append"] },
            tags: { type: "array", items: { type: "string", maxLength: 400 }, maxItems: 32 },
            meta: {
              type: "object",
              properties: { note: { type: ["string", "null"], maxLength: 400 } },
              additionalProperties: false,
            },
            either: { anyOf: [{ type: "string", maxLength: 400 }, { type: "integer" }] },
          },
          required: ["tool", "path", "content"],
          additionalProperties: false,
        },
        expect.objectContaining({ required: ["tool", "grams", "what", "exact", "kind"] }),
        {
          type: "object",
          properties: { tool: { const: "finish" }, summary: { type: "string", maxLength: 2000 } },
          required: ["tool", "summary"],
          additionalProperties: false,
        },
      ],
    });
  });

  test.each([
    [4096, 8000],
    [1000, 2000],
    [10, 400],
  ])("lets no text of a model capped at %d tokens be so long that the reply is cut", (maxTokens, longMax) => {
    const { schema } = speakJson({ messages, tools: [write] }, maxTokens);
    expect(JSON.stringify(schema)).toContain(`"content":{"type":"string","maxLength":${longMax}}`);
  });

  test("shows a reply that was cut as it was, prose too", () => {
    const cut: Message[] = [{ role: "assistant", content: "Let me think about this for a whi", cut: true }];
    expect(speakJson({ messages: cut }, 4096).messages[0]?.content).toBe("Let me think about this for a whi");
  });

  test("shows what begins like a step and is none as it was", () => {
    const cut: Message[] = [{ role: "assistant", content: '{"tool":"write_file","content":"ha' }];
    expect(speakJson({ messages: cut }, 4096).messages).toEqual(cut);
  });

  test("keeps the caller's own schema, and tells no tools", () => {
    const schema = { name: "verdict", schema: { type: "object" } };
    const own = speakJson({ messages, tools: [write], schema }, 4096);
    expect(own.schema).toBe(schema);
    expect(own.messages[0]?.content).toBe("Rules.");
    expect(own.messages[2]).toEqual({ role: "assistant", content: '{"tool":"write_file","path":"a","content":""}' });
  });

  test("shows worked examples behind the system message, in the same form, and then tells none", () => {
    const examples: Message[] = [
      { role: "user", content: "Job" },
      { role: "assistant", content: "", toolCalls: [{ id: "e1", name: "weigh", arguments: { grams: 2 } }] },
      { role: "tool", toolCallId: "e1", name: "weigh", content: "heavy" },
      { role: "assistant", content: "Weighed" },
    ];
    const shown = speakJson({ messages, tools: [write], examples }, 4096).messages;
    expect(shown.slice(1, 6)).toEqual([
      { role: "user", content: "Job" },
      { role: "assistant", content: '{"tool":"weigh","grams":2}' },
      { role: "user", content: "Result of weigh:\nheavy" },
      { role: "assistant", content: '{"tool":"finish","summary":"Weighed"}' },
      { role: "user", content: "Go" },
    ]);
    expect(shown[0]?.content).not.toContain("# Examples");
    expect(speakJson({ messages: [{ role: "user", content: "Go" }], examples }, 4096).messages).toHaveLength(5);
    const schema = { name: "verdict", schema: { type: "object" } };
    expect(speakJson({ messages, examples, schema }, 4096).messages).toHaveLength(told.messages.length + 4);
  });

  test("offers a tool in its simplest form, and not where the same call has just given the same again", () => {
    const simple = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
    const tools = [{ ...write, simple }, odd];
    const whole = speakJson({ messages, tools }, 4096);
    expect(whole.messages[0]?.content).toContain("- write_file(path: string): Write a file.");
    expect(JSON.stringify(whole.schema)).toContain('"required":["tool","path"]');
    const barred = speakJson({ messages, tools, barred: ["write_file"] }, 4096);
    expect(barred.messages).toEqual(whole.messages);
    expect(JSON.stringify(barred.schema)).not.toContain('"write_file"');
    expect(JSON.stringify(barred.schema)).toContain('"weigh"');
    expect(speakJson({ messages, tools, barred: ["write_file", "weigh"] }, 4096).schema).toEqual(whole.schema);
  });

  test("takes a piece of what was read in place of a summary, where there is one to be named", () => {
    const { schema } = speakJson({ messages, tools: [write], quotable: ["a = 1", "b = 2"] }, 4096);
    const finish = {
      properties: { tool: { const: "finish" }, quote: { type: "string", enum: ["a = 1", "b = 2"] } },
      required: ["tool", "quote"],
    };
    expect(schema?.schema["anyOf"]).toEqual([expect.anything(), expect.objectContaining(finish)]);
    const examples: Message[] = [{ role: "assistant", content: "boats: 14", isQuote: true }];
    expect(speakJson({ messages, tools: [write], examples }, 4096).messages[1]?.content).toBe(
      '{"tool":"finish","quote":"boats: 14"}',
    );
  });

  test("lets no summary of a model with a low cap be so long that the reply is cut", () => {
    const { schema } = speakJson({ messages, tools: [write] }, 500);
    expect(JSON.stringify(schema)).toContain('"summary":{"type":"string","maxLength":1000}');
  });

  describe("of a tool that goes on where a result broke off", () => {
    const parameters = {
      type: "object",
      properties: { path: { type: "string" }, line: { type: "integer" } },
      required: ["path"],
    };
    const read = { name: "read", description: "Read.", parameters, onward: { arguments: ["line"], sign: "go on at" } };
    const rest = { ...read, name: "rest", onward: { arguments: ["path", "line"], sign: "go on at" } };
    const toldWith = (content: string) =>
      speakJson(
        {
          messages: [...messages, { role: "tool", toolCallId: "c2", name: "read", content }],
          tools: [write, read, rest],
        },
        4096,
      );

    test("opens no argument for that, and no tool that does nothing else, before one did", () => {
      const schema = JSON.stringify(toldWith("all of it").schema);
      expect(schema).toContain('{"tool":{"const":"read"},"path":{"type":"string","maxLength":400}}');
      expect(schema).not.toContain('"rest"');
    });

    test("opens them then, and tells of them all along", () => {
      const { schema, messages: told } = toldWith("half of it; go on at 7");
      expect(JSON.stringify(schema)).toContain('"line":{"type":"integer"}');
      expect(JSON.stringify(schema)).toContain('"rest"');
      expect(told[0]).toEqual(toldWith("all of it").messages[0]);
      expect(told[0]?.content).toContain("- rest(path: string, line?: integer): Read.");
    });
  });

  test("leaves finishing out where the reply must be a call", () => {
    const open = speakJson({ messages, tools: [write], mustCall: false }, 4096).schema?.schema["anyOf"];
    const bound = speakJson({ messages, tools: [write], mustCall: true }, 4096).schema?.schema["anyOf"];
    expect(open).toEqual([...(bound as object[]), expect.objectContaining({ required: ["tool", "summary"] })]);
    expect(bound).toHaveLength(1);
  });

  test("is left without a schema where there are no tools", () => {
    expect(speakJson({ messages }, 4096).schema).toBeUndefined();
  });
});

describe("a reply heard as JSON", () => {
  const hear = (text: string, finish: "stop" | "length" = "stop") => hearJson({ text, finish }, () => "id");

  test.each([
    ["a call", '{"tool":"write_file","path":"a","content":""}', { path: "a", content: "" }],
    ["a call with nested arguments", '{"tool":"write_file","arguments":{"path":"a"}}', { path: "a" }],
  ])("is %s", (_name, text, args) => {
    expect(hear(text)).toEqual({
      text: "",
      toolCalls: [{ id: "id", name: "write_file", arguments: args }],
      finish: "tool_calls",
      repaired: [],
    });
  });

  test.each([
    ['{"tool":"finish","summary":"All done"}', "All done"],
    ['{"tool":"finish","quote":"a = 1"}', "a = 1"],
    ['{"tool":"finish"}', ""],
    ['{"tool":"finish","status":"blocked"}', '{"status":"blocked"}'],
  ])("is the end: %s", (text, summary) => {
    expect(hear(text)).toMatchObject({ text: summary, toolCalls: [], finish: "stop" });
  });

  test.each([
    'I could say {"tool":"write_file","path":"a"} now.',
    'So:\n```\n{"tool":"write_file"}\n```\nRight?',
    "I am done.",
    '{"answer":7}',
    '{"tool":7}',
    "[1]",
  ])("is text when it is nothing else: %s", (text) => {
    expect(hear(text)).toEqual({ text, toolCalls: [], finish: "stop", repaired: [] });
  });

  test("names its repairs", () => {
    expect(hear('```\n{"tool":"finish","summary":"x",}\n```').repaired).toEqual(["fence_removed", "json_repaired"]);
  });

  test("that was cut is never run", () => {
    expect(hear('{"tool":"write_file","path":"a"', "length")).toMatchObject({ toolCalls: [], finish: "length" });
  });
});
