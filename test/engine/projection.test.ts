/** What is kept beside the log: the row of a task, and the webhooks that it owes. */
import { describe, expect, test } from "vitest";
import type { Brief } from "../../src/domain/task.ts";
import type { Driver } from "../../src/engine/driver.ts";
import { rowOf } from "../../src/engine/projection.ts";
import { Bench } from "../support/engine-bench.ts";
import { approvalAsk, brief, questionAsk, taskId } from "../support/engine-samples.ts";

const callback_url = "https://example.test/hook";

async function finished(over: Parameters<typeof brief>[0]): Promise<{ bench: Bench; driver: Driver }> {
  const bench = new Bench();
  bench.desk.playsAll(["a"]);
  const driver = await bench.created(brief(over));
  await driver.idle();
  return { bench, driver };
}

const owed = async (bench: Bench) => await bench.store.inner.due(Number.MAX_SAFE_INTEGER, 100);

describe("a task with a callback", () => {
  test("owes one webhook for its end, in the append of its end, with the guide's fields", async () => {
    const { bench, driver } = await finished({ callback_url, goal: "Write it down" });
    const [delivery, ...rest] = await owed(bench);
    expect(rest).toEqual([]);
    expect(delivery).toMatchObject({ taskId, url: callback_url, type: "task.completed", dueAt: bench.clock.now() });
    expect(delivery?.deliveryId).toBe(`msg_${taskId.slice(5)}_${driver.task.lastSeq}`);
    expect(delivery?.body).toMatchObject({
      type: "task.completed",
      timestamp: new Date(bench.clock.now()).toISOString(),
      task_id: taskId,
      run_id: `run_${taskId.slice(5)}`,
      status: "completed",
      goal: "Write it down",
      subtasks_completed: 1,
      subtasks_failed: 0,
      subtasks_flagged: 0,
      workspace_changes: { files_created: 0, files_modified: 0, files_deleted: 0 },
      files_changed: 0,
      data: { seq: driver.task.lastSeq, answer: "All is done", completed: 1, total: 1 },
    });
    const last = bench.store.tried.at(-1);
    expect([last?.events.at(-1)?.type, last?.outbox?.length, last?.projection.open]).toEqual([
      "task_completed",
      1,
      false,
    ]);
  });

  test.each([
    ["approval_requested", "task.approval_requested"],
    ["ask_user_requested", "task.ask_user_requested"],
  ] as const)("owes one for %s only where it asked for it", async (event, type) => {
    const tell = async (its: Brief) => {
      const bench = new Bench();
      await bench.planned(["a"], its);
      const key = "work:a:1:1";
      if (event === "approval_requested") bench.desk.end({ type: "NeedsApproval", key, ask: approvalAsk("apr_a") });
      else bench.desk.end({ type: "NeedsAnswer", key, ask: questionAsk("qst_a") });
      await bench.store.quiet();
      return (await owed(bench)).map((delivery) => delivery.type);
    };
    expect(await tell(brief({ callback_url, callback_events: [event] }))).toEqual([type]);
    expect(await tell(brief({ callback_url }))).toEqual([]);
  });

  test("owes one that fits in 20 kB, however much there is to tell; what was cut is said", async () => {
    const bench = new Bench();
    const driver = await bench.created(brief({ callback_url, goal: "ä".repeat(90_000) }));
    await driver.send({ type: "CancelTask", by: "p", reason: "ü".repeat(60_000) });
    const [delivery] = await owed(bench);
    const text = JSON.stringify(delivery?.body);
    expect(Buffer.byteLength(text)).toBeLessThan(20_000);
    expect(JSON.parse(text)).toMatchObject({ truncated: true, status: "cancelled", task_id: taskId });
  });

  test("owes one for a cancel", async () => {
    const bench = new Bench();
    const driver = await bench.created(brief({ callback_url }));
    await driver.send({ type: "CancelTask", by: "p" });
    expect(await owed(bench)).toMatchObject([{ type: "task.cancelled", body: { status: "cancelled" } }]);
  });
});

test("a task without a callback owes nothing", async () => {
  const { bench } = await finished({});
  expect(await owed(bench)).toEqual([]);
});

describe("the row of a task", () => {
  test("says what lists need", async () => {
    const { driver } = await finished({});
    expect(rowOf(driver.task)).toMatchObject({
      taskId,
      goal: "Write it down",
      status: "completed",
      open: false,
      lastSeq: driver.task.lastSeq,
    });
  });

  test("is open as long as something is wanted, an undo after the end included", async () => {
    const { bench, driver } = await finished({});
    await driver.send({ type: "UndoChanges", scope: "task", by: "p" });
    expect((await bench.store.openTasks()).map((row) => row.taskId)).toEqual([taskId]);
    await bench.store.quiet();
    const outcome = { restored: [], conflicts: [], skipped: [] };
    bench.desk.end({ type: "UndoDone", key: "undo:1", outcome, changes: [], undoneIds: [] });
    await bench.store.quiet();
    expect(await bench.store.openTasks()).toEqual([]);
  });
});
