/** Budgets on the engine: calls that wait for each other, calls that fail, tasks that draw on one account, and what is charged. */
import { describe, expect, test } from "vitest";
import type { EventOf, TaskEvent } from "../../src/domain/event.ts";
import type { StepStartEvent } from "../../src/domain/report.ts";
import type { Quote } from "../../src/domain/reservation.ts";
import { Driver } from "../../src/engine/driver.ts";
import { LoomError } from "../../src/lib/errors.ts";
import { type StepEnd, StepRefused, type StepSpec } from "../../src/ports/journal.ts";
import { Bench } from "../support/engine-bench.ts";
import { brief, taskId, taskIdOf } from "../support/engine-samples.ts";

const at = { role: "executor", step: "turn-1", attempt: 1, iteration: 1 };
type Invocation = EventOf<"model_invocation">;

function call(id: string, quote: Partial<Quote> = {}): StepSpec<string> {
  return {
    step: "turn-1",
    effectClass: "pure",
    event: { type: "model_invocation", phase: "start", subtask_id: id, ...at },
    quote: { inputTokens: 100, outputTokens: 5000, price: null, ...quote },
    failed: (error, started) => [failed(id, error, started)],
  };
}

function failed(id: string, error: unknown, started: StepStartEvent): Invocation {
  const { reserved } = started as Invocation;
  const usage = error instanceof LoomError || reserved === undefined ? {} : { usage: { ...reserved, estimated: true } };
  return { type: "model_invocation", phase: "failed", subtask_id: id, ...at, error: "no", ...usage };
}

function reply(id: string, input: number, output: number): StepEnd<string> {
  const usage = { input_tokens: input, output_tokens: output };
  return { result: "said", events: [{ type: "model_invocation", phase: "done", subtask_id: id, ...at, usage }] };
}

/** A call in flight, ended by hand. */
class Calling {
  readonly started: Promise<Invocation>;
  readonly result: Promise<unknown>;
  readonly #end = Promise.withResolvers<StepEnd<string>>();
  isOn = false;

  constructor(bench: Bench, id: string, quote: Partial<Quote> = {}) {
    const on = Promise.withResolvers<Invocation>();
    const { journal } = bench.desk.run(`work:${id}:1:1`).execution;
    this.started = on.promise;
    this.result = journal
      .step(call(id, quote), (event) => {
        this.isOn = true;
        on.resolve(event as Invocation);
        return this.#end.promise;
      })
      .catch((error: unknown) => error);
  }

  end(id: string, input: number, output: number): void {
    this.#end.resolve(reply(id, input, output));
  }

  fail(error: unknown): void {
    this.#end.reject(error);
  }
}

const invocations = async (bench: Bench, phase: string): Promise<Invocation[]> =>
  (await bench.store.log(taskId)).filter(
    (event): event is TaskEvent & Invocation => event.type === "model_invocation" && event.phase === phase,
  );

describe("model calls side by side under a budget", () => {
  const crowded = async (): Promise<{ bench: Bench; driver: Driver; first: Calling; second: Calling }> => {
    const bench = new Bench();
    const driver = await bench.planned(["a", "b"], brief({ budget: { tokens: 6000 } }));
    const first = new Calling(bench, "a");
    await first.started;
    const second = new Calling(bench, "b", { inputTokens: 900 });
    await bench.store.quiet();
    return { bench, driver, first, second };
  };

  test("wait while what is left is set aside for another, and start when it gives it back", async () => {
    const { bench, driver, first, second } = await crowded();
    expect([first.isOn, second.isOn]).toEqual([true, false]);
    expect((await invocations(bench, "start")).map(({ reserved }) => reserved?.output_tokens)).toEqual([5000]);
    first.end("a", 90, 10);
    expect((await second.started).reserved).toEqual({ input_tokens: 900, output_tokens: 5000 });
    second.end("b", 900, 4000);
    await Promise.all([first.result, second.result]);
    await bench.store.quiet();
    expect(driver.task.usage).toMatchObject({ inputTokens: 990, outputTokens: 4010 });
    expect(driver.task.reservations.size).toBe(0);
  });

  test("do not start when they are not wanted any more", async () => {
    const { driver, second } = await crowded();
    await driver.send({ type: "CancelTask", by: "ada" });
    expect(await second.result).toBeInstanceOf(StepRefused);
    expect(second.isOn).toBe(false);
  });

  test("do not start when Loom goes down, which does not wait for them", async () => {
    const { bench, driver, second } = await crowded();
    await driver.close();
    expect(await second.result).toBeInstanceOf(StepRefused);
    const next = await Driver.open(taskId, bench.driverPorts());
    await next.report({ type: "Recovered", stepsInFlight: [] });
    // The one in flight counts as what was set aside for it.
    expect(next.task.usage).toMatchObject({ inputTokens: 100, outputTokens: 5000 });
    expect(next.task.reservations.get("a/1/turn-1")?.lapsed).toBe(true);
  });

  test("end the task when what is left will never be enough", async () => {
    const { driver, first, second } = await crowded();
    first.end("a", 100, 4950);
    expect(await second.result).toBeInstanceOf(StepRefused);
    expect(driver.task.failure).toMatchObject({ reason: "budget" });
  });
});

