/** The guard on a clock stepped by hand: limits, delays between attempts, the breaker, and streams that do not heed their signal. */
import { describe, expect, test } from "vitest";
import { ServerError } from "../../src/models/failures.ts";
import { Guard, type GuardOptions, usualRetry } from "../../src/models/guarded.ts";
import type { Chunk } from "../../src/models/wire.ts";
import { containing, failureOf } from "./served-world.ts";
import { KeptLog, SteppedClock } from "./world.ts";

const at = { name: "main", model: "m", url: "http://there", provider: "ollama" };
const end: Chunk = { kind: "end", finish: "stop" };
const never = new AbortController().signal;

function guardOn(clock: SteppedClock, options: Partial<GuardOptions> = {}): Guard {
  const limits = { firstTokenMs: 300_000, idleMs: 60_000, totalMs: 1_000_000 };
  return new Guard({
    at,
    limits,
    retry: usualRetry,
    clock,
    random: { next: () => 0.5 },
    log: new KeptLog(),
    ...options,
  });
}

async function* chunks(...items: readonly Chunk[]): AsyncGenerator<Chunk> {
  yield* items;
}

async function* deaf(...items: readonly Chunk[]): AsyncGenerator<Chunk> {
  yield* items;
  await new Promise(() => undefined);
}

async function* failing(error: Error): AsyncGenerator<Chunk> {
  yield { kind: "quiet" };
  throw error;
}

function answering(status: number, headers: Record<string, string> = {}): () => AsyncGenerator<Chunk> {
  return () => failing(new ServerError(status, "no", { headers: new Headers(headers) }));
}

describe("a call that gets no first token", () => {
  test("ends after the first limit, however much the server pings, and is not tried again", async () => {
    const clock = new SteppedClock();
    let opened = 0;
    const call = guardOn(clock).call(
      () => {
        opened += 1;
        return deaf({ kind: "quiet" }, { kind: "quiet" });
      },
      { signal: never },
    );
    await clock.whenAsleep(300_000);
    clock.advance(299_999);
    await clock.whenAsleep(1);
    clock.advance(1);
    expect(await failureOf(call)).toMatchObject({
      code: "model_unavailable",
      message: containing("no first token after 300 s"),
    });
    expect(opened).toBe(1);
    expect(clock.ahead).toEqual([]);
  });
});

describe("a call whose stream stands still", () => {
  test("ends after the idle limit, counted from the last chunk, and is tried again", async () => {
    const clock = new SteppedClock();
    const streams = [deaf({ kind: "text", text: "half" }), chunks({ kind: "text", text: "whole" }, end)];
    const seen: string[] = [];
    const call = guardOn(clock).call(() => streams.shift() ?? chunks(), {
      signal: never,
      onToken: (text) => seen.push(text),
    });
    await clock.whenAsleep(60_000);
    clock.advance(60_000);
    await clock.whenAsleep(250 + 125);
    clock.advance(375);
    expect((await call).text).toBe("whole");
    expect(seen).toEqual(["half", "whole"]);
  });

  test("is kept alive by thoughts", async () => {
    const clock = new SteppedClock();
    const gate = Promise.withResolvers<void>();
    async function* thinking(): AsyncGenerator<Chunk> {
      yield { kind: "thinking" };
      await gate.promise;
      yield { kind: "thinking" };
      yield end;
    }
    const call = guardOn(clock).call(() => thinking(), { signal: never });
    await clock.whenAsleep(60_000);
    clock.advance(59_000);
    gate.resolve();
    expect(await call).toMatchObject({ text: "", finish: "stop" });
  });
});

describe("a call that takes too long in all", () => {
  test("ends though tokens come", async () => {
    const clock = new SteppedClock();
    const limits = { firstTokenMs: 10_000, idleMs: 10_000, totalMs: 15_000 };
    const gate = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<Chunk> {
      yield { kind: "text", text: "a" };
      await gate.promise;
      yield { kind: "text", text: "b" };
      await new Promise(() => undefined);
    }
    const call = guardOn(clock, { limits }).call(() => slow(), { signal: never });
    await clock.whenAsleep(10_000);
    clock.advance(9000);
    gate.resolve();
    await clock.whenAsleep(6000);
    clock.advance(6000);
    expect(await failureOf(call)).toMatchObject({ message: containing("longer than 15 s") });
  });

  test("ends while it waits for its next attempt", async () => {
    const clock = new SteppedClock();
    const limits = { firstTokenMs: 10_000, idleMs: 10_000, totalMs: 1000 };
    const call = guardOn(clock, { limits }).call(answering(429, { "retry-after": "20" }), { signal: never });
    await clock.whenAsleep(20_000);
    clock.advance(1000);
    expect(await failureOf(call)).toMatchObject({ message: containing("longer than 1 s") });
  });
});

