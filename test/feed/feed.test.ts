/** The feed over a real store: each event once and in order, to everyone, however slow, for as long as they want it. */
import { getEventListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { createFeed } from "../../src/feed/feed.ts";
import type { Feed, FeedItem, Token } from "../../src/ports/feed.ts";
import { WatchedStore } from "./watched-store.ts";

let watched: WatchedStore;
beforeEach(() => {
  watched = new WatchedStore();
});

const forever = (): AbortSignal => new AbortController().signal;
const upTo = (count: number, from = 1): number[] => Array.from({ length: count }, (_, index) => from + index);

async function take<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

function seqsOf(items: readonly FeedItem[]): number[] {
  return items.flatMap((item) => (item.kind === "event" ? [item.event.seq] : []));
}

interface Reader {
  readonly after: number;
  readonly slowness: number;
  readonly startsAt: number;
}

/** Reads a task to its event `total`, dawdling before it starts and after each event. */
async function follow(feed: Feed, { after, slowness, startsAt }: Reader, total: number): Promise<number[]> {
  const seen: number[] = [];
  await turns(startsAt * 5);
  if (after >= total) return seen;
  for await (const item of feed.subscribe("task_a", { after, tokens: false, signal: forever() })) {
    seen.push(...seqsOf([item]));
    if (seen.at(-1) === total) break;
    await turns(slowness);
  }
  return seen;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}

const tokenOf = (text: string): Token => ({ token: text, subtaskId: "a", model: "m" });

describe("a subscription", () => {
  test("hands out what the log holds behind the cursor, then what comes", async () => {
    await using feed = createFeed(watched);
    await watched.append("task_a", 3);
    const items = take(feed.subscribe("task_a", { after: 1, tokens: false, signal: forever() }), 5);
    await watched.append("task_b", 2);
    await watched.append("task_a", 1);
    await watched.append("task_a", 2);
    expect(seqsOf(await items)).toEqual([2, 3, 4, 5, 6]);
  });

  test("waits for a task that does not exist yet, and for a cursor that lies ahead", async () => {
    await using feed = createFeed(watched);
    const early = take(feed.subscribe("task_a", { after: 0, tokens: false, signal: forever() }), 4);
    const ahead = take(feed.subscribe("task_a", { after: 2, tokens: false, signal: forever() }), 2);
    await watched.append("task_a", 1);
    await watched.append("task_a", 3);
    expect(seqsOf(await early)).toEqual([1, 2, 3, 4]);
    expect(seqsOf(await ahead)).toEqual([3, 4]);
  });

  test("misses nothing and repeats nothing, wherever it starts, however slow, while the log grows", async () => {
    const reader = fc.record({ after: fc.nat(40), slowness: fc.nat(3), startsAt: fc.nat(5) });
    const appends = fc.array(fc.constantFrom(1, 2, 30, 1100), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(reader, { minLength: 1, maxLength: 5 }), appends, async (readers, counts) => {
        const own = new WatchedStore();
        own.readTurns = counts.length % 3;
        await using feed = createFeed(own);
        const total = counts.reduce((sum, count) => sum + count, 0);
        const all = Promise.all(readers.map((reader) => follow(feed, reader, total)));
        for (const count of counts) await own.append("task_a", count);
        expect(await all).toEqual(readers.map(({ after }) => upTo(Math.max(0, total - after), after + 1)));
      }),
      { numRuns: 30 },
    );
  });

  test("that falls behind reads pages from the log, and is shared by those who need the same ones", async () => {
    await using feed = createFeed(watched);
    await watched.append("task_a", 3000);
    const one = take(feed.subscribe("task_a", { after: 0, tokens: false, signal: forever() }), 3000);
    expect(seqsOf(await one)).toEqual(upTo(3000));
    const alone = watched.reads;
    expect(alone).toBeLessThan(14);
    const many = upTo(20).map(() =>
      take(feed.subscribe("task_a", { after: 0, tokens: false, signal: forever() }), 3000),
    );
    for (const items of await Promise.all(many)) expect(items).toHaveLength(3000);
    expect(watched.reads - alone).toBeLessThan(2 * alone);
  });

  test("costs the log one read a commit, however many follow", async () => {
    await using feed = createFeed(watched);
    await watched.append("task_a", 1);
    const many = upTo(100).map(() =>
      take(feed.subscribe("task_a", { after: 0, tokens: false, signal: forever() }), 11),
    );
    await watched.append("task_a", 1);
    watched.reads = 0;
    for (const _ of upTo(9)) await watched.append("task_a", 1);
    for (const items of await Promise.all(many)) expect(seqsOf(items)).toEqual(upTo(11));
    expect(watched.reads).toBeLessThanOrEqual(10);
  });
});

