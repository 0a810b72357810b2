/** What is believed of a server, for how long, and what it takes to believe something else. */
import { describe, expect, test } from "vitest";
import { LoomError } from "../../src/lib/errors.ts";
import { settingsOf } from "../../src/models/config.ts";
import type { RawReply } from "../../src/models/guarded.ts";
import { documentedOf, identityOf, profileKey } from "../../src/models/kept-profile.ts";
import { KnownServer, type KnownServerOptions } from "../../src/models/known-server.ts";
import type { ServerFacts, WireCall } from "../../src/models/wire.ts";
import { KeptLog, keptProfiles, SteppedClock } from "./world.ts";

const never = new AbortController().signal;
const day = 24 * 60 * 60_000;
const at = { contextTokens: 4096 };
const facts: ServerFacts = { contextTokens: 4096, tools: "unsure", notes: [], identity: "one" };
const reply = (text: string, inputTokens: number): RawReply => ({
  text,
  calls: [],
  finish: "stop",
  usage: { inputTokens, outputTokens: 1, cachedTokens: 0 },
  broken: { attempts: 0, characters: 0 },
  left: null,
});
/** Takes tools, and binds what it is asked to. */
const able = async ({ tools, schema }: WireCall): Promise<RawReply> =>
  reply(schema === undefined ? "ready" : '{ "word": "quillback-7" }', tools.length === 0 ? 60 : 500);

function serverWith(options: Partial<KnownServerOptions> = {}) {
  const clock = new SteppedClock();
  const log = new KeptLog();
  const server = new KnownServer({ clock, log, lifetime: never, key: "k", documented: null, ...options });
  const asked: WireCall[] = [];
  const learn = (ask: (call: WireCall) => Promise<RawReply> = able, again?: object) =>
    server.learnProfile(
      (call) => {
        asked.push(call);
        return ask(call);
      },
      { ...at, again },
      never,
    );
  return { server, clock, log, asked, learn };
}

describe("a protocol that was lowered", () => {
  test("is kept for a day, and then the stronger one is tried again", async () => {
    const { server, clock, learn } = serverWith();
    await learn();
    expect(server.protocol).toBe("native");
    server.lower("json_schema", 3);
    expect([server.protocol, server.strongest]).toEqual(["json_schema", "native"]);
    clock.advance(day - 1);
    expect(server.protocol).toBe("json_schema");
    clock.advance(1);
    expect([server.protocol, server.lowered]).toEqual(["native", null]);
  });

  test("is not raised by a weaker attempt that steps down less, and is text where no schema binds", async () => {
    const { server, learn } = serverWith();
    server.lower("text", 3);
    server.lower("json_schema", 3);
    expect(server.protocol).toBe("text");
    await learn(async (call) => reply("Blue.", call.tools.length === 0 ? 60 : 500), {});
    expect(server.protocol).toBe("native");
    server.lower("json_schema", 4);
    expect(server.protocol).toBe("text");
  });

  test("is forgotten with a probe that is asked for", async () => {
    const { server, learn } = serverWith();
    await learn();
    server.lower("json_schema", 3);
    server.refusesOver(1000);
    const again = {};
    await learn(able, again);
    expect([server.protocol, server.shownWindow]).toEqual(["native", null]);
    server.lower("json_schema", 3);
    // The same question of another model of this server: it has been answered.
    await learn(able, again);
    expect(server.protocol).toBe("json_schema");
  });
});

