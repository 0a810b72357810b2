/** What servers say of themselves, in the words of each kind of server. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { createModels } from "../../src/models/catalog.ts";
import type { ModelConfig } from "../../src/models/config.ts";
import type { ModelInfo } from "../../src/ports/model.ts";
import { KeptLog, middling, realClock, SteppedClock } from "./world.ts";

type Answers = Readonly<Record<string, { readonly status?: number; readonly body: unknown }>>;

/** Bound by a schema, and counted by nobody: of what is not said, nothing can be told. */
const reply = '{"word":"quillback-7"}';
const openAiReply = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: reply }, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`;
const ollamaReply = { message: { role: "assistant", content: reply }, done: true, done_reason: "stop" };
const untold = { tool_protocol: "native" as const, profile: profileWith("unknown") };

function profileWith(value: string): ModelInfo["profile"] {
  return expect.objectContaining({
    tools: expect.objectContaining({ value, known_by: "probe" }) as unknown,
  }) as ModelInfo["profile"];
}

/** A server that says of itself what `answers` hold, and 404 elsewhere. */
async function toldBy(answers: Answers, config: Partial<ModelConfig> = {}): Promise<ModelInfo | undefined> {
  await using stack = new AsyncDisposableStack();
  const server = createServer((request, response) => {
    if (request.url === "/v1/chat/completions" || request.url === "/api/chat") {
      response.end(request.url === "/api/chat" ? `${JSON.stringify(ollamaReply)}\n` : openAiReply);
      return;
    }
    const { status = 200, body } = answers[request.url ?? ""] ?? { status: 404, body: "nothing here" };
    response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const base: ModelConfig = {
    name: "a",
    provider: "openai_compatible",
    base_url: `http://127.0.0.1:${port}`,
    model: "mine",
    ...config,
  };
  const models = stack.use(createModels([base], { clock: realClock, random: middling, log: new KeptLog() }));
  const [told] = await models.probe("first", new AbortController().signal);
  return told;
}

const list = (...data: unknown[]): Answers => ({ "/v1/models": { body: { data } } });

describe("a server of the OpenAI wire", () => {
  test.each<[string, Answers, Partial<ModelInfo>]>([
    [
      "llama.cpp",
      {
        ...list({ id: "x.gguf", meta: { n_ctx: 4096 } }),
        "/props": {
          body: { default_generation_settings: { n_ctx: 2048 }, chat_template_caps: { supports_tools: true } },
        },
      },
      { context_tokens: 2048, tool_protocol: "native" },
    ],
    [
      "an older llama.cpp",
      {
        "/v1/models": {
          body: { data: [{ id: "x", meta: { n_ctx: 4096 } }], models: [{ capabilities: ["completion"] }] },
        },
      },
      { context_tokens: 4096, ...untold },
    ],
    ["vLLM", list({ id: "other" }, { id: "mine", max_model_len: 16_000 }), { context_tokens: 16_000, ...untold }],
    [
      "OpenRouter",
      list({ id: "mine", context_length: 64_000, supported_parameters: ["tools", "stop"] }),
      { context_tokens: 64_000, tool_protocol: "native" },
    ],
    [
      "LM Studio",
      list({ id: "mine", max_context_length: 9000, capabilities: ["tool_use"] }),
      { context_tokens: 9000, tool_protocol: "native" },
    ],
    ["one that says nothing", { "/v1/models": { body: "<html>" } }, { context_tokens: null, ...untold, notes: [] }],
    [
      "one without the model",
      list({ id: "x" }, { id: "y" }),
      { context_tokens: null, notes: ['the server does not list a model "mine"'] },
    ],
    ["one without a list", {}, { health: "up", notes: [] }],
  ])("is understood: %s", async (_name, answers, wanted) => {
    expect(await toldBy(answers)).toMatchObject({ health: "up", ...wanted });
  });

  test.each([401, 503])("is down when its list answers %d, in its own words", async (status) => {
    const told = await toldBy(
      { "/v1/models": { status, body: { error: { message: "no, said the server" } } } },
      { api_key: "wrong" },
    );
    expect(told).toMatchObject({ health: "down", notes: ["no, said the server"] });
  });
});

describe("Ollama", () => {
  test.each<[string, unknown, Partial<ModelInfo>]>([
    [
      "a window set in the Modelfile",
      {
        parameters: "stop x\nnum_ctx   2000\n",
        model_info: { "llama.context_length": 9000 },
        capabilities: ["completion", "tools"],
      },
      { context_tokens: 2000, tool_protocol: "native" },
    ],
    [
      "the architecture's window",
      { model_info: { "llama.context_length": 9000 }, capabilities: ["completion"] },
      { context_tokens: 9000, tool_protocol: "json_schema" },
    ],
    ["nothing", {}, { context_tokens: null, ...untold }],
  ])("tells %s", async (_name, body, wanted) => {
    expect(await toldBy({ "/api/show": { body } }, { provider: "ollama", api_key: "k" })).toMatchObject({
      health: "up",
      ...wanted,
    });
  });

  test("that lacks the model is down, in its own words", async () => {
    const told = await toldBy(
      { "/api/show": { status: 404, body: { error: "model 'mine' not found" } } },
      { provider: "ollama" },
    );
    expect(told).toMatchObject({ health: "down", notes: ["model 'mine' not found"] });
  });
});

describe("a server that does not say what it is", () => {
  test("is given five seconds", async () => {
    const server = createServer(() => undefined);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const clock = new SteppedClock();
    await using models = createModels(
      [{ name: "a", provider: "ollama", base_url: `http://127.0.0.1:${port}`, model: "m" }],
      { clock, random: middling, log: new KeptLog() },
    );
    const probing = models.probe("first", new AbortController().signal);
    await clock.whenAsleep(5000);
    clock.advance(5000);
    expect((await probing)[0]).toMatchObject({ health: "down", notes: ["it did not say what it is within 5 s"] });
    server.close();
    server.closeAllConnections();
  });
});
