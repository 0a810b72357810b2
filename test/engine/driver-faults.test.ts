/** The driver among faults: secrets, executors and rules that are broken, and going down in the middle of it. */
import { describe, expect, test } from "vitest";
import type { TaskEvent } from "../../src/domain/event.ts";
import { Driver } from "../../src/engine/driver.ts";
import { LoomError } from "../../src/lib/errors.ts";
import { StepRefused } from "../../src/ports/journal.ts";
import { Bench } from "../support/engine-bench.ts";
import { brief, delivered, passed, taskId } from "../support/engine-samples.ts";

describe("a secret", () => {
  test("is in no event, row or state, and its maker still recognises what it led to", async () => {
    const bench = new Bench();
    const redact = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll("hunter22", "[redacted]")) as T;
    const driver = await bench.planned(["a"], brief({ goal: "log in with hunter22" }), { redact });
    const { journal } = bench.desk.run("work:a:1:1").execution;
    const result = await journal.step(
      {
        step: "turn-1-call-1",
        effectClass: "external",
        event: {
          type: "tool_call_started",
          subtask_id: "a",
          tool: "sh",
          step: "turn-1-call-1",
          attempt: 1,
          args: { line: "echo hunter22" },
          effect_class: "external",
        },
        started: { line: "echo hunter22" },
      },
      () => Promise.resolve({ result: "hunter22", events: [] }),
    );
    expect(result).toBe("hunter22");
    await bench.store.quiet();
    expect(JSON.stringify(await bench.store.log(taskId))).not.toContain("hunter22");
    expect(JSON.stringify(await bench.store.row(taskId))).not.toContain("hunter22");
    expect(driver.task.brief.goal).toBe("log in with [redacted]");
    expect(JSON.stringify(await bench.store.steps(taskId, "work:a:1"))).toContain("hunter22");
  });
});

describe("an executor that is broken", () => {
  test.each([
    ["throws", new Error("cannot")],
    ["throws a refusal that nobody gave", new StepRefused("turn-1")],
    ["throws what is no error", "nonsense"],
  ])("and %s has failed its attempt", async (_, thrown) => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    bench.desk.run("work:a:1:1").fail(thrown);
    await bench.store.quiet();
    expect(driver.task.subtasks.get("a")).toMatchObject({ status: { kind: "backoff" }, failures: 1 });
    expect(bench.complaints[0]).toMatch(/^An executor threw/);
  });

  test.each([
    ["a report that ends something else", { type: "Judged", key: "work:a:1:1", verdict: passed }],
    ["the report of another effect", delivered("work:b:1:1")],
    ["a yield that nobody asked for", { type: "Yielded", key: "work:a:1:1" }],
    ["a report of no effect", { type: "Recovered", stepsInFlight: [] }],
  ] as const)("and ends with %s has failed its attempt, and does not run for ever", async (_, report) => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    bench.desk.run("work:a:1:1").end(report);
    await bench.store.quiet();
    expect(driver.task.subtasks.get("a")).toMatchObject({ status: { kind: "backoff" }, failures: 1 });
    expect(bench.desk.started.filter((key) => key === "work:a:1:1")).toHaveLength(1);
  });
});

describe("a bug of the rules", () => {
  const poisoned = <T>(value: T): T => {
    if ((value as TaskEvent).type === "subtask_delivered") throw new Error("cannot redact");
    return value;
  };

  test("fails the message that met it alone, and the effect as failed", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a", "b"], brief(), { redact: poisoned });
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    const beside = driver.send({ type: "SendMessage", message: "m", by: "p" });
    expect(await beside).toMatchObject({ ok: true });
    await bench.store.quiet();
    expect(driver.task.subtasks.get("a")).toMatchObject({ failures: 1 });
    expect(bench.desk.running).toEqual(["work:b:1:1"]);
  });

  test("that stands in the way of the failure too keeps the effect from starting again, and the operator is told", async () => {
    const bench = new Bench();
    const broken = <T>(value: T): T => {
      if (["subtask_delivered", "subtask_failed"].includes((value as TaskEvent).type)) throw new Error("cannot redact");
      return value;
    };
    const driver = await bench.planned(["a", "b"], brief(), { redact: broken });
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await bench.store.quiet();
    expect(driver.held).toEqual({ kind: "operator", id: "work:a:1:1", reason: "cannot redact" });
    expect(bench.desk.running).toEqual(["work:b:1:1"]);
    expect(await driver.send({ type: "CancelTask", by: "p" })).toMatchObject({ ok: true });
    await driver.idle();
    expect(driver.task.outcome).toBe("cancelled");
  });

  test("of the store fails what was to be written, and keeps the effect from starting again", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    bench.store.trouble = () => ({ error: new Error("wrong arithmetic") });
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await bench.store.quiet();
    expect(driver.held).toEqual({ kind: "operator", id: "work:a:1:1", reason: "wrong arithmetic" });
    expect(driver.inFlight).toBe(0);
  });

  test("of who watches does not keep the answer back", async () => {
    const bench = new Bench();
    const driver = await bench.created(brief(), {
      changed: () => {
        throw new Error("watcher");
      },
    });
    expect(driver.task.lastSeq).toBeGreaterThan(0);
    expect(bench.complaints[0]).toBe("Telling of a change failed: watcher");
  });
});

