import { describe, expect, test } from "vitest";
import { awaitingOf } from "../../src/domain/awaiting.ts";
import type { Event, EventOf } from "../../src/domain/event.ts";
import { heldByOther } from "../../src/domain/holders.ts";
import type { Report } from "../../src/domain/report.ts";
import { settle } from "../../src/domain/settle.ts";
import type { Task } from "../../src/domain/task.ts";
import { epoch, given } from "../support/given.ts";
import {
  absent,
  asked,
  attemptFailed,
  change,
  changed,
  completed,
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
