/** Calls that need a person: what is asked, what a yes is bound to, and how the loop goes on after each answer. */
import { describe, expect, test } from "vitest";
import type { ApprovalAsk } from "../../../src/domain/approval.ts";
import type { Event, EventOf } from "../../../src/domain/event.ts";
import type { Report } from "../../../src/domain/report.ts";
import { createWorker } from "../../../src/roles/working/work.ts";
import { act, Bench, call, say } from "../../support/role-bench.ts";

const run = (bench: Bench) => createWorker(bench.ports)(bench.work());

/** Everything but reading is asked about. */
function gatedBench(files: Readonly<Record<string, string>> = {}): Bench {
  const bench = new Bench(files);
  bench.judge = ({ tool }) =>
    tool === "read_file"
      ? { decision: "allow", reason: "", risk: "low" }
      : { decision: "ask", reason: "it may harm", risk: "high" };
  return bench;
}

function askOf(report: Report): ApprovalAsk {
  if (report.type !== "NeedsApproval") throw new Error(`${report.type} asks for no approval`);
  return report.ask;
}

function requested(ask: ApprovalAsk): Event {
  return {
    type: "approval_requested",
    subtask_id: "a",
    ...ask,
    proposed_action: ask.summary,
    risk_level: ask.risk,
    attempt: 1,
  };
}

function decided(ask: ApprovalAsk, approved: boolean, over: Partial<EventOf<"approval_received">> = {}): Event[] {
  return [
    requested(ask),
    { type: "approval_received", subtask_id: "a", approval_id: ask.approval_id, approved, by: "ann", ...over },
  ];
}

const results = (bench: Bench) =>
  bench
    .requests()
    .at(-1)
    ?.messages.flatMap((message) => (message.role === "tool" ? [message.content] : [])) ?? [];

