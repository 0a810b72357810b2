/** The adapter contracts over the three wires, and what is particular to each of them. */
import { describe, expect, test } from "vitest";
import { isJsonObject } from "../../src/lib/json.ts";
import { AnthropicWire } from "../../src/models/anthropic.ts";
import { settingsOf } from "../../src/models/config.ts";
import { OllamaWire } from "../../src/models/ollama.ts";
import { OpenAiWire } from "../../src/models/openai.ts";
import type { ModelRequest } from "../../src/ports/model.ts";
import { transport } from "../../src/safety/transport.ts";
import { modelAdapterContract } from "../contracts/model-adapter.ts";
import { modelFailureContract } from "../contracts/model-adapter-failures.ts";
import { modelProbeContract } from "../contracts/model-probe.ts";
import { startModelServer } from "../support/model-server.ts";
import { servedModel } from "../support/model-server-reply.ts";
import { containing, failureOf, hello, worldOf } from "./served-world.ts";

modelAdapterContract("openai_compatible", {
  reportsCached: true,
  boundBy: (body) => at(body, "response_format", "json_schema", "schema"),
});
modelAdapterContract("ollama", { reportsCached: false, boundBy: (body) => at(body, "format") });
modelAdapterContract("anthropic", { reportsCached: true, boundBy: (body) => at(body, "tools", "0", "input_schema") });
modelProbeContract("openai_compatible", { reportsCached: true });
modelProbeContract("ollama", { reportsCached: false });
modelProbeContract("anthropic", { reportsCached: true });
modelFailureContract("openai_compatible");
modelFailureContract("ollama");
modelFailureContract("anthropic");

const conversation: ModelRequest = {
  messages: [
    { role: "system", content: "You are terse." },
    { role: "user", content: "Look" },
    { role: "assistant", content: "", toolCalls: [{ id: "c1", name: "read_file", arguments: { path: "a" } }] },
    { role: "tool", toolCallId: "c1", name: "read_file", content: "seven" },
    { role: "assistant", content: "", toolCalls: [{ id: "c2", name: "read_file", arguments: "{broken" }] },
    { role: "tool", toolCallId: "c2", name: "read_file", content: "bad arguments" },
    { role: "system", content: "Two steps are left." },
    { role: "assistant", content: "" },
    { role: "user", content: "Go on" },
  ],
};

test.each(["openai_compatible", "ollama", "anthropic"] as const)(
  "a tool travels over the wire of %s without what is for others",
  async (provider) => {
    await using world = await worldOf(provider, {});
    const parameters = { type: "object", properties: { path: { type: "string" } } };
    const simple = { type: "object", properties: { simplest: { type: "string" } } };
    await world.call({ ...hello, tools: [{ name: "read_file", description: "Reads.", parameters, simple }] });
    const sent = JSON.stringify(world.server.requests.at(-1)?.body);
    expect(sent).toContain("read_file");
    expect(sent).not.toContain("simpl");
  },
);

describe("a call that comes as text", () => {
  const tools = [{ name: "read_file", description: "", parameters: { type: "object" } }];
  const text = '<think>I should look</think>{"name":"read_file","arguments":{"path":"a"}}';

  test("is performed, and the repairs are named", async () => {
    await using world = await worldOf("openai_compatible", { answer: () => ({ text }) });
    const reply = await world.call({ ...hello, tools });
    expect(reply).toMatchObject({
      text: "",
      finish: "tool_calls",
      repaired: ["thinking_stripped", "tool_call_from_text", "format_json"],
    });
    expect(reply.toolCalls).toEqual([
      { id: "call_0_0", name: "read_file", arguments: { path: "a" }, repaired: ["tool_call_from_text", "format_json"] },
    ]);
  });

  test.each([
    ["the reply was cut within it", { text: text.slice(0, -4), finish: "length" as const }, { ...hello, tools }],
    ["no tools were offered", { text }, hello],
    [
      "the caller wants JSON of its own",
      { text },
      { ...hello, tools, schema: { name: "x", schema: { type: "object" } } },
    ],
  ])("stays text when %s", async (_name, reply, request) => {
    await using world = await worldOf("openai_compatible", { answer: () => reply });
    expect((await world.call(request)).toolCalls).toEqual([]);
  });
});

