import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { awaitingOf } from "../../src/domain/awaiting.ts";
import { effects } from "../../src/domain/effects.ts";
import type { Event, EventOf } from "../../src/domain/event.ts";
import { evolve, fold } from "../../src/domain/evolve.ts";
import { heldByOther } from "../../src/domain/holders.ts";
import type { Report } from "../../src/domain/report.ts";
import { settle } from "../../src/domain/settle.ts";
import { allDone, type Task } from "../../src/domain/task.ts";
import { epoch, given, taskId } from "../support/given.ts";
import {
  absent,
  asked,
  attemptFailed,
  change,
  changed,
  completed,
  created,
  delivered,
  executing,
  file,
  passed,
  planReady,
  replanning,
  retrying,
  spec,
  started,
  toolStarted,
  verdict,
} from "../support/happenings.ts";
import { Luck } from "./luck.ts";

const writes = (id: string, ...paths: string[]): EventOf<"tool_call_started"> => ({
  ...toolStarted(id),
  writes: paths,
});
const key = (id: string, leg = 1) => `work:${id}:1:${leg}`;
const needs = (id: string, path: string, turn = 3, leg = 1): Report => ({
  type: "NeedsLease",
  key: key(id, leg),
  path,
  turn,
});
const holderOf = (task: Task, path: string): string | null => heldByOther(task, "nobody", [path])?.holder ?? null;

const both = [executing("a", "b"), started("a"), started("b")];

describe("a path", () => {
  test("is held by the first subtask that sets out to change it", () => {
    const { task } = given(both, writes("a", "x"), writes("b", "x", "y"));
    expect([holderOf(task, "x"), holderOf(task, "y"), holderOf(task, "z")]).toEqual(["a", "b", null]);
  });

  test("is held by whoever's command changed it, as far as that can be told", () => {
    const made = [change("x", absent, file("a"))];
    const shared: Event = {
      type: "files_changed",
      subtask_id: "b",
      change_id: "chg_2",
      changes: made,
      shared_with: ["a"],
    };
    expect(holderOf(given(both, changed("b", "chg_1", ...made)).task, "x")).toBe("b");
    expect(holderOf(given(both, shared).task, "x")).toBeNull();
  });

  test("is nobody's that no subtask of the plan has changed", () => {
    expect(holderOf(given(both, writes("checks", "x")).task, "x")).toBeNull();
  });

  test.each<readonly [string, readonly Event[]]>([
    ["while it is verified", [delivered("a")]],
    ["while a person looks at it", [delivered("a"), passed("a"), asked("a", { kind: "subtask" })]],
    ["between two attempts", [attemptFailed("a"), retrying("a", 2)]],
  ])("stays with its holder %s", (_when, happened) => {
    expect(holderOf(given(both, writes("a", "x"), ...happened).task, "x")).toBe("a");
  });

  test.each<readonly [string, readonly Event[]]>([
    ["is completed", [delivered("a"), passed("a"), completed("a")]],
    ["has failed for good", [attemptFailed("a", { final: true })]],
    ["is skipped", [{ type: "subtask_skipped", subtask_id: "a", reason: "not wanted" }]],
    [
      "is begun anew by another plan",
      [
        attemptFailed("a"),
        retrying("a", 2),
        replanning(2),
        planReady([spec("a"), spec("b")], { version: 2, replanned: true }),
      ],
    ],
  ])("is free when its holder %s, or whoever changed it next has it", (_when, happened) => {
    const held = given(both, writes("a", "x", "y"), changed("b", "chg_1", change("y", absent, file("a"))));
    const { task } = held.and(...happened);
    expect([holderOf(task, "x"), holderOf(task, "y")]).toEqual([null, "b"]);
  });

  test("is free when the task has come to its end, also where that is tried again", () => {
    const cancelled = given(both, writes("a", "x")).requested({ type: "CancelTask", by: "ada" });
    const again = cancelled.requested({ type: "RetryTask", by: "ada" });
    expect(holderOf(again.and(started("a", 2)).task, "x")).toBeNull();
  });
});

