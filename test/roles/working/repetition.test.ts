/** When a loop goes in circles, and when it only looks like it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CallSeen, Repetition, repeatsToFail } from "../../../src/roles/working/repetition.ts";

const digest = (text: string) => text;
const read: CallSeen = { name: "read_file", arguments: { path: "a" }, result: "A", mayChange: false };
const failing: CallSeen = { name: "shell_execute", arguments: { command: "make" }, result: "Error", mayChange: true };
const edit = (n: number): CallSeen => ({ name: "edit_file", arguments: { n }, result: "done", mayChange: true });

function counts(...turns: readonly (readonly CallSeen[])[]): number[] {
  const repetition = new Repetition(digest);
  return turns.map((calls) => repetition.add(calls));
}

describe("the same call with the same result", () => {
  test("is counted from turn to turn, once in each", () => {
    expect(counts([read], [read, read, read], [read])).toEqual([1, 2, 3]);
  });

  test("is counted also when others that only look stand between", () => {
    const look = (n: number): CallSeen => ({ ...read, arguments: { path: `${n}` } });
    expect(counts([read], [look(1)], [read], [look(2), look(3)], [read])).toEqual([1, 1, 2, 1, 3]);
  });

  test("is counted in a circle of several calls, commands among them", () => {
    const circle = [[failing], [read], [failing], [read], [failing], [read]];
    expect(counts(...circle)).toEqual([1, 1, 2, 2, 3, 3]);
  });

  test("is no repetition after something was changed", () => {
    expect(counts([failing], [edit(1)], [failing], [edit(2)], [failing], [edit(3)], [failing])).toEqual([
      1, 1, 1, 1, 1, 1, 1,
    ]);
    expect(counts([failing], [edit(1), failing], [edit(2), failing])).toEqual([1, 1, 1]);
  });

  test("is another call when its arguments or its result differ", () => {
    expect(counts([read], [{ ...read, result: "B" }], [{ ...read, arguments: { path: "b" } }])).toEqual([1, 1, 1]);
  });

  test("names the tools that are stuck, until another call is made", () => {
    const repetition = new Repetition(digest);
    const stuck = [[read], [read, failing], [failing, read], [edit(1)], [read]].map((calls) => {
      repetition.add(calls);
      return repetition.stuck;
    });
    expect(stuck).toEqual([[], [], ["shell_execute"], [], []]);
  });

  test("of a turn without calls is nothing", () => expect(counts([])).toEqual([0]));
});

const anyCall = fc.record({
  name: fc.constantFrom("read_file", "shell_execute"),
  arguments: fc.record({ path: fc.constantFrom("a", "b", "c") }),
  result: fc.constantFrom("A", "B"),
  mayChange: fc.boolean(),
});

test("a loop that repeats itself for ever is found out, whatever it did before", () =>
  fc.assert(
    fc.property(
      fc.array(fc.array(anyCall, { maxLength: 4 }), { maxLength: 20 }),
      fc.array(fc.array(anyCall, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
      (before, circle) => {
        const rounds = Array.from({ length: 2 * repeatsToFail }, () => circle).flat();
        expect(Math.max(...counts(...before, ...rounds))).toBeGreaterThanOrEqual(repeatsToFail);
      },
    ),
  ));

test("calls that always change something new are never taken for a circle", () =>
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (looks) => {
      const turns = looks.map((isLook, n) => (isLook ? [edit(n), read] : [edit(n)]));
      expect(Math.max(0, ...counts(...turns))).toBeLessThanOrEqual(1);
    }),
  ));
