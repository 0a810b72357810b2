/** How it is found out that a server drops tools, and what its models are then sent. */
import { describe, expect, test } from "vitest";
import type { Message, ModelRequest } from "../../src/ports/model.ts";
import type { ModelServerOptions } from "../support/model-server.ts";
import { failureOf, hello, pick, worldOf } from "./served-world.ts";

const write = {
  name: "write_file",
  description: "Write a file. Its folders are made.",
  parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
};

describe("a server that drops tools", () => {
  const request: ModelRequest = { ...hello, tools: [write] };
  const told = "says that it has no place for `tools` with this model";
  const noticed = "drops `tools` without a word";
  const caps = (supports: boolean) => ({
    chat_template_caps: { supports_tools: supports },
    default_generation_settings: { n_ctx: 3000 },
  });

  test.each<[string, "ollama" | "openai_compatible" | "anthropic", ModelServerOptions, number, string]>([
    ["llama.cpp's template says so", "openai_compatible", { props: caps(false) }, 3, told],
    ["llama.cpp's template says so, on the other wire", "anthropic", { props: caps(false) }, 3, told],
    ["Ollama's capabilities lack them", "ollama", { capabilities: ["completion"] }, 3, told],
    ["the prompt does not grow by them", "openai_compatible", { capabilities: null }, 4, noticed],
    ["it does not, and the list lacks them", "openai_compatible", { capabilities: ["completion"] }, 4, noticed],
    ["the prompt does not grow, on the other wire", "anthropic", { capabilities: null }, 4, noticed],
    ["the prompt does not grow, at Ollama's", "ollama", { capabilities: null }, 4, noticed],
  ])("is known when %s", async (_name, provider, options, probes, does) => {
    await using world = await worldOf(provider, {
      ...options,
      dropsTools: true,
      answer: () => ({ toolCalls: [{ name: "write_file", arguments: { path: "a" } }], text: "x" }),
    });
    expect(world.models.list()[0]?.tool_protocol).toBe("unknown");
    const reply = await world.call(request);
    // Anthropic's way to a schema is a tool, and is dropped with the tools.
    const isBound = provider !== "anthropic";
    expect(world.models.list()[0]).toMatchObject({ tool_protocol: isBound ? "json_schema" : "text" });
    const spoken = isBound ? "JSON by schema" : "text: it binds no reply to a schema either";
    expect(world.models.list()[0]?.notes).toContain(`this server ${does}; Loom speaks ${spoken}`);
    expect(reply.toolCalls).toEqual([{ id: "call_0_0", name: "write_file", arguments: { path: "a" } }]);
    await world.call(request);
    expect(world.server.requests).toHaveLength(2);
    expect(world.server.probes).toHaveLength(probes);
  });

  test.each<[string, ModelServerOptions, number]>([
    ["it says so", {}, 0],
    ["llama.cpp's template does, though its list lacks them", { capabilities: ["completion"], props: caps(true) }, 0],
    ["the prompt grows by them", { capabilities: null }, 4],
    ["nothing can be told", { capabilities: null, reportsUsage: false }, 4],
  ])("is told from one that takes them: %s", async (_name, options, probes) => {
    await using world = await worldOf("openai_compatible", {
      ...options,
      answer: () => ({ toolCalls: [{ name: "write_file", arguments: { path: "a" } }] }),
    });
    expect((await world.call(request)).toolCalls).toHaveLength(1);
    expect(world.models.list()[0]).toMatchObject({ tool_protocol: "native", notes: [] });
    expect(world.server.requests).toHaveLength(1);
    expect(world.server.probes).toHaveLength(probes);
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
    expect(world.server.probes).toEqual([]);
    expect(world.models.list()[0]?.tool_protocol).toBe("unknown");
  });

  test("is not waited for by who asks how it is, when it is at work and all is known", async () => {
    const answer = ({ prompt }: { readonly prompt: string }) =>
      prompt.includes("forever") ? { fault: { kind: "hang" } as const } : {};
    await using world = await worldOf("openai_compatible", { dropsTools: true, answer }, { max_concurrency: 1 });
    await world.models.probe("first", new AbortController().signal);
    const leaving = new AbortController();
    const works = world.call({ messages: [{ role: "user", content: "forever" }] }, { signal: leaving.signal });
    works.catch(() => undefined);
    while (world.server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await world.models.probe("first", new AbortController().signal)).toMatchObject([{ health: "up" }]);
    leaving.abort(new Error("enough"));
    await expect(works).rejects.toThrow("enough");
  });

  test("is probed once by many first calls", async () => {
    await using world = await worldOf(
      "openai_compatible",
      { capabilities: null, dropsTools: true },
      { context_tokens: 0 },
    );
    await Promise.all([world.call(request), world.call(request), world.call(request)]);
    expect([world.server.requests.length, world.server.probes.length]).toEqual([3, 4]);
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

  test("is not known as long as the server refuses the plain request of the probe; the call is made all the same", async () => {
    let isOut = true;
    const probeFault = () => (isOut ? ({ kind: "status", status: 401 } as const) : undefined);
    await using world = await worldOf("openai_compatible", { capabilities: null, dropsTools: true, probeFault });
    expect((await world.call(request)).text).toBe("ok");
    expect(world.models.list()[0]?.tool_protocol).toBe("unknown");
    isOut = false;
    await world.call(request);
    expect(world.models.list()[0]?.tool_protocol).toBe("json_schema");
  });

  test("is waited for, as a model that is down, when it does not answer the plain request", async () => {
    const probeFault = () => ({ kind: "status", status: 503 }) as const;
    await using world = await worldOf("openai_compatible", { capabilities: null, probeFault });
    expect(await failureOf(world.call(request))).toMatchObject({ code: "model_unavailable" });
    expect(world.models.list()[0]?.tool_protocol).toBe("unknown");
  });

  test("gives up one caller's wait for the probe, not the probe", async () => {
    await using world = await worldOf("openai_compatible", { capabilities: null, latencyMs: 30, dropsTools: true });
    const leaving = new AbortController();
    const leaves = world.models.call(pick, request, { signal: leaving.signal });
    const stays = world.call(request);
    leaves.catch(() => undefined);
    while (world.server.probes.length === 0) await new Promise((resolve) => setImmediate(resolve));
    leaving.abort(new Error("enough"));
    await expect(leaves).rejects.toThrow("enough");
    expect((await stays).text).toBe("ok");
    expect([world.server.requests.length, world.server.probes.length]).toEqual([1, 4]);
  });
});
