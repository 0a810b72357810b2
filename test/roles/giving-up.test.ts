/** How an attempt ends that cannot finish, or that is stopped: bounded, with its reason, and with nothing left running. */
import { describe, expect, test } from "vitest";
import { LoomError } from "../../src/lib/errors.ts";
import { createWorker } from "../../src/roles/working/work.ts";
import { act, Bench, call, type Script, say } from "../support/role-bench.ts";
import { RoleJournal } from "../support/role-journal.ts";

const run = (bench: Bench, over = {}) => createWorker(bench.ports)(bench.work(over));

/** Plays the answers one after the other, and then the last for ever. */
function inTurn(...answers: readonly ReturnType<typeof say>[]): Script {
  return (_asked, n) => answers[Math.min(n, answers.length) - 1] ?? say("");
}

describe("an attempt that cannot finish", () => {
  test("fails as blocked when it says so", async () => {
    using bench = new Bench();
    bench.script = inTurn(say('```json\n{"status":"blocked","reason":"no network"}\n```'));
    expect(await run(bench)).toMatchObject({ type: "Failed", class: "blocked", feedback: "no network" });
  });

  test("is not blocked by talking about it", async () => {
    using bench = new Bench();
    bench.script = inTurn(say('It would print {"status":"blocked","reason":"x"} but did not.'));
    expect(await run(bench)).toMatchObject({ type: "Delivered" });
  });

  test.each([
    ["empty replies", { text: "  " }],
    ["replies cut at the token limit", { text: "and then", finish: "length" as const }],
    [
      "replies that were stopped in circles",
      { text: "on and", finish: "length" as const, repaired: ["repetition_cut"] },
    ],
    ["replies that a filter cut", { text: "and then", finish: "filtered" as const }],
  ])("is asked three times to go on after %s, then fails", async (_name, answer) => {
    using bench = new Bench();
    bench.script = inTurn(answer);
    expect(await run(bench)).toMatchObject({ type: "Failed", class: "no_output" });
    expect(bench.requests()).toHaveLength(4);
  });

  test("goes on after an empty reply that was followed by work", async () => {
    using bench = new Bench();
    bench.script = inTurn(say(""), say(""), act(call("shell_execute", { command: "make" })), say(""), say("Done."));
    expect(await run(bench)).toMatchObject({ type: "Delivered" });
  });

  test("is nudged after the third and failed after the fifth same result in a row", async () => {
    using bench = new Bench({ "a.txt": "A" });
    bench.script = () => act(call("read_file", { path: "a.txt" }));
    expect(await run(bench)).toMatchObject({ type: "Failed", class: "loop" });
    expect(bench.requests()).toHaveLength(5);
    const nudges = bench
      .requests()
      .map(({ messages }) => messages.filter(({ content }) => content.includes("again and again")).length);
    expect(nudges).toEqual([0, 0, 0, 1, 1]);
  });

  test("notices a circle of several calls", async () => {
    using bench = new Bench({ "a.txt": "A", "b.txt": "B" });
    bench.script = () => act(call("read_file", { path: "a.txt" }), call("read_file", { path: "b.txt" }));
    expect(await run(bench)).toMatchObject({ type: "Failed", class: "loop" });
  });

  test("is not taken for a circle while results change", async () => {
    using bench = new Bench();
    bench.shell.answer = () => ({ exitCode: 0, output: `line ${bench.shell.lines.length}` });
    bench.script = (_asked, n) => (n < 12 ? act(call("shell_execute", { command: "next" })) : say("Done."));
    expect(await run(bench)).toMatchObject({ type: "Delivered" });
  });

  test("fails when its turns are used up, and is told before", async () => {
    using bench = new Bench();
    bench.brief = { rules: { max_tool_iterations: 6 } };
    bench.script = (_asked, n) => act(call("shell_execute", { command: `step ${n}` }));
    expect(await run(bench)).toMatchObject({
      type: "Failed",
      class: "loop",
      feedback: expect.stringContaining("6 turns") as string,
    });
    expect(bench.requests()).toHaveLength(6);
    expect(bench.requests()[3]?.messages.at(-1)?.content).toContain("Only 3 more turns");
  });

  test.each([
    ["model_unavailable", { type: "ModelDown", retryAfterMs: 15_000 }],
    ["no_model_configured", { type: "ModelDown" }],
    ["model_refused", { type: "Failed", class: "model" }],
  ] as const)("reports %s", async (code, report) => {
    using bench = new Bench();
    bench.script = () => new LoomError(code, "No");
    expect(await run(bench)).toMatchObject(report);
  });

  test("fails when its workspace is gone", async () => {
    using bench = new Bench();
    bench.brief = { workspace: "/nowhere/at/all" };
    expect(await run(bench)).toMatchObject({ type: "Failed", class: "blocked" });
  });

  test("throws a bug", async () => {
    using bench = new Bench();
    bench.script = () => new TypeError("oops");
    await expect(run(bench)).rejects.toThrow("oops");
  });
});

describe("an attempt that is stopped", () => {
  test("yields before a turn, and starts nothing", async () => {
    using bench = new Bench();
    const yielding = AbortSignal.abort();
    expect(await run(bench, { stop: { yielding, aborted: new AbortController().signal } })).toEqual({
      type: "Yielded",
      key: "work:a:1:1",
    });
    expect(bench.asked).toHaveLength(0);
  });

  test("yields between two calls and takes up there again", async () => {
    using bench = new Bench();
    const stop = new AbortController();
    bench.shell.answer = () => {
      stop.abort();
      return { exitCode: 0, output: "ok" };
    };
    bench.script = inTurn(
      act(call("shell_execute", { command: "one" }), call("shell_execute", { command: "two" })),
      say("Done."),
    );
    expect(await run(bench, { stop: { yielding: stop.signal, aborted: new AbortController().signal } })).toMatchObject({
      type: "Yielded",
    });
    expect(bench.shell.lines).toEqual(["one"]);
    bench.shell.answer = () => ({ exitCode: 0, output: "ok" });
    expect(await run(bench)).toMatchObject({ type: "Delivered" });
    expect(bench.shell.lines).toEqual(["one", "two"]);
    expect(bench.requests()).toHaveLength(2);
  });

  test("unwinds with the reason of an abort", async () => {
    using bench = new Bench();
    const stop = new AbortController();
    bench.shell.answer = () => {
      stop.abort(new Error("not wanted"));
      throw new Error("killed");
    };
    bench.script = () => act(call("shell_execute", { command: "sleep" }));
    await expect(
      run(bench, { stop: { yielding: new AbortController().signal, aborted: stop.signal } }),
    ).rejects.toThrow("not wanted");
    expect(bench.ledger("work:a:1").rows.get("turn-1-call-1")?.ended).toBeUndefined();
  });

  test("unwinds when the journal refuses a step, and leaves no call running behind", async () => {
    using bench = new Bench({ "a.txt": "A", "b.txt": "B" });
    const journal = new RoleJournal(bench.ledger("work:a:1"));
    journal.refuse = (step) => step === "turn-1-call-1";
    bench.script = () => act(call("read_file", { path: "a.txt" }), call("read_file", { path: "b.txt" }));
    await expect(run(bench, { journal })).rejects.toThrow("not wanted any more");
    expect(bench.ledger("work:a:1").rows.get("turn-1-call-2")?.ended).toBeDefined();
  });
});
