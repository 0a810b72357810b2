/** How large the window of a model really is: in the words of each server, by what it counts, and by what it cuts without a word. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judge, ServerError } from "../../src/models/failures.ts";
import { promptCut } from "../../src/models/prompt-cut.ts";
import { TokenRatio } from "../../src/models/token-ratio.ts";
import { pick, worldOf } from "./served-world.ts";

const said = (message: string, body: object = {}) => judge(new ServerError(400, message, { body }), 0);

describe("a server that finds a prompt too long", () => {
  test.each([
    [
      "llama.cpp",
      "request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it",
      {
        error: {
          code: 400,
          message: "request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it",
          type: "exceed_context_size_error",
          n_prompt_tokens: 9000,
          n_ctx: 8192,
        },
      },
      { windowTokens: 8192, promptTokens: 9000 },
    ],
    [
      "OpenAI",
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 9123 tokens. Please reduce the length of the messages.",
      { error: { code: "context_length_exceeded", type: "invalid_request_error" } },
      { windowTokens: 8192, promptTokens: 9123 },
    ],
    [
      "vLLM",
      "This model's maximum context length is 8192 tokens. However, you requested 9216 tokens (1024 in the messages, 8192 in the completion).",
      {},
      { windowTokens: 8192, promptTokens: 1024 },
    ],
    [
      "vLLM, newer",
      "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context length is 8192 tokens and your request has 1024 input tokens (8192 > 8192 - 1024).",
      {},
      { windowTokens: 8192, promptTokens: 1024 },
    ],
    [
      "vLLM, the prompt alone",
      "The decoder prompt (length 9001) is longer than the maximum model length of 8192. Make sure that max_model_len is no smaller",
      {},
      { windowTokens: 8192, promptTokens: 9001 },
    ],
    ["Ollama", "the prompt is longer than the context length currently available to the model", {}, {}],
    [
      "Anthropic",
      "prompt is too long: 210000 tokens > 200000 maximum",
      { type: "error", error: { type: "invalid_request_error" } },
      { windowTokens: 200_000, promptTokens: 210_000 },
    ],
    [
      "Anthropic, with the reply",
      "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again",
      {},
      { windowTokens: 200_000, promptTokens: 188_240 },
    ],
    [
      "LM Studio",
      "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens",
      {},
      { windowTokens: 4096 },
    ],
    [
      "Gemini",
      "The input token count (1200000) exceeds the maximum number of tokens allowed (1,048,576).",
      {},
      { windowTokens: 1_048_576, promptTokens: 1_200_000 },
    ],
    ["one that gives no number", "Please reduce the length of the messages or completion.", {}, {}],
  ])("%s: says so, and how large the window is", (_server, message, body, sizes) => {
    expect(said(message, body)).toMatchObject({ kind: "overflow", sizes });
  });

  test("is not believed a window that cannot be one", () => {
    expect(said("maximum context length is 7 tokens", { error: { n_ctx: -1 } })).toMatchObject({ sizes: {} });
    expect(said(`maximum context length is ${"9".repeat(400)} tokens`)).toMatchObject({ sizes: {} });
  });

  test("teaches the window, which is then used for the room of every later reply", async () => {
    await using world = await worldOf("openai_compatible", {}, { context_tokens: 32_768, max_tokens: 8192 });
    const message =
      "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.";
    world.server.fail({ kind: "status", status: 400, message });
    await expect(world.call()).rejects.toMatchObject({
      code: "context_overflow",
      extra: { windowTokens: 4096, promptTokens: 5000 },
    });
    expect(world.server.requests).toHaveLength(1);
    expect(world.models.first(pick)).toMatchObject({ contextTokens: 4096, maxTokens: 2048 });
    expect(world.models.list()[0]?.notes).toEqual([expect.stringContaining("holds 4096 tokens, not the 32768")]);
    await world.call();
    expect(Number(world.server.requests.at(-1)?.body["max_tokens"])).toBeLessThan(4096);
  });

  test("is asked again at once where only the room for the reply was too large", async () => {
    await using world = await worldOf("openai_compatible", {}, { context_tokens: 32_768, max_tokens: 8192 });
    const message =
      "This model's maximum context length is 4096 tokens. However, you requested 8342 tokens (150 in the messages, 8192 in the completion).";
    world.server.fail({ kind: "status", status: 400, message });
    expect((await world.call()).text).toBe("ok");
    const asked = world.server.requests.map(({ body }) => Number(body["max_tokens"]));
    expect(asked[0]).toBe(8192);
    expect(asked[1]).toBeLessThanOrEqual(4096 - 8);
    expect(asked).toHaveLength(2);
  });
});

describe("the ratio of bytes to tokens", () => {
  test("is careful at first, falls at once and rises slowly, and never leaves its bounds", () => {
    const ratio = new TokenRatio();
    expect(ratio.tokensAtMost(3000)).toBe(1000);
    ratio.learn(5000, 1000);
    expect(ratio.bytesPerToken).toBe(5);
    ratio.learn(2000, 1000);
    expect(ratio.bytesPerToken).toBe(2);
    ratio.learn(6000, 1000);
    expect(ratio.bytesPerToken).toBe(3);
    ratio.learn(1_000_000, 1000);
    expect(ratio.bytesPerToken).toBeLessThanOrEqual(6);
    ratio.learn(10, 199);
    expect(ratio.bytesPerToken).toBeGreaterThan(3);
  });

  test("never estimates fewer tokens than it has just seen", () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ tokens: fc.integer({ min: 200, max: 1e6 }), per: fc.double({ min: 1, max: 6, noNaN: true }) }),
          {
            minLength: 1,
            maxLength: 20,
          },
        ),
        (seen) => {
          const ratio = new TokenRatio();
          for (const { tokens, per } of seen) ratio.learn(tokens * per, tokens);
          const last = seen.at(-1);
          if (last === undefined) return;
          expect(ratio.tokensAtMost(last.tokens * last.per)).toBeGreaterThanOrEqual(last.tokens);
        },
      ),
    ));
});

describe("a prompt that the server may have cut", () => {
  const prose = "The quick brown fox jumps over the lazy dog and runs away from here. ".repeat(200);
  const asked = (content: string, countedTokens: number, cutsTo: number | null = null) =>
    promptCut({
      messages: [{ role: "user", content }],
      sentTokens: Math.ceil(content.length / 4),
      countedTokens,
      cutsTo,
    });

  test("was cut when fewer tokens are counted than it has words", () => {
    expect(asked(prose, 1000)).toEqual({ countedTokens: 1000, windowTokens: 1000 });
    expect(asked(prose, 2800)).toBeNull();
  });

  test("was not cut when the text is of few words, however few its tokens are", () => {
    expect(asked(" ".repeat(20_000), 300)).toBeNull();
    expect(asked("=".repeat(20_000), 300)).toBeNull();
    expect(asked("世界你好".repeat(3000), 4000)).toBeNull();
  });

  test("was cut where Ollama counts just what it was asked to hold", () => {
    expect(asked(prose, 2048, 2048)).toEqual({ countedTokens: 2048, windowTokens: 2048 });
    expect(asked(prose, 2800, 4096)).toBeNull();
  });

  test("shows a window smaller than was asked for, where the prompt would have fitted that", () => {
    expect(asked(prose, 1100, 8192)).toEqual({ countedTokens: 1100, windowTokens: 1100 });
  });

  test("tells nothing while it is short", () => {
    expect(asked("one two three four five", 1)).toBeNull();
  });
});
