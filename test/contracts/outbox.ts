/** What every outbox must do: rows come with an append, fall due, and are settled. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { batch, delivery, notes, startedAt } from "./batches.ts";
import type { OpenedStorage, OpenStorage } from "./opened-storage.ts";

export function outboxContract(open: OpenStorage): void {
  let opened: OpenedStorage;
  beforeEach(() => {
    opened = open();
  });
  afterEach(() => opened[Symbol.dispose]());

  const owe = async (...outbox: ReturnType<typeof delivery>[]): Promise<void> => {
    const after = (await opened.storage.row("task_a"))?.lastSeq ?? 0;
    const result = await opened.storage.append(batch({ taskId: "task_a", after, events: notes(1), outbox }));
    expect(result).toEqual({ kind: "appended" });
  };
  const dueIds = async (now: number, limit = 10): Promise<string[]> =>
    (await opened.storage.due(now, limit)).map(({ deliveryId }) => deliveryId);

  describe("an outbox", () => {
    test("owes nothing at first", async () => {
      expect(await opened.storage.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
      expect(await opened.storage.nextDue()).toBeNull();
    });

    test("calls back after commits that wrote deliveries, and after no others", async () => {
      let told = 0;
      const end = opened.storage.onOwed(() => {
        told += 1;
      });
      await owe(delivery("d1"));
      expect(told).toBe(1);
      await owe();
      expect(told).toBe(1);
      end();
      await owe(delivery("d2"));
      expect(told).toBe(1);
    });

    test("hands out what is due, oldest first, with all that was written", async () => {
      await owe(delivery("d2", { dueAt: startedAt + 2 }), delivery("d1", { dueAt: startedAt + 1 }));
      await owe(delivery("d3", { dueAt: startedAt + 1 }), delivery("d4", { dueAt: startedAt + 9 }));
      expect(await dueIds(startedAt)).toEqual([]);
      expect(await dueIds(startedAt + 2)).toEqual(["d1", "d3", "d2"]);
      expect(await dueIds(startedAt + 2, 2)).toEqual(["d1", "d3"]);
      expect(await opened.storage.nextDue()).toBe(startedAt + 1);
      expect((await opened.storage.due(startedAt + 1, 1))[0]).toEqual({
        ...delivery("d1", { dueAt: startedAt + 1 }),
        status: "pending",
        attempts: 0,
        lastError: null,
      });
    });

    test("counts attempts and remembers why they failed", async () => {
      await owe(delivery("d1"));
      await opened.storage.settle("d1", { status: "pending", dueAt: startedAt + 5000, error: "answered 500" });
      await opened.storage.settle("d1", { status: "pending", dueAt: startedAt + 6000, error: "answered 502" });
      expect(await dueIds(startedAt + 5999)).toEqual([]);
      expect(await opened.storage.nextDue()).toBe(startedAt + 6000);
      const [due] = await opened.storage.due(startedAt + 6000, 10);
      expect(due).toMatchObject({ attempts: 2, lastError: "answered 502", dueAt: startedAt + 6000 });
    });

    test.each(["delivered", "failed"] as const)("owes no more what was %s", async (status) => {
      await owe(delivery("d1"), delivery("d2", { dueAt: startedAt + 7 }));
      await opened.storage.settle("d1", { status, dueAt: startedAt, error: null });
      expect(await dueIds(startedAt + 7)).toEqual(["d2"]);
      expect(await opened.storage.nextDue()).toBe(startedAt + 7);
    });

    test("takes a delivery once, and does not mind one it never had", async () => {
      await owe(delivery("d1"));
      await expect(owe(delivery("d1"))).rejects.toThrow(/outbox|UNIQUE/);
      expect((await opened.storage.row("task_a"))?.lastSeq).toBe(1);
      await opened.storage.settle("other", { status: "failed", dueAt: startedAt, error: "x" });
      expect(await dueIds(startedAt)).toEqual(["d1"]);
    });
  });
}
