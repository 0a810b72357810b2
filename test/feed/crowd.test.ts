/** Many readers who catch up at the same time: what they cost the log, and everyone else. */
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createFeed } from "../../src/feed/feed.ts";
import { PageCache } from "../../src/feed/page-cache.ts";
import { Turns } from "../../src/feed/turns.ts";
import { WatchedStore } from "./watched-store.ts";

const upTo = (count: number, from = 1): number[] => Array.from({ length: count }, (_, index) => from + index);

describe("a crowd that is far behind", () => {
  test("reads the log together, wherever each of them was cut off", async () => {
    const watched = new WatchedStore();
    await using feed = createFeed(watched);
    await watched.append("task_a", 3000);
    const starts = upTo(40, 0).map((nth) => nth * 7);
    await Promise.all(
      starts.map(async (after) => {
        const { signal } = new AbortController();
        const seen: number[] = [];
        for await (const item of feed.subscribe("task_a", { after, tokens: false, signal })) {
          if (item.kind === "event") seen.push(item.event.seq);
          if (seen.at(-1) === 3000) break;
        }
        expect(seen).toEqual(upTo(3000 - after, after + 1));
      }),
    );
    // Twelve pages hold the log, and one read each opens the newest part and looks for more.
    expect(watched.reads).toBeLessThanOrEqual(14);
  });

  test("finds what was read before when it comes back, and what came meanwhile", async () => {
    const watched = new WatchedStore();
    await using feed = createFeed(watched);
    await watched.append("task_a", 400);
    const last = async (after: number): Promise<number> => {
      const { signal } = new AbortController();
      for await (const item of feed.subscribe("task_a", { after, tokens: false, signal }))
        if (item.kind === "event") return item.event.seq;
      return 0;
    };
    await last(300);
    watched.reads = 0;
    for (let again = 0; again < 20; again += 1) expect(await last(300 + again)).toBe(301 + again);
    expect(watched.reads).toBe(0);
    for (let again = 0; again < 20; again += 1) {
      await watched.append("task_a", 1);
      expect(await last(400 + again)).toBe(401 + again);
    }
  });

  test("leaves the event loop to others: some of them go on in each turn, in line", async () => {
    const line = new Turns();
    const served: number[] = [];
    const perTurn: number[] = [];
    const waiting = Promise.all(upTo(7).map((nth) => line.next().then(() => served.push(nth))));
    while (served.length < 7) {
      const before = served.length;
      await setImmediate();
      perTurn.push(served.length - before);
    }
    await waiting;
    expect(served).toEqual(upTo(7));
    expect(Math.max(...perTurn)).toBe(2);
    await line.next(); // and the line begins anew
  });
});

describe("pages that were read", () => {
  const whole = { isWhole: (page: readonly number[]) => page.length === 2 };
  const counted = (page: readonly number[]) => {
    const reading = {
      times: 0,
      ...whole,
      read: () => {
        reading.times += 1;
        return Promise.resolve(page);
      },
    };
    return reading;
  };

  test("are kept while they are asked for, up to a number of them; the end of a log is not", async () => {
    const cache = new PageCache();
    const [first, end] = [counted([1, 2]), counted([3])];
    for (let again = 0; again < 3; again += 1) {
      expect(await cache.page("a 0", first)).toEqual([1, 2]);
      expect(await cache.page("a 2", end)).toEqual([3]);
    }
    expect([first.times, end.times]).toEqual([1, 3]);
    for (let other = 0; other < 64; other += 1) await cache.page(`b ${other}`, counted([1, 2]));
    await cache.page("a 0", first);
    expect(first.times).toBe(2);
  });

  test("that could not be read are read again by the next", async () => {
    const cache = new PageCache();
    await expect(cache.page("a 0", { ...whole, read: () => Promise.reject(new Error("broken disk")) })).rejects.toThrow(
      "broken disk",
    );
    expect(await cache.page("a 0", counted([1, 2]))).toEqual([1, 2]);
  });
});