describe("the OpenAI wire", () => {
  test("shows a history in its own form, arguments always as JSON of an object", async () => {
    await using world = await worldOf("openai_compatible", {});
    await world.call(conversation);
    const { messages } = world.server.requests[0]?.body ?? {};
    expect(messages).toEqual([
      { role: "system", content: "You are terse." },
      { role: "user", content: "Look" },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c1", type: "function", function: { name: "read_file", arguments: '{"path":"a"}' } }],
      },
      { role: "tool", tool_call_id: "c1", content: "seven" },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "c2", type: "function", function: { name: "read_file", arguments: '{"unparsed":"{broken"}' } },
        ],
      },
      { role: "tool", tool_call_id: "c2", content: "bad arguments" },
      { role: "system", content: "Two steps are left." },
      { role: "assistant", content: "" },
      { role: "user", content: "Go on" },
    ]);
  });

  test.each(["temperature", "stream_options", "response_format"])(
    "leaves out %s from then on where a server refuses it",
    async (member) => {
      await using world = await worldOf("openai_compatible", {});
      world.server.fail({
        kind: "status",
        status: 400,
        message: `Unsupported value: '${member}' is not supported with this model`,
      });
      const request = { ...hello, schema: { name: "city", schema: { type: "object" } } };
      expect((await world.call(request)).text).toBe("ok");
      await world.call(request);
      expect(world.server.requests.map(({ body }) => member in body)).toEqual([true, false, false]);
      expect(world.models.list()[0]?.notes).toEqual([`this server refuses \`${member}\`, so it is left out`]);
    },
  );

  test("says max_completion_tokens where max_tokens is refused", async () => {
    await using world = await worldOf("openai_compatible", {});
    world.server.fail({ kind: "status", status: 400, message: "Use 'max_completion_tokens' instead of 'max_tokens'" });
    await world.call({ ...hello, maxTokens: 100 });
    expect(world.server.requests.map(({ body }) => [body["max_tokens"], body["max_completion_tokens"]])).toEqual([
      [100, undefined],
      [undefined, 100],
    ]);
  });

  test("asks for what the configuration says, and never for more than is left of the window", async () => {
    await using world = await worldOf(
      "openai_compatible",
      {},
      { max_tokens: 3000, temperature: 0.7, context_tokens: 2048 },
    );
    await world.call(hello);
    await world.call({ ...hello, maxTokens: 9000, temperature: 0 });
    await world.call({ messages: [{ role: "user", content: "x".repeat(7000) }] });
    expect(world.server.requests.map(({ body }) => [body["max_tokens"], body["temperature"]])).toEqual([
      [2048 - 8, 0.7],
      [2048 - 8, 0],
      [256, 0.7],
    ]);
  });
});

describe("the Ollama wire", () => {
  test("asks for the window, configured or told, and shows a history in its own form", async () => {
    await using world = await worldOf("ollama", { contextTokens: 6000 }, { context_tokens: 0 });
    await world.call(conversation);
    const { options, messages } = world.server.requests[0]?.body ?? {};
    expect(options).toMatchObject({ num_ctx: 6000, temperature: 0.1 });
    expect(messages).toEqual(
      expect.arrayContaining([
        { role: "assistant", content: "", tool_calls: [{ function: { name: "read_file", arguments: { path: "a" } } }] },
        { role: "tool", tool_name: "read_file", content: "seven" },
      ]),
    );
    expect(world.models.first({ role: "executor", tier: 1 })).toMatchObject({ contextTokens: 6000 });
  });

  test("takes no more than 16 384 tokens of a large window unasked, and says so", async () => {
    await using world = await worldOf("ollama", { contextTokens: 131_072 }, { context_tokens: 0 });
    await world.call();
    expect(world.models.list()[0]).toMatchObject({
      context_tokens: 16_384,
      notes: [containing("131072")],
    });
  });

  test("wants a prompt that is too long refused, and a reply ended at the end of the window", async () => {
    await using world = await worldOf("ollama", { contextTokens: 512, heedsTruncate: true }, { context_tokens: 0 });
    await world.call();
    expect(world.server.requests[0]?.body).toMatchObject({ truncate: false, shift: false });
    const long = { messages: [{ role: "user", content: "word ".repeat(1500) }] } as const;
    expect(await failureOf(world.call(long))).toMatchObject({ code: "context_overflow" });
  });

  test("notices a prompt that the server cut without a word", async () => {
    await using world = await worldOf("ollama", {}, { context_tokens: 512 });
    const reply = await world.call({ messages: [{ role: "user", content: "word ".repeat(1500) }] });
    expect(reply.repaired).toEqual(["model_context_truncated"]);
    expect(world.models.list()[0]?.notes).toEqual([containing("model_context_truncated")]);
    expect((await world.call()).repaired).toEqual([]);
  });
});

