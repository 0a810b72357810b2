/** The real clock, ids and chance. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createClock, createIds, createRandom } from "../../src/observability/runtime.ts";

describe("ids", () => {
  test("are a prefix and 26 lower-case letters and digits that a task id may have", () => {
    expect(createIds({ now: () => Date.now() }).next("task")).toMatch(/^task_[0-9a-hjkmnp-tv-z]{26}$/);
  });

  test("spell time first, then chance", () => {
    const ids = createIds({ now: () => 1, randomBytes: () => new Uint8Array(10) });
    expect([ids.next("a"), ids.next("a")]).toEqual([
      `a_${"0".repeat(9)}1${"0".repeat(16)}`,
      `a_${"0".repeat(9)}1${"0".repeat(15)}1`,
    ]);
    const late = createIds({ now: () => 2 ** 48 - 1, randomBytes: () => new Uint8Array(10).fill(255) });
    expect(late.next("a")).toBe(`a_7${"z".repeat(25)}`);
  });

  test("are unique and in order, however the clock runs", () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 50 }), (times) => {
        let at = 0;
        const ids = createIds({ now: () => times[at++] ?? 0 });
        const made = times.map(() => ids.next("x"));
        expect(made).toEqual([...new Set(made)].toSorted());
      }),
    ));
});

describe("the clock", () => {
  const clock = createClock();
  const { signal } = new AbortController();

  test("tells epoch milliseconds", () => expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1000));

  test("sleeps until a time, and not at all when it has passed", async () => {
    const until = clock.now() + 20;
    await clock.sleepUntil(until, signal);
    expect(clock.now()).toBeGreaterThanOrEqual(until);
    await clock.sleepUntil(0, signal);
  });

  test("wakes with the signal's reason, before or during the sleep, however long it was to be", async () => {
    const stop = new AbortController();
    const reason = new Error("stop");
    const asleep = clock.sleepUntil(clock.now() + 1e12, stop.signal);
    stop.abort(reason);
    await expect(asleep).rejects.toBe(reason);
    await expect(clock.sleepUntil(0, stop.signal)).rejects.toBe(reason);
  });
});

describe("chance", () => {
  test("lies in [0, 1)", () => {
    const random = createRandom();
    for (let nth = 0; nth < 100; nth += 1) expect(Math.floor(random.next())).toBe(0);
  });
});
