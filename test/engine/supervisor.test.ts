/** The supervisor: admission, what is kept in memory, and going down. */
import { describe, expect, test } from "vitest";
import type { Driver } from "../../src/engine/driver.ts";
import type { Supervisor } from "../../src/engine/supervisor.ts";
import { LoomError } from "../../src/lib/errors.ts";
import { Bench } from "../support/engine-bench.ts";
import { approvalAsk, brief, proposed, spec, taskIdOf } from "../support/engine-samples.ts";

async function submit(
  supervisor: Supervisor,
  bench: Bench,
  nth: number,
  its = brief({ workspace: `/work/${nth}` }),
): Promise<Driver> {
  expect(await supervisor.create(taskIdOf(nth), its)).toMatchObject({ ok: true });
  await bench.store.quiet();
  return await supervisor.driver(taskIdOf(nth));
}

/** Executors that play for every task, one desk a task. */
function playing(): Bench {
  const bench = new Bench();
  bench.desk.playsAll(["a"]);
  return bench;
}

describe("a submitted task", () => {
  test("runs as soon as its log begins", async () => {
    const bench = playing();
    const supervisor = bench.supervisor();
    const driver = await submit(supervisor, bench, 1);
    await driver.idle();
    expect(driver.task.outcome).toBe("completed");
    expect(await supervisor.task(taskIdOf(1))).toBe(driver.task);
    expect(supervisor.openDrivers()).toEqual([]);
  });

  test("is known to whoever finds it in the store before its submission is answered", async () => {
    const bench = new Bench();
    const supervisor = bench.supervisor();
    const found = Promise.withResolvers<Driver>();
    bench.store.inner.onCommit(() => found.resolve(supervisor.driver(taskIdOf(1))));
    await supervisor.create(taskIdOf(1), brief());
    await bench.store.quiet();
    expect(await found.promise).toBe(await supervisor.driver(taskIdOf(1)));
    expect(bench.desk.started).toEqual(["plan:1:1"]);
  });

  test("that could not be written is no task", async () => {
    const bench = playing();
    const supervisor = bench.supervisor();
    bench.store.trouble = () => ({ error: new LoomError("storage_full", "full") });
    await expect(supervisor.create(taskIdOf(1), brief())).rejects.toMatchObject({ code: "storage_full" });
    bench.store.trouble = () => null;
    await expect(supervisor.driver(taskIdOf(1))).rejects.toMatchObject({ code: "not_found" });
  });

  test("whose submission was in doubt runs when someone asks for it", async () => {
    const bench = playing();
    const supervisor = bench.supervisor();
    bench.store.trouble = () => ({ error: new LoomError("storage_failed", "?"), kept: true });
    bench.store.readTrouble = new LoomError("storage_failed", "?");
    await expect(supervisor.create(taskIdOf(1), brief())).rejects.toThrow("?");
    bench.store.trouble = () => null;
    const driver = await supervisor.driver(taskIdOf(1));
    await bench.store.quiet();
    expect(driver.task.outcome).toBe("completed");
  });
});

describe("more tasks than may be open", () => {
  test("wait, and take their turn as places are freed", async () => {
    const bench = new Bench();
    const supervisor = bench.supervisor({ openTasksMax: 1 });
    const one = await submit(supervisor, bench, 1);
    const two = await submit(supervisor, bench, 2);
    expect(bench.desk.started).toHaveLength(1);
    expect([one.task.phase, two.task.phase, two.held]).toEqual(["planning", "pending", null]);
    await one.send({ type: "CancelTask", by: "p" });
    await bench.store.quiet();
    expect(two.task.phase).toBe("planning");
  });

  test("do not keep one waiting that a person has answered", async () => {
    const bench = new Bench();
    const supervisor = bench.supervisor({ openTasksMax: 1 });
    const one = await submit(supervisor, bench, 1);
    bench.desk.run("plan:1:1").end(proposed("plan:1:1", [spec("a")]));
    await bench.store.quiet();
    bench.desk.end({ type: "NeedsApproval", key: "work:a:1:1", ask: approvalAsk("apr_a") });
    await bench.store.quiet();
    await submit(supervisor, bench, 2);
    expect(bench.desk.running).toEqual(["plan:1:1"]);
    await one.send({ type: "DecideApproval", subtaskId: "a", approved: true, by: "p" });
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["plan:1:1", "work:a:1:2"]);
  });
});

