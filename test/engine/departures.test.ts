/** How a task leaves: what it ran is stopped, what it left in the background is ended, and only then is its cancel answered. */
import { describe, expect, test } from "vitest";
import { LoomRoom } from "../support/engine-loom.ts";

const by = "p";

/** A task that has run a tool, so that there may be something in the background. */
async function worked(room: LoomRoom): Promise<string> {
  const taskId = await room.working({ workspace: room.folder });
  await room.write(taskId, "a.txt", "a");
  return taskId;
}

describe("a cancel", () => {
  test("is answered when what ran has settled and what was left has been ended, in this order", async () => {
    const order: string[] = [];
    const sweeping = Promise.withResolvers<number>();
    const sweep = (taskId: string) => {
      order.push(`sweep ${taskId}`);
      return sweeping.promise;
    };
    await using room = new LoomRoom({}, { sweep });
    const taskId = await worked(room);
    room.bench.desk.stubborn.add("work:a:1:1");
    const answered = room.loom.cancel(taskId, { by }).then((applied) => order.push(`answered ${applied.lingers}`));
    await room.bench.store.quiet();
    expect(order).toEqual([]);
    room.bench.desk.run("work:a:1:1").fail(new Error("killed"));
    await room.bench.store.quiet();
    expect(order).toEqual([`sweep ${taskId}`]);
    sweeping.resolve(2);
    await answered;
    expect(order).toEqual([`sweep ${taskId}`, "answered undefined"]);
  });

  test("does not wait for ever for what does not end, and says so", async () => {
    await using room = new LoomRoom();
    const taskId = await worked(room);
    room.bench.desk.stubborn.add("work:a:1:1");
    const answered = room.loom.cancel(taskId, { by });
    await room.bench.clock.advance(5000);
    expect(await answered).toMatchObject({ status: "cancelled", lingers: true });
    room.bench.desk.run("work:a:1:1").fail(new Error("killed"));
    await room.bench.store.quiet();
    expect(await room.loom.cancel(taskId, { by })).not.toHaveProperty("lingers");
    expect(room.bench.swept).toEqual([taskId]);
  });

  test("is answered although the background could not be looked at, which is told", async () => {
    await using room = new LoomRoom({}, { sweep: () => Promise.reject(new Error("no /proc")) });
    const taskId = await worked(room);
    expect(await room.loom.cancel(taskId, { by })).toMatchObject({ status: "cancelled" });
    expect(room.bench.complaints).toEqual(["What a task left in the background could not be ended: no /proc"]);
  });

  test("of a task that ran no tool looks for nothing", async () => {
    await using room = new LoomRoom();
    const taskId = await room.submit();
    expect(await room.loom.cancel(taskId, { by })).toMatchObject({ status: "cancelled" });
    expect(room.bench.swept).toEqual([]);
  });
});

describe("a retry", () => {
  test("begins when nothing of the last run is being ended any more", async () => {
    const sweeping = Promise.withResolvers<number>();
    await using room = new LoomRoom({}, { sweep: () => sweeping.promise });
    const taskId = await worked(room);
    const cancelled = room.loom.cancel(taskId, { by });
    await room.bench.store.quiet();
    const retried = room.loom.retry(taskId, { by });
    await room.bench.store.quiet();
    expect(await room.bench.store.types(taskId)).not.toContain("task_resumed");
    sweeping.resolve(0);
    await cancelled;
    expect((await retried).status).toBe("executing");
    await room.bench.store.quiet();
    expect(room.bench.desk.running).toEqual(["work:a:2:1"]);
  });
});

describe("a Loom that goes down", () => {
  test("ends what an open task has in the background", async () => {
    await using room = new LoomRoom();
    const taskId = await worked(room);
    await room.supervisor.drain(0);
    expect(room.bench.swept).toEqual([taskId]);
  });

  test("waits for a task that is just leaving, and does not look twice", async () => {
    const sweeping = Promise.withResolvers<number>();
    const swept: string[] = [];
    const sweep = (taskId: string) => {
      swept.push(taskId);
      return sweeping.promise;
    };
    await using room = new LoomRoom({}, { sweep });
    const taskId = await worked(room);
    const cancelled = room.loom.cancel(taskId, { by });
    await room.bench.store.quiet();
    const drained = room.supervisor.drain(0).then(() => "drained");
    await room.bench.store.quiet();
    expect(await Promise.race([drained, Promise.resolve("waiting")])).toBe("waiting");
    sweeping.resolve(1);
    expect(await drained).toBe("drained");
    await cancelled;
    expect(swept).toEqual([taskId]);
  });
});
