/** Replies as only some servers send them, frame by frame. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { createModels } from "../../src/models/catalog.ts";
import type { ModelConfig } from "../../src/models/config.ts";
import type { ModelReply } from "../../src/ports/model.ts";
import { transport } from "../../src/safety/transport.ts";
import { containing, failureOf, hello, pick } from "./served-world.ts";
import { KeptLog, middling, realClock } from "./world.ts";

/** Sends the frames for whatever is asked, and returns what the adapter made of them. */
async function heard(provider: ModelConfig["provider"], frames: readonly unknown[]): Promise<ModelReply> {
  await using stack = new AsyncDisposableStack();
  const server = createServer((_request, response) => {
    const lines = frames.map((frame) => (provider === "ollama" ? `${JSON.stringify(frame)}\n` : sse(frame)));
    response.writeHead(200, { "content-type": "text/event-stream" }).end(lines.join(""));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const config: ModelConfig = {
    name: "a",
    provider,
    base_url: `http://127.0.0.1:${port}`,
    model: "m",
    context_tokens: 4096,
  };
  const models = stack.use(
    createModels([config], {
      clock: realClock,
      random: middling,
      log: new KeptLog(),
      retry: { attempts: 1 },
      send: transport,
    }),
  );
  return await models.call(pick, hello, { signal: new AbortController().signal });
}

function sse(frame: unknown): string {
  const type = (frame as { type?: string } | null)?.type;
  return `${type === undefined ? "" : `event: ${type}\n`}data: ${JSON.stringify(frame)}\n\n`;
}

const delta = (fields: object, finish: string | null = null) => ({
  choices: [{ delta: fields, finish_reason: finish }],
});
const named = (name: string, text: string) => ({ function: { name, arguments: text } });

describe("over the OpenAI wire", () => {
  test("whole calls without an index are told apart by id", async () => {
    const frames = [
      delta({ tool_calls: [{ id: "a", ...named("one", "{}") }] }),
      delta({ tool_calls: [{ id: "b", ...named("two", "{}") }] }),
      delta({}, "tool_calls"),
    ];
    expect((await heard("openai_compatible", frames)).toolCalls.map(({ id, name }) => [id, name])).toEqual([
      ["a", "one"],
      ["b", "two"],
    ]);
  });

  test("pieces without index and id belong to the last call", async () => {
    const frames = [
      delta({ tool_calls: [{ id: "a", ...named("one", '{"x":') }] }),
      delta({ tool_calls: [{ function: { arguments: "1}" } }] }),
      delta({}, "stop"),
    ];
    expect(await heard("openai_compatible", frames)).toMatchObject({
      toolCalls: [{ name: "one", arguments: { x: 1 } }],
      finish: "tool_calls",
    });
  });

  test("a name and an id may come late", async () => {
    const frames = [
      delta({ tool_calls: [{ index: 0 }] }),
      delta({ tool_calls: [{ index: 0, id: "a", ...named("one", "{}") }] }),
      delta({}, "tool_calls"),
    ];
    expect((await heard("openai_compatible", frames)).toolCalls).toEqual([{ id: "a", name: "one", arguments: {} }]);
  });

  test.each([
    ["content_filter", "filtered"],
    ["function_call", "tool_calls"],
    ["length", "length"],
    ["eos", "other"],
  ])("the reason %s means %s", async (reason, finish) => {
    expect((await heard("openai_compatible", [delta({ content: "x" }), delta({}, reason)])).finish).toBe(finish);
  });

  test("frames without choices, delta or counts do no harm, nor such as are no objects", async () => {
    const frames = [
      null,
      7,
      { object: "ping" },
      { choices: [{ finish_reason: "" }] },
      delta({ reasoning: "hm" }),
      delta({ content: "x" }, "stop"),
      { choices: [], usage: {} },
    ];
    expect(await heard("openai_compatible", frames)).toMatchObject({
      text: "x",
      usage: { input_tokens: 0, output_tokens: 0 },
    });
  });

  test("an error in the middle is told in its own words", async () => {
    const error = await failureOf(
      heard("openai_compatible", [
        delta({ content: "x" }),
        { error: { message: "the slot is gone", type: "server_error" } },
      ]),
    );
    expect(error).toMatchObject({
      code: "model_unavailable",
      message: containing("the slot is gone (server_error)"),
    });
  });
});

describe("over the Ollama wire", () => {
  test("an error in the middle is told in its own words", async () => {
    const frames = [{ message: { role: "assistant", content: "x" }, done: false }, { error: "the runner has died" }];
    expect(await failureOf(heard("ollama", frames))).toMatchObject({
      code: "model_unavailable",
      message: containing("the runner has died"),
    });
  });

  test("thoughts, arguments that are no object, and other ends are taken as they are", async () => {
    const message = {
      role: "assistant",
      content: "",
      thinking: "hm",
      tool_calls: [{ function: { name: "one", arguments: "{}" } }],
    };
    const reply = await heard("ollama", [
      { message, done: false },
      { message: { role: "assistant", content: "" }, done: true, done_reason: "load" },
    ]);
    expect(reply).toMatchObject({ toolCalls: [{ id: "call_0_0", name: "one", arguments: {} }], finish: "other" });
    expect((await heard("ollama", [{ done: true }])).finish).toBe("stop");
  });
});

describe("over the Anthropic wire", () => {
  const frames = (reason: string | null) => [
    {
      type: "message_start",
      message: { usage: { input_tokens: 3, cache_creation_input_tokens: 4, cache_read_input_tokens: 5 } },
    },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "x" } },
    { type: "content_block_delta", index: 0, delta: { type: "citations_delta" } },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: reason }, usage: { output_tokens: 2 } },
    { type: "message_stop" },
  ];

  test.each([
    ["refusal", "filtered"],
    ["stop_sequence", "stop"],
    ["model_context_window_exceeded", "length"],
    ["pause_turn", "other"],
    [null, "other"],
  ])("the reason %s means %s", async (reason, finish) => {
    expect((await heard("anthropic", frames(reason))).finish).toBe(finish);
  });

  test("all three kinds of input tokens are counted, what was read from the cache as cached", async () => {
    expect((await heard("anthropic", frames("end_turn"))).usage).toEqual({
      input_tokens: 12,
      output_tokens: 2,
      cached_tokens: 5,
    });
  });
});