describe("the end of a subscription", () => {
  test("comes at once when the signal fires, while it waits or before it began", async () => {
    await using feed = createFeed(watched);
    await watched.append("task_a", 1);
    const stop = new AbortController();
    const seen: FeedItem[] = [];
    for await (const item of feed.subscribe("task_a", { after: 0, tokens: true, signal: stop.signal })) {
      seen.push(item);
      queueMicrotask(() => stop.abort());
    }
    expect(seqsOf(seen)).toEqual([1]);
    expect(await take(feed.subscribe("task_a", { after: 0, tokens: true, signal: AbortSignal.abort() }), 1)).toEqual(
      [],
    );
    expect(await take(feed.subscribeAll({ after: 0, signal: AbortSignal.abort() }), 1)).toEqual([]);
  });

  test("comes within a page, too", async () => {
    await using feed = createFeed(watched);
    await watched.append("task_a", 50);
    for (const open of [
      (signal: AbortSignal) => feed.subscribe("task_a", { after: 0, tokens: false, signal }),
      (signal: AbortSignal) => feed.subscribeAll({ after: 0, signal }),
    ]) {
      const stop = new AbortController();
      let seen = 0;
      for await (const _ of open(stop.signal)) {
        seen += 1;
        if (seen === 7) stop.abort();
      }
      expect(seen).toBe(7);
    }
  });

  test("leaves nothing behind, a thousand times, whether the reader breaks off, is stopped, or just never comes back", async () => {
    await using feed = createFeed(watched);
    await watched.append("task_a", 2);
    const lasting = forever();
    const stop = new AbortController();
    for (const round of upTo(1000)) {
      const items = feed.subscribe("task_a", {
        after: 0,
        tokens: true,
        signal: round % 2 === 0 ? lasting : stop.signal,
      });
      if (round % 2 === 0) await take(items, 1 + (round % 3 === 0 ? 1 : 0));
      else await items[Symbol.asyncIterator]().next();
    }
    expect(getEventListeners(stop.signal, "abort")).toHaveLength(500);
    stop.abort();
    expect(getEventListeners(lasting, "abort")).toEqual([]);
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
    watched.reads = 0;
    await watched.append("task_a", 1);
    expect(watched.reads).toBe(0);
  });

  test("comes to all when the feed is closed, and to those that come later", async () => {
    const feed = createFeed(watched);
    const waiting = [
      take(feed.subscribe("task_a", { after: 0, tokens: true, signal: forever() }), 1),
      take(feed.subscribeAll({ after: 0, signal: forever() }), 1),
    ];
    await feed[Symbol.asyncDispose]();
    expect(await Promise.all(waiting)).toEqual([[], []]);
    await watched.append("task_a", 1);
    expect(await take(feed.subscribe("task_a", { after: 0, tokens: true, signal: forever() }), 1)).toEqual([]);
    expect(await take(feed.subscribeAll({ after: 0, signal: forever() }), 1)).toEqual([]);
  });
});