describe("between attempts", () => {
  test.each<[string, Record<string, string>, number[]]>([
    ["half to all of a doubling delay passes", {}, [375, 750]],
    ["retry-after-ms is kept to", { "retry-after-ms": "1234", "retry-after": "9" }, [1234, 1234]],
    ["retry-after in seconds is kept to", { "retry-after": "7" }, [7000, 7000]],
    ["a date is kept to", { "retry-after": new Date(1_000_000 + 5000).toUTCString() }, [5000, 0]],
    ["what is no date counts as nothing", { "retry-after": "soon" }, [375, 750]],
  ])("%s", async (_name, headers, delays) => {
    const clock = new SteppedClock();
    const log = new KeptLog();
    const call = guardOn(clock, { log }).call(answering(503, headers), { signal: never });
    call.catch(() => undefined);
    for (const delay of delays.filter((ms) => ms > 0)) {
      await clock.whenAsleep(delay);
      clock.advance(delay);
    }
    expect(await failureOf(call)).toMatchObject({ code: "model_unavailable" });
    expect(log.lines.map(({ facts }) => facts["delayMs"])).toEqual(delays);
  });

  test("no delay is longer than the cap", async () => {
    const clock = new SteppedClock();
    const retry = { ...usualRetry, attempts: 7 };
    const call = guardOn(clock, { retry, random: { next: () => 1 } }).call(answering(500), { signal: never });
    for (const delay of [500, 1000, 2000, 4000, 8000, 8000]) {
      await clock.whenAsleep(delay);
      clock.advance(delay);
    }
    expect(await failureOf(call)).toMatchObject({ code: "model_unavailable", retryAfterMs: 5000 });
  });

  test("an abort ends the wait at once", async () => {
    const clock = new SteppedClock();
    const leaving = new AbortController();
    const call = guardOn(clock).call(answering(500), { signal: leaving.signal });
    await clock.whenAsleep(375);
    leaving.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    expect(clock.ahead).toEqual([]);
  });
});

describe("a model that failed three calls in a row", () => {
  const down = answering(401 + 102, { "retry-after": "40" });

  async function broken(clock: SteppedClock): Promise<Guard> {
    const guard = guardOn(clock);
    for (let count = 0; count < 3; count += 1) await failureOf(guard.call(down, { signal: never }));
    return guard;
  }

  test("is left alone for 15 seconds", async () => {
    const clock = new SteppedClock();
    const guard = await broken(clock);
    const unasked = (): AsyncGenerator<Chunk> => failing(new Error("it was asked"));
    expect(await failureOf(guard.call(unasked, { signal: never }))).toMatchObject({
      code: "model_unavailable",
      retryAfterMs: 15_000,
    });
    clock.advance(14_000);
    expect(() => guard.throwIfOpen()).toThrow("left alone");
    expect(await failureOf(guard.call(unasked, { signal: never }))).toMatchObject({ retryAfterMs: 1000 });
  });

  test("is then tried by one call, and by all when that one succeeds", async () => {
    const clock = new SteppedClock();
    const guard = await broken(clock);
    clock.advance(15_000);
    const gate = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<Chunk> {
      await gate.promise;
      yield end;
    }
    const trial = guard.call(() => slow(), { signal: never });
    expect(await failureOf(guard.call(() => chunks(end), { signal: never }))).toMatchObject({ retryAfterMs: 1000 });
    gate.resolve();
    await trial;
    await guard.call(() => chunks(end), { signal: never });
    guard.throwIfOpen();
  });

  test("is left alone again when that one fails, and free for another when it was cut short", async () => {
    const clock = new SteppedClock();
    const guard = await broken(clock);
    clock.advance(15_000);
    const leaving = new AbortController();
    const trial = guard.call(() => deaf(), { signal: leaving.signal });
    leaving.abort(new Error("enough"));
    await expect(trial).rejects.toThrow("enough");
    await failureOf(guard.call(down, { signal: never }));
    expect(() => guard.throwIfOpen()).toThrow("left alone");
  });

  test("is not one that refused: it was there to refuse", async () => {
    const clock = new SteppedClock();
    const guard = guardOn(clock);
    for (let count = 0; count < 2; count += 1) await failureOf(guard.call(down, { signal: never }));
    await failureOf(guard.call(answering(400), { signal: never }));
    for (let count = 0; count < 2; count += 1) await failureOf(guard.call(down, { signal: never }));
    expect(() => guard.throwIfOpen()).not.toThrow();
  });
});

describe("what is thrown within a stream", () => {
  test.each([
    [
      "a socket that was refused",
      Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
      "connect (ECONNREFUSED)",
    ],
    [
      "its cause, deep down",
      new Error("outer", { cause: new AggregateError([Object.assign(new Error("x"), { code: "ECONNRESET" })]) }),
      "outer (ECONNRESET)",
    ],
    ["undici's words for a torn stream", new TypeError("terminated"), "terminated"],
    [
      "an error event",
      Object.assign(new Error("overloaded"), { error: { error: { type: "overloaded_error", message: "overloaded" } } }),
      "overloaded (overloaded_error)",
    ],
    ["a long story", new Error("x".repeat(9000)), `${"x".repeat(500)}…`],
  ])("is a model out of reach: %s", async (_name, error, detail) => {
    const guard = guardOn(new SteppedClock(), { retry: { ...usualRetry, attempts: 1 } });
    const failure = await failureOf(guard.call(() => failing(error), { signal: never }));
    expect(failure).toMatchObject({
      code: "model_unavailable",
      message: containing(detail),
      cause: error,
    });
  });

  test("is too long a prompt also without a status", async () => {
    const failure = await failureOf(
      guardOn(new SteppedClock()).call(() => failing(new Error("prompt is too long: 9 tokens")), { signal: never }),
    );
    expect(failure).toMatchObject({ code: "context_overflow", hint: containing("context_tokens") });
  });

  test("is thrown as it is when it is a bug", async () => {
    const bug = new TypeError("x is not a function");
    await expect(guardOn(new SteppedClock()).call(() => failing(bug), { signal: never })).rejects.toBe(bug);
  });
});

describe("a stream that ends without its end", () => {
  test("is a model out of reach", async () => {
    const guard = guardOn(new SteppedClock(), { retry: { ...usualRetry, attempts: 1 } });
    const failure = await failureOf(guard.call(() => chunks({ kind: "text", text: "half" }), { signal: never }));
    expect(failure.message).toContain("ended before the reply was whole");
  });
});