describe("a server that was away", () => {
  test("is asked again what it is; another one has nothing of what was found out of the first", async () => {
    const { server, learn, asked } = serverWith();
    await server.learnFacts(async () => facts, never);
    await learn(async (call) => reply("Blue.", call.tools.length === 0 ? 60 : 61));
    server.refusesOver(2000);
    server.cutsTo(1000);
    expect([server.strongest, server.shownWindow]).toEqual(["text", 1000]);
    await server.learnFacts(() => Promise.reject(new Error("it is not asked")), never);
    server.wasAway();
    await server.learnFacts(async () => facts, never);
    expect([server.strongest, server.shownWindow]).toEqual(["text", 1000]);
    server.wasAway();
    await server.learnFacts(async () => ({ ...facts, identity: "two", contextTokens: 9000 }), never);
    expect([server.strongest, server.shownWindow, server.saidWindow]).toEqual(["native", null, 9000]);
    await learn();
    expect(asked).toHaveLength(8);
  });

  test("is asked again for what it failed at, but not with every call", async () => {
    const { server, learn, clock, asked } = serverWith();
    const failing = async (call: WireCall) =>
      call.schema === undefined ? able(call) : Promise.reject(new LoomError("model_unavailable", "HTTP 500"));
    await learn(failing);
    await learn(failing);
    expect([asked.length, server.tools, server.schema]).toEqual([4, "yes", "unknown"]);
    clock.advance(10 * 60_000);
    await learn();
    expect([asked.length, server.schema]).toEqual([5, "yes"]);
  });
});

describe("what is kept", () => {
  test("is what a later life begins with, until the server says that it is another", async () => {
    const profiles = keptProfiles();
    const first = serverWith({ profiles });
    await first.server.learnFacts(async () => facts, never);
    await first.learn();
    // More may be configured than the server says.
    first.server.refusesOver(4096);
    expect(first.server.shownWindow).toBe(4096);
    first.server.refusesOver(3000);
    first.server.refusesOver(3500);
    await first.server.settled();
    const second = serverWith({ profiles });
    expect(second.server).toMatchObject({ tools: "yes", schema: "yes", shownWindow: 3000, saidWindow: 4096 });
    await second.server.learnFacts(async () => ({ ...facts, identity: null }), never);
    expect(second.server).toMatchObject({ tools: "unknown", schema: "unknown", shownWindow: null });
  });

  test("that cannot be read or written is told in the log, and hinders nothing", async () => {
    const profiles = {
      find: () => {
        throw new Error("damaged");
      },
      keep: () => Promise.reject(new Error("full")),
    };
    const { server, learn, log } = serverWith({ profiles });
    await learn();
    await server.settled();
    expect(server.tools).toBe("yes");
    expect(log.lines.map(({ facts: { detail } }) => detail)).toEqual(["damaged", "full"]);
    expect(serverWith({ profiles: { find: () => ({ tools: "maybe" }), keep: profiles.keep } }).server.tools).toBe(
      "unknown",
    );
  });

  test("names the server without its secrets", () => {
    const key = profileKey(
      settingsOf({ name: "a", provider: "openai", base_url: "http://me:secret@host:1/v1?key=s2", model: "m" }),
    );
    expect(key).toContain("http://host:1");
    expect(key).not.toMatch(/secret|s2/);
  });
});

describe("who is paid for each request", () => {
  test.each([
    ["openai", undefined],
    ["anthropic", undefined],
    ["openai", "https://api.openai.com/v1"],
  ] as const)("is never probed, and known by what is documented: %s at %s", async (provider, base_url) => {
    const documented = documentedOf(settingsOf({ name: "a", provider, base_url, model: "m" }));
    const { server, learn, asked } = serverWith({ documented });
    await server.learnFacts(async () => ({ ...facts, tools: "native" }), never);
    await learn();
    await learn(able, {});
    expect(asked).toEqual([]);
    expect(server).toMatchObject({ tools: "yes", schema: "yes", strongest: "native" });
    expect(server.kept.tools).toBeUndefined();
  });

  test("is not whoever speaks the same wire elsewhere, nor a host of a like name", () => {
    for (const base_url of ["http://localhost:8080", "https://api.openai.com.example.org"])
      expect(documentedOf(settingsOf({ name: "a", provider: "openai", base_url, model: "m" }))).toBeNull();
  });
});

test("an identity is the same for the same words in any order, another for others, and none for none", () => {
  expect(identityOf([{ a: 1, b: [2] }])).toBe(identityOf([{ b: [2], a: 1 }]));
  expect(identityOf([{ a: 1 }])).not.toBe(identityOf([{ a: 2 }]));
  expect(identityOf([null, {}])).toBeNull();
});