describe("tokens", () => {
  test("go to those who asked, in order, and never take the place of an event", async () => {
    await using feed = createFeed(watched);
    const withTokens = take(feed.subscribe("task_a", { after: 0, tokens: true, signal: forever() }), 4);
    const without = take(feed.subscribe("task_a", { after: 0, tokens: false, signal: forever() }), 2);
    feed.token("task_a", tokenOf("he"));
    feed.token("task_a", tokenOf("llo"));
    feed.token("task_b", tokenOf("other"));
    await watched.append("task_a", 2);
    const items = await withTokens;
    expect(items.flatMap((item) => (item.kind === "token" ? [item.token.token] : []))).toEqual(["he", "llo"]);
    expect(seqsOf(items)).toEqual([1, 2]);
    expect(seqsOf(await without)).toEqual([1, 2]);
  });

  test("do not make a slow reader miss the event that comes meanwhile", async () => {
    await using feed = createFeed(watched);
    const items = feed.subscribe("task_a", { after: 0, tokens: true, signal: forever() })[Symbol.asyncIterator]();
    const first = items.next();
    feed.token("task_a", tokenOf("x"));
    await first;
    await watched.append("task_a", 1);
    await setImmediate();
    expect((await items.next()).value).toMatchObject({ kind: "event", event: { seq: 1 } });
  });

  test("that nobody takes are forgotten, the oldest first", async () => {
    await using feed = createFeed(watched);
    const items = feed.subscribe("task_a", { after: 0, tokens: true, signal: forever() })[Symbol.asyncIterator]();
    const first = items.next();
    feed.token("task_a", tokenOf("first"));
    expect((await first).value).toEqual({ kind: "token", token: tokenOf("first") });
    for (const index of upTo(1000)) feed.token("task_a", tokenOf(String(index)));
    await watched.append("task_a", 1);
    const rest: FeedItem[] = [];
    while (seqsOf(rest).length === 0) {
      const next = await items.next();
      if (next.done !== true) rest.push(next.value);
    }
    expect(rest).toHaveLength(257);
    expect(rest[0]).toEqual({ kind: "token", token: tokenOf("745") });
  });
});

describe("the feed over all tasks", () => {
  test("goes by one numbering, and on after any number of it", async () => {
    await using feed = createFeed(watched);
    await watched.append("task_a", 2);
    await watched.append("task_b", 1);
    const whole = take(feed.subscribeAll({ after: 0, signal: forever() }), 5);
    await watched.append("task_a", 1);
    await watched.append("task_c", 1);
    const seen = await whole;
    expect(seen.map(({ taskId, event }) => `${taskId}:${event.seq}`)).toEqual([
      "task_a:1",
      "task_a:2",
      "task_b:1",
      "task_a:3",
      "task_c:1",
    ]);
    expect(await take(feed.subscribeAll({ after: seen[2]?.g ?? 0, signal: forever() }), 2)).toEqual(seen.slice(3));
  });
});

describe("a store that fails", () => {
  test("ends who reads with its error, and serves those who come once it is well again", async () => {
    await using feed = createFeed(watched);
    await watched.append("task_a", 1000);
    const readers = [
      take(feed.subscribe("task_a", { after: 1000, tokens: false, signal: forever() }), 1),
      take(feed.subscribeAll({ after: 1000, signal: forever() }), 1),
    ];
    const slow = feed.subscribe("task_a", { after: 0, tokens: false, signal: forever() })[Symbol.asyncIterator]();
    await slow.next();
    watched.isBroken = true;
    await watched.append("task_a", 1);
    const fates = await Promise.allSettled(readers);
    expect(fates.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await expect(take(feed.subscribe("task_a", { after: 0, tokens: false, signal: forever() }), 1)).rejects.toThrow(
      "broken disk",
    );
    watched.isBroken = false;
    await watched.append("task_a", 1);
    expect(seqsOf(await take(feed.subscribe("task_a", { after: 1000, tokens: false, signal: forever() }), 2))).toEqual([
      1001, 1002,
    ]);
    expect(await take(feed.subscribeAll({ after: 1000, signal: forever() }), 2)).toHaveLength(2);
  });
});