describe("an effect that lost the end of a step", () => {
  const at = { subtask_id: "a", role: "r", step: "turn-1", attempt: 1, iteration: 1 };
  const start = { type: "model_invocation", phase: "start", ...at } as const;
  const done = { type: "model_invocation", phase: "done", ...at } as const;
  const step = async (bench: Bench) => {
    const { journal } = bench.desk.run("work:a:1:1").execution;
    const end = () => Promise.resolve({ result: "said", events: [done] });
    await journal.step({ step: "turn-1", effectClass: "pure", event: start }, end);
  };

  test("has failed, whatever it says of itself", async () => {
    const bench = new Bench();
    const redact = <T>(value: T): T => {
      if ((value as TaskEvent).type === "model_invocation" && (value as { phase?: string }).phase === "done")
        throw new Error("cannot redact");
      return value;
    };
    const driver = await bench.planned(["a"], brief(), { redact });
    await step(bench);
    await bench.store.quiet();
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await bench.store.quiet();
    expect(driver.task.subtasks.get("a")).toMatchObject({ failures: 1, delivery: null });
    expect(driver.held).toBeNull();
  });

  test("has said nothing when the driver goes down, and starts again in the next life", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    const drained = driver.drain(6000);
    const full = new LoomError("storage_full", "full");
    bench.store.trouble = ({ steps = [] }) => (steps.some(({ ended }) => ended !== undefined) ? { error: full } : null);
    await step(bench);
    await bench.store.quiet();
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await drained;
    expect(await bench.store.types(taskId)).not.toContain("subtask_delivered");
    const next = await Driver.open(taskId, bench.driverPorts());
    next.admit(null, true);
    await bench.store.quiet();
    expect(bench.desk.running).toEqual(["work:a:1:1"]);
  });
});

describe("a driver that goes down", () => {
  test("lets steps end, starts nothing more, and is gone when they have", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a", "b"], brief({ budget: { wall_seconds: 60 } }));
    const { stop } = bench.desk.run("work:a:1:1").execution;
    const drained = driver.drain(6000);
    expect([stop.yielding.aborted, stop.aborted.aborted]).toEqual([true, false]);
    bench.desk.end({ type: "Yielded", key: "work:a:1:1" });
    bench.desk.end({ type: "Delivered", key: "work:b:1:1", summary: "", digest: "" });
    await drained;
    expect(bench.desk.running).toEqual([]);
    expect(bench.clock.sleepers).toBe(0);
    expect(driver.task.subtasks.get("b")?.status.kind).toBe("verifying");
    await expect(driver.send({ type: "CancelTask", by: "p" })).rejects.toMatchObject({ code: "shutting_down" });
  });

  test("aborts what has not ended in time, and records nothing of it", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    const before = driver.task.lastSeq;
    const { stop } = bench.desk.run("work:a:1:1").execution;
    const drained = driver.drain(6000);
    await bench.clock.advance(5999);
    expect(stop.aborted.aborted).toBe(false);
    await bench.clock.advance(1);
    expect(stop.aborted.aborted).toBe(true);
    await drained;
    expect(driver.inFlight).toBe(0);
    expect((await bench.store.log(taskId)).length).toBe(before);
  });

  test("does not wait for ever for what takes no notice", async () => {
    const bench = new Bench();
    bench.desk.stubborn.add("work:a:1:1");
    const driver = await bench.planned(["a"]);
    const closed = driver.close();
    await bench.clock.advance(1000);
    await closed;
    expect(bench.complaints).toEqual(["Effects did not stop when they were aborted: "]);
    const before = bench.store.tried.length;
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await bench.store.quiet();
    expect(bench.store.tried).toHaveLength(before);
  });

  test("does not believe what an executor makes of its abort", async () => {
    const bench = new Bench();
    bench.desk.stubborn.add("work:a:1:1");
    const driver = await bench.planned(["a"]);
    const closed = driver.close();
    bench.desk.end({ type: "Failed", key: "work:a:1:1", class: "tool", feedback: "it was aborted" });
    await closed;
    expect(driver.task.subtasks.get("a")?.failures).toBe(0);
  });

  test("does not hold an executor's last words against its attempt", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"]);
    const drained = driver.drain(6000);
    bench.desk.run("work:a:1:1").fail(new Error("the network went away"));
    await drained;
    expect(driver.task.subtasks.get("a")?.failures).toBe(0);
  });
});
