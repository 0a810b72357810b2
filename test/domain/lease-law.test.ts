import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { effects } from "../../src/domain/effects.ts";
import type { Event } from "../../src/domain/event.ts";
import { evolve, fold } from "../../src/domain/evolve.ts";
import { heldByOther } from "../../src/domain/holders.ts";
import type { Report } from "../../src/domain/report.ts";
import { settle } from "../../src/domain/settle.ts";
import { allDone, type Task } from "../../src/domain/task.ts";
import { epoch, taskId } from "../support/given.ts";
import { created, executing, started, toolStarted, verdict } from "../support/happenings.ts";
import { Luck } from "./luck.ts";

const holderOf = (task: Task, path: string): string | null => heldByOther(task, "nobody", [path])?.holder ?? null;

const ids = ["a", "b", "c", "d"] as const;
const paths = ["p", "q", "r", "s", "t"] as const;

/** Each wants to write some paths, in an order of its own, and has finished only when it has written them all. */
class Writers {
  readonly log: Event[] = [created(), ...executing(...ids), ...ids.map((id) => started(id))].flat();
  readonly #left: Map<string, string[]>;
  readonly #turns = new Map<string, number>();
  /** What each has written since it last let go. */
  readonly #written = new Map<string, Set<string>>(ids.map((id) => [id, new Set()]));
  readonly #luck: Luck;
  #task: Task;

  constructor(wanted: readonly (readonly string[])[], luck: Luck) {
    this.#luck = luck;
    this.#left = new Map(ids.map((id, at) => [id, [...(wanted[at] ?? [])]]));
    this.#task = fold(
      taskId,
      this.log.map((event, at) => ({ ...event, seq: at + 1, at: epoch })),
    );
  }

  get task(): Task {
    return this.#task;
  }

  /** One of those that can gets on by a step. @returns whether there was one */
  step(): boolean {
    const able = effects(this.#task).filter(({ kind }) => kind === "work");
    const effect = able[this.#luck.draw(Math.max(1, able.length))];
    if (effect?.kind !== "work") return false;
    const { key: at, subtaskId: id } = effect;
    const [path] = this.#left.get(id) ?? [];
    if (path === undefined) this.#report({ type: "Delivered", key: at, summary: "done", digest: "d" }, id);
    else this.#write(at, id, path);
    return true;
  }

  #write(at: string, id: string, path: string): void {
    const turn = (this.#turns.get(id) ?? 0) + 1;
    this.#turns.set(id, turn);
    const event = { ...toolStarted(id, `turn-${turn}-call-1`), writes: [path] };
    const before = this.log.length;
    this.#report({ type: "StepStarted", key: at, step: event.step, event, instructionSeqs: [] });
    if (this.log.length === before) {
      this.#report({ type: "NeedsLease", key: at, path, turn });
      return;
    }
    for (const [other, written] of this.#written) if (other !== id) expect([...written]).not.toContain(path);
    this.#written.get(id)?.add(path);
    this.#left.set(id, (this.#left.get(id) ?? []).slice(1));
  }

  /** What is delivered is verified at once. */
  #report(report: Report, delivers?: string): void {
    for (const event of settle(this.#task, report, { now: epoch, inFlight: 0 })) this.#say(event);
    if (delivers === undefined) return;
    const attempt = `verify:${delivers}:1:1`;
    for (const event of settle(
      this.#task,
      { type: "Judged", key: attempt, verdict: verdict() },
      { now: epoch, inFlight: 0 },
    ))
      this.#say(event);
  }

  #say(event: Event): void {
    this.log.push(event);
    this.#task = evolve(this.#task, { ...event, seq: this.#task.lastSeq + 1, at: epoch });
    if (event.type === "subtask_completed") this.#written.get(event.subtask_id)?.clear();
    if (event.type === "subtask_waiting" && event.lease?.let_go !== undefined)
      this.#written.get(event.lease.let_go)?.clear();
  }
}

describe("whatever paths subtasks want, in whatever order they get on,", () => {
  const anyWants = fc.array(fc.shuffledSubarray([...paths]), { minLength: ids.length, maxLength: ids.length });

  test("no path has two holders, none stays held, and all of them end without a retry", () =>
    fc.assert(
      fc.property(anyWants, fc.array(fc.nat(), { maxLength: 200 }), (wanted, numbers) => {
        const writers = new Writers(wanted, new Luck(numbers));
        let steps = 0;
        while (writers.step()) steps += 1;
        expect(allDone(writers.task)).toBe(true);
        expect(paths.map((path) => holderOf(writers.task, path))).toEqual(paths.map(() => null));
        expect(writers.log.some(({ type }) => type === "subtask_failed")).toBe(false);
        expect(steps).toBeLessThan(100);
        expect(
          fold(
            taskId,
            writers.log.map((event, at) => ({ ...event, seq: at + 1, at: epoch })),
          ),
        ).toEqual(writers.task);
      }),
      { numRuns: 400 },
    ));
});