describe("a model call that fails", () => {
  test("gives back what was set aside, and may start again", async () => {
    const bench = new Bench();
    const driver = await bench.planned(["a"], brief({ budget: { tokens: 6000 } }));
    const first = new Calling(bench, "a");
    await first.started;
    first.fail(new LoomError("model_unavailable", "down"));
    expect(await first.result).toMatchObject({ code: "model_unavailable" });
    await bench.store.quiet();
    expect((await invocations(bench, "failed"))[0]).toMatchObject({ error: "no" });
    expect([driver.task.usage.inputTokens, driver.task.reservations.size]).toEqual([0, 0]);
    const again = new Calling(bench, "a");
    expect((await again.started).reserved).toMatchObject({ output_tokens: 5000 });
  });

  test("is told of when its work is not wanted any more, and not when Loom goes down", async () => {
    const cut = async (stop: (driver: Driver) => Promise<unknown>): Promise<Bench> => {
      const bench = new Bench();
      const driver = await bench.planned(["a"]);
      const calling = new Calling(bench, "a");
      await calling.started;
      const { stop: stops } = bench.desk.run("work:a:1:1").execution;
      stops.aborted.addEventListener("abort", () => calling.fail(stops.aborted.reason));
      await stop(driver);
      await calling.result;
      await bench.store.quiet();
      return bench;
    };
    const cancelled = await cut((driver) => driver.send({ type: "CancelTask", by: "ada" }));
    const usage = { input_tokens: 100, output_tokens: 5000, estimated: true };
    expect(await invocations(cancelled, "failed")).toMatchObject([{ usage }]);
    expect(await invocations(await cut((driver) => driver.close()), "failed")).toEqual([]);
  });
});

describe("tasks of one account", () => {
  const account = { id: "anna", tokens_per_day: 10_000 };
  const opened = async (bench: Bench, nth: number): Promise<Driver> => {
    const driver = new Driver(taskIdOf(nth), null, bench.driverPorts());
    await driver.send({ type: "SubmitTask", brief: brief({ account, workspace: `/w${nth}` }) });
    return driver;
  };
  const start = (driver: Driver, quote: Partial<Quote>) => {
    const { event, quote: asked } = {
      ...call("a"),
      quote: { inputTokens: 100, outputTokens: 5000, price: null, ...quote },
    };
    return driver.report({
      type: "StepStarted",
      key: "plan:1:1",
      step: "plan",
      event: { ...event, role: "planner" } as Invocation,
      instructionSeqs: [],
      quote: asked,
    });
  };

  test("draw on it together: of calls that begin at once, none is given what another has", async () => {
    const bench = new Bench();
    const drivers = await Promise.all([1, 2, 3].map((nth) => opened(bench, nth)));
    const told = await Promise.all(drivers.map((driver) => start(driver, {})));
    const granted = told.map(([event]) =>
      event?.type === "model_invocation" ? event.reserved?.output_tokens : event?.type,
    );
    expect(new Set(granted)).toEqual(new Set([4800, 5000, "task_budget_exhausted"]));
    expect(await bench.store.inner.charged("anna", "2026-01-01")).toEqual({ tokens: 10_000, microUsd: 0 });
    const failedOne = drivers.find(({ task }) => task.failure !== null);
    expect(failedOne?.task.failure?.message).toContain('tokens_per_day of "anna" is spent: 10000 of 10000');
  });

  test("begin anew with the day", async () => {
    const bench = new Bench();
    const [first, second] = [await opened(bench, 1), await opened(bench, 2)];
    await start(first, { outputTokens: 9900 });
    await bench.clock.advance(86_400_000);
    expect((await start(second, {}))[0]).toMatchObject({ reserved: { output_tokens: 5000 } });
    expect(await bench.store.inner.charged("anna", "2026-01-02")).toEqual({ tokens: 5100, microUsd: 0 });
  });

  test("go on when the ledger can be read again", async () => {
    const bench = new Bench();
    let isBroken = true;
    const charged = (id: string, day: string) =>
      isBroken ? Promise.reject(new LoomError("storage_failed", "no disk")) : bench.store.inner.charged(id, day);
    const driver = new Driver(taskIdOf(1), null, bench.driverPorts({ ledger: { charged } }));
    await driver.send({ type: "SubmitTask", brief: brief({ account }) });
    const starting = start(driver, {});
    await bench.store.quiet();
    expect(driver.held).toMatchObject({ kind: "storage" });
    isBroken = false;
    await bench.clock.advance(6000);
    expect((await starting)[0]).toMatchObject({ reserved: { output_tokens: 5000 } });
  });

  test("are charged nothing where no cap was set", async () => {
    const bench = new Bench();
    const driver = new Driver(taskIdOf(1), null, bench.driverPorts());
    await driver.send({ type: "SubmitTask", brief: brief({ account: { id: "anna" } }) });
    await start(driver, {});
    expect(bench.store.tried.flatMap(({ ledger = [] }) => ledger)).toEqual([]);
  });
});
