/** What the probe of every model adapter that speaks over a wire must find out, whatever the wire, and what it must leave alone. */
import { describe, expect, test } from "vitest";
import type { ModelConfig } from "../../src/models/config.ts";
import type { ModelRequest } from "../../src/ports/model.ts";
import type { Profiles } from "../../src/ports/profiles.ts";
import { failureOf, hello, worldOf } from "../models/served-world.ts";
import { keptProfiles } from "../models/world.ts";
import type { ModelServerOptions } from "../support/model-server.ts";

const write = {
  name: "write_file",
  description: "Writes a file.",
  parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
};
const request: ModelRequest = { ...hello, tools: [write] };
const silent: ModelServerOptions = { capabilities: null };

/** @param traits.reportsCached the wire tells how much of a prompt came from the cache */
export function modelProbeContract(
  provider: ModelConfig["provider"],
  { reportsCached }: { readonly reportsCached: boolean },
): void {
  const prefix = reportsCached ? "yes" : "not_reported";
  const found = async (options: ModelServerOptions, profiles?: Profiles) => {
    await using world = await worldOf(provider, options, {}, profiles);
    const [info] = await world.models.probe("first", new AbortController().signal);
    return { info, probes: world.server.probes, asked: world.server.requests };
  };

  describe(`${provider}: a probe`, () => {
    // A schema is bound by a forced tool on Anthropic's wire, and goes with the tools.
    const bySchema = provider === "anthropic" ? "no" : "yes";
    test.each<[string, ModelServerOptions, { tools: string; schema: string; protocol: string }]>([
      ["takes all", silent, { tools: "yes", schema: "yes", protocol: "native" }],
      [
        "drops tools",
        { ...silent, dropsTools: true },
        { tools: "no", schema: bySchema, protocol: bySchema === "yes" ? "json_schema" : "text" },
      ],
      [
        "drops tools and binds nothing",
        { ...silent, dropsTools: true, ignoresSchema: true },
        { tools: "no", schema: "no", protocol: "text" },
      ],
      ["binds nothing", { ...silent, ignoresSchema: true }, { tools: "yes", schema: "no", protocol: "native" }],
      ["counts nothing", { ...silent, reportsUsage: false }, { tools: "unknown", schema: "yes", protocol: "native" }],
    ])("finds out what a server does that %s", async (_name, options, { tools, schema, protocol }) => {
      const { info, probes, asked } = await found(options);
      expect(info?.profile).toMatchObject({
        tools: { value: tools, known_by: "probe" },
        schema: { value: schema, known_by: "probe" },
        prefix_reuse: { value: options.reportsUsage === false ? "not_reported" : prefix },
        protocol: { value: protocol },
      });
      expect(info?.tool_protocol).toBe(protocol);
      expect(probes).toHaveLength(4);
      expect(asked).toEqual([]);
    });

    test("costs a few hundred tokens, and asks for a few more at the most", async () => {
      const { probes } = await found(silent);
      const sent = probes.reduce((sum, { prompt }) => sum + prompt.length / 4, 0);
      const granted = probes
        .map(({ body }) => JSON.stringify(body))
        .map((body) => /"(?:max_tokens|num_predict)":(\d+)/.exec(body)?.[1]);
      expect(sent).toBeLessThan(800);
      expect(granted).toEqual(["1", "1", "40", "1"]);
    });

    test("takes the word of a server that says what it does, and asks only for the rest", async () => {
      const { info, probes } = await found({});
      // Only llama.cpp, Ollama and lists of capabilities say anything of tools.
      expect(info?.profile.tools).toMatchObject({ value: "yes", known_by: "server" });
      expect(probes.every(({ tools }) => tools.length === 0)).toBe(true);
      expect(probes).toHaveLength(3);
    });

    test("is made once: what was found out is there after a restart, and no call asks again", async () => {
      const profiles = keptProfiles();
      const options = { ...silent, dropsTools: true };
      const port = await (async () => {
        await using world = await worldOf(provider, options, {}, profiles);
        await Promise.all([world.call(request), world.call(request), world.call(request)]);
        expect(world.server.probes).toHaveLength(4);
        return world.server.port;
      })();
      await using again = await worldOf(provider, { ...options, port }, {}, profiles);
      const before = again.models.list()[0];
      expect(before?.profile.tools).toMatchObject({ value: "no", known_by: "probe" });
      await again.call(request);
      expect(again.server.probes).toEqual([]);
      expect(again.models.list()[0]?.profile.tools).toEqual(before?.profile.tools);
      await again.models.probe("first", new AbortController().signal);
      expect(again.server.probes).toEqual([]);
      await again.models.probe("again", new AbortController().signal);
      expect(again.server.probes).toHaveLength(4);
    });

    test("is made anew when the server says that it is another: what was found out of the one says nothing of the other", async () => {
      const profiles = keptProfiles();
      const before = { ...silent, dropsTools: true, contextTokens: 4096, props: { model_path: "/small.gguf" } };
      const port = await (async () => {
        await using world = await worldOf(provider, before, {}, profiles);
        await world.call(request);
        return world.server.port;
      })();
      const after = { ...silent, port, contextTokens: 8192, props: { model_path: "/large.gguf" } };
      await using world = await worldOf(provider, after, {}, profiles);
      await world.call(request);
      expect(world.server.probes).toHaveLength(4);
      expect(world.models.list()[0]?.profile.tools).toMatchObject({ value: "yes", known_by: "probe" });
    });

    test("of a model that does not answer leaves all as it is known, and the model down", async () => {
      const profiles = keptProfiles();
      const isThere = { yes: true };
      const probeFault = () => (isThere.yes ? undefined : ({ kind: "status", status: 503 } as const));
      await using world = await worldOf(provider, { ...silent, dropsTools: true, probeFault }, {}, profiles);
      await world.call(request);
      const known = world.models.list()[0]?.profile;
      isThere.yes = false;
      const [info] = await world.models.probe("again", new AbortController().signal);
      expect(info).toMatchObject({ health: "down", profile: known });
    });

    test("leaves unknown what the server fails at, and asks for that again later", async () => {
      const probeFault = ({ schema }: { readonly schema: unknown }) =>
        schema === null ? undefined : ({ kind: "status", status: 500 } as const);
      await using world = await worldOf(provider, { ...silent, dropsTools: true, probeFault });
      await world.call(request);
      await world.call(request);
      expect(world.models.list()[0]?.profile).toMatchObject({
        tools: { value: "no" },
        schema: { value: "unknown", known_by: null },
        protocol: { value: "json_schema" },
      });
      // Three tries of the guard at the one, and none again with the second call.
      expect(world.server.probes).toHaveLength(6);
    });

    test("finds a schema unbound that the server refuses, and no fault in the call", async () => {
      const probeFault = ({ schema }: { readonly schema: unknown }) =>
        schema === null ? undefined : ({ kind: "status", status: 422, message: "no such thing here" } as const);
      await using world = await worldOf(provider, { ...silent, dropsTools: true, probeFault });
      expect((await world.call(request)).protocol).toBe("text");
      expect(world.models.list()[0]?.profile.schema).toMatchObject({ value: "no", known_by: "probe" });
    });

    test("keeps the window that a refusal has shown, unless another server comes", async () => {
      if (provider === "ollama") return; // It never refuses: it cuts, and what that shows is a guess, not kept.
      const profiles = keptProfiles();
      const long: ModelRequest = { messages: [{ role: "user", content: "word ".repeat(4000) }] };
      const port = await (async () => {
        await using world = await worldOf(provider, { contextTokens: 2048 }, {}, profiles);
        expect(await failureOf(world.call(long))).toMatchObject({ code: "context_overflow" });
        expect(world.models.list()[0]?.profile.window_tokens).toMatchObject({ value: 2048, known_by: "use" });
        return world.server.port;
      })();
      await using same = await worldOf(provider, { contextTokens: 2048, port }, {}, profiles);
      expect(same.models.list()[0]).toMatchObject({
        context_tokens: 2048,
        profile: { window_tokens: { known_by: "use" } },
      });
    });
  });
}
