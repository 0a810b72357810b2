/** Recovery: what a boot makes of the logs that it finds. */
import { describe, expect, test } from "vitest";
import type { Driver } from "../../src/engine/driver.ts";
import type { Supervisor } from "../../src/engine/supervisor.ts";
import { LoomError } from "../../src/lib/errors.ts";
import type { TaskRow } from "../../src/ports/event-store.ts";
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

async function kill(supervisor: Supervisor): Promise<void> {
  await supervisor.drain(0);
}

/** Writes a log that cannot be folded. */
async function corrupt(bench: Bench, nth: number, open = true): Promise<void> {
  const taskId = taskIdOf(nth);
  const projection: TaskRow = {
    taskId,
    goal: "g",
    status: "executing",
    workspace: "/w",
    open,
    createdAt: 1,
    updatedAt: 1,
    lastSeq: 1,
  };
  await bench.store.inner.append({
    taskId,
    expectedSeq: 0,
    events: [{ type: "task_executing", version: 1, seq: 1, at: 1 }],
    projection,
  });
}

describe("a boot", () => {
  test("folds every open task, ends what its steps left running, and lets it go on", async () => {
    const bench = new Bench();
    const first = bench.supervisor();
    await submit(first, bench, 1);
    const { journal } = bench.desk.run("plan:1:1").execution;
    const at = { role: "planner", step: "plan", attempt: 1, iteration: 1 };
    const cut = journal.step(
      { step: "plan", effectClass: "pure", event: { type: "model_invocation", phase: "start", ...at } },
      () => new Promise<never>(() => undefined),
    );
    cut.catch(() => undefined);
    await bench.store.quiet();
    await kill(first);

    const second = bench.supervisor();
    await second.recover();
    await bench.store.quiet();
    expect(bench.reaped).toEqual([taskIdOf(1)]);
    expect(bench.desk.running).toEqual(["plan:1:1"]);
    const recovered = (await bench.store.log(taskIdOf(1))).at(-1);
    expect(recovered).toMatchObject({ type: "task_recovered", steps_in_flight: ["/1/plan"], recoveries: 1 });
  });

  test("does not start again what died too often", async () => {
    const bench = new Bench();
    const first = bench.supervisor();
    await submit(first, bench, 1);
    await kill(first);
    for (let life = 0; life < 3; life += 1) {
      const supervisor = bench.supervisor();
      await supervisor.recover();
      await bench.store.quiet();
      await kill(supervisor);
    }
    expect((await bench.store.log(taskIdOf(1))).at(-1)).toMatchObject({ type: "task_failed", reason: "crash_loop" });
    expect(bench.desk.started).toHaveLength(3);
  });

  test("says nothing of a task that only waits for a person", async () => {
    const bench = new Bench();
    const first = bench.supervisor();
    await submit(first, bench, 1);
    bench.desk.run("plan:1:1").end(proposed("plan:1:1", [spec("a")]));
    await bench.store.quiet();
    bench.desk.end({ type: "NeedsApproval", key: "work:a:1:1", ask: approvalAsk("apr_a") });
    await bench.store.quiet();
    await kill(first);
    const second = bench.supervisor();
    await second.recover();
    expect(await bench.store.types(taskIdOf(1))).not.toContain("task_recovered");
    expect(second.openDrivers().map(({ taskId }) => taskId)).toEqual([taskIdOf(1)]);
  });

  test("goes on with an undo that was asked for after the end", async () => {
    const bench = playing();
    const first = bench.supervisor();
    const driver = await submit(first, bench, 1);
    await driver.idle();
    await driver.send({ type: "UndoChanges", scope: "task", by: "p" });
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["undo:1"]);
    await kill(first);
    const second = bench.supervisor();
    await second.recover();
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["undo:1"]);
    expect(second.openDrivers()).toEqual([]);
  });

  test("does not wait for ever for a store that takes nothing", async () => {
    const bench = new Bench();
    const first = bench.supervisor();
    await submit(first, bench, 1);
    await kill(first);
    bench.store.trouble = () => ({ error: new LoomError("storage_full", "full") });
    const second = bench.supervisor();
    const recovered = second.recover();
    await bench.clock.advance(2000);
    await recovered;
    expect(bench.desk.running).toEqual([]);
    bench.store.trouble = () => null;
    await bench.clock.advance(5000);
    expect(bench.desk.running).toEqual(["plan:1:1"]);
  });

  test("goes on although what was left running cannot be ended", async () => {
    const bench = new Bench();
    const first = bench.supervisor();
    await submit(first, bench, 1);
    const at = { role: "planner", step: "plan", attempt: 1, iteration: 1 };
    const cut = bench.desk
      .run("plan:1:1")
      .execution.journal.step(
        { step: "plan", effectClass: "pure", event: { type: "model_invocation", phase: "start", ...at } },
        () => new Promise<never>(() => undefined),
      );
    cut.catch(() => undefined);
    await bench.store.quiet();
    await kill(first);
    const second = bench.supervisor({ reap: () => Promise.reject(new Error("no /proc")) });
    await second.recover();
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["plan:1:1"]);
    expect(bench.complaints).toEqual(["What an interrupted step left running could not be ended: no /proc"]);
  });

  test("fails when the logs cannot be read at all", async () => {
    const bench = new Bench();
    await submit(bench.supervisor(), bench, 1);
    bench.store.readTrouble = new LoomError("storage_failed", "no disk");
    await expect(bench.supervisor().recover()).rejects.toMatchObject({ code: "storage_failed" });
  });

  test("does not start a task that is asked for meanwhile before it was recovered", async () => {
    const bench = new Bench();
    const first = bench.supervisor();
    await submit(first, bench, 1);
    await kill(first);
    const second = bench.supervisor();
    const [driver] = await Promise.all([second.driver(taskIdOf(1)), second.recover()]);
    await driver.send({ type: "SendMessage", message: "m", by: "p" });
    await bench.store.quiet();
    const types = await bench.store.types(taskIdOf(1));
    expect(types.filter((type) => type === "task_recovered")).toHaveLength(1);
    expect(types.indexOf("task_recovered")).toBeLessThan(types.indexOf("conversation_message"));
    expect(bench.desk.started).toEqual(["plan:1:1", "plan:1:1"]);
    expect(await second.driver(taskIdOf(1))).toBe(driver);
  });
});

