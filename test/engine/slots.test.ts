/** Slots and lanes: what starts now. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Effect, type EffectMode, type EffectWork, keyOf } from "../../src/domain/effect.ts";
import { holdsSlot, startable } from "../../src/engine/slots.ts";
import { unreachable } from "../../src/lib/result.ts";

function effect(work: EffectWork, mode: EffectMode = "run"): Effect {
  return { ...work, key: keyOf(work), mode };
}

const work = (subtaskId: string, attempt = 1) => effect({ kind: "work", subtaskId, attempt, leg: 1, tier: 1 });
const verify = (subtaskId: string) => effect({ kind: "verify", subtaskId, attempt: 1, try: 1, tier: 1 });
const revert = (subtaskId: string) => effect({ kind: "revert", subtaskId, attempt: 1 });
const undo = (k: number) => effect({ kind: "undo", k, scope: "task" });
const wait = (what: string) => effect({ kind: "wait", what, n: 1, until: 5 });
const flying = (running: Effect, stopping = false) => ({ effect: running, stopping });
const keys = (effects: readonly Effect[]) => effects.map(({ key }) => key);

describe("wanted effects", () => {
  test("start in their order, up to the slots", () => {
    expect(keys(startable([work("a"), work("b"), work("c")], [], 2))).toEqual(["work:a:1:1", "work:b:1:1"]);
  });

  test("start with verification first, since it frees a slot", () => {
    const wanted = [work("a"), work("b"), verify("c")];
    expect(keys(startable(wanted, [flying(work("d"))], 2))).toEqual(["verify:c:1:1"]);
  });

  test("take a freed slot in the order of the plan", () => {
    const wanted = [work("a"), work("b"), work("c")];
    expect(keys(startable(wanted, [flying(work("b"))], 2))).toEqual(["work:a:1:1"]);
  });

  test("need no slot for plans, extracts, answers and times", () => {
    const wanted = [
      effect({ kind: "plan", version: 2, call: 1 }),
      effect({ kind: "extract", subtaskId: "x" }),
      effect({ kind: "answer", call: 1 }),
      wait("a"),
      work("b"),
    ];
    expect(startable(wanted, [flying(work("a"))], 1)).toHaveLength(4);
  });

  test("do not start in mode yield", () => {
    expect(startable([{ ...work("a"), mode: "yield" }], [], 3)).toEqual([]);
  });
});

describe("a lane", () => {
  test("has no second effect while the first is in flight, though it was told to stop", () => {
    expect(startable([work("a", 2)], [flying(work("a", 1), true)], 3)).toEqual([]);
    expect(startable([revert("a")], [flying(verify("a"), true)], 3)).toEqual([]);
    const again = effect({ kind: "plan", version: 1, call: 2 });
    expect(startable([again], [flying(effect({ kind: "plan", version: 1, call: 1 }), true)], 3)).toEqual([]);
  });

  test("takes one undo after the other", () => {
    expect(keys(startable([undo(1), undo(2)], [], 3))).toEqual(["undo:1"]);
    expect(startable([undo(1), undo(2)], [flying(undo(1))], 3)).toEqual([]);
  });
});

describe("an undo", () => {
  test("waits until what was stopped has let go of the files", () => {
    expect(startable([undo(1)], [flying(work("a"), true)], 3)).toEqual([]);
    expect(keys(startable([undo(1)], [flying(wait("a"), true)], 3))).toEqual(["undo:1"]);
  });

  test("holds back new work on the files, and nothing else", () => {
    const wanted = [undo(1), work("a"), revert("b"), effect({ kind: "check", round: 1 }), verify("c")];
    expect(keys(startable(wanted, [], 9))).toEqual(["verify:c:1:1", "undo:1"]);
  });
});

const subtaskOf = (one: Effect) => ("subtaskId" in one ? one.subtaskId : "");

const anyEffect: fc.Arbitrary<Effect> = fc
  .record({
    kind: fc.constantFrom("work" as const, "verify", "revert", "extract", "plan", "wait"),
    id: fc.constantFrom("a", "b", "c", "d", "e"),
    attempt: fc.integer({ min: 1, max: 2 }),
    mode: fc.constantFrom<EffectMode>("run", "run", "run", "yield"),
  })
  .map(({ kind, id, attempt, mode }) => {
    switch (kind) {
      case "work":
        return effect({ kind, subtaskId: id, attempt, leg: 1, tier: 1 }, mode);
      case "verify":
        return effect({ kind, subtaskId: id, attempt, try: 1, tier: 1 }, mode);
      case "revert":
        return effect({ kind, subtaskId: id, attempt }, mode);
      case "extract":
        return effect({ kind, subtaskId: id }, mode);
      case "plan":
        return effect({ kind, version: attempt, call: 1 }, mode);
      case "wait":
        return effect({ kind, what: id, n: attempt, until: 9 }, mode);
      default:
        return unreachable(kind);
    }
  });

test("whatever is wanted and runs, slots are never overdrawn, left idle, or shared within a subtask", () => {
  const given = fc.record({
    wanted: fc.uniqueArray(anyEffect, { selector: ({ key }) => key }),
    running: fc.uniqueArray(anyEffect, { selector: ({ key }) => key, maxLength: 4 }),
    slotsMax: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(given, ({ wanted, running, slotsMax }) => {
      const flight = running.map((one) => flying(one));
      const starting = startable(wanted, flight, slotsMax);
      const held = running.filter(holdsSlot).length;
      const taken = starting.filter(holdsSlot).length;
      expect(taken).toBeLessThanOrEqual(Math.max(0, slotsMax - held));
      const holders = [...running, ...starting].filter(holdsSlot).map(subtaskOf);
      const crowded = starting
        .filter(holdsSlot)
        .map(subtaskOf)
        .filter((id) => holders.filter((other) => other === id).length > 1);
      expect(crowded).toEqual([]);
      // What is left over would fit nowhere: nothing to start again, unless every slot is taken.
      const left = startable(wanted, [...flight, ...starting.map((one) => flying(one))], slotsMax);
      expect(left).toEqual([]);
    }),
  );
});
