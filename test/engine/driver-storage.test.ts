/** The driver and its store: appends that are refused or in doubt, logs that others write to, keys that are taken. */
import { describe, expect, test } from "vitest";
import { Driver } from "../../src/engine/driver.ts";
import { LoomError } from "../../src/lib/errors.ts";
import type { IdempotencyRow } from "../../src/ports/event-store.ts";
import { Bench } from "../support/engine-bench.ts";
import { brief, taskId, taskIdOf } from "../support/engine-samples.ts";

const full = new LoomError("storage_full", "The disk is full");

/** Another process cancels the task. */
async function cancelElsewhere(bench: Bench): Promise<void> {
  const other = await Driver.open(taskId, bench.driverPorts());
  await other.send({ type: "CancelTask", by: "elsewhere" });
}

describe("a store that is full", () => {
  test("refuses requests at once, also those that come while it is waited for", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    bench.store.trouble = () => ({ error: full });
    await expect(driver.send({ type: "SendMessage", message: "m", by: "p" })).rejects.toBe(full);
    expect(driver.held).toBeNull();

    const release = bench.store.hold();
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await bench.store.quiet();
    const queued = driver.send({ type: "SendMessage", message: "m", by: "p" });
    queued.catch(() => undefined);
    release();
    await expect(queued).rejects.toBe(full);
    expect(driver.held).toEqual({ kind: "storage", id: "storage", reason: "The disk is full" });
    await expect(driver.send({ type: "CancelTask", by: "p" })).rejects.toBe(full);
  });

  test("is tried again with what happened, every five seconds, until it takes it", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    bench.store.trouble = () => ({ error: full });
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "done", digest: "" });
    await bench.store.quiet();
    const tried = bench.store.tried.length;
    await bench.clock.advance(4999);
    expect(bench.store.tried).toHaveLength(tried);
    await bench.clock.advance(1);
    expect(bench.store.tried).toHaveLength(tried + 1);
    expect(driver.task.subtasks.get("a")?.status.kind).toBe("working");
    bench.store.trouble = () => null;
    await bench.clock.advance(5000);
    expect(driver.task.subtasks.get("a")?.status.kind).toBe("verifying");
    expect(driver.held).toBeNull();
    expect(await driver.send({ type: "SendMessage", message: "m", by: "p" })).toMatchObject({ ok: true });
    expect((await bench.store.types(taskId)).filter((type) => type === "subtask_delivered")).toHaveLength(1);
  });

  test("refuses no longer once what was kept had nothing to say any more", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    let nth = 0;
    bench.store.trouble = () => (++nth === 1 ? { error: full } : null);
    // A cancel written by another process makes the report void.
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await bench.store.quiet();
    expect(driver.held?.kind).toBe("storage");
    await cancelElsewhere(bench);
    await bench.clock.advance(5000);
    expect([driver.held, driver.task.outcome]).toEqual([null, "cancelled"]);
  });

  test("costs no attempt where steps cannot be read", async () => {
    const bench = new Bench();
    await (await bench.created()).close();
    bench.store.stepsTrouble = new LoomError("storage_failed", "busy");
    const driver = await Driver.open(taskId, bench.driverPorts());
    driver.admit(null, true);
    await bench.store.quiet();
    expect(bench.desk.running).toEqual([]);
    bench.store.stepsTrouble = null;
    await bench.clock.advance(5000);
    expect(bench.desk.running).toEqual(["plan:1:1"]);
  });

  test("does not hold up a driver that goes down", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    bench.store.trouble = () => ({ error: full });
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await bench.store.quiet();
    const before = bench.clock.now();
    await driver.drain(6000);
    expect(bench.clock.now()).toBe(before);
    expect([driver.inFlight, bench.clock.sleepers]).toEqual([0, 0]);
  });
});

