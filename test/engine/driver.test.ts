/** The driver of one task: what is wanted runs, and what is answered is durable. */
import { describe, expect, test } from "vitest";
import { Driver } from "../../src/engine/driver.ts";
import { Bench } from "../support/engine-bench.ts";
import { brief, delivered, passed, proposed, spec, taskId } from "../support/engine-samples.ts";

describe("a task that is created", () => {
  test("is durable when the request is answered, and then its plan is wanted", async () => {
    const bench = new Bench();
    const driver = new Driver(taskId, null, bench.driverPorts());
    driver.admit(null, true);
    const sent = await driver.send({ type: "SubmitTask", brief: brief() });
    expect(sent).toMatchObject({ ok: true, value: { appliedSeq: 1 } });
    expect((await bench.store.types(taskId))[0]).toBe("task_created");
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["plan:1:1"]);
    expect(await bench.store.types(taskId)).toEqual(["task_created", "task_planning"]);
  });

  test("goes all the way to its answer when all goes well", async () => {
    const bench = new Bench();
    bench.desk.playsAll(["a", "b"]);
    const driver = await bench.created();
    await driver.idle();
    expect(driver.task.outcome).toBe("completed");
    expect(driver.inFlight).toBe(0);
    expect(bench.complaints).toEqual([]);
    const log = await bench.store.log(taskId);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  });

  test("has no state before that", () => {
    const driver = new Driver(taskId, null, new Bench().driverPorts());
    expect(() => driver.task).toThrow(/has not been created/);
    expect(driver.held).toBeNull();
  });

  test("cannot be created twice", async () => {
    const driver = await new Bench().created();
    const sent = await driver.send({ type: "SubmitTask", brief: brief() });
    expect(sent).toMatchObject({ ok: false, error: { code: "wrong_state" } });
  });

  test("is unknown before that", async () => {
    await expect(Driver.open(taskId, new Bench().driverPorts())).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("wanted work", () => {
  test("starts when its turn comes, as many at a time as there are slots", async () => {
    const bench = new Bench();
    await bench.planned(["a", "b", "c"], brief({ rules: { max_parallel_subtasks: 2 } }));
    expect(bench.desk.running).toEqual(["work:a:1:1", "work:b:1:1"]);
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["work:b:1:1", "verify:a:1:1"]);
    bench.desk.end({ type: "Judged", key: "verify:a:1:1", verdict: passed });
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["work:b:1:1", "work:c:1:1", "extract:a"]);
  });

  test("does not start before it is let in, nor while the driver says why", async () => {
    const bench = new Bench();
    const driver = new Driver(taskId, null, bench.driverPorts());
    const held = { kind: "workspace", id: "task_other" } as const;
    driver.admit(held, false);
    await driver.send({ type: "SubmitTask", brief: brief() });
    await bench.store.quiet();
    expect(bench.desk.started).toEqual([]);
    expect(driver.held).toEqual(held);
    driver.admit(null, true);
    await bench.store.quiet();
    expect(bench.desk.started).toEqual(["plan:1:1"]);
    expect(driver.held).toBeNull();
  });

  test("goes on where it runs when it is no longer let in, and only nothing new starts", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    driver.admit(null, false);
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await bench.store.quiet();
    expect(driver.task.subtasks.get("a")?.status.kind).toBe("verifying");
    expect(bench.desk.running).toEqual([]);
  });

  test("is given what came after its attempt began, and what says so at once", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    const { inbox, current } = bench.desk.run("work:a:1:1").execution;
    const interrupted = inbox.interrupted();
    await driver.send({ type: "SteerTask", instruction: "shorter", mode: "next_boundary", by: "p" });
    await driver.send({ type: "SteerTask", instruction: "later", mode: "queue", by: "p" });
    expect(interrupted.aborted).toBe(false);
    await driver.send({ type: "SteerTask", instruction: "stop that", mode: "interrupt", by: "p" });
    expect(inbox.instructions().map(({ text }) => text)).toEqual(["shorter", "stop that"]);
    expect(interrupted.aborted).toBe(true);
    expect(interrupted.reason).toMatchObject({ name: "Interrupted" });
    expect(inbox.interrupted().aborted).toBe(false);
    expect(bench.desk.running).toEqual(["work:a:1:1"]);
    expect(current()).toBe(driver.task);
  });

  test("passes its tokens on", async () => {
    const bench = new Bench();
    await bench.planned(["a"]);
    bench.desk.run("work:a:1:1").execution.token("word", { subtaskId: "a", model: "m" });
    expect(bench.tokens).toEqual(["word"]);
  });
});

