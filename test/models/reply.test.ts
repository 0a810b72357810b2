/** What the roles get of a reply: calls from the wire and from text, each with its repairs, the broken ones with what was wrong. */
import { describe, expect, test } from "vitest";
import { RepairCounts } from "../../src/models/repair-counts.ts";
import { replyOf } from "../../src/models/reply.ts";
import type { ModelReply, ModelRequest } from "../../src/ports/model.ts";
import { hello, worldOf } from "./served-world.ts";

const text = { type: "string" };
const tools = [
  {
    name: "read_file",
    description: "",
    parameters: { type: "object", properties: { path: text, line: { type: "integer" } }, required: ["path"] },
  },
  {
    name: "write_file",
    description: "",
    parameters: { type: "object", properties: { path: text, content: text }, required: ["path", "content"] },
  },
];
const request: ModelRequest = { ...hello, tools };
const usage = { input_tokens: 1, output_tokens: 1, cost_usd: 0 } as unknown as ModelReply["usage"];
const good = '<tool_call>\n{"name":"read_file","arguments":{"path":"a"}}\n</tool_call>';

interface Heard {
  readonly text?: string;
  readonly calls?: readonly {
    readonly id: string;
    readonly name: string;
    readonly arguments: string | { readonly path: string };
  }[];
  readonly finish?: "stop" | "length" | "tool_calls";
  readonly protocol?: "native" | "json_schema" | "text";
}

function heard({ text: said = "", calls = [], finish = "stop", protocol = "native" }: Heard): ModelReply {
  return replyOf(
    { text: said, calls, finish, usage: null, broken: { attempts: 0, characters: 0 }, left: null },
    { request, protocol, usage, model: "main" },
  );
}

const native = (name: string, args: string | { path: string }) => ({ calls: [{ id: "c1", name, arguments: args }] });