describe("an append in doubt", () => {
  test("that was kept is answered as such, and not made again", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    let nth = 0;
    bench.store.trouble = () => (++nth === 1 ? { error: full, kept: true } : null);
    const sent = driver.send({ type: "SendMessage", message: "m", by: "p" });
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    expect(await sent).toMatchObject({ ok: true });
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["verify:a:1:1"]);
    const types = await bench.store.types(taskId);
    expect(types.filter((type) => type === "subtask_delivered")).toHaveLength(1);
    expect(types.filter((type) => type === "conversation_message")).toHaveLength(1);
  });

  test("is found to have been kept when the store can be read again", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    let nth = 0;
    bench.store.trouble = () => (++nth === 1 ? { error: full, kept: true } : null);
    bench.store.readTrouble = full;
    const sent = driver.send({ type: "SendMessage", message: "m", by: "p" });
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await expect(sent).rejects.toBe(full);
    await bench.clock.advance(5000);
    expect(bench.desk.running).toEqual(["verify:a:1:1"]);
    expect((await bench.store.types(taskId)).filter((type) => type === "subtask_delivered")).toHaveLength(1);
  });

  test("is made again when the log cannot be read either", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    let nth = 0;
    bench.store.trouble = () => (++nth === 1 ? { error: full } : null);
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await bench.store.quiet();
    bench.store.readTrouble = full;
    await bench.clock.advance(5000);
    expect(driver.task.subtasks.get("a")?.status.kind).toBe("verifying");
  });
});

describe("a log that someone else writes to", () => {
  test("is folded, and everything is asked again", async () => {
    const bench = new Bench();
    const told: number[] = [];
    const driver = await bench.planned(["a"], brief(), { changed: ({ task }) => told.push(task.lastSeq) });
    await cancelElsewhere(bench);
    const sent = await driver.send({ type: "PauseTask", by: "p" });
    expect(sent).toMatchObject({ ok: false, error: { code: "wrong_state" } });
    expect(driver.task.outcome).toBe("cancelled");
    expect(told.at(-1)).toBe(driver.task.lastSeq);
    await driver.idle();
    expect(bench.desk.running).toEqual([]);
  });

  test("does not end an effect whose report it made void", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a", "b"]);
    const other = await Driver.open(taskId, bench.driverPorts());
    await other.send({ type: "SendMessage", message: "m", by: "p" });
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["work:b:1:1", "verify:a:1:1"]);
    expect(driver.task.lastSeq).toBe((await bench.store.log(taskId)).length);
  });

  test("is set aside when the store claims a conflict that is none", async () => {
    const bench = new Bench();
    const driver = await bench.created();
    bench.store.conflicts = true;
    await expect(driver.send({ type: "CancelTask", by: "p" })).rejects.toThrow(/has nothing more of it/);
  });
});

describe("an idempotency key", () => {
  const row = (id: string): IdempotencyRow => ({
    key: "k",
    fingerprint: "f",
    status: 201,
    body: { task_id: id },
    createdAt: 1,
  });

  test("makes a task once; the second one is told of the first", async () => {
    const bench = new Bench();
    const drivers = [1, 2].map((nth) => new Driver(taskIdOf(nth), null, bench.driverPorts()));
    const sent = await Promise.all(drivers.map((driver) => driver.send({ type: "SubmitTask", brief: brief() }, row)));
    const duplicates = sent.map((result) => (result.ok ? result.value.duplicate?.body : undefined));
    expect(duplicates).toEqual([undefined, { task_id: taskIdOf(1) }]);
    expect(await bench.store.row(taskIdOf(2))).toBeNull();
  });

  test("that is taken leaves what came with it to be asked again", async () => {
    const bench = new Bench();
    const driver = await bench.created();
    const message = { type: "SendMessage", message: "m", by: "p" } as const;
    const pause = { type: "PauseTask", by: "p" } as const;
    const [first, second, beside, other] = await Promise.all([
      driver.send(message, row),
      driver.send(message, row),
      driver.send(pause),
      driver.send(message, () => ({ ...row(taskId), key: "other" })),
    ]);
    expect([first, second, beside, other].map((result) => result.ok && result.value.duplicate !== undefined)).toEqual([
      false,
      true,
      false,
      false,
    ]);
    expect(driver.task.paused).toBe("asked");
    expect(driver.task.instructions).toHaveLength(2);
    expect(await bench.store.idempotency("other")).not.toBeNull();
  });

  test("of a refused request is not kept", async () => {
    const bench = new Bench();
    const driver = await bench.created();
    await driver.send(
      { type: "AnswerQuestion", questionId: "q", answer: { selected_option_ids: [], custom_response: "" }, by: "p" },
      row,
    );
    expect(await bench.store.idempotency("k")).toBeNull();
  });
});
