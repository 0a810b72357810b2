/** What every model adapter that speaks over a wire must do, whatever the wire. Run against a real server on loopback. */
import { describe, expect, test } from "vitest";
import type { ModelConfig } from "../../src/models/config.ts";
import type { ModelRequest } from "../../src/ports/model.ts";
import { containing, hello, worldOf } from "../models/served-world.ts";

const readFile = {
  name: "read_file",
  description: "Reads a file.",
  parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
};
const cityOf = {
  name: "city",
  schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
};

/** @param traits.reportsCached the wire tells how much of a prompt came from the cache */
export function modelAdapterContract(
  provider: ModelConfig["provider"],
  traits: { readonly reportsCached: boolean; readonly boundBy: (body: unknown) => unknown },
): void {
  describe(`${provider}: a reply`, () => {
    test("comes whole, and piece by piece while it is made", async () => {
      await using world = await worldOf(provider, { answer: () => ({ text: "one two three four" }) });
      const tokens: string[] = [];
      const reply = await world.call(hello, { onToken: (text) => tokens.push(text) });
      expect(reply).toMatchObject({
        text: "one two three four",
        toolCalls: [],
        finish: "stop",
        model: "main",
        repaired: [],
      });
      expect(tokens.length).toBeGreaterThan(1);
      expect(tokens.join("")).toBe(reply.text);
    });

    test("says what it used, as the server counted", async () => {
      await using world = await worldOf(
        provider,
        { answer: () => ({ text: "x".repeat(40) }) },
        { price: { input: 2, output: 10 } },
      );
      const { usage } = await world.call();
      expect(usage).toMatchObject({ output_tokens: 10 });
      expect(usage.input_tokens).toBeGreaterThan(8);
      expect(usage.cost_micro_usd).toBe(usage.input_tokens * 2 + 100);
      expect(usage.estimated).toBeUndefined();
    });

    test("says how much of the prompt came from a cache, where the wire tells", async () => {
      await using world = await worldOf(provider, {});
      const long: ModelRequest = {
        messages: [
          { role: "system", content: "rule ".repeat(200) },
          { role: "user", content: "go" },
        ],
      };
      expect((await world.call(long)).usage.cached_tokens).toBe(traits.reportsCached ? 0 : undefined);
      const { cached_tokens: cached } = (await world.call(long)).usage;
      expect((cached ?? 0) > 200).toBe(traits.reportsCached);
    });

    test("is estimated where the server does not count", async () => {
      await using world = await worldOf(provider, { reportsUsage: false, answer: () => ({ text: "x".repeat(40) }) });
      expect((await world.call()).usage).toEqual({
        input_tokens: Math.ceil("You are terse.Say hello".length / 4),
        output_tokens: 10,
        estimated: true,
      });
    });

    test("that ran into the limit says so", async () => {
      await using world = await worldOf(provider, { answer: () => ({ text: "half a", finish: "length" }) });
      expect((await world.call()).finish).toBe("length");
    });

    test("leaves thoughts out", async () => {
      await using world = await worldOf(provider, { answer: () => ({ thinking: "hmm", text: "done" }) });
      expect((await world.call()).text).toBe("done");
    });
  });

  describe(`${provider}: tools`, () => {
    test("are offered, called, and their results shown to the model", async () => {
      await using world = await worldOf(provider, {
        answer: ({ messages }) =>
          messages.some(({ content }) => content.includes("the file says 7"))
            ? { text: "seven" }
            : {
                text: "I look",
                toolCalls: [
                  { name: "read_file", arguments: { path: "a.txt" } },
                  { name: "read_file", arguments: { path: "b.txt" } },
                ],
              },
      });
      const first = await world.call({ ...hello, tools: [readFile] });
      expect(first).toMatchObject({ text: "I look", finish: "tool_calls", repaired: [] });
      expect(first.toolCalls.map(({ name, arguments: args }) => [name, args])).toEqual([
        ["read_file", { path: "a.txt" }],
        ["read_file", { path: "b.txt" }],
      ]);
      const [one, two] = first.toolCalls;
      expect(new Set([one?.id, two?.id]).size).toBe(2);
      const results = first.toolCalls.map(({ id, name }) => ({
        role: "tool" as const,
        toolCallId: id,
        name,
        content: "the file says 7",
      }));
      const messages = [
        ...hello.messages,
        { role: "assistant" as const, content: first.text, toolCalls: first.toolCalls },
        ...results,
      ];
      expect((await world.call({ messages, tools: [readFile] })).text).toBe("seven");
      expect(world.server.requests.map(({ tools }) => tools)).toEqual([["read_file"], ["read_file"]]);
    });

    test("keep ids apart over the turns of a conversation", async () => {
      await using world = await worldOf(provider, {
        answer: () => ({ toolCalls: [{ id: "same", name: "read_file", arguments: { path: "a" } }] }),
      });
      const { toolCalls } = await world.call({ ...hello, tools: [readFile] });
      const [call] = toolCalls;
      const result = { role: "tool" as const, toolCallId: call?.id ?? "", name: "read_file", content: "7" };
      const again = await world.call({
        messages: [...hello.messages, { role: "assistant", content: "", toolCalls }, result],
        tools: [readFile],
      });
      expect(again.toolCalls[0]?.id).not.toBe(call?.id);
    });

    test("that a model turns out not to take are spoken as JSON from then on", async () => {
      await using world = await worldOf(provider, {
        refusesTools: true,
        answer: () => ({ json: { tool: "read_file", path: "a.txt" } }),
      });
      const reply = await world.call({ ...hello, tools: [readFile] });
      expect(reply.toolCalls).toEqual([{ id: "call_0_0", name: "read_file", arguments: { path: "a.txt" } }]);
      expect(world.models.list()[0]).toMatchObject({
        tool_protocol: "json_schema",
        notes: [containing("refuses `tools`")],
      });
      await world.call({ ...hello, tools: [readFile] });
      expect(world.server.requests.map(({ tools }) => tools.length)).toEqual([1, 0, 0]);
    });
  });

  describe(`${provider}: a schema`, () => {
    test("is handed to the server, and the reply is JSON text", async () => {
      await using world = await worldOf(provider, { answer: () => ({ json: { city: "Oslo" } }) });
      const reply = await world.call({ ...hello, schema: cityOf });
      expect(JSON.parse(reply.text)).toEqual({ city: "Oslo" });
      expect(reply).toMatchObject({ toolCalls: [], finish: "stop" });
      expect(traits.boundBy(world.server.requests[0]?.body)).toMatchObject({ required: ["city"] });
    });
  });
}