describe("a call that would change a path which another subtask holds", () => {
  const starting = (id: string, ...paths: string[]): Report => ({
    type: "StepStarted",
    key: key(id),
    step: "turn-1-call-1",
    event: writes(id, ...paths),
    instructionSeqs: [],
  });

  test("does not start, also where both set out at the same moment", () => {
    const story = given(both).reported(starting("a", "x")).records({ type: "tool_call_started", subtask_id: "a" });
    story.reported(starting("b", "y", "x")).recordsNothing();
    story.reported(starting("a", "x")).records({ type: "tool_call_started", subtask_id: "a" });
    story.reported(starting("b", "y")).records({ type: "tool_call_started", subtask_id: "b" });
  });
});

describe("an attempt that ends for a path which another subtask holds", () => {
  const held = given(both, writes("a", "x"));
  const reason = '"x" is held by subtask "a" until that is verified';

  test("is parked, its slot is free, and it costs no retry", () => {
    const parked = held.reported(needs("b", "x"));
    parked
      .records({ type: "subtask_waiting", on: "lease", reason, lease: { path: "x", holder: "a", attempt: 1, turn: 3 } })
      .wants(key("a"))
      .viewIs({ status: "executing", awaiting: [{ kind: "lease", id: "b", reason }] })
      .subtaskIs("b", { status: "running", retry_count: 0 });
  });

  test("goes on in the next leg as soon as the holder is verified, and then holds the path itself", () => {
    const on = held
      .reported(needs("b", "x"))
      .and(delivered("a"), { type: "verification_started", subtask_id: "a", attempt: 1, try: 1, target_tier: 2 })
      .reported({ type: "Judged", key: "verify:a:1:1", verdict: verdict() });
    on.records({ type: "verification_passed" }, { type: "subtask_completed" }, { type: "wait_elapsed", what: "b" })
      .wants("extract:a", key("b", 2))
      .viewIs({ awaiting: [] })
      .subtaskIs("b", { status: "running", attempt: 1, retry_count: 0 });
    expect(on.task.subtasks.get("b")?.leaseWaits).toEqual([{ turn: 3, path: "x", holder: "a" }]);
    expect(holderOf(on.task, "x")).toBe("b");
  });

  test("goes on at once where the path has become free in the meantime", () => {
    const done = held.and(delivered("a"), passed("a"), completed("a")).reported(needs("b", "x"));
    done.records({ type: "subtask_waiting", lease: { path: "x" } }, { type: "wait_elapsed", what: "b" });
    expect(done.task.subtasks.get("b")?.leaseWaits).toEqual([{ turn: 3, path: "x", holder: null }]);
  });

  test("waits on where the holder only fails an attempt, and goes on where that was its last", () => {
    const parked = held.reported(needs("b", "x"));
    parked.and(attemptFailed("a"), retrying("a", 2)).viewIs({ awaiting: [{ kind: "lease" }] });
    const failed: Report = { type: "Failed", key: key("a"), class: "blocked", feedback: "no" };
    const again = parked.reported(failed).and(started("a", 2));
    const last = again.reported({ ...failed, key: "work:a:2:1" });
    expect(last.task.subtasks.get("b")).toMatchObject({ status: { kind: "queued" }, leg: 2 });
  });

  test("is told of its waits no more in the next attempt", () => {
    const { task } = held.reported(needs("b", "x")).and(started("b", 2));
    expect(task.subtasks.get("b")?.leaseWaits).toEqual([]);
  });

  test("is given the path one at a time, in plan order", () => {
    const three = given(executing("a", "b", "c"), started("a"), started("b"), started("c"), writes("a", "x"));
    const parked = three.reported(needs("c", "x")).reported(needs("b", "x"));
    const freed = parked
      .requested({ type: "PauseTask", by: "ada" })
      .and(completed("a"))
      .reported({ type: "Recovered", stepsInFlight: [] });
    expect(awaitingOf(freed.task)).toMatchObject([
      { kind: "resume" },
      { kind: "lease", id: "c", reason: '"x" is held by subtask "b" until that is verified' },
    ]);
  });

  test("ends with the task when that is cancelled", () => {
    held
      .reported(needs("b", "x"))
      .requested({ type: "CancelTask", by: "ada" })
      .records(
        { type: "task_cancel_requested" },
        { type: "subtask_skipped", subtask_id: "a" },
        { type: "subtask_skipped", subtask_id: "b" },
        { type: "task_cancelled" },
      )
      .wants()
      .viewIs({ awaiting: [] });
  });

  test("does not go on because of an approval that is named as the path", () => {
    const parked = held.reported(needs("b", "x"));
    const { task } = parked.and({
      type: "approval_received",
      subtask_id: "b",
      approval_id: "x",
      approved: true,
      by: "ada",
    });
    expect(task.subtasks.get("b")?.status).toMatchObject({ kind: "parked", on: "lease" });
  });
});