describe("a call that the server read", () => {
  test.each<[string, Heard, object]>([
    ["as it should be", native("read_file", '{"path":"a"}'), {}],
    ["as an object", native("read_file", { path: "a" }), {}],
    ["encoded twice", native("read_file", '"{\\"path\\":\\"a\\"}"'), { repaired: ["decoded_twice"] }],
    ["with a trailing comma", native("read_file", '{"path":"a",}'), { repaired: ["commas_removed"] }],
    ["wrapped", native("read_file", '{"arguments":{"path":"a"}}'), { repaired: ["arguments_unwrapped"] }],
    ["under another name", native("functions.readFile", '{"path":"a"}'), { repaired: ["name_mapped"] }],
    [
      "with its channel in the name",
      native("read_file<|channel|>commentary", '{"path":"a"}'),
      { repaired: ["name_mapped"] },
    ],
  ])("is taken, the repair named: %s", (_name, reply, beside) => {
    expect(heard(reply).toolCalls).toEqual([{ id: "c1", name: "read_file", arguments: { path: "a" }, ...beside }]);
  });

  test.each<[string, Heard]>([
    ["cut within a text", native("read_file", '{"path":"a')],
    ["not closed, with more to come", native("read_file", '{"path":"a"')],
    ["no JSON", native("read_file", "a")],
    ["in a reply that was cut", { ...native("read_file", '{"path":"a","line":5'), finish: "length" }],
    ["in a reply that was cut before it began", { ...native("read_file", ""), finish: "length" }],
  ])("is answered with what is wrong and the right form: %s", (_name, reply) => {
    const [call] = heard(reply).toolCalls;
    expect(call?.error).toMatch(/^read_file: the arguments are .*Right form of the arguments of read_file: \{"path":/);
  });

  test("is closed where nothing can be missing", () => {
    const [call] = heard(native("write_file", '{"path":"a","content":"b"')).toolCalls;
    expect(call).toMatchObject({ arguments: { path: "a", content: "b" }, repaired: ["brackets_closed"] });
  });

  test("runs once when its text says it too", () => {
    expect(heard({ ...native("read_file", '{"path":"a"}'), text: good })).toMatchObject({
      text: "",
      toolCalls: [{ id: "c1" }],
    });
  });

  test("leaves what leaks beside it unrun, and says so", () => {
    const { toolCalls } = heard({ ...native("read_file", '{"path":"b"}'), text: good });
    expect(toolCalls.map(({ error }) => error === undefined)).toEqual([true, false]);
    expect(toolCalls[1]?.error).toContain("beside calls in the right form");
  });
});

describe("a call that comes as text", () => {
  test("has its words beside it, and its rules", () => {
    expect(heard({ text: `I look.\n\n${good}` })).toMatchObject({
      text: "I look.",
      finish: "tool_calls",
      toolCalls: [
        {
          id: "call_0_0",
          name: "read_file",
          arguments: { path: "a" },
          repaired: ["tool_call_from_text", "format_hermes"],
        },
      ],
      repaired: ["tool_call_from_text", "format_hermes"],
    });
  });

  test("runs though another beside it is broken, and that one is answered", () => {
    const bad = '<tool_call>\n{"name":"write_file","arguments":{"path":"a","content":"say "hi" now"}}\n</tool_call>';
    const { toolCalls } = heard({ text: `${good}\n${bad}\n${good.replace('"a"', '"b"')}` });
    expect(toolCalls.map(({ name, error }) => [name, error === undefined])).toEqual([
      ["read_file", true],
      ["write_file", false],
      ["read_file", true],
    ]);
    expect(toolCalls[1]?.error).toContain("a quote within a text is not escaped");
    expect(toolCalls[1]?.error).toContain('Right form of the arguments of write_file: {"path":');
  });

  test("is whole before the place where its reply was cut", () => {
    const { toolCalls } = heard({
      text: `${good}\n<tool_call>\n{"name":"write_file","arguments":{"path":"a","con`,
      finish: "length",
    });
    expect(toolCalls.map(({ error }) => error === undefined)).toEqual([true, false]);
  });

  test("is no call where nothing of a cut reply is whole", () => {
    const cut = '<tool_call>\n{"name":"write_file","arguments":{"path":"a","con';
    expect(heard({ text: cut, finish: "length" })).toMatchObject({ text: cut, toolCalls: [], finish: "length" });
  });

  test("is asked for again where its tool cannot be read", () => {
    expect(heard({ text: "<tool_call>\n{'path': }\n</tool_call>" }).toolCalls).toMatchObject([
      { name: "unknown_tool", error: expect.stringContaining("The tools are: read_file, write_file") as unknown },
    ]);
  });

  test("of a tool that there is not is handed on, for its answer names the nearest", () => {
    expect(heard({ text: good.replace("read_file", "open_file") }).toolCalls).toMatchObject([{ name: "open_file" }]);
  });

  test("in the JSON protocol is a step, and mended only where nothing can be lost", () => {
    const step = (said: string) => heard({ text: said, protocol: "json_schema" }).toolCalls;
    expect(step('{"tool":"read_file","path":"a"}')).toMatchObject([{ name: "read_file", arguments: { path: "a" } }]);
    expect(step('{"tool":"read_file","path":"a",}')).toMatchObject([{ arguments: { path: "a" } }]);
    expect(step('{"tool":"read_file","path":"a"')[0]?.error).toContain("it is cut");
    expect(step(good)).toMatchObject([{ name: "read_file", arguments: { path: "a" } }]);
    expect(heard({ text: '{"tool":"finish","summary":"Done."}', protocol: "json_schema" })).toMatchObject({
      text: "Done.",
      toolCalls: [],
    });
    expect(heard({ text: "All is done.", protocol: "json_schema" })).toMatchObject({
      text: "All is done.",
      toolCalls: [],
    });
  });
});

describe("a text without calls", () => {
  test.each([
    ["as it is", " All is done.\n", " All is done.\n"],
    ["without thoughts", "<think>x</think>\nAll is done.", "All is done."],
    [
      "without harmony's channels",
      "<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>final<|message|>All is done.",
      "All is done.",
    ],
    [
      "with the tags that it speaks of",
      "A call stands between `<tool_call>` tags.",
      "A call stands between `<tool_call>` tags.",
    ],
  ])("is %s", (_name, said, meant) => {
    expect(heard({ text: said })).toMatchObject({ text: meant, toolCalls: [], finish: "stop" });
  });
});

describe("a model's malformed replies", () => {
  test("are counted by rule and in a row", () => {
    const counts = new RepairCounts();
    expect(counts.note()).toBeNull();
    counts.add(heard({ text: "All is done." }));
    counts.add(heard({ text: good }));
    counts.add(heard({ text: '<tool_call>{"name":"read_file","arguments":{"path":"a' }));
    expect(counts.inARow).toBe(2);
    expect(counts.note()).toBe(
      "2 of 2 replies with calls were malformed, 2 in a row (tool_call_from_text 2, format_hermes 2, not readable 1)",
    );
    counts.add(heard(native("read_file", '{"path":"a"}')));
    expect(counts.inARow).toBe(0);
  });

  test("are shown with the model", async () => {
    await using world = await worldOf("openai_compatible", { answer: () => ({ text: good }) });
    await world.call(request);
    expect(world.models.list()[0]?.notes).toEqual([
      "1 of 1 replies with calls were malformed, 1 in a row (tool_call_from_text 1, format_hermes 1)",
    ]);
  });
});
