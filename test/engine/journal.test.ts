/** The journal of an attempt: what was recorded is replayed, what was cut off is judged, and nothing runs twice unasked. */
import { describe, expect, test, vi } from "vitest";
import type { EventOf } from "../../src/domain/event.ts";
import { Driver } from "../../src/engine/driver.ts";
import { AttemptJournal, type Post } from "../../src/engine/journal.ts";
import type { EffectClass } from "../../src/ports/event-store.ts";
import type { StepEnd, StepSpec } from "../../src/ports/journal.ts";
import { Bench } from "../support/engine-bench.ts";
import { approvalAsk, brief, taskId } from "../support/engine-samples.ts";

function toolStep(step: string, effectClass: EffectClass = "external"): StepSpec<string> {
  const at = { subtask_id: "a", tool: "sh", step, attempt: 1 };
  return { step, effectClass, event: { type: "tool_call_started", ...at, args: {}, effect_class: effectClass } };
}

function endOf(step: string, result: string): StepEnd<string> {
  const at = { subtask_id: "a", tool: "sh", step, attempt: 1 };
  const completed = { success: true, output: result, files_changed: [], destructive: false, duration_ms: 1 };
  return { result, events: [{ type: "tool_call_completed", ...at, ...completed }] };
}

const doubt: EventOf<"uncertain_effect"> = {
  type: "uncertain_effect",
  subtask_id: "a",
  attempt: 1,
  step: "one",
  tool: "sh",
  detail: "?",
};
type Judge = NonNullable<StepSpec<string>["interrupted"]>;

const never = () => Promise.reject(new Error("This must not run"));

/** A life of Loom in which subtask a works; the second life finds what the first left behind. */
async function working(bench: Bench): Promise<Driver> {
  return await bench.planned(["a"]);
}

async function nextLife(bench: Bench): Promise<Driver> {
  const driver = await Driver.open(taskId, bench.driverPorts());
  driver.admit(null, true);
  await bench.store.quiet();
  return driver;
}

const journalOf = (bench: Bench) => bench.desk.run("work:a:1:1").execution.journal;

/** Starts a step in one life that never sees its end, and gives the journal of the next. */
async function cutOff(
  spec: StepSpec<string>,
): Promise<{ bench: Bench; journal: ReturnType<typeof journalOf>; driver: Driver }> {
  const bench = new Bench();
  const first = await working(bench);
  const cut = journalOf(bench).step(spec, () => new Promise(() => undefined));
  cut.catch(() => undefined);
  await bench.store.quiet();
  await first.close();
  const driver = await nextLife(bench);
  return { bench, journal: journalOf(bench), driver };
}

