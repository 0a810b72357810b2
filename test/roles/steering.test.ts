/** People who speak to a running attempt: their words enter before the next turn, an interrupt cuts what runs. */
import { describe, expect, test } from "vitest";
import { createWorker } from "../../src/roles/working/work.ts";
import { act, Bench, call, say } from "../support/role-bench.ts";
import { told } from "../support/role-task.ts";

/** An inbox whose interrupt can be fired, with a fresh signal after each. */
function interruptible(bench: Bench) {
  let controller = new AbortController();
  const base = bench.work();
  return {
    execution: {
      ...base,
      inbox: { instructions: () => base.inbox.instructions(), interrupted: () => controller.signal },
    },
    interrupt: (text: string) => {
      bench.after.push(told(text, "interrupt"));
      const old = controller;
      controller = new AbortController();
      old.abort(new Error("interrupted"));
    },
  };
}

const said = (bench: Bench, n: number) => bench.requests()[n]?.messages.map(({ content }) => content) ?? [];

describe("an instruction for the next boundary", () => {
  test("enters before the next turn, once, and is recorded with it", async () => {
    using bench = new Bench();
    bench.script = (_asked, n) => {
      if (n === 1) bench.after.push(told("Use blue."));
      return n < 3 ? act(call("shell_execute", { command: `step ${n}` })) : say("Done.");
    };
    await createWorker(bench.ports)(bench.work());
    expect(said(bench, 0).some((text) => text.includes("Use blue."))).toBe(false);
    expect(said(bench, 1).at(-1)).toContain("Use blue.");
    expect(said(bench, 2).filter((text) => text.includes("Use blue."))).toHaveLength(1);
    expect(bench.ledger("work:a:1").applied).toEqual([6]);
    expect(bench.ledger("work:a:1").rows.get("turn-2")?.started).toMatchObject({
      instructions: [{ seq: 6, text: "Use blue." }],
    });
  });

  test("that comes while the last turn runs is not lost: the loop goes on", async () => {
    using bench = new Bench();
    bench.script = (_asked, n) => {
      if (n === 1) bench.after.push(told("Add a smile."));
      return say(n === 1 ? "Done." : "Done :)");
    };
    expect(await createWorker(bench.ports)(bench.work())).toMatchObject({ type: "Delivered", summary: "Done :)" });
    expect(said(bench, 1).slice(-2)).toEqual(["Done.", expect.stringContaining("Add a smile.")]);
  });

  test("that came before the attempt stands in its first prompt, and has its receipt there, once", async () => {
    using bench = new Bench();
    bench.before.push(told("Use tabs.", "queue"), told("Be short."));
    bench.script = (_asked, n) => (n === 1 ? act(call("shell_execute", { command: "x" })) : say("Done."));
    await createWorker(bench.ports)(bench.work());
    expect(said(bench, 0).join()).toContain("Use tabs.");
    expect(bench.ledger("work:a:1").applied).toEqual([5, 6]);
    const seqs = bench.ledger("work:a:1").applied;
    expect(bench.task().instructions.map(({ seq }) => seq)).toEqual(seqs);
  });

  test("that this subtask has had before has no second receipt", async () => {
    using bench = new Bench();
    const receipt = { type: "steer_applied", attempt: 1, iteration: 1, instruction_seq: 5 } as const;
    bench.before.push(told("Use tabs."), { ...receipt, subtask_id: "a" }, told("Be short."));
    bench.before.push({ ...receipt, subtask_id: "b", instruction_seq: 7 });
    await createWorker(bench.ports)(bench.work());
    expect(bench.ledger("work:a:1").applied).toEqual([7]);
  });

  test("stays out when it is meant for the next subtask", async () => {
    using bench = new Bench();
    bench.after.push(told("Later.", "queue"));
    await createWorker(bench.ports)(bench.work());
    expect(said(bench, 0).join()).not.toContain("Later.");
  });

  test("enters a replay with the turn that it entered with first", async () => {
    using bench = new Bench();
    bench.script = (_asked, n) => {
      if (n === 1) bench.after.push(told("Use blue."));
      return n < 3 ? act(call("shell_execute", { command: `step ${n}` })) : say("Done.");
    };
    await createWorker(bench.ports)(bench.work());
    bench.ledger("work:a:1").rows.delete("turn-3");
    const before = bench.requests().at(-1);
    await createWorker(bench.ports)(bench.work());
    expect(bench.requests().at(-1)).toEqual(before);
  });
});

describe("an interrupt", () => {
  test("cuts the model call in flight, and the next turn reads it", async () => {
    using bench = new Bench();
    const { execution, interrupt } = interruptible(bench);
    bench.script = (_asked, n) => {
      if (n === 1) interrupt("Stop that.");
      return say("Done.");
    };
    expect(await createWorker(bench.ports)(execution)).toMatchObject({ type: "Delivered" });
    expect(said(bench, 1).at(-1)).toContain("Stop that.");
    expect(bench.requests()).toHaveLength(2);
    const { rows, events } = bench.ledger("work:a:1");
    expect(rows.get("turn-1")?.ended?.result).toMatchObject({ finish: "interrupted", text: "" });
    expect(events.find((event) => event.type === "model_invocation" && event.phase === "done")).toMatchObject({
      error: "stopped by a person",
    });
  });

  test("stops a running command as stopped by a person, and the calls behind it do not run", async () => {
    using bench = new Bench();
    const { execution, interrupt } = interruptible(bench);
    bench.shell.wait = (signal) => {
      interrupt("Not that one.");
      return Promise.reject(signal.reason as Error);
    };
    bench.script = (_asked, n) =>
      n === 1
        ? act(call("shell_execute", { command: "sleep 100" }), call("shell_execute", { command: "deploy" }))
        : say("Done.");
    expect(await createWorker(bench.ports)(execution)).toMatchObject({ type: "Delivered" });
    expect(bench.shell.lines).toEqual(["sleep 100"]);
    expect(said(bench, 1).slice(-3)).toEqual([
      "ERROR: stopped by a person",
      "ERROR: not run: a person interrupted; read what they say",
      expect.stringContaining("Not that one."),
    ]);
    expect(bench.ledger("work:a:1").rows.get("turn-1-call-1")?.ended?.result).toMatchObject({ mark: "stopped" });
  });
});