describe("subtasks that would wait for each other in a circle", () => {
  const crossed = given(both, writes("a", "x"), writes("b", "y"));

  test("do not: the one that comes last in the plan lets go of all that it holds, and waits", () => {
    const story = crossed.reported(needs("a", "y")).reported(needs("b", "x"));
    story
      .records(
        { type: "subtask_waiting", subtask_id: "b", lease: { path: "x", holder: "a", let_go: "b" } },
        { type: "wait_elapsed", what: "a" },
      )
      .wants(key("a", 2))
      .viewIs({ awaiting: [{ kind: "lease", id: "b" }] });
    expect([holderOf(story.task, "x"), holderOf(story.task, "y")]).toEqual(["a", "a"]);
  });

  test("do not, also where it is parked already: the one that comes first goes on at once", () => {
    crossed
      .reported(needs("b", "x"))
      .reported(needs("a", "y"))
      .records(
        { type: "subtask_waiting", subtask_id: "a", lease: { path: "y", holder: "b", let_go: "b" } },
        { type: "wait_elapsed", what: "a" },
      )
      .wants(key("a", 2));
  });

  test("do not, also over a third", () => {
    const three = given(
      executing("a", "b", "c"),
      ["a", "b", "c"].map((id) => started(id)),
      writes("a", "x"),
      writes("b", "y"),
      writes("c", "z"),
    );
    three
      .reported(needs("a", "y"))
      .reported(needs("b", "z"))
      .reported(needs("c", "x"))
      .records({ type: "subtask_waiting", lease: { let_go: "c" } }, { type: "wait_elapsed", what: "b" })
      .wants(key("b", 2));
  });

  test("are told from a circle of others: a log that holds one lets nobody go in vain", () => {
    const park = (id: string, path: string, holder: string): Event => ({
      type: "subtask_waiting",
      subtask_id: id,
      on: "lease",
      reason: "",
      lease: { path, holder, attempt: 1, turn: 1 },
    });
    const { task } = given(
      executing("a", "b", "c"),
      ["a", "b", "c"].map((id) => started(id)),
      writes("a", "x"),
      writes("b", "y"),
      park("a", "y", "b"),
      park("b", "x", "a"),
    );
    const [waiting] = settle(
      task,
      { type: "NeedsLease", key: key("c"), path: "x", turn: 1 },
      { now: epoch, inFlight: 0 },
    );
    expect(waiting).toMatchObject({ lease: { holder: "a" } });
    expect(waiting).not.toHaveProperty("lease.let_go");
  });
});

describe("an output that two subtasks name", () => {
  const parts = [spec("a", { expected_outputs: ["out.txt"] }), spec("b", { expected_outputs: ["./d/../out.txt"] })];

  test("is worked on by one after the other, also between two attempts of the first", () => {
    const retry = given(executing(...parts.toReversed()), started("b"), attemptFailed("b"), retrying("b", 2));
    retry.wants("work:b:2:1");
    given(executing(...parts), started("b"), attemptFailed("b"), retrying("b", 2)).wants("work:b:2:1");
  });
});

describe("a log of older days", () => {
  test("may hold a wait for a model without a time: it is over at once", () => {
    const waiting: Event = { type: "subtask_waiting", subtask_id: "a", on: "model", reason: "down" };
    expect(given(both, waiting).task.subtasks.get("a")?.status).toMatchObject({ kind: "backoff", until: epoch + 6000 });
    const planless: Event = { ...waiting, subtask_id: "plan" };
    expect(given({ type: "task_planning", goal: "g", version: 1, call: 1 }, planless).task.planning?.wait?.until).toBe(
      epoch + 2000,
    );
  });
});

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