describe("a step", () => {
  test("is durable as started before it runs, and its end before the next one runs", async () => {
    const bench = new Bench();
    await working(bench);
    const journal = journalOf(bench);
    const seen: unknown[] = [];
    const stored = async () =>
      seen.push((await bench.store.inner.steps(taskId, "work:a:1")).map((row) => [row.step, row.ended?.result]));
    await journal.step({ ...toolStep("one"), started: { pid: 1 } }, async () => {
      await stored();
      return endOf("one", "1");
    });
    await journal.step(toolStep("two"), async () => {
      await stored();
      return endOf("two", "2");
    });
    expect(seen).toEqual([
      [["one", undefined]],
      [
        ["one", "1"],
        ["two", undefined],
      ],
    ]);
    expect(journal.recall("one")).toMatchObject({ started: { pid: 1 }, ended: { result: "1" } });
    expect(journal.recall("three")).toBeUndefined();
  });

  test("brings its blobs along, at its start and at its end", async () => {
    const bench = new Bench();
    await working(bench);
    const blob = (text: string) => ({ digest: `sha256:${text.repeat(64)}`, bytes: new TextEncoder().encode(text) });
    await journalOf(bench).step({ ...toolStep("one", "workspace"), blobs: [blob("a")] }, () =>
      Promise.resolve({ ...endOf("one", "1"), blobs: [blob("b")] }),
    );
    await bench.store.quiet();
    expect(await bench.store.inner.get(blob("a").digest)).not.toBeNull();
    expect(await bench.store.inner.get(blob("b").digest)).not.toBeNull();
  });

  test("says which instructions enter with it", async () => {
    const bench = new Bench();
    const driver = await working(bench);
    await driver.send({ type: "SteerTask", instruction: "i", mode: "next_boundary", by: "p" });
    const seq = driver.task.lastSeq;
    await journalOf(bench).step({ ...toolStep("one"), instructionSeqs: [seq] }, () =>
      Promise.resolve(endOf("one", "1")),
    );
    const applied = (await bench.store.log(taskId)).find((event) => event.type === "steer_applied");
    expect(applied).toMatchObject({ instruction_seq: seq, subtask_id: "a" });
  });

  test("that ended is replayed in every later life and leg, and never runs again", async () => {
    const bench = new Bench();
    const first = await working(bench);
    await journalOf(bench).step(toolStep("one"), () => Promise.resolve(endOf("one", "1")));
    await bench.store.quiet();
    expect(await journalOf(bench).step(toolStep("one"), never)).toBe("1");
    await first.close();
    await nextLife(bench);
    expect(await journalOf(bench).step(toolStep("one"), never)).toBe("1");
    bench.desk.end({ type: "NeedsApproval", key: "work:a:1:1", ask: approvalAsk("apr_a") });
    await bench.store.quiet();
    expect((await bench.store.types(taskId)).filter((type) => type === "tool_call_started")).toHaveLength(1);
    const steps = await bench.store.steps(taskId, "work:a:1");
    expect(steps.map(({ step }) => step)).toEqual(["one"]);
  });

  test("that threw is still started, and its error is its caller's", async () => {
    const bench = new Bench();
    await working(bench);
    const journal = journalOf(bench);
    await expect(journal.step(toolStep("one", "pure"), () => Promise.reject(new Error("down")))).rejects.toThrow(
      "down",
    );
    expect(journal.recall("one")).toMatchObject({ step: "one" });
    expect(journal.recall("one")?.ended).toBeUndefined();
    expect(await journal.step(toolStep("one", "pure"), () => Promise.resolve(endOf("one", "1")))).toBe("1");
  });

  test("does not run when its effect is not wanted any more, and was never there", async () => {
    const bench = new Bench();
    bench.desk.stubborn.add("work:a:1:1");
    const driver = await working(bench);
    const journal = journalOf(bench);
    await driver.send({ type: "CancelTask", by: "p" });
    await expect(journal.step(toolStep("one"), never)).rejects.toMatchObject({ name: "StepRefused" });
    expect(journal.recall("one")).toBeUndefined();
    expect(await bench.store.steps(taskId, "work:a:1")).toEqual([]);
  });

  test("does not run when the budget is spent, and was never there", async () => {
    const bench = new Bench();
    bench.desk.stubborn.add("work:a:1:1");
    const driver = await bench.planned(["a"], brief({ budget: { tool_calls: 1 } }));
    const journal = journalOf(bench);
    await journal.step(toolStep("one"), () => Promise.resolve(endOf("one", "1")));
    await expect(journal.step(toolStep("two"), never)).rejects.toMatchObject({ name: "StepRefused" });
    await bench.store.quiet();
    expect(driver.task.failure?.reason).toBe("budget");
    expect((await bench.store.steps(taskId, "work:a:1")).map(({ step }) => step)).toEqual(["one"]);
  });

  test("can run beside others", async () => {
    const bench = new Bench();
    await working(bench);
    const journal = journalOf(bench);
    const names = ["one", "two", "three"];
    const results = await Promise.all(
      names.map((name) => journal.step(toolStep(name, "pure"), () => Promise.resolve(endOf(name, name)))),
    );
    expect(results).toEqual(names);
  });
});

