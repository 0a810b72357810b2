/** Ahead of the log: what may go on before it is durable, what may not, and what becomes of it when the store fails. */
import { describe, expect, test } from "vitest";
import { Driver } from "../../src/engine/driver.ts";
import { LoomError } from "../../src/lib/errors.ts";
import type { EffectClass } from "../../src/ports/event-store.ts";
import type { StepSpec } from "../../src/ports/journal.ts";
import { Bench } from "../support/engine-bench.ts";
import { brief, delivered, taskId } from "../support/engine-samples.ts";

const key = "work:a:1:1";

function toolStep(step: string, effectClass: EffectClass): StepSpec<string> {
  const at = { subtask_id: "a", tool: "t", step, attempt: 1 };
  return { step, effectClass, event: { type: "tool_call_started", ...at, args: {}, effect_class: effectClass } };
}

/** Runs a step, and notes when it does. */
function steps(bench: Bench) {
  const ran: string[] = [];
  const run = (spec: StepSpec<string>): Promise<string> =>
    bench.desk.run(key).execution.journal.step(spec, async () => {
      ran.push(spec.step);
      return { result: spec.step, events: [] };
    });
  return { ran, run };
}

async function working(its = brief()) {
  const bench = new Bench();
  const driver = await bench.planned(["a"], its);
  return { bench, driver, ...steps(bench) };
}

const full = () => new LoomError("storage_full", "The disk is full", { retryAfterMs: 5000 });

describe("before it is durable that it began", () => {
  test("a step that only reads runs, as often as it likes, and nobody is shown that it did", async () => {
    const { bench, driver, ran, run } = await working();
    const before = { seq: driver.task.lastSeq, log: (await bench.store.log(taskId)).length };
    const release = bench.store.hold();
    expect(await run(toolStep("one", "pure"))).toBe("one");
    expect(await run(toolStep("two", "pure"))).toBe("two");
    expect(ran).toEqual(["one", "two"]);
    expect(driver.task.lastSeq).toBe(before.seq);
    expect(await bench.store.log(taskId)).toHaveLength(before.log);
    release();
    await bench.store.quiet();
    const started = (await bench.store.log(taskId)).filter(({ type }) => type === "tool_call_started");
    expect(started).toHaveLength(2);
    const recorded = await bench.store.steps(taskId, "work:a:1");
    expect(recorded.map(({ step, ended }) => [step, ended?.result])).toEqual([
      ["one", "one"],
      ["two", "two"],
    ]);
  });

  test.each(["workspace", "external"] as const)(
    "a step of class %s does not run, nor does what reads the record",
    async (effectClass) => {
      const { bench, ran, run } = await working();
      const release = bench.store.hold();
      await run(toolStep("one", "pure"));
      const two = run(toolStep("two", effectClass));
      const three = run({ ...toolStep("three", "pure"), readsRecord: true });
      await bench.store.quiet();
      expect(ran).toEqual(["one"]);
      release();
      await Promise.all([two, three]);
      // What came before it in the log was durable by then.
      expect((await bench.store.steps(taskId, "work:a:1"))[0]).toMatchObject({ step: "one", ended: { result: "one" } });
    },
  );

  test.each([
    { budget: { tool_calls: 5 } },
    { budget: { tokens: 100_000 } },
    { account: { id: "p", tokens_per_day: 100_000 } },
  ])("no step of a task runs that something is counted against: %j", async (capped) => {
    const { bench, ran, run } = await working(brief(capped));
    const release = bench.store.hold();
    const one = run(toolStep("one", "pure"));
    await bench.store.quiet();
    expect(ran).toEqual([]);
    release();
    expect(await one).toBe("one");
  });

  test("an effect begins, and its end starts what follows only when that is durable", async () => {
    const { bench } = await working();
    const release = bench.store.hold();
    bench.desk.end(delivered(key) as never);
    await bench.store.quiet();
    expect(bench.desk.running).toEqual([]);
    release();
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["verify:a:1:1"]);
  });
});

describe("what a person asked for", () => {
  test("holds up what comes after it until it is durable, and then lets it go on", async () => {
    const { bench, driver, ran, run } = await working();
    const release = bench.store.hold();
    const sent = driver.send({ type: "SendMessage", message: "m", by: "p" });
    const one = run(toolStep("one", "pure"));
    await bench.store.quiet();
    expect(ran).toEqual([]);
    release();
    expect(await one).toBe("one");
    expect((await sent).ok).toBe(true);
  });

  test("may be that nothing runs: then the step never ran", async () => {
    const { bench, driver, ran, run } = await working();
    const release = bench.store.hold();
    const sent = driver.send({ type: "CancelTask", by: "p" });
    const one = run(toolStep("one", "pure"));
    one.catch(() => undefined);
    await bench.store.quiet();
    release();
    await expect(one).rejects.toMatchObject({ name: "StepRefused" });
    await sent;
    expect(ran).toEqual([]);
    expect(await bench.store.types(taskId)).not.toContain("tool_call_started");
  });
});

describe("a store that fails", () => {
  test("and comes back has every step once, in the order in which they ran", async () => {
    const { bench, driver, run } = await working();
    let isFull = true;
    bench.store.trouble = () => (isFull ? { error: full() } : null);
    await run(toolStep("one", "pure"));
    await bench.store.quiet();
    expect(driver.held).toMatchObject({ kind: "storage" });
    const two = run(toolStep("two", "pure"));
    isFull = false;
    await bench.clock.advance(10_000);
    expect(await two).toBe("two");
    await bench.store.quiet();
    const log = await bench.store.log(taskId);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
    const started = log.flatMap((event) => (event.type === "tool_call_started" ? [event.step] : []));
    expect(started).toEqual(["one", "two"]);
  });

  test("and does not take the start of a step that runs lets nothing that changes the world follow, and the attempt fails", async () => {
    const { bench, driver, ran, run } = await working();
    const { journal } = bench.desk.run(key).execution;
    const going = Promise.withResolvers<{ result: string; events: [] }>();
    let isBroken = true;
    bench.store.trouble = () => (isBroken ? { error: new Error("a bug") } : null);
    const one = journal.step(toolStep("one", "pure"), () => going.promise);
    await bench.store.quiet();
    isBroken = false;
    going.resolve({ result: "one", events: [] });
    expect(await one).toBe("one");
    await expect(run(toolStep("two", "external"))).rejects.toThrow("A step of work:a:1:1 could not be recorded");
    expect(ran).toEqual([]);
    bench.desk.end(delivered(key) as never);
    await bench.store.quiet();
    expect(driver.task.subtasks.get("a")).toMatchObject({ status: { kind: "backoff" }, failures: 1 });
  });

  test("and did keep what it said it had not, goes on from there", async () => {
    const { bench, driver, run } = await working();
    let isDoubtful = true;
    bench.store.trouble = () => (isDoubtful ? { error: new LoomError("storage_failed", "?"), kept: true } : null);
    await run(toolStep("one", "pure"));
    isDoubtful = false;
    await run(toolStep("two", "external"));
    await bench.store.quiet();
    const reopened = await Driver.open(taskId, bench.driverPorts());
    expect(reopened.task.lastSeq).toBe(driver.task.lastSeq);
    const types = await bench.store.types(taskId);
    expect(types.filter((type) => type === "tool_call_started")).toHaveLength(2);
  });
});
