/** Where a reply ends for us before its model ends it, and that one which ends by itself is never judged. */
import { describe, expect, test } from "vitest";
import { type EndOf, earlyEnd } from "../../src/models/early-end.ts";
import { Guard, usualRetry } from "../../src/models/guarded.ts";
import type { Chunk } from "../../src/models/wire.ts";
import { KeptLog, SteppedClock } from "./world.ts";

const tools = [{ name: "read_file", description: "", parameters: { type: "object" } }];
const call = '```tool\n{"tool":"read_file","path":"a"}\n```';
const maxTokens = 500;

describe("a step told in text", () => {
  const endOf = earlyEnd("text", { tools }, maxTokens);

  test.each([
    ["its call is not whole", call.slice(0, -4)],
    ["nothing stands behind its call", `I look. \n${call}\n\n`],
    ["the call stands in its thoughts", `<think>\n${call}\nor rather`],
    ["there is a block of another kind", "```json\n{}\n```\nand then"],
  ])("goes on while %s", (_name, text) => {
    expect(endOf(text)).toBeNull();
  });

  test("ends where something stands behind its call", () => {
    const text = `${call}\nResult of read_file:`;
    expect(endOf(text)).toEqual({ why: "call_made", length: text.length });
  });

  test.each([
    ["by schema", earlyEnd("json_schema", { tools }, maxTokens)],
    ["natively", earlyEnd("native", { tools }, maxTokens)],
    ["without tools", earlyEnd("text", {}, maxTokens)],
    ["with a schema of the caller's", earlyEnd("text", { tools, schema: { name: "x", schema: {} } }, maxTokens)],
  ])("is something else %s: such a block is text like any other", (_name, end) => {
    expect(end(`${call}\nResult of read_file:`)).toBeNull();
  });
});

describe("a stream", () => {
  const circle = "round and round ".repeat(40);

  async function heard(...texts: readonly string[]) {
    return await heardBy(earlyEnd("native", {}, maxTokens), texts);
  }

  async function heardBy(endOf: EndOf, texts: Iterable<string>) {
    let taken = 0;
    const said: string[] = [];
    async function* chunks(): AsyncGenerator<Chunk> {
      for (const text of texts) {
        taken += 1;
        yield { kind: "text", text };
      }
      yield { kind: "end", finish: "stop", usage: { inputTokens: 3, outputTokens: 5 } };
    }
    const guard = new Guard({
      at: { name: "main", model: "m", url: "http://there", provider: "ollama" },
      limits: { firstTokenMs: 300_000, idleMs: 60_000, totalMs: 1_000_000 },
      retry: usualRetry,
      clock: new SteppedClock(),
      random: { next: () => 0.5 },
      log: new KeptLog(),
    });
    const reply = await guard.call(chunks, {
      signal: new AbortController().signal,
      onToken: (text) => said.push(text),
      endOf,
    });
    return { reply, taken, said };
  }

  test("that ends by itself is whole, whatever it says, with what the server counted", async () => {
    const { reply } = await heard("So:", circle);
    expect(reply).toMatchObject({ text: `So:${circle}`, finish: "stop", left: null, usage: { outputTokens: 5 } });
  });

  test("that goes on in circles is left with what came next unread; nobody counted it", async () => {
    const { reply, taken, said } = await heard("So:", circle, "round", "and round");
    expect(reply).toMatchObject({ text: "So:round and round ", finish: "length", usage: null });
    expect(reply.left).toEqual({
      why: "repetition",
      droppedCharacters: circle.length - "round and round ".length + "round".length,
    });
    expect(taken).toBe(3);
    expect(said).toEqual(["So:", circle]);
  });

  test("that comes in small pieces is looked at now and then, and left soon after", async () => {
    const { reply, taken } = await heard(...Array.from({ length: 2000 }, () => "ab"));
    expect(reply.text).toBe("ab");
    expect(taken).toBeGreaterThanOrEqual(250);
    expect(taken).toBeLessThan(250 + 64);
  });

  test("that never ends is looked at ever more seldom, so that all looks together are linear", async () => {
    const lengths: number[] = [];
    const endOf: EndOf = (text) => {
      lengths.push(text.length);
      return null;
    };
    const texts = Array.from({ length: 50_000 }, () => "0123456789abcdef");
    await heardBy(endOf, texts);
    expect(lengths.length).toBeGreaterThan(50);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThan(20 * texts.length * 16);
  });
});
