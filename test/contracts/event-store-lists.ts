/** What every event store must do, continued: the list of tasks, and the steps of their attempts. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Storage } from "../../src/storage/storage.ts";
import { batch, notes, startedAt, step } from "./batches.ts";
import type { OpenedStorage, OpenStorage } from "./opened-storage.ts";

export function eventStoreListsContract(open: OpenStorage): void {
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

  describe("the list of tasks", () => {
    beforeEach(async () => {
      for (const [name, age, status] of [
        ["a", 1, "completed"],
        ["b", 2, "executing"],
        ["c", 2, "completed"],
        ["d", 3, "executing"],
        ["e", 0, "executing"],
      ] as const) {
        const row = { createdAt: startedAt + age, status, open: status === "executing" };
        await appended({ taskId: `task_${name}`, events: notes(1), row });
      }
    });
    const names = (rows: readonly { readonly taskId: string }[]): string =>
      rows.map(({ taskId }) => taskId.at(-1)).join("");

    test("has the newest first, by id where they are of one time", async () => {
      expect(names(await store.rows({ limit: 10 }))).toBe("dcbae");
      expect(names(await store.rows({ limit: 2 }))).toBe("dc");
    });

    test("goes on after a task, none twice and none missing", async () => {
      const before = { createdAt: startedAt + 2, taskId: "task_c" };
      expect(names(await store.rows({ limit: 2, before }))).toBe("ba");
    });

    test("can be of one status", async () => {
      expect(names(await store.rows({ limit: 10, status: "executing" }))).toBe("dbe");
      const before = { createdAt: startedAt + 3, taskId: "task_d" };
      expect(names(await store.rows({ limit: 1, status: "executing", before }))).toBe("b");
      expect(await store.rows({ limit: 10, status: "cancelled" })).toEqual([]);
    });

    test("of those that are open has the oldest first, and follows them as they close", async () => {
      expect(names(await store.openTasks())).toBe("ebd");
      const row = { createdAt: startedAt + 2, status: "failed", open: false };
      await appended({ taskId: "task_b", after: 1, events: notes(1), row });
      expect(names(await store.openTasks())).toBe("ed");
      expect(names(await store.rows({ limit: 10, status: "failed" }))).toBe("b");
    });
  });

  describe("steps", () => {
    test("are read by scope, in the order of their first start, ended or not", async () => {
      await appended({
        taskId: "task_a",
        steps: [step("turn-2"), step("turn-1", { effectClass: "external", started: null })],
      });
      await appended({ taskId: "task_a", steps: [step("other", { scope: "work:b:1" })] });
      await appended({ taskId: "task_b", steps: [step("turn-9")] });
      await appended({ taskId: "task_a", steps: [step("turn-2", { ended: { result: null } })] });
      await appended({
        taskId: "task_a",
        steps: [step("turn-3"), step("turn-1", { effectClass: "external", started: [2] })],
      });
      expect(await store.steps("task_a", "work:a:1")).toEqual([
        step("turn-2", { ended: { result: null } }),
        step("turn-1", { effectClass: "external", started: [2] }),
        step("turn-3"),
      ]);
    });

    test("tell the scopes that begin with a prefix, literally, in the order of their first step", async () => {
      const scopes = ["work:a:2", "work:a:1", "work:ab:1", "work:a_:1", "plan:1", "work:a:1"];
      await appended({ taskId: "task_a", steps: scopes.map((scope, n) => step(`s${n}`, { scope })) });
      expect(await store.scopes("task_a", "work:a:")).toEqual(["work:a:2", "work:a:1"]);
      expect(await store.scopes("task_a", "work:a_")).toEqual(["work:a_:1"]);
      expect(await store.scopes("task_a", "")).toEqual(["work:a:2", "work:a:1", "work:ab:1", "work:a_:1", "plan:1"]);
      expect(await store.scopes("task_b", "")).toEqual([]);
    });
  });
}