describe("a step that was cut off", () => {
  test("runs again when it only reads", async () => {
    const { bench, journal } = await cutOff(toolStep("one", "pure"));
    expect(await journal.step(toolStep("one", "pure"), () => Promise.resolve(endOf("one", "again")))).toBe("again");
    await bench.store.quiet();
    expect((await bench.store.types(taskId)).filter((type) => type === "tool_call_started")).toHaveLength(2);
  });

  test("runs again when it turns out not to have happened, with what was recorded of its start", async () => {
    const { bench, journal } = await cutOff({ ...toolStep("one", "workspace"), started: { before: "x" } });
    const interrupted = vi.fn<Judge>(() => Promise.resolve({ kind: "again" } as const));
    const result = await journal.step({ ...toolStep("one", "workspace"), interrupted }, () =>
      Promise.resolve(endOf("one", "1")),
    );
    expect(result).toBe("1");
    expect(interrupted).toHaveBeenCalledExactlyOnceWith({ before: "x" });
    await bench.store.quiet();
    expect(await bench.store.steps(taskId, "work:a:1")).toMatchObject([
      { started: { before: "x" }, ended: { result: "1" } },
    ]);
  });

  test("is recorded as done when it turns out to have happened", async () => {
    const { bench, journal } = await cutOff(toolStep("one", "workspace"));
    const interrupted = () => Promise.resolve({ kind: "done", end: endOf("one", "done") } as const);
    expect(await journal.step({ ...toolStep("one", "workspace"), interrupted }, never)).toBe("done");
    await bench.store.quiet();
    const types = await bench.store.types(taskId);
    expect(types).toContain("tool_call_completed");
    expect(types).not.toContain("uncertain_effect");
  });

  test("is uncertain once when nobody knows: told and recorded in one append, never run", async () => {
    const { bench, journal, driver } = await cutOff(toolStep("one"));
    const interrupted = vi.fn<Judge>(() =>
      Promise.resolve({ kind: "uncertain", event: doubt, end: endOf("one", "unknown") } as const),
    );
    expect(await journal.step({ ...toolStep("one"), interrupted }, never)).toBe("unknown");
    const last = bench.store.tried.at(-1);
    expect(last?.events.map(({ type }) => type)).toEqual(["tool_call_completed", "uncertain_effect"]);
    expect(last?.steps).toMatchObject([{ step: "one", ended: { result: "unknown" } }]);
    await driver.close();
    await nextLife(bench);
    expect(await journalOf(bench).step({ ...toolStep("one"), interrupted }, never)).toBe("unknown");
    expect(interrupted).toHaveBeenCalledTimes(1);
    expect((await bench.store.types(taskId)).filter((type) => type === "uncertain_effect")).toHaveLength(1);
  });

  test("is put before a person where the task says so, and nothing follows it before they answer", async () => {
    const { bench, journal, driver } = await cutOff(toolStep("one"));
    const standing = {
      kind: "uncertain",
      event: doubt,
      end: endOf("one", "unknown"),
      ask: approvalAsk("apr_u"),
    } as const;
    await journal.step({ ...toolStep("one"), interrupted: () => Promise.resolve(standing) }, never);
    await expect(journal.step(toolStep("two"), never)).rejects.toMatchObject({ name: "StepRefused" });
    await bench.store.quiet();
    expect(driver.task.subtasks.get("a")?.status).toMatchObject({ kind: "parked", id: "apr_u" });
    expect(bench.desk.running).toEqual([]);
  });

  test("that changes the world and cannot say what became of it is not run at all", async () => {
    const { journal } = await cutOff(toolStep("one"));
    await expect(journal.step(toolStep("one"), never)).rejects.toThrow(/nothing says what became of it/);
  });

  test("is judged by what it was started as", async () => {
    const { journal } = await cutOff(toolStep("one", "pure"));
    expect(await journal.step(toolStep("one", "external"), () => Promise.resolve(endOf("one", "1")))).toBe("1");
  });
});

test("after an end that could not be recorded, no further step starts", async () => {
  const post: Post = (report) => {
    if (report.type === "StepEnded") return Promise.reject(new Error("lost"));
    return Promise.resolve(report.type === "StepStarted" ? [report.event] : []);
  };
  const journal = new AttemptJournal({ key: "work:a:1:1", scope: "work:a:1" }, [], post);
  await journal.step(toolStep("one"), () => Promise.resolve(endOf("one", "1")));
  await Promise.resolve();
  await expect(journal.step(toolStep("two"), never)).rejects.toThrow("The end of step one could not be recorded");
});