describe("any wire that is left early", () => {
  test.each([OpenAiWire, OllamaWire, AnthropicWire])("lets the server know: %o", async (Wire) => {
    await using server = await startModelServer({});
    server.fail({ kind: "stall" });
    const provider = Wire === OllamaWire ? "ollama" : Wire === AnthropicWire ? "anthropic" : "openai_compatible";
    const settings = settingsOf({ name: "a", provider, base_url: server.url, model: servedModel });
    const wire = Wire === OllamaWire ? new OllamaWire(settings) : new Wire(settings, transport);
    const call = { ...hello, role: "executor" as const, tools: [], maxTokens: 9, temperature: 0, contextTokens: 4096 };
    for await (const chunk of wire.stream(call, new AbortController().signal)) if (chunk.kind === "text") break;
    await server.whenLeft(1);
    expect(server.left).toBe(1);
  });
});

describe("the Anthropic wire", () => {
  test("sets the system prompt apart, alternates turns, and leaves out what is empty", async () => {
    await using world = await worldOf("anthropic", {});
    await world.call(conversation);
    const { system, messages, cache_control } = world.server.requests[0]?.body ?? {};
    expect(system).toBe("You are terse.");
    expect(cache_control).toEqual({ type: "ephemeral" });
    expect(messages).toEqual([
      { role: "user", content: [{ type: "text", text: "Look" }] },
      { role: "assistant", content: [{ type: "tool_use", id: "c1", name: "read_file", input: { path: "a" } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: "seven" }] },
      {
        role: "assistant",
        content: [{ type: "tool_use", id: "c2", name: "read_file", input: { unparsed: "{broken" } }],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "c2", content: "bad arguments" },
          { type: "text", text: "Two steps are left." },
          { type: "text", text: "Go on" },
        ],
      },
    ]);
  });

  test("sends the key as x-api-key too, which proxies expect", async () => {
    await using world = await worldOf("anthropic", {}, { api_key: "key-of-mine" });
    await world.call();
    expect(world.server.requests[0]?.headers).toMatchObject({
      "x-api-key": "key-of-mine",
      authorization: "Bearer key-of-mine",
    });
  });

  test("asks for JSON in words alone where a forced tool is refused", async () => {
    await using world = await worldOf("anthropic", { answer: () => ({ json: { city: "Oslo" } }) });
    world.server.fail({ kind: "status", status: 400, message: "tool_choice: forced tools are not allowed here" });
    await world.call({ ...hello, schema: { name: "city", schema: { type: "object" } } });
    expect(world.server.requests.map(({ body }) => "tool_choice" in body)).toEqual([true, false]);
  });

  test("says of llama.cpp that nothing binds a reply there for a model without tools", async () => {
    await using world = await worldOf("anthropic", {
      dropsTools: true,
      props: { chat_template_caps: { supports_tools: false } },
    });
    await world.models.probe("first", new AbortController().signal);
    expect(world.models.list()[0]).toMatchObject({
      tool_protocol: "text",
      notes: [containing("provider openai_compatible"), containing("no place for `tools`")],
    });
  });
});

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      isJsonObject(inner) ? inner[key] : Array.isArray(inner) ? (inner[Number(key)] as unknown) : undefined,
    value,
  );
}
