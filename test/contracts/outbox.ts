/** What every outbox must do: rows come with an append, fall due, and are settled. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { historyMax, type Outbox } from "../../src/ports/outbox.ts";
import { answered, batch, delivery, key, notes, startedAt } from "./batches.ts";
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
  const listed = async (query: Partial<Parameters<Outbox["deliveries"]>[0]> = {}): Promise<string[]> =>
    (await opened.storage.deliveries({ limit: 10, ...query })).map(({ deliveryId }) => deliveryId);

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
        attemptsBefore: 0,
        createdAt: startedAt + 1,
        lastError: null,
        history: [],
      });
    });

    test("counts attempts and remembers why they failed", async () => {
      await owe(delivery("d1"));
      await opened.storage.settle("d1", answered(500, { at: startedAt, dueAt: startedAt + 5000 }));
      await opened.storage.settle("d1", answered(502, { at: startedAt + 5000, dueAt: startedAt + 6000 }));
      expect(await dueIds(startedAt + 5999)).toEqual([]);
      expect(await opened.storage.nextDue()).toBe(startedAt + 6000);
      const [due] = await opened.storage.due(startedAt + 6000, 10);
      expect(due).toMatchObject({ attempts: 2, lastError: "answered 502", dueAt: startedAt + 6000 });
      expect(due?.history).toEqual([
        { at: startedAt, statusCode: 500, error: "answered 500" },
        { at: startedAt + 5000, statusCode: 502, error: "answered 502" },
      ]);
    });

    test("remembers the latest attempts only, and counts all", async () => {
      await owe(delivery("d1"));
      for (let at = 0; at < historyMax + 3; at += 1) await opened.storage.settle("d1", answered(500, { at }));
      const found = await opened.storage.delivery("d1");
      expect(found?.attempts).toBe(historyMax + 3);
      expect(found?.history.map(({ at }) => at)).toEqual(Array.from({ length: historyMax }, (_, n) => n + 3));
    });

    test("counts no attempt where none was made", async () => {
      await owe(delivery("d1"));
      await opened.storage.settle("d1", { status: "failed", dueAt: startedAt, error: "stopped", attempt: null });
      const settled = { status: "failed", attempts: 0, history: [], lastError: "stopped" };
      expect(await opened.storage.delivery("d1")).toMatchObject(settled);
    });

    test.each(["delivered", "failed"] as const)("owes no more what was %s", async (status) => {
      await owe(delivery("d1"), delivery("d2", { dueAt: startedAt + 7 }));
      await opened.storage.settle("d1", answered(200, { status }));
      expect(await dueIds(startedAt + 7)).toEqual(["d2"]);
      expect(await opened.storage.nextDue()).toBe(startedAt + 7);
    });

    test("takes a delivery once, and does not mind one it never had", async () => {
      await owe(delivery("d1"));
      await expect(owe(delivery("d1"))).rejects.toThrow(/outbox|UNIQUE/);
      expect((await opened.storage.row("task_a"))?.lastSeq).toBe(1);
      await opened.storage.settle("other", answered(500, { status: "failed" }));
      expect(await dueIds(startedAt)).toEqual(["d1"]);
    });

    test("lists what it has, the latest first, by task, status and page", async () => {
      await owe(delivery("d1"), delivery("d2"));
      const ofOther = delivery("d3", { taskId: "task_b" });
      await opened.storage.append(batch({ taskId: "task_b", events: notes(1), outbox: [ofOther] }));
      await opened.storage.settle("d2", answered(200));
      expect(await listed()).toEqual(["d3", "d2", "d1"]);
      expect(await listed({ taskId: "task_a" })).toEqual(["d2", "d1"]);
      expect(await listed({ status: "pending" })).toEqual(["d3", "d1"]);
      expect(await listed({ taskId: "task_a", status: "delivered" })).toEqual(["d2"]);
      expect(await listed({ limit: 2 })).toEqual(["d3", "d2"]);
      expect(await listed({ limit: 2, before: "d2" })).toEqual(["d1"]);
      expect(await listed({ before: "d1" })).toEqual([]);
      expect(await listed({ before: "other" })).toEqual([]);
    });

    test("has one delivery by its id, or none", async () => {
      await owe(delivery("d1"));
      expect((await opened.storage.delivery("d1"))?.url).toBe(delivery("d1").url);
      expect(await opened.storage.delivery("d2")).toBeNull();
    });

    test("owes again what is asked for again, by a schedule that begins anew, and says so", async () => {
      await owe(delivery("d1"));
      await opened.storage.settle("d1", answered(500, { status: "failed" }));
      let told = 0;
      opened.storage.onOwed(() => {
        told += 1;
      });
      await opened.storage.redeliver("d1", startedAt + 70);
      expect(told).toBe(1);
      expect(await opened.storage.due(startedAt + 70, 10)).toMatchObject([
        { deliveryId: "d1", status: "pending", attempts: 1, attemptsBefore: 1, dueAt: startedAt + 70 },
      ]);
      await opened.storage.redeliver("other", startedAt, key("again"));
      expect(await opened.storage.idempotency("again")).toEqual(key("again"));
      expect(await listed()).toEqual(["d1"]);
    });

    test("knows a receiver that wants no more of a task, until it takes something again", async () => {
      const { url } = delivery("d1");
      await owe(delivery("d1"), delivery("d2"));
      await opened.storage.settle("d1", answered(500));
      expect(await opened.storage.isStopped("task_a", url)).toBe(false);
      await opened.storage.settle("d1", answered(410, { status: "failed" }));
      expect(await opened.storage.isStopped("task_a", url)).toBe(true);
      expect(await opened.storage.isStopped("task_a", `${url}/other`)).toBe(false);
      expect(await opened.storage.isStopped("task_b", url)).toBe(false);
      await opened.storage.settle("d1", answered(200));
      expect(await opened.storage.isStopped("task_a", url)).toBe(false);
    });

    test("remembers what its task was not told of", async () => {
      const untold = async (limit = 10) => (await opened.storage.untold(limit)).map(({ deliveryId }) => deliveryId);
      await owe(delivery("d1"), delivery("d2"), delivery("d3"));
      expect(await untold()).toEqual([]);
      await opened.storage.settle("d1", answered(500));
      expect(await untold()).toEqual([]);
      await opened.storage.settle("d2", answered(200));
      await opened.storage.settle("d3", answered(410, { status: "failed" }));
      expect([await untold(), await untold(1)]).toEqual([["d2", "d3"], ["d2"]]);
      await opened.storage.markTold("d2");
      expect(await untold()).toEqual(["d3"]);
      await opened.storage.redeliver("d3", startedAt);
      expect(await untold()).toEqual([]);
      await opened.storage.settle("d3", answered(200));
      expect(await untold()).toEqual(["d3"]);
    });
  });
}