describe("a log that cannot be folded", () => {
  test("sets its task aside, and the others run", async () => {
    const bench = playing();
    await corrupt(bench, 1);
    const supervisor = bench.supervisor();
    const well = await submit(bench.supervisor(), bench, 2);
    expect(well.task.outcome).toBe("completed");
    await supervisor.recover();
    expect([...supervisor.quarantined.keys()]).toEqual([taskIdOf(1)]);
    await expect(supervisor.driver(taskIdOf(1))).rejects.toMatchObject({ code: "log_corrupt" });
    expect((await supervisor.task(taskIdOf(2))).outcome).toBe("completed");
    expect(bench.complaints).toHaveLength(1);
  });

  test("is found out too when a closed task is asked for", async () => {
    const bench = new Bench();
    await corrupt(bench, 1, false);
    const supervisor = bench.supervisor();
    await supervisor.recover();
    expect(supervisor.quarantined.size).toBe(0);
    await expect(supervisor.driver(taskIdOf(1))).rejects.toMatchObject({ code: "log_corrupt" });
    expect(supervisor.quarantined.get(taskIdOf(1))).toMatch(/begins with task_created/);
  });

  test("that cannot be said to be recovered either sets its task aside", async () => {
    const bench = new Bench();
    const first = bench.supervisor();
    await submit(first, bench, 1);
    await kill(first);
    const second = bench.supervisor({
      redact: () => {
        throw new Error("cannot redact");
      },
    });
    await second.recover();
    expect(second.quarantined.get(taskIdOf(1))).toBe("cannot redact");
    expect(bench.desk.running).toEqual([]);
  });
});
