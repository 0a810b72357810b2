/** Webhooks as the handle shows them: pages, and sending one again, once under one key. */
import { describe, expect, test } from "vitest";
import { answered, batch, delivery, notes, startedAt } from "../contracts/batches.ts";
import { LoomRoom } from "../support/engine-loom.ts";

async function roomWith(...ids: readonly string[]): Promise<LoomRoom> {
  const room = new LoomRoom();
  const outbox = ids.map((id) => delivery(id));
  await room.bench.store.inner.append(batch({ taskId: "task_a", events: notes(1), outbox }));
  return room;
}

describe("the deliveries", () => {
  test("are shown page by page, the latest first, with what became of each", async () => {
    await using room = await roomWith("msg_1", "msg_2", "msg_3");
    await room.bench.store.inner.settle("msg_3", answered(204));
    const { deliveries, nextCursor } = await room.loom.deliveries({ limit: 2 });
    const at = new Date(startedAt).toISOString();
    expect(deliveries).toEqual([
      {
        delivery_id: "msg_3",
        task_id: "task_a",
        url: delivery("msg_3").url,
        type: "task_completed",
        status: "delivered",
        attempts: 1,
        history: [{ at, status_code: 204, error: null }],
        last_error: null,
        created_at: at,
        next_attempt_at: null,
      },
      expect.objectContaining({ delivery_id: "msg_2", status: "pending", history: [], next_attempt_at: at }),
    ]);
    const rest = await room.loom.deliveries({
      limit: 2,
      cursor: nextCursor ?? "",
      taskId: "task_a",
      status: "pending",
    });
    expect(rest).toMatchObject({ deliveries: [{ delivery_id: "msg_1" }], nextCursor: null });
    expect((await room.loom.deliveries({ limit: 3 })).nextCursor).toBeNull();
    expect((await room.loom.deliveries({ limit: 3, taskId: "task_b" })).deliveries).toEqual([]);
    await expect(room.loom.deliveries({ limit: 2, cursor: "msg_9" })).rejects.toMatchObject({
      code: "invalid_request",
    });
  });

  test("are sent again on request: now, and once under one key", async () => {
    await using room = await roomWith("msg_1");
    const store = room.bench.store.inner;
    await store.settle("msg_1", answered(410, { status: "failed" }));
    const idempotency = { key: "k", fingerprint: "f" };
    const first = await room.loom.redeliver("msg_1", { idempotency });
    expect(first).toMatchObject({ appliedSeq: 1, delivery: { status: "pending", attempts: 1 } });
    expect(await store.nextDue()).toBe(room.bench.clock.now());
    await store.settle("msg_1", answered(200));
    expect(await room.loom.redeliver("msg_1", { idempotency })).toEqual({ ...first, replayed: true });
    expect(await store.nextDue()).toBeNull();
    const other = room.loom.redeliver("msg_1", { idempotency: { ...idempotency, fingerprint: "g" } });
    await expect(other).rejects.toMatchObject({ code: "idempotency_conflict" });
    await room.loom.redeliver("msg_1");
    expect(await store.nextDue()).toBe(room.bench.clock.now());
    await expect(room.loom.redeliver("msg_9")).rejects.toMatchObject({ code: "not_found" });
  });
});
