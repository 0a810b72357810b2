/** Attempts that had begun to answer and broke off: the server did that work, and only the guard knows of it. */
import { describe, expect, test } from "vitest";
import { Guard, usualRetry } from "../../src/models/guarded.ts";
import { callUsage } from "../../src/models/metering.ts";
import type { Chunk } from "../../src/models/wire.ts";
import { failureOf } from "./served-world.ts";
import { KeptLog, SteppedClock } from "./world.ts";

const never = new AbortController().signal;

function guardOn(clock: SteppedClock, attempts = 3): Guard {
  return new Guard({
    at: { name: "main", model: "m", url: "http://there", provider: "ollama" },
    limits: { firstTokenMs: 300_000, idleMs: 60_000, totalMs: 1_000_000 },
    retry: { ...usualRetry, attempts, baseMs: 0 },
    clock,
    random: { next: () => 0.5 },
    log: new KeptLog(),
  });
}

async function* chunks(...items: readonly Chunk[]): AsyncGenerator<Chunk> {
  yield* items;
}

const half: Chunk[] = [
  { kind: "text", text: "half" },
  { kind: "text", text: "way" },
];

describe("an attempt that breaks off", () => {
  test("is told with the reply of the one that does not", async () => {
    const streams: Chunk[][] = [
      [{ kind: "quiet" }],
      half,
      [
        { kind: "text", text: "whole" },
        { kind: "end", finish: "stop" },
      ],
    ];
    const reply = await guardOn(new SteppedClock()).call(() => chunks(...(streams.shift() ?? [])), { signal: never });
    expect(reply).toMatchObject({ text: "whole", broken: { attempts: 1, characters: 7 } });
  });

  test("counts as its prompt and what came of it, estimated", () => {
    const given = { sentTokens: 100, receivedCharacters: 40, isLeft: false, price: null };
    const reported = { inputTokens: 90, outputTokens: 9 };
    expect(callUsage(reported, { ...given, broken: { attempts: 2, characters: 41 } })).toEqual({
      input_tokens: 270,
      output_tokens: 9 + 11,
      estimated: true,
    });
    expect(callUsage(reported, { ...given, broken: { attempts: 0, characters: 0 } })).toEqual({
      input_tokens: 90,
      output_tokens: 9,
    });
  });

  test("is another thing than a reply that was left: its prompt may be counted, and what came of it is estimated", () => {
    const left = {
      sentTokens: 100,
      receivedCharacters: 42,
      isLeft: true,
      price: null,
      broken: { attempts: 0, characters: 0 },
    };
    expect(callUsage({ inputTokens: 90, outputTokens: 1, cachedTokens: 80 }, left)).toEqual({
      input_tokens: 90,
      output_tokens: 11,
      cached_tokens: 80,
      estimated: true,
    });
    expect(callUsage(null, left)).toEqual({ input_tokens: 100, output_tokens: 11, estimated: true });
  });

  test("is said to have begun where it was the last, so that it is not taken for free", async () => {
    const failing = async (...items: readonly Chunk[]) =>
      failureOf(guardOn(new SteppedClock(), 1).call(() => chunks(...items), { signal: never }));
    expect((await failing(...half)).extra).toEqual({ begun: true });
    expect((await failing({ kind: "quiet" })).extra).toBeUndefined();
  });
});
