/** The catalog: who is called, who stands in, who waits, and what is told of each model. */
import { describe, expect, test } from "vitest";
import { createModels } from "../../src/models/catalog.ts";
import type { ModelConfig } from "../../src/models/config.ts";
import { route } from "../../src/models/routing.ts";
import type { ModelPick, Role } from "../../src/ports/model.ts";
import { type ModelServer, startModelServer } from "../support/model-server.ts";
import { containing, failureOf, hello, pick } from "./served-world.ts";
import { KeptLog, middling, realClock } from "./world.ts";

const never = new AbortController().signal;
const deps = { clock: realClock, random: middling, log: new KeptLog(), retry: { attempts: 1 } };

function model(name: string, config: Partial<ModelConfig> = {}): ModelConfig {
  return {
    name,
    provider: "openai_compatible",
    base_url: "http://127.0.0.1:9",
    model: name,
    context_tokens: 4096,
    ...config,
  };
}

function served(name: string, server: ModelServer, config: Partial<ModelConfig> = {}): ModelConfig {
  return model(name, { base_url: server.url, ...config });
}

describe("the route of a pick", () => {
  const models = [
    { name: "small", roles: ["executor"] as Role[], tier: 1 as const },
    { name: "large", roles: ["executor"] as Role[], tier: 3 as const },
    { name: "middle", roles: ["executor", "planner"] as Role[], tier: 2 as const },
    { name: "judge", roles: ["verifier"] as Role[], tier: 1 as const },
  ];
  const names = (wanted: Pick<ModelPick, "role" | "tier" | "avoid">) => route(models, wanted).map(({ name }) => name);

  test.each([
    [1, ["small", "middle", "large"]],
    [2, ["middle", "large", "small"]],
    [3, ["large", "middle", "small"]],
  ] as const)("goes up from tier %d, then down", (tier, wanted) => {
    expect(names({ role: "executor", tier })).toEqual(wanted);
  });

  test("prefers a model of the role, then the planner's, then the executors'", () => {
    expect(names({ role: "verifier", tier: 1 })).toEqual(["judge", "middle", "small", "large"]);
  });

  test("takes whom to avoid last, after stand-ins", () => {
    expect(names({ role: "verifier", tier: 1, avoid: ["judge", "small"] })).toEqual([
      "middle",
      "large",
      "judge",
      "small",
    ]);
  });

  test.each(["extractor", "compactor"] as const)("lets executors stand in for the %s", (role) => {
    expect(names({ role, tier: 1 })).toEqual(["small", "middle", "large"]);
  });

  test("lets nobody stand in for the planner", () => {
    expect(names({ role: "planner", tier: 1 })).toEqual(["middle"]);
  });
});

describe("a catalog", () => {
  test("tells which needed roles nobody serves", async () => {
    await using models = createModels([model("a", { roles: ["verifier"] })], deps);
    expect(models.missingRoles()).toEqual(["planner", "executor"]);
    expect(models.first({ role: "planner", tier: 1 })).toBeNull();
    expect(await failureOf(models.call({ ...pick, role: "planner" }, hello, { signal: never }))).toMatchObject({
      code: "no_model_configured",
    });
  });

  test("serves all roles with one model that names none", async () => {
    await using models = createModels([model("only", { context_tokens: 4096 })], deps);
    expect(models.missingRoles()).toEqual([]);
    expect(models.first({ role: "compactor", tier: 3 })).toEqual({
      name: "only",
      contextTokens: 4096,
      bytesPerToken: 3,
      maxTokens: 2048,
    });
  });

  test("counts models that plan as tier 2 unless told otherwise", async () => {
    const configs = [
      model("p", { roles: ["planner"] }),
      model("e", { roles: ["executor"], tier: 0 }),
      model("t", { roles: ["planner"], tier: 1 }),
    ];
    await using models = createModels(configs, deps);
    expect(models.list().map(({ name, tier }) => [name, tier])).toEqual([
      ["p", 2],
      ["e", 1],
      ["t", 1],
    ]);
  });

  test("hides a password in an address, and reads JSON", async () => {
    await using models = createModels([model("a", { base_url: "http://me:secret@host:1/v1?key=k" })], deps);
    expect(models.list()[0]?.base_url).toBe("http://host:1");
    expect(models.readJson("{a:1}")).toEqual({ value: { a: 1 }, repaired: ["json_repaired"] });
  });

  test("assumes 8192 tokens until a server says more", async () => {
    await using server = await startModelServer({ contextTokens: 32_000 });
    await using models = createModels([served("a", server, { context_tokens: 0 })], deps);
    expect(models.first(pick)).toMatchObject({ contextTokens: 8192, maxTokens: 4096 });
    expect(models.list()[0]?.context_tokens).toBeNull();
    await models.call(pick, hello, { signal: never });
    expect(models.first(pick)).toMatchObject({ contextTokens: 32_000, maxTokens: 8192 });
  });
});

