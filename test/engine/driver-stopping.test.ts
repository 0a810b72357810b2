/** The driver and what shall not run: what is not wanted any more, pauses, and times. */
import { describe, expect, test } from "vitest";
import { Bench } from "../support/engine-bench.ts";
import { approvalAsk, brief, passed, taskId } from "../support/engine-samples.ts";

describe("what is not wanted any more", () => {
  test("is aborted in the turn in which the reason is durable", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a", "b"]);
    const signals = bench.desk.running.map((key) => bench.desk.run(key).execution.stop.aborted);
    const before = bench.clock.now();
    await driver.send({ type: "CancelTask", by: "p" });
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true]);
    expect(signals[0]?.reason).toMatchObject({ name: "NotWanted" });
    expect(bench.clock.now()).toBe(before);
    await driver.idle();
    expect(driver.inFlight).toBe(0);
    expect(driver.task.outcome).toBe("cancelled");
  });

  test("stays in flight until its executor has settled, and nothing starts in its place", async () => {
    const bench = new Bench();
    bench.desk.stubborn.add("work:a:1:1");
    const driver = await bench.planned(["a"]);
    await driver.send({ type: "CancelTask", by: "p" });
    await driver.send({ type: "RetryTask", by: "p" });
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["work:a:1:1"]);
    bench.desk.run("work:a:1:1").fail(new Error("killed at last"));
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["work:a:2:1"]);
    expect(await bench.store.types(taskId)).not.toContain("subtask_failed");
  });

  test("leaves no trace of a result that comes too late", async () => {
    const bench = new Bench();
    bench.desk.stubborn.add("work:a:1:1");
    const driver = await bench.planned(["a"]);
    await driver.send({ type: "CancelTask", by: "p" });
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "late", digest: "" });
    await driver.idle();
    expect((await bench.store.types(taskId)).at(-1)).toBe("task_cancelled");
    expect(driver.inFlight).toBe(0);
  });

  test("is still believed about files that it put back", async () => {
    const bench = new Bench();
    bench.desk.stubborn.add("revert:a:1");
    const driver = await bench.planned(["a"], brief({ approval_mode: "manual" }));
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await bench.store.quiet();
    bench.desk.end({ type: "Judged", key: "verify:a:1:1", verdict: passed });
    await bench.store.quiet();
    await driver.send({ type: "DecideApproval", subtaskId: "a", approved: false, reason: "no", by: "p" });
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["revert:a:1"]);
    await driver.send({ type: "CancelTask", by: "p" });
    const change = { path: "f", before: { kind: "absent" }, after: { kind: "link", target: "g" } } as const;
    const outcome = { restored: ["f"], conflicts: [], skipped: [] };
    bench.desk.end({ type: "Reverted", key: "revert:a:1", outcome, changes: [change], undoneIds: [] });
    await driver.idle();
    expect((await bench.store.types(taskId)).slice(-2)).toEqual(["task_cancelled", "undo_applied"]);
  });
});

describe("a pause", () => {
  test("asks what runs to yield, and comes about when it has", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a", "b"]);
    const { stop } = bench.desk.run("work:a:1:1").execution;
    await driver.send({ type: "PauseTask", by: "p" });
    expect([stop.yielding.aborted, stop.aborted.aborted]).toEqual([true, false]);
    expect(driver.task.paused).toBe("asked");
    bench.desk.end({ type: "Yielded", key: "work:a:1:1" });
    await bench.store.quiet();
    expect(driver.task.paused).toBe("asked");
    bench.desk.end({ type: "Yielded", key: "work:b:1:1" });
    await bench.store.quiet();
    expect(driver.task.paused).toBe("yes");
    expect(bench.desk.running).toEqual([]);
    await driver.send({ type: "ResumeTask", by: "p" });
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["work:a:1:1", "work:b:1:1"]);
    expect(driver.task.attempts).toBe(2);
  });

  test("comes about too when what ran was stopped for another reason", async () => {
    const bench = new Bench();
    const driver = await bench.created();
    await driver.send({ type: "PauseTask", by: "p" });
    // The plan in flight is asked for again, as another call: the one that runs is aborted and says nothing.
    await driver.send({ type: "SteerTask", instruction: "otherwise", mode: "interrupt", by: "p" });
    await bench.store.quiet();
    expect(bench.desk.running).toEqual([]);
    expect(driver.task.paused).toBe("yes");
  });

  test("does not hold what had yielded when it is taken back", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    await driver.send({ type: "PauseTask", by: "p" });
    await driver.send({ type: "ResumeTask", by: "p" });
    bench.desk.end({ type: "Yielded", key: "work:a:1:1" });
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["work:a:1:1"]);
  });
});

describe("times", () => {
  test("are waited for although the task is not let in", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"], brief({ rules: { approval_timeout_ms: 1000 } }));
    bench.desk.end({ type: "NeedsApproval", key: "work:a:1:1", ask: approvalAsk("apr_a") });
    driver.admit({ kind: "workspace", id: "task_other" }, false);
    await bench.store.quiet();
    await bench.clock.advance(1000);
    expect(driver.task.approvals.get("apr_a")?.status).toBe("expired");
  });

  test("start what was backed off", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    bench.desk.end({ type: "ModelDown", key: "work:a:1:1", reason: "down", retryAfterMs: 2000 });
    await bench.store.quiet();
    expect([driver.inFlight, bench.desk.running.length]).toEqual([1, 0]);
    await bench.clock.advance(1999);
    expect(bench.desk.running).toEqual([]);
    await bench.clock.advance(1);
    expect(bench.desk.running).toEqual(["work:a:1:2"]);
  });

  test("are not waited for any longer when nothing wants them", async () => {
    const bench = new Bench();
    const driver = await bench.created(brief({ budget: { wall_seconds: 60 } }));
    expect(bench.clock.sleepers).toBe(1);
    await driver.send({ type: "CancelTask", by: "p" });
    await bench.store.quiet();
    expect([bench.clock.sleepers, driver.inFlight]).toEqual([0, 0]);
  });
});