describe("messages that come together", () => {
  test("are one append", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    const before = bench.store.tried.length;
    await Promise.all([
      driver.send({ type: "SendMessage", message: "one", by: "p" }),
      driver.send({ type: "SendMessage", message: "two", by: "p" }),
    ]);
    expect(bench.store.tried).toHaveLength(before + 1);
    expect(bench.store.tried.at(-1)?.events).toHaveLength(2);
  });

  test("are each decided on what the ones before led to: after a cancel, nothing more is believed", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a", "b"]);
    const release = bench.store.hold();
    bench.desk.end({ type: "Delivered", key: "work:b:1:1", summary: "", digest: "" });
    const cancel = driver.send({ type: "CancelTask", by: "p" });
    const late = driver.send({ type: "PauseTask", by: "p" });
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await bench.store.quiet();
    release();
    expect(await cancel).toMatchObject({ ok: true });
    expect(await late).toMatchObject({ ok: false, error: { code: "wrong_state" } });
    await driver.idle();
    const log = await bench.store.log(taskId);
    const told = log.flatMap((event) => (event.type === "subtask_delivered" ? [event.subtask_id] : []));
    expect(told).toEqual([]);
    expect(log.at(-1)?.type).toBe("task_cancelled");
    expect([driver.inFlight, bench.desk.running.length]).toEqual([0, 0]);
  });

  test("answer in their order, and after what they led to was started; who watches is told once", async () => {
    const bench = new Bench();
    const seen: string[] = [];
    const driver = await bench.planned(["a"], brief(), { changed: ({ task }) => seen.push(`changed ${task.lastSeq}`) });
    seen.length = 0;
    const first = driver.send({ type: "SendMessage", message: "one", by: "p" }).then(() => seen.push("first"));
    const second = driver.send({ type: "CancelTask", by: "p" }).then(() => seen.push("second"));
    await Promise.all([first, second]);
    expect(seen).toEqual([`changed ${driver.task.lastSeq}`, "first", "second"]);
  });

  test("that change nothing tell nobody, and write nothing", async () => {
    const bench = new Bench();
    let told = 0;
    const driver = await bench.planned(["a"], brief(), { changed: () => (told += 1) });
    const [before, tried] = [told, bench.store.tried.length];
    expect(await driver.send({ type: "ResumeTask", by: "p" })).toMatchObject({ ok: true, value: { events: [] } });
    expect([told, bench.store.tried.length]).toEqual([before, tried]);
  });
});

describe("a driver that comes back to a log", () => {
  test("wants what the log wants", async () => {
    const bench = new Bench();
    await (await bench.planned(["a", "b"])).close();
    const driver = await Driver.open(taskId, bench.driverPorts());
    expect(bench.desk.running).toEqual([]);
    driver.admit(null, true);
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["work:a:1:1", "work:b:1:1"]);
    expect((await bench.store.types(taskId)).filter((type) => type === "subtask_started")).toHaveLength(2);
  });

  test("reads logs longer than a page", async () => {
    const bench = new Bench();
    const driver = await bench.created();
    const many = Array.from({ length: 2100 }, (_, nth) =>
      driver.send({ type: "SendMessage", message: `${nth}`, by: "p" }),
    );
    await Promise.all(many);
    const again = await Driver.open(taskId, bench.driverPorts());
    expect(again.task.lastSeq).toBe(driver.task.lastSeq);
  });
});

test("a report from outside the effects is recorded", async () => {
  const bench = new Bench();
  const driver = await bench.created();
  const event = {
    type: "webhook_delivered",
    delivery_id: "m",
    target_host: "h",
    attempts: 1,
    status_code: 200,
  } as const;
  expect(await driver.report({ type: "WebhookSettled", event })).toEqual([event]);
});

test("a plan with a flaw is asked for again", async () => {
  const bench = new Bench();
  await bench.created();
  bench.desk.run("plan:1:1").end(proposed("plan:1:1", [spec("a", { depends_on: ["nothing"] })]));
  await bench.store.quiet();
  expect(bench.desk.running).toEqual(["plan:1:2"]);
  bench.desk.run("plan:1:2").end(proposed("plan:1:2", [spec("a")]));
  await bench.store.quiet();
  bench.desk.run("work:a:1:1").end(delivered("work:a:1:1"));
  await bench.store.quiet();
  expect(bench.desk.running).toEqual(["verify:a:1:1"]);
});
