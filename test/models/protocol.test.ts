/** JSON by schema: how a request is told, how a reply is heard, and how it is found out that a server drops tools. */
import { describe, expect, test } from "vitest";
import { hearJson, speakJson } from "../../src/models/protocol.ts";
import type { Message, ModelRequest } from "../../src/ports/model.ts";
import type { ModelServerOptions } from "../support/model-server.ts";
import { failureOf, hello, pick, worldOf } from "./served-world.ts";

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

describe("a server that drops tools", () => {
  const request: ModelRequest = { ...hello, tools: [write] };
  const droppedNote = "this server drops `tools` without a word; Loom speaks JSON by schema";
  const caps = (supports: boolean) => ({
    chat_template_caps: { supports_tools: supports },
    default_generation_settings: { n_ctx: 3000 },
  });

  test.each<[string, "ollama" | "openai_compatible" | "anthropic", ModelServerOptions, number]>([
    ["llama.cpp's template says so", "openai_compatible", { props: caps(false) }, 0],
    ["llama.cpp's template says so, on the other wire", "anthropic", { props: caps(false) }, 0],
    ["Ollama's capabilities lack them", "ollama", { capabilities: ["completion"] }, 0],
    ["the prompt does not grow by them", "openai_compatible", { capabilities: null }, 2],
    ["the prompt does not grow, and the list lacks them", "openai_compatible", { capabilities: ["completion"] }, 2],
    ["the prompt does not grow, on the other wire", "anthropic", { capabilities: null }, 2],
    ["the prompt does not grow, at Ollama's", "ollama", { capabilities: null }, 2],
  ])("is known when %s", async (_name, provider, options, probes) => {
    await using world = await worldOf(provider, {
      ...options,
      dropsTools: true,
      answer: () => ({ toolCalls: [{ name: "write_file", arguments: { path: "a" } }], text: "x" }),
    });
    expect(world.models.list()[0]?.tool_protocol).toBe("unknown");
    const reply = await world.call(request);
    expect(world.models.list()[0]).toMatchObject({
      tool_protocol: "json_schema",
    });
    expect(world.models.list()[0]?.notes).toContain(droppedNote);
    expect(reply.toolCalls).toEqual([{ id: "call_0_0", name: "write_file", arguments: { path: "a" } }]);
    await world.call(request);
    expect(world.server.requests).toHaveLength(probes + 2);
  });

  test.each<[string, ModelServerOptions, number]>([
    ["it says so", {}, 1],
    ["llama.cpp's template does, though its list lacks them", { capabilities: ["completion"], props: caps(true) }, 1],
    ["the prompt grows by them", { capabilities: null }, 3],
    ["nothing can be told", { capabilities: null, reportsUsage: false }, 3],
  ])("is told from one that takes them: %s", async (_name, options, requests) => {
    await using world = await worldOf("openai_compatible", {
      ...options,
      answer: () => ({ toolCalls: [{ name: "write_file", arguments: { path: "a" } }] }),
    });
    expect((await world.call(request)).toolCalls).toHaveLength(1);
    expect(world.models.list()[0]).toMatchObject({ tool_protocol: "native", notes: [] });
    expect(world.server.requests).toHaveLength(requests);
  });

  test("is shown worked examples; one that takes tools is not", async () => {
    const examples: Message[] = [
      { role: "user", content: "Job" },
      { role: "assistant", content: "Done" },
    ];
    for (const dropsTools of [true, false]) {
      await using world = await worldOf("openai_compatible", { capabilities: null, dropsTools });
      await world.call({ ...hello, examples });
      const sent = JSON.stringify(world.server.requests.at(-1));
      expect(sent.includes("Job")).toBe(dropsTools);
    }
  });

  test("is not probed for calls without tools", async () => {
    await using world = await worldOf("openai_compatible", { capabilities: null });
    await world.call();
    expect(world.server.requests).toHaveLength(1);
    expect(world.models.list()[0]?.tool_protocol).toBe("unknown");
  });

  test("is probed once by many first calls", async () => {
    await using world = await worldOf(
      "openai_compatible",
      { capabilities: null, dropsTools: true },
      { context_tokens: 0 },
    );
    await Promise.all([world.call(request), world.call(request), world.call(request)]);
    expect(world.server.requests).toHaveLength(5);
    expect(world.server.asked).toEqual(["GET /props", "GET /v1/models"]);
  });

  test("is known when it refuses the probe itself", async () => {
    await using world = await worldOf("openai_compatible", {
      capabilities: null,
      refusesTools: true,
      answer: () => ({ json: { tool: "finish", summary: "done" } }),
    });
    expect((await world.call(request)).text).toBe("done");
    expect(world.models.list()[0]?.tool_protocol).toBe("json_schema");
  });

  test("is not known as long as the probe fails", async () => {
    await using world = await worldOf("openai_compatible", { capabilities: null });
    world.server.fail({ kind: "status", status: 401 });
    expect(await failureOf(world.call(request))).toMatchObject({ code: "model_refused" });
    expect(world.models.list()[0]?.tool_protocol).toBe("unknown");
  });

  test("gives up one caller's wait for the probe, not the probe", async () => {
    await using world = await worldOf("openai_compatible", { capabilities: null, latencyMs: 30, dropsTools: true });
    const leaving = new AbortController();
    const leaves = world.models.call(pick, request, { signal: leaving.signal });
    const stays = world.call(request);
    leaves.catch(() => undefined);
    while (world.server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    leaving.abort(new Error("enough"));
    await expect(leaves).rejects.toThrow("enough");
    expect((await stays).text).toBe("ok");
    expect(world.server.requests).toHaveLength(3);
  });
});