describe("when the first model is down", () => {
  test("the next suitable one answers", async () => {
    await using server = await startModelServer({});
    await using models = createModels([model("down"), served("up", server)], deps);
    expect((await models.call(pick, hello, { signal: never })).model).toBe("up");
    expect(models.list().map(({ health }) => health)).toEqual(["down", "up"]);
    expect(models.list()[0]?.notes).toEqual([containing("Cannot reach model")]);
  });

  test.each([401, 402, 403, 404])("so it is when the first one answers %d", async (status) => {
    await using wrong = await startModelServer({});
    await using server = await startModelServer({});
    wrong.fail({ kind: "status", status });
    await using models = createModels([served("wrong", wrong), served("up", server)], deps);
    expect((await models.call(pick, hello, { signal: never })).model).toBe("up");
  });

  test("a bad request is not tried on another model", async () => {
    await using bad = await startModelServer({});
    await using server = await startModelServer({});
    bad.fail({ kind: "status", status: 400 });
    await using models = createModels([served("bad", bad), served("up", server)], deps);
    expect(await failureOf(models.call(pick, hello, { signal: never }))).toMatchObject({ code: "model_refused" });
    expect(server.requests).toEqual([]);
    expect(models.list()[0]?.health).toBe("up");
  });

  test("and the others too, the error names them all and the sooner time", async () => {
    await using server = await startModelServer({});
    server.fail({ kind: "status", status: 429, retryAfterMs: 40_000 });
    await using models = createModels([served("busy", server), model("down")], deps);
    const error = await failureOf(models.call(pick, hello, { signal: never }));
    expect(error).toMatchObject({ code: "model_unavailable", retryAfterMs: 5000 });
    expect(error.message).toMatch(/None of 2 models.*\[models.busy\].*\[models.down\]/);
  });

  test("and all others refuse, waiting would not help", async () => {
    await using server = await startModelServer({});
    server.fail({ kind: "status", status: 404 }, 2);
    await using models = createModels([served("a", server), served("b", server)], deps);
    expect(await failureOf(models.call(pick, hello, { signal: never }))).toMatchObject({ code: "model_refused" });
  });

  test("an abort goes to no other", async () => {
    await using slow = await startModelServer({});
    await using server = await startModelServer({});
    slow.fail({ kind: "hang" });
    await using models = createModels([served("slow", slow), served("up", server)], deps);
    const leaving = new AbortController();
    const call = models.call(pick, hello, { signal: leaving.signal });
    while (slow.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    leaving.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    expect(server.requests).toEqual([]);
  });
});

describe("when more calls come than a model takes at once", () => {
  test("the more urgent go first, tasks take turns, and never are there more", async () => {
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    const order: string[] = [];
    let atOnce = 0;
    let most = 0;
    await using server = await startModelServer({
      answer: async ({ messages }) => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        order.push(messages.at(-1)?.content ?? "");
        await gates[order.length - 1]?.promise;
        atOnce -= 1;
        return { text: "ok" };
      },
    });
    await using models = createModels([served("one", server, { max_concurrency: 1 })], deps);
    const ask = (content: string, taskId: string, priority: ModelPick["priority"]) =>
      models.call({ ...pick, taskId, priority }, { messages: [{ role: "user", content }] }, { signal: never });
    const first = ask("first", "t", "extract");
    while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const calls = [first, ask("extract", "a", "extract"), ask("plan", "a", "plan"), ask("work", "b", "work")];
    for (const gate of gates) gate.resolve();
    await Promise.all(calls);
    expect(order).toEqual(["first", "work", "plan", "extract"]);
    expect(most).toBe(1);
  });
});

describe("a probe", () => {
  test("asks each server whether it is there, and tells what it says", async () => {
    await using server = await startModelServer({
      contextTokens: 5000,
      props: { chat_template_caps: { supports_tools: false } },
    });
    const configs = [
      served("up", server, { context_tokens: 0 }),
      model("down"),
      served("claude", server, { provider: "anthropic" }),
      served("llama", server, { provider: "ollama" }),
    ];
    await using models = createModels(configs, deps);
    const found = await models.probe("first", never);
    expect(found.map(({ name, health }) => [name, health])).toEqual([
      ["up", "up"],
      ["down", "down"],
      ["claude", "up"],
      ["llama", "up"],
    ]);
    expect(found[0]).toMatchObject({ context_tokens: 5000, tool_protocol: "json_schema" });
    expect(found[3]).toMatchObject({ tool_protocol: "native" });
    expect(server.requests).toEqual([]);
  });

  test("ends with its signal", async () => {
    await using models = createModels([model("down")], deps);
    await expect(models.probe("first", AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
  });
});

describe("a catalog that is closed", () => {
  test("ends the calls that run", async () => {
    await using server = await startModelServer({});
    server.fail({ kind: "hang" });
    const models = createModels([served("a", server)], deps);
    const call = models.call(pick, hello, { signal: never });
    while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const failed = failureOf(call);
    await models[Symbol.asyncDispose]();
    expect(await failed).toMatchObject({ code: "shutting_down" });
    await server.whenLeft(1);
  });
});

describe("a configuration", () => {
  test.each<[string, ModelConfig]>([
    ["names no model", { name: "a", provider: "ollama" }],
    ["is not an http address", model("a", { base_url: "ftp://host" })],
    ["is not an http address", model("a", { base_url: "http://" })],
    ["has no script", { name: "a", provider: "scripted" }],
  ])("that %s is refused", (what, config) => {
    expect(() => createModels([config], deps)).toThrow(what);
  });

  test.each<[Partial<ModelConfig>, string]>([
    [{ base_url: "localhost:8080" }, "http://localhost:8080"],
    [{ base_url: undefined }, "https://api.openai.com"],
    [{ base_url: "", provider: "openai" }, "https://api.openai.com"],
    [{ base_url: "", provider: "ollama" }, "http://localhost:11434"],
    [{ base_url: "", provider: "anthropic" }, "https://api.anthropic.com"],
    [{ base_url: "https://openrouter.ai/api/v1" }, "https://openrouter.ai/api"],
    [{ base_url: "https://host/v1beta/openai/" }, "https://host"],
    [{ base_url: "http://host:1/api/", provider: "ollama" }, "http://host:1"],
  ])("%j stands for an address", async (config, url) => {
    await using models = createModels([model("a", config)], deps);
    expect(models.list()[0]?.base_url).toBe(url);
  });
});