describe("a gated call", () => {
  test("is asked about with what it would do, and does not run", async () => {
    using bench = gatedBench();
    bench.script = () => act(call("shell_execute", { command: "rm -rf build" }));
    const ask = askOf(await run(bench));
    expect(ask).toMatchObject({
      approval_id: "apr_a_1_1_1",
      kind: "tool",
      summary: "shell_execute: rm -rf build",
      reason: "it may harm",
      risk: "high",
      action: { tool: "shell_execute", command: "rm -rf build", arguments: { command: "rm -rf build" } },
    });
    expect(bench.shell.lines).toEqual([]);
    expect(bench.ledger("work:a:1").rows.has("turn-1-call-1")).toBe(false);
  });

  test("that changes a file is asked about with its diff, of what stands there and of what was never kept", async () => {
    using bench = gatedBench({ "a.txt": "one\ntwo\n" });
    bench.script = (_asked, n) =>
      act(
        n === 1 ? call("read_file", { path: "a.txt" }) : call("write_file", { path: "a.txt", content: "one\nTWO\n" }),
      );
    const ask = askOf(await run(bench));
    expect(ask.action).toMatchObject({ tool: "write_file", paths: ["a.txt"] });
    expect(ask.action?.diff).toBe(
      "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+TWO\n",
    );
  });

  test("that changes much is asked about with as much of its diff as can be shown", async () => {
    using bench = gatedBench();
    const content = "a long line of a long file\n".repeat(5000);
    bench.script = () => act(call("write_file", { path: "new.txt", content }));
    const { diff = "" } = askOf(await run(bench)).action ?? {};
    expect(diff).toContain("new file mode 100644");
    expect(diff).toMatch(/\[diff cut at 6000 bytes; 1 of the changed files not shown, or not whole\]\n$/);
    expect(diff.length).toBeLessThanOrEqual(6000);
  });

  test("runs once it is approved, without another call of the model", async () => {
    using bench = gatedBench();
    bench.script = (_asked, n) => (n === 1 ? act(call("shell_execute", { command: "rm -rf build" })) : say("Done."));
    const ask = askOf(await run(bench));
    bench.after = decided(ask, true);
    expect(await run(bench)).toMatchObject({ type: "Delivered" });
    expect(bench.shell.lines).toEqual(["rm -rf build"]);
    expect(bench.requests()).toHaveLength(2);
  });

  test("waits for its turn: allowed calls before it run, those behind it do not", async () => {
    using bench = gatedBench({ "a.txt": "A" });
    bench.script = () =>
      act(
        call("read_file", { path: "a.txt" }),
        call("shell_execute", { command: "deploy" }),
        call("read_file", { path: "b.txt" }),
      );
    expect(askOf(await run(bench)).approval_id).toBe("apr_a_1_1_2");
    const { rows } = bench.ledger("work:a:1");
    expect([...rows.keys()]).toEqual(["turn-1", "turn-1-call-1"]);
  });

  test("is asked about again when the file it would change has changed since", async () => {
    using bench = gatedBench({ "a.txt": "A" });
    bench.script = (_asked, n) =>
      n === 1
        ? act(call("read_file", { path: "a.txt" }))
        : n === 2
          ? act(call("write_file", { path: "new.txt", content: "B" }))
          : say("Done.");
    const first = askOf(await run(bench));
    expect(first.action?.paths).toEqual(["new.txt"]);
    bench.after = decided(first, true);
    bench.write("new.txt", "");
    expect(await run(bench)).toMatchObject({ type: "Delivered" });
    expect(results(bench).at(-1)).toContain("Read new.txt before");
  });

  test("binds a yes to the pre-image that was shown", async () => {
    using bench = gatedBench({ "a.txt": "A" });
    bench.script = (_asked, n) => (n === 1 ? act(call("write_file", { path: "x", content: "B" })) : say("Done."));
    const first = askOf(await run(bench));
    bench.after = decided({ ...first, digest: "sha256:of-another-pre-image" }, true);
    const second = askOf(await run(bench));
    expect(second.approval_id).toBe("apr_a_1_1_1_2");
    expect(second.digest).toBe(first.digest);
    bench.after = [...bench.after, ...decided(second, true)];
    expect(await run(bench)).toMatchObject({ type: "Delivered" });
    expect(bench.text("x")).toBe("B");
  });

  test.each([
    [{ reason: "not on a Friday" }, "denied by a person: not on a Friday"],
    [{}, "denied by a person"],
    [{ by: "no approver" }, "nobody approves in this task"],
    [{ by: "timeout" }, "nobody answered in time"],
  ])("tells the model of a no (%j), and the loop goes on", async (over, told) => {
    using bench = gatedBench();
    bench.script = (_asked, n) => (n === 1 ? act(call("shell_execute", { command: "deploy" })) : say("Left it."));
    bench.after = decided(askOf(await run(bench)), false, over);
    expect(await run(bench)).toMatchObject({ type: "Delivered" });
    expect(results(bench)[0]).toContain(told);
    expect(bench.shell.lines).toEqual([]);
  });

  test("fails the attempt when it is the third that is denied", async () => {
    using bench = gatedBench();
    bench.script = (_asked, n) => act(call("shell_execute", { command: `deploy ${n}` }));
    let report = await run(bench);
    for (let denials = 0; denials < 3; denials += 1) {
      bench.after = [...bench.after, ...decided(askOf(report), false)];
      report = await run(bench);
    }
    expect(report).toMatchObject({ type: "Failed", class: "denied" });
    expect(bench.requests()).toHaveLength(3);
    expect(bench.shell.lines).toEqual([]);
  });

  test("shows an argument vector as one could type it", async () => {
    using bench = gatedBench();
    bench.script = () => act(call("write_file", { path: "a b", content: "x".repeat(9000) }));
    const ask = askOf(await run(bench));
    expect(ask.summary).toBe("write_file: a b");
    expect(JSON.stringify(ask).length).toBeLessThan(4000);
  });
});

describe("a question of the model", () => {
  const question = (bench: Bench) => {
    bench.script = (_asked, n) => (n === 1 ? act(call("ask_user", { question: "Blue?" })) : say("Done."));
  };
  const asked = (bench: Bench, report: Report): void => {
    if (report.type !== "NeedsAnswer") throw new Error(`${report.type} asks nothing`);
    bench.after = [{ type: "ask_user_requested", subtask_id: "a", attempt: 1, ...report.ask }];
  };

  test("ends the leg, and its answer is the result", async () => {
    using bench = new Bench();
    question(bench);
    const report = await run(bench);
    expect(report).toMatchObject({ type: "NeedsAnswer", ask: { question_id: "qst_a_1_1_1", question: "Blue?" } });
    asked(bench, report);
    bench.after.push({
      type: "ask_user_answered",
      subtask_id: "a",
      question_id: "qst_a_1_1_1",
      answer: { selected_option_ids: ["y"], custom_response: "" },
      by: "ann",
    });
    expect(await run(bench)).toMatchObject({ type: "Delivered" });
    expect(results(bench)).toEqual(["Yes please"]);
  });

  test("takes its default when nobody answers", async () => {
    using bench = new Bench();
    question(bench);
    asked(bench, await run(bench));
    bench.after.push({
      type: "ask_user_answered",
      subtask_id: "a",
      question_id: "qst_a_1_1_1",
      answer: { selected_option_ids: ["n"], custom_response: "" },
      by: "timeout",
    });
    await run(bench);
    expect(results(bench)[0]).toContain("the default stands: No thanks");
  });
});
