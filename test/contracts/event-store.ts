/**
 * What every event store must do, whatever keeps its rows: appends, logs, blobs and listeners. Lists and steps
 * stand beside. Long because it is the suite of one port.
 */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Event } from "../../src/domain/event.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { batch, blob, delivery, key, notes, numbered, startedAt, step } from "./batches.ts";
import type { OpenedStorage, OpenStorage } from "./opened-storage.ts";

const dayMs = 24 * 60 * 60 * 1000;
const everything = { after: 0, limit: 1000 };

export function eventStoreContract(open: OpenStorage): void {
  let opened: OpenedStorage;
  let store: Storage;
  beforeEach(() => {
    opened = open();
    store = opened.storage;
  });
  afterEach(() => opened[Symbol.dispose]());

  const appended = async (...[parts]: Parameters<typeof batch>): Promise<void> => {
    expect(await store.append(batch(parts))).toEqual({ kind: "appended" });
  };
  const reasons = async (taskId: string, range = everything): Promise<string[]> =>
    (await store.read(taskId, range)).map((event) => ("reason" in event ? String(event.reason) : event.type));

  describe("a store without tasks", () => {
    test("has no rows, events, steps, keys or blobs, and counts from 0", async () => {
      expect(await store.row("task_a")).toBeNull();
      expect(await store.rows({ limit: 10 })).toEqual([]);
      expect(await store.openTasks()).toEqual([]);
      expect(await store.read("task_a", everything)).toEqual([]);
      expect(await store.readAll(everything)).toEqual([]);
      expect(await store.lastGlobal()).toBe(0);
      expect(await store.steps("task_a", "work:a:1")).toEqual([]);
      expect(await store.scopes("task_a", "")).toEqual([]);
      expect(await store.idempotency("k")).toBeNull();
      expect(await store.get(blob("x").digest)).toBeNull();
    });
  });

  describe("an append", () => {
    test("is read back as it was written, with its row", async () => {
      const events: Event[] = [
        {
          type: "feedback_received",
          rating: 4,
          comment: 'quotes " and \\ and \u2028 and 😀 and \u0000',
          source: "api",
        },
        {
          type: "memory_recorded",
          subtask_id: "a",
          entry_type: "decision",
          summary: "s",
          detail: "",
          tags: [],
          relevance_to: ["b"],
        },
      ];
      await appended({ taskId: "task_a", events, row: { status: "planning" } });
      expect(await store.read("task_a", everything)).toEqual(events.map((event, index) => numbered(event, index + 1)));
      expect(await store.row("task_a")).toEqual({
        taskId: "task_a",
        goal: "the goal of task_a",
        status: "planning",
        workspace: "/workspace",
        open: true,
        createdAt: startedAt,
        updatedAt: startedAt + 2,
        lastSeq: 2,
      });
    });

    test("follows the events that its writer has seen", async () => {
      await appended({ taskId: "task_a", events: notes(2) });
      await appended({ taskId: "task_a", after: 2, events: notes(1, 3), row: { status: "completed", open: false } });
      expect(await reasons("task_a")).toEqual(["note 1", "note 2", "note 3"]);
      expect(await store.row("task_a")).toMatchObject({
        status: "completed",
        open: false,
        lastSeq: 3,
        updatedAt: startedAt + 3,
      });
    });

    test("changes what lists see of its task", async () => {
      await appended({ taskId: "task_a", events: notes(1), row: { status: "planning" } });
      await appended({ taskId: "task_a", after: 1, events: notes(1), row: { status: "executing" } });
      expect(await store.rows({ limit: 10, status: "planning" })).toEqual([]);
      expect(await store.rows({ limit: 10, status: "executing" })).toHaveLength(1);
    });

    test("may write steps and the row without an event", async () => {
      await appended({ taskId: "task_a", events: notes(1) });
      await appended({ taskId: "task_a", after: 1, steps: [step("turn-1")], row: { updatedAt: startedAt + 99 } });
      expect(await store.row("task_a")).toMatchObject({ lastSeq: 1, updatedAt: startedAt + 99 });
      expect(await store.steps("task_a", "work:a:1")).toHaveLength(1);
    });

    test("of numbers that do not follow each other is a bug, and keeps nothing", async () => {
      const good = batch({ taskId: "task_a", events: notes(2) });
      const gap = { ...good, events: [numbered({ type: "task_paused", reason: "x" }, 2)] };
      await expect(store.append(gap)).rejects.toThrow("has seq 2, expected 1");
      await expect(store.append({ ...good, projection: { ...good.projection, lastSeq: 1 } })).rejects.toThrow(
        "The projection of task_a at seq 2 is one of task_a at seq 1",
      );
      await expect(
        store.append(batch({ taskId: "task_a", blobs: [{ ...blob("x"), digest: "../x" }] })),
      ).rejects.toThrow('named "../x"');
      expect(await store.row("task_a")).toBeNull();
      expect(await store.lastGlobal()).toBe(0);
    });
  });

  describe("a writer that has not seen the newest event", () => {
    test("is told where the log stands, and nothing of its append is kept", async () => {
      await appended({ taskId: "task_a", events: notes(2) });
      const late = batch({
        taskId: "task_a",
        after: 1,
        events: notes(2, 8),
        row: { status: "failed" },
        steps: [step("late")],
        blobs: [blob("late")],
        outbox: [delivery("late")],
        idempotency: key("late"),
      });
      expect(await store.append(late)).toEqual({ kind: "conflict", seq: 2 });
      expect(await reasons("task_a")).toEqual(["note 1", "note 2"]);
      expect(await store.row("task_a")).toMatchObject({ status: "executing", lastSeq: 2 });
      expect(await store.steps("task_a", "work:a:1")).toEqual([]);
      expect(await store.get(blob("late").digest)).toBeNull();
      expect(await store.due(startedAt, 10)).toEqual([]);
      expect(await store.idempotency("late")).toBeNull();
    });

    test("is told so when the task exists already, or does not yet", async () => {
      expect(await store.append(batch({ taskId: "task_a", after: 3, events: notes(1) }))).toEqual({
        kind: "conflict",
        seq: 0,
      });
      await appended({ taskId: "task_a", events: notes(1) });
      expect(await store.append(batch({ taskId: "task_a", events: notes(1) }))).toEqual({ kind: "conflict", seq: 1 });
    });
  });

  describe("appends made in one turn", () => {
    test("each have a fate of their own", async () => {
      await appended({ taskId: "task_a", events: notes(1), idempotency: key("taken") });
      const good = batch({ taskId: "task_b", events: notes(1) });
      const fates = await Promise.allSettled([
        store.append(good),
        store.append(batch({ taskId: "task_a", events: notes(1) })),
        store.append(batch({ taskId: "task_c", events: notes(1), idempotency: key("taken") })),
        store.append({ ...good, taskId: "task_d" }),
        store.append(batch({ taskId: "task_e", events: notes(1) })),
      ]);
      expect(fates.map((fate) => (fate.status === "fulfilled" ? fate.value.kind : fate.status))).toEqual([
        "appended",
        "conflict",
        "duplicate",
        "rejected",
        "appended",
      ]);
      expect((await store.rows({ limit: 10 })).map(({ taskId }) => taskId)).toEqual(["task_e", "task_b", "task_a"]);
    });

    test("of one task take effect in their order, also when an earlier one has more to write", async () => {
      const large = blob(new Uint8Array(300_000).fill(7));
      const fates = await Promise.all([
        store.append(batch({ taskId: "task_a", events: notes(1), blobs: [large] })),
        store.append(batch({ taskId: "task_a", after: 1, events: notes(1, 2) })),
        store.append(batch({ taskId: "task_a", after: 2, events: notes(1, 3), blobs: [large] })),
        store.append(batch({ taskId: "task_a", after: 3, events: notes(1, 4) })),
      ]);
      expect(fates).toEqual(Array.from({ length: 4 }, () => ({ kind: "appended" })));
      expect(await reasons("task_a")).toEqual(["note 1", "note 2", "note 3", "note 4"]);
    });

    test("with the same new key are one append and duplicates", async () => {
      const racers = ["a", "b", "c"].map((name) =>
        store.append(
          batch({ taskId: `task_${name}`, events: notes(1), idempotency: key("k", { body: { winner: name } }) }),
        ),
      );
      const row = key("k", { body: { winner: "a" } });
      expect(await Promise.all(racers)).toEqual([
        { kind: "appended" },
        { kind: "duplicate", row },
        { kind: "duplicate", row },
      ]);
      expect(await store.rows({ limit: 10 })).toHaveLength(1);
    });
  });

  describe("an idempotency key", () => {
    test("is found with what it answered, and blocks another append for a day", async () => {
      const row = key("k", { fingerprint: "f2", body: { task_id: "task_a", list: [1, null, "x"] } });
      await appended({ taskId: "task_a", events: notes(1), idempotency: row });
      opened.setNow(startedAt + dayMs - 1);
      expect(await store.idempotency("k")).toEqual(row);
      const again = batch({
        taskId: "task_b",
        events: notes(1),
        idempotency: key("k", { createdAt: startedAt + dayMs - 1 }),
      });
      expect(await store.append(again)).toEqual({ kind: "duplicate", row });
      expect(await store.row("task_b")).toBeNull();
    });

    test("is told before a conflict: a repeated request gets its answer", async () => {
      const request = batch({ taskId: "task_a", events: notes(1), idempotency: key("k") });
      expect(await store.append(request)).toEqual({ kind: "appended" });
      expect(await store.append(request)).toEqual({ kind: "duplicate", row: key("k") });
    });

    test("is forgotten and free again after a day", async () => {
      await appended({ taskId: "task_a", events: notes(1), idempotency: key("k") });
      opened.setNow(startedAt + dayMs);
      expect(await store.idempotency("k")).toBeNull();
      const next = key("k", { fingerprint: "f9", createdAt: startedAt + dayMs });
      await appended({ taskId: "task_b", events: notes(1), idempotency: next });
      expect(await store.idempotency("k")).toEqual(next);
    });
  });

  describe("a log", () => {
    test("is read in pages, after a seq, ascending", async () => {
      await appended({ taskId: "task_a", events: notes(5) });
      await appended({ taskId: "task_b", events: notes(2, 100) });
      await appended({ taskId: "task_a", after: 5, events: notes(2, 6) });
      expect(await reasons("task_a", { after: 0, limit: 3 })).toEqual(["note 1", "note 2", "note 3"]);
      expect(await reasons("task_a", { after: 3, limit: 3 })).toEqual(["note 4", "note 5", "note 6"]);
      expect(await reasons("task_a", { after: 7, limit: 3 })).toEqual([]);
    });

    test("has its place in the numbering over all tasks, which grows with each event", async () => {
      await Promise.all(["a", "b"].map((name) => store.append(batch({ taskId: `task_${name}`, events: notes(2) }))));
      await store.append(batch({ taskId: "task_a", events: notes(1) }));
      await appended({ taskId: "task_a", after: 2, events: notes(1, 3) });
      const all = await store.readAll(everything);
      expect(all.map(({ taskId, event }) => [taskId, event.seq])).toEqual([
        ["task_a", 1],
        ["task_a", 2],
        ["task_b", 1],
        ["task_b", 2],
        ["task_a", 3],
      ]);
      const numbers = all.map(({ g }) => g);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      expect(await store.lastGlobal()).toBe(numbers.at(-1));
      expect(await store.readAll({ after: numbers[1] ?? 0, limit: 2 })).toEqual(all.slice(2, 4));
    });

    test("is gapless from 1, and its row stands at its end, whoever writes and however they interleave", async () => {
      const attempts = fc.array(
        fc.record({ task: fc.constantFrom("task_x", "task_y"), count: fc.nat(3), stale: fc.nat(3), pause: fc.nat(2) }),
        { minLength: 1, maxLength: 12 },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(attempts, { minLength: 1, maxLength: 4 }), async (writers) => {
          using fresh = open();
          const { storage } = fresh;
          const heads = new Map<string, number>();
          const write = async (todo: readonly Attempt[]): Promise<void> => {
            for (const attempt of todo) {
              const head = await tryAppend(storage, attempt);
              if (head !== null) heads.set(attempt.task, head);
            }
          };
          await Promise.all(writers.map(write));
          for (const [task, head] of heads) {
            const log = await storage.read(task, everything);
            expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
            expect((await storage.row(task))?.lastSeq).toBe(log.length);
            expect(log.length).toBeGreaterThanOrEqual(head);
          }
        }),
        { numRuns: 25 },
      );
    });
  });

  describe("a blob", () => {
    test.each([0, 1, 65_535, 65_536, 1_000_000])("of %d bytes is read by its digest", async (size) => {
      const kept = blob(Uint8Array.from({ length: size }, (_, index) => (index * 31) % 256));
      await appended({ taskId: "task_a", blobs: [kept] });
      await appended({ taskId: "task_b", blobs: [kept] });
      expect(await store.get(kept.digest)).toEqual(kept.bytes);
    });

    test("is not found by what is no digest", async () => {
      for (const name of ["", "sha256:", "sha256:../../etc/passwd", `sha256:${"A".repeat(64)}`])
        expect(await store.get(name)).toBeNull();
    });
  });

  describe("who listens for commits", () => {
    test("hears of each commit which tasks it touched, once it can be read, until the subscription ends", async () => {
      const heard: string[][] = [];
      const readable: Promise<unknown>[] = [];
      const end = store.onCommit((taskIds) => {
        heard.push([...taskIds].sort());
        readable.push(...taskIds.map((taskId) => store.row(taskId)));
      });
      await Promise.all(
        ["a", "b", "a"].map((name, n) =>
          store.append(batch({ taskId: `task_${name}`, after: n >> 1, events: notes(1) })),
        ),
      );
      expect(heard.flat().sort()).toEqual(expect.arrayContaining(["task_a", "task_b"]));
      expect(await Promise.all(readable)).not.toContain(null);
      const count = heard.length;
      await store.append(batch({ taskId: "task_a", events: notes(1) }));
      expect(heard).toHaveLength(count);
      end();
      end();
      await appended({ taskId: "task_c", events: notes(1) });
      expect(heard).toHaveLength(count);
    });

    test("cannot harm the commit, nor who else listens", async () => {
      const heard: unknown[] = [];
      using ends = new DisposableStack();
      const listener = (taskIds: readonly string[]): void => {
        heard.push(taskIds);
        throw new Error("listener");
      };
      ends.defer(store.onCommit(listener));
      ends.defer(store.onCommit(listener));
      await appended({ taskId: "task_a", events: notes(1) });
      expect(heard).toEqual([["task_a"], ["task_a"]]);
    });
  });
}

interface Attempt {
  readonly task: string;
  readonly count: number;
  readonly stale: number;
  readonly pause: number;
}

/** Reads where the log stands, dawdles, and appends. @returns where the log stands now, or null after a conflict */
async function tryAppend(storage: Storage, { task, count, stale, pause }: Attempt): Promise<number | null> {
  const seen = (await storage.row(task))?.lastSeq ?? 0;
  const after = Math.max(0, seen - (stale === 3 ? 1 : 0));
  for (let turn = 0; turn < pause; turn += 1) await Promise.resolve();
  const result = await storage.append(batch({ taskId: task, after, events: notes(count, after + 1) }));
  return result.kind === "appended" ? after + count : null;
}