describe("two tasks in one workspace", () => {
  const there = brief({ workspace: "/work/shared" });

  test("run one after the other, and the second says for whom it waits", async () => {
    const bench = new Bench();
    const supervisor = bench.supervisor();
    const one = await submit(supervisor, bench, 1, there);
    const two = await submit(supervisor, bench, 2, there);
    expect(two.held).toMatchObject({ kind: "workspace", id: taskIdOf(1) });
    await one.send({ type: "CancelTask", by: "p" });
    await bench.store.quiet();
    expect([two.held, two.task.phase]).toEqual([null, "planning"]);
  });

  test("run side by side where it is shared", async () => {
    const bench = playing();
    const supervisor = bench.supervisor({ sharedWorkspaces: true });
    const drivers = [await submit(supervisor, bench, 1, there), await submit(supervisor, bench, 2, there)];
    expect(drivers.map(({ task }) => task.outcome)).toEqual(["completed", "completed"]);
  });

  test("wait again when the first goes on after its end", async () => {
    const bench = new Bench();
    const supervisor = bench.supervisor();
    const one = await submit(supervisor, bench, 1, there);
    await one.send({ type: "CancelTask", by: "p" });
    await bench.store.quiet();
    const two = await submit(supervisor, bench, 2, there);
    await one.send({ type: "RetryTask", by: "p" });
    await bench.store.quiet();
    expect(one.held).toMatchObject({ kind: "workspace", id: taskIdOf(2) });
    expect(supervisor.openDrivers()).toEqual([two, one]);
  });
});

describe("closed tasks", () => {
  test("are kept in memory only as long as they are asked for", async () => {
    const bench = playing();
    const supervisor = bench.supervisor();
    for (let nth = 1; nth <= 80; nth += 1) {
      const driver = await submit(supervisor, bench, nth);
      await driver.idle();
    }
    await bench.store.quiet();
    expect(supervisor.known).toBe(64);
    const reread = await supervisor.task(taskIdOf(1));
    expect(reread.outcome).toBe("completed");
    await bench.store.quiet();
    expect(supervisor.known).toBe(64);
  });

  test("that were asked for last stay the longest", async () => {
    const bench = playing();
    const supervisor = bench.supervisor();
    const first = await submit(supervisor, bench, 1);
    for (let nth = 2; nth <= 64; nth += 1) await submit(supervisor, bench, nth);
    await supervisor.driver(taskIdOf(1));
    for (let nth = 65; nth <= 100; nth += 1) await submit(supervisor, bench, nth);
    expect(await supervisor.driver(taskIdOf(1))).toBe(first);
  });

  test("are not forgotten while an undo runs", async () => {
    const bench = playing();
    const supervisor = bench.supervisor();
    const first = await submit(supervisor, bench, 1);
    await first.send({ type: "UndoChanges", scope: "task", by: "p" });
    for (let nth = 2; nth <= 70; nth += 1) await submit(supervisor, bench, nth);
    expect(await supervisor.driver(taskIdOf(1))).toBe(first);
  });
});

describe("a change", () => {
  test("wakes who watches the task, and no one else", async () => {
    const bench = new Bench();
    const supervisor = bench.supervisor();
    const driver = await submit(supervisor, bench, 1);
    const cut = new AbortController();
    let isElseWoken = false;
    const watching = supervisor.nextChange(taskIdOf(1), cut.signal);
    const other = supervisor.nextChange(taskIdOf(2), cut.signal).then(() => (isElseWoken = true));
    await driver.send({ type: "CancelTask", by: "p" });
    await watching;
    expect(isElseWoken).toBe(false);
    cut.abort();
    await other;
  });
});

describe("going down", () => {
  test("lets running steps end, wakes who watches, and takes no new tasks", async () => {
    const bench = new Bench();
    const supervisor = bench.supervisor();
    await submit(supervisor, bench, 1);
    const watching = supervisor.nextChange(taskIdOf(1), new AbortController().signal);
    const { yielding } = bench.desk.run("plan:1:1").execution.stop;
    const drained = supervisor.drain(6000);
    await watching;
    expect(supervisor.draining).toBe(true);
    await expect(supervisor.create(taskIdOf(2), brief())).rejects.toMatchObject({ code: "shutting_down" });
    await bench.store.quiet();
    expect(yielding.aborted).toBe(true);
    bench.desk.end({ type: "Yielded", key: "plan:1:1" });
    await drained;
    expect(bench.clock.sleepers).toBe(0);
  });

  test("is over in time for what does not end", async () => {
    const bench = new Bench();
    const supervisor = bench.supervisor();
    await submit(supervisor, bench, 1);
    bench.desk.stubborn.add("plan:1:1");
    const drained = supervisor.drain(6000);
    await bench.clock.advance(7000);
    await drained;
    expect(bench.complaints).toHaveLength(1);
  });

  test("starts nothing of a task whose submission was on its way", async () => {
    const bench = new Bench();
    const supervisor = bench.supervisor();
    const sent = supervisor.create(taskIdOf(1), brief());
    await supervisor.drain(0);
    expect(await sent).toMatchObject({ ok: true });
    await bench.store.quiet();
    expect(bench.desk.started).toEqual([]);
  });

  test("comes with the end of whoever holds it", async () => {
    const bench = new Bench();
    const supervisor = bench.supervisor();
    await submit(supervisor, bench, 1);
    {
      await using _held = supervisor;
    }
    expect(supervisor.draining).toBe(true);
    expect(bench.desk.running).toEqual([]);
  });
});
