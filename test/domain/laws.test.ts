import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fold } from "../../src/domain/evolve.ts";
import { isClosed } from "../../src/domain/task.ts";
import { taskId } from "../support/given.ts";
import { frozen } from "./frozen.ts";
import { Life } from "./life.ts";
import { Luck } from "./luck.ts";

const anyLuck = fc.array(fc.nat(), { maxLength: 400 });

function lived(numbers: readonly number[], steps: number): Life {
  const life = new Life(new Luck(numbers));
  for (let step = 0; step < steps; step += 1) life.step();
  return life;
}

describe("a task, whatever its executors and its people do,", () => {
  test("always has work in flight or awaits something, wants nothing twice, and is what its log folds to", () =>
    // All but the last is held to at every step of a life; see Life.
    fc.assert(
      fc.property(anyLuck, (numbers) => {
        const { log, task } = lived(numbers, 120);
        expect(fold(taskId, log)).toEqual(task);
      }),
      { numRuns: 100 },
    ));

  test("ends after a bounded number of attempts, if its people answer", () =>
    fc.assert(
      fc.property(anyLuck, fc.nat(60), (numbers, steps) => {
        const life = lived(numbers, steps);
        const before = attemptsIn(life);
        for (let step = 0; step < 3000 && !isClosed(life.task); step += 1) {
          const attended = life.attend();
          expect(attended || life.getOn()).toBe(true);
        }
        expect(isClosed(life.task)).toBe(true);
        expect(attemptsIn(life) - before).toBeLessThanOrEqual(life.task.brief.rules.max_loop_iterations);
      }),
      { numRuns: 100 },
    ));
});

function attemptsIn(life: Life): number {
  return life.log.filter(({ type }) => type === "subtask_started").length;
}

describe("freezing", () => {
  test("holds for all that a value holds", () => {
    const value = frozen({ list: [1], map: new Map([["a", { b: 1 }]]), set: new Set([1]) });
    expect(() => value.list.push(2)).toThrow("not extensible");
    expect(() => value.map.set("b", { b: 2 })).toThrow("frozen");
    expect(() => value.set.add(2)).toThrow("frozen");
    expect(Object.isFrozen(value.map.get("a"))).toBe(true);
  });
});
