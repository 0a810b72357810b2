/** How every model adapter that speaks over a wire must stop and fail, whatever the wire. Run against a real server on loopback. */
import { describe, expect, test } from "vitest";
import { createModels } from "../../src/models/catalog.ts";
import type { ModelConfig } from "../../src/models/config.ts";
import { containing, failureOf, hello, pick, worldOf } from "../models/served-world.ts";
import { KeptLog, middling, realClock } from "../models/world.ts";
import { startModelServer } from "../support/model-server.ts";
import { servedModel } from "../support/model-server-reply.ts";

export function modelFailureContract(provider: ModelConfig["provider"]): void {
  describe(`${provider}: an abort`, () => {
    test.each(["hang", "stall"] as const)(
      "ends a call whose server is in a %s, within 200 ms, at the server too",
      async (kind) => {
        await using world = await worldOf(provider, {});
        world.server.fail({ kind });
        const leaving = new AbortController();
        const seen = Promise.withResolvers<void>();
        const call = world.call(hello, { signal: leaving.signal, onToken: () => seen.resolve() });
        call.catch(() => undefined);
        if (kind === "stall") await seen.promise;
        else while (world.server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
        const startedAt = performance.now();
        leaving.abort(new Error("enough"));
        await expect(call).rejects.toThrow("enough");
        expect(performance.now() - startedAt).toBeLessThan(200);
        await world.server.whenLeft(1);
        expect(performance.now() - startedAt).toBeLessThan(400);
      },
    );

    test("before the call reaches no server", async () => {
      await using world = await worldOf(provider, {});
      await expect(world.call(hello, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
      expect(world.server.requests).toEqual([]);
    });
  });

  describe(`${provider}: a reply that goes round in circles`, () => {
    test("is left, is no failure, and the server is told", async () => {
      await using world = await worldOf(provider, {}, { max_tokens: 200 });
      world.server.fail({ kind: "circle" });
      const reply = await world.call();
      await world.server.whenLeft(1);
      expect(reply).toMatchObject({ text: "before ", finish: "length", repaired: ["repetition_cut"] });
      // 200 tokens hold 800 characters, and half of that is enough.
      expect(reply.usage.output_tokens).toBeGreaterThanOrEqual(100);
      expect(reply.usage.output_tokens).toBeLessThan(150);
      expect(reply.usage.estimated).toBe(true);
      expect((await world.call()).text).toBe("ok");
      expect(world.models.list()[0]?.health).toBe("up");
    });
  });

  describe(`${provider}: a failure`, () => {
    test.each([408, 409, 425, 429, 500, 502, 503, 529])("with status %d is tried again", async (status) => {
      await using world = await worldOf(provider, { answer: () => ({ text: "at last" }) });
      world.server.fail({ kind: "status", status, retryAfterMs: 1 }, 2);
      expect((await world.call()).text).toBe("at last");
      expect(world.server.requests).toHaveLength(3);
    });

    test.each([
      [400, "own words"],
      [401, "Check api_key under [models.main]"],
      [403, "Check api_key under [models.main]"],
      [404, `Model "${servedModel}" was not found there`],
    ])("with status %d is not, and the hint helps", async (status, hint) => {
      await using world = await worldOf(provider, {});
      world.server.fail({ kind: "status", status, message: "no, said the server" });
      const error = await failureOf(world.call());
      expect(error).toMatchObject({
        code: "model_refused",
        hint: containing(hint),
        message: containing("no, said the server"),
      });
      expect(world.server.requests).toHaveLength(1);
    });

    test.each(["drop", "cut"] as const)("by a %s in the middle of the stream is tried again", async (kind) => {
      await using world = await worldOf(provider, { answer: () => ({ text: "at last" }) });
      world.server.fail({ kind }, 2);
      expect((await world.call()).text).toBe("at last");
      expect(world.server.requests).toHaveLength(3);
    });

    test("that lasts is told as a model out of reach", async () => {
      await using world = await worldOf(provider, {});
      world.server.fail({ kind: "status", status: 503, message: "Loading model" }, 9);
      const error = await failureOf(world.call());
      expect(error).toMatchObject({ code: "model_unavailable", message: containing("Loading model") });
      expect(error.retryAfterMs).toBeGreaterThan(0);
      expect(world.server.requests).toHaveLength(3);
    });

    test("with a long retry-after is handed up at once", async () => {
      await using world = await worldOf(provider, {});
      world.server.fail({ kind: "status", status: 429, retryAfterMs: 90_000 });
      expect(await failureOf(world.call())).toMatchObject({ code: "model_unavailable", retryAfterMs: 90_000 });
      expect(world.server.requests).toHaveLength(1);
    });

    test("to connect is told as a model out of reach", async () => {
      await using world = await worldOf(provider, {}, { base_url: "http://127.0.0.1:9" });
      expect(await failureOf(world.call())).toMatchObject({
        code: "model_unavailable",
        message: containing("127.0.0.1:9"),
      });
    });

    test.each(["exceed_context_size_error", "context_length_exceeded"])(
      "of type %s is too long a prompt",
      async (type) => {
        await using world = await worldOf(provider, {});
        const message = provider === "ollama" ? "prompt is too long" : "too much";
        world.server.fail({ kind: "status", status: 400, message, type });
        expect(await failureOf(world.call())).toMatchObject({ code: "context_overflow" });
      },
    );

    test("by silence before the first token ends in time, and is not tried again", async () => {
      await using world = await worldOf(provider, {}, { first_token_timeout_seconds: 0.05 });
      world.server.fail({ kind: "hang" });
      const message = containing("no first token after 0.05 s");
      expect(await failureOf(world.call())).toMatchObject({ code: "model_unavailable", message });
      expect(world.server.requests).toHaveLength(1);
    });

    test("by silence after the first token ends in time, and is tried again", async () => {
      await using world = await worldOf(provider, {}, { idle_timeout_seconds: 0.05 });
      world.server.fail({ kind: "stall" }, 3);
      const message = containing("stood still for 0.05 s");
      expect(await failureOf(world.call())).toMatchObject({ code: "model_unavailable", message });
      expect(world.server.requests).toHaveLength(3);
    });
  });

  describe(`${provider}: the address`, () => {
    test.each(["", "/", "/v1", "/v1/"])("may end with %j", async (end) => {
      await using server = await startModelServer({});
      const config = { name: "main", provider, base_url: `${server.url}${end}`, model: servedModel };
      await using models = createModels([config], { clock: realClock, random: middling, log: new KeptLog() });
      expect((await models.call(pick, hello, { signal: new AbortController().signal })).text).toBe("ok");
    });

    test("gets the key that is configured, and none otherwise", async () => {
      await using world = await worldOf(provider, {}, { api_key: "key-of-mine" });
      await world.call();
      expect(JSON.stringify(world.server.requests[0]?.headers)).toContain("Bearer key-of-mine");
      await using bare = await worldOf(provider, {});
      await bare.call();
      expect(bare.server.requests[0]?.headers).not.toHaveProperty("authorization");
      expect(bare.server.requests[0]?.headers).not.toHaveProperty("x-api-key");
    });
  });
}
