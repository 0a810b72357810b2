/** Fair slots: who gets the next one, and that none is ever lost. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Limiter, type Slot } from "../../src/lib/limiter.ts";

const priorities = ["work", "verify", "plan", "extract"] as const;
type Priority = (typeof priorities)[number];
const never = new AbortController().signal;

/** Holds the one slot, queues `wants`, then passes the slot on and tells who got it, in order. */
async function served(wants: readonly (readonly [Priority, string, string])[]): Promise<string[]> {
  const limiter = new Limiter(1, priorities);
  const first = await limiter.acquire({ priority: "work", group: "holder" }, never);
  const order: string[] = [];
  const all = wants.map(async ([priority, group, name]) => {
    using _slot = await limiter.acquire({ priority, group }, never);
    order.push(name);
  });
  first.release();
  await Promise.all(all);
  return order;
}

describe("a limiter whose slots are all taken", () => {
  test("serves the more urgent class first, whoever came first", async () => {
    const order = await served([
      ["extract", "a", "e"],
      ["plan", "a", "p"],
      ["verify", "a", "v"],
      ["work", "a", "w"],
    ]);
    expect(order).toEqual(["w", "v", "p", "e"]);
  });

  test("takes turns between groups of one class", async () => {
    const order = await served([
      ["work", "a", "a1"],
      ["work", "a", "a2"],
      ["work", "a", "a3"],
      ["work", "b", "b1"],
      ["work", "b", "b2"],
    ]);
    expect(order).toEqual(["a1", "b1", "a2", "b2", "a3"]);
  });

  test("forgets a waiter whose signal fires, and gives its slot to the next", async () => {
    const limiter = new Limiter(1, priorities);
    const held = await limiter.acquire({ priority: "work", group: "a" }, never);
    const leaving = new AbortController();
    const left = limiter.acquire({ priority: "work", group: "b" }, leaving.signal);
    const stays = limiter.acquire({ priority: "work", group: "b" }, never);
    expect(limiter.waiting).toBe(2);
    leaving.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    expect(limiter.waiting).toBe(1);
    held.release();
    (await stays).release();
    expect([limiter.free, limiter.waiting]).toEqual([1, 0]);
  });

  test("is not disturbed by a signal that fires after the slot was given", async () => {
    const limiter = new Limiter(1, priorities);
    const held = await limiter.acquire({ priority: "work", group: "a" }, never);
    const late = new AbortController();
    const waiting = limiter.acquire({ priority: "work", group: "b" }, late.signal);
    held.release();
    const slot = await waiting;
    late.abort();
    expect(limiter.free).toBe(0);
    slot.release();
    expect(limiter.free).toBe(1);
  });
});

describe("a limiter with free slots", () => {
  test("gives one at once, and a release twice frees one", async () => {
    const limiter = new Limiter(2, priorities);
    const slot = await limiter.acquire({ priority: "plan", group: "a" }, never);
    expect(limiter.free).toBe(1);
    slot.release();
    slot.release();
    expect(limiter.free).toBe(2);
  });

  test("gives none to who has already left", async () => {
    const limiter = new Limiter(1, priorities);
    const gone = AbortSignal.abort(new Error("gone"));
    await expect(limiter.acquire({ priority: "work", group: "a" }, gone)).rejects.toThrow("gone");
    expect(limiter.free).toBe(1);
  });

  test.each([0, -1, 1.5, Number.NaN])("cannot be made with %d slots", (slots) => {
    expect(() => new Limiter(slots, priorities)).toThrow("at least one slot");
  });
});

describe("any sequence of takers, leavers and releases", () => {
  const step = fc.record({
    act: fc.constantFrom("take", "leave", "release"),
    priority: fc.constantFrom(...priorities),
    group: fc.constantFrom("a", "b", "c"),
  });

  test("never holds more than the slots there are, and loses none", () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60 }), async (slots, steps) => {
        const crowd = new Crowd(slots);
        for (const one of steps) {
          crowd.act(one);
          await Promise.resolve();
          expect(crowd.held.length + crowd.limiter.free).toBeLessThanOrEqual(slots);
          expect(crowd.limiter.free === 0 || crowd.limiter.waiting === 0).toBe(true);
        }
        await crowd.goHome();
        expect([crowd.limiter.free, crowd.limiter.waiting]).toEqual([slots, 0]);
      }),
    ));
});

class Crowd {
  readonly limiter: Limiter<Priority>;
  readonly held: Slot[] = [];
  readonly #waiting: { readonly leave: AbortController; readonly settled: Promise<void> }[] = [];

  constructor(slots: number) {
    this.limiter = new Limiter(slots, priorities);
  }

  act({ act, priority, group }: { act: string; priority: Priority; group: string }): void {
    if (act === "leave") this.#waiting.shift()?.leave.abort();
    if (act === "release") this.held.shift()?.release();
    if (act !== "take") return;
    const leave = new AbortController();
    const settled = this.limiter.acquire({ priority, group }, leave.signal).then(
      (slot) => void this.held.push(slot),
      () => undefined,
    );
    this.#waiting.push({ leave, settled });
  }

  /** Gives back what is held until all who waited were served. */
  async goHome(): Promise<void> {
    let left = this.#waiting.length;
    for (const { settled } of this.#waiting) void settled.then(() => (left -= 1));
    while (left > 0 || this.held.length > 0) {
      this.held.shift()?.release();
      await Promise.resolve();
    }
  }
}
