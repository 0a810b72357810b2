/** The executor role at work: its calls, one by one, and what the model reads of them. */
import { describe, expect, test } from "vitest";
import { LoomError } from "../../../src/lib/errors.ts";
import { createWorker } from "../../../src/roles/working/work.ts";
import { act, Bench, call, type Script, say } from "../../support/role-bench.ts";

const run = (bench: Bench, over = {}) => createWorker(bench.ports)(bench.work(over));

/** Plays the answers one after the other, and then the last for ever. */
function inTurn(...answers: readonly ReturnType<typeof say>[]): Script {
  return (_asked, n) => answers[Math.min(n, answers.length) - 1] ?? say("");
}

function results(bench: Bench): string[] {
  const last = bench.requests().at(-1)?.messages ?? [];
  return last.flatMap((message) => (message.role === "tool" ? [message.content] : []));
}

describe("an attempt that does its work", () => {
  test("calls tools, reads their results and delivers its final text", async () => {
    using bench = new Bench();
    bench.script = inTurn(act(call("write_file", { path: "hello.txt", content: "hi" })), say("Wrote hello.txt."));
    const report = await run(bench);
    expect(report).toMatchObject({ type: "Delivered", key: "work:a:1:1", summary: "Wrote hello.txt." });
    expect(bench.text("hello.txt")).toBe("hi");
    expect(results(bench)).toEqual(["Done: hello.txt"]);
  });

  test("records its changes with their content, under an id of task, attempt, turn and call", async () => {
    using bench = new Bench();
    bench.script = inTurn(act(call("write_file", { path: "hello.txt", content: "hi" })), say("Done."));
    await run(bench);
    const { events, blobs } = bench.ledger("work:a:1");
    const change = events.find((event) => event.type === "files_changed");
    expect(change).toMatchObject({
      change_id: "chg_a_1_1_1",
      changes: [{ path: "hello.txt", before: { kind: "absent" } }],
    });
    const after = change?.changes[0]?.after;
    expect(after?.kind === "file" && new TextDecoder().decode(blobs.get(after.digest))).toBe("hi");
  });

  test("cuts long arguments and outputs in events, not for the model", async () => {
    using bench = new Bench({ "long.txt": "x".repeat(5000) });
    bench.script = inTurn(
      act(call("read_file", { path: "long.txt" }), call("write_file", { path: "b", content: "y".repeat(3000) })),
      say("Done."),
    );
    await run(bench);
    const { events } = bench.ledger("work:a:1");
    const output = events.flatMap((event) => (event.type === "tool_call_completed" ? [event.output.length] : []));
    expect(Math.max(...output)).toBeLessThan(1100);
    expect(JSON.stringify(events.filter((event) => event.type === "tool_call_started")).length).toBeLessThan(1500);
    expect(results(bench)[0]).toHaveLength(5000);
    expect(bench.text("b")).toHaveLength(3000);
  });

  test("says the summary in at most 2000 characters and sends tokens down the lossy lane", async () => {
    using bench = new Bench();
    bench.script = () => say("z".repeat(9000));
    const report = await run(bench);
    expect(report.type === "Delivered" && report.summary.length).toBe(2000);
    expect(bench.tokens.join("")).toHaveLength(9000);
  });

  test("writes an empty file, for an empty string is a value", async () => {
    using bench = new Bench();
    bench.script = inTurn(act(call("write_file", { path: "pkg/__init__.py", content: "" })), say("Done."));
    await run(bench);
    expect(bench.text("pkg/__init__.py")).toBe("");
  });
});

describe("the calls of one turn", () => {
  test("are answered one by one: a bad one does not discard the good ones", async () => {
    using bench = new Bench({ "a.txt": "A" });
    bench.script = inTurn(
      act(
        call("read_file", { path: "a.txt" }),
        call("read_file", "{path: a.txt"),
        call("write_file", { path: "b.txt" }),
        call("summon", {}),
        call("shell_execute", { command: "make" }),
      ),
      say("Done."),
    );
    await run(bench);
    expect(results(bench)).toEqual([
      "A",
      expect.stringContaining("ERROR: The arguments are not a JSON object"),
      'ERROR: "content" is missing',
      expect.stringContaining('There is no tool "summon"'),
      "ok",
    ]);
  });

  test("may rest on each other: what one has read, the next may edit, and then edit again", async () => {
    using bench = new Bench({ "a.txt": "one" });
    bench.script = inTurn(
      act(
        call("read_file", { path: "a.txt" }),
        call("edit_file", { path: "a.txt", old_str: "one", new_str: "two" }),
        call("edit_file", { path: "a.txt", old_str: "two", new_str: "three" }),
      ),
      say("Done."),
    );
    await run(bench);
    expect(bench.text("a.txt")).toBe("three");
  });

  test("must not write a file that this attempt has not seen", async () => {
    using bench = new Bench({ "a.txt": "one" });
    bench.script = inTurn(act(call("write_file", { path: "a.txt", content: "two" })), say("Done."));
    await run(bench);
    expect(bench.text("a.txt")).toBe("one");
    expect(results(bench)).toEqual(["ERROR: Read a.txt before you write it"]);
  });

  test.each(["read-file", "readFile", "functions.read_file", "default_api:Read_File"])(
    "take %s for read_file",
    async (name) => {
      using bench = new Bench({ "a.txt": "A" });
      bench.script = inTurn(act(call(name, { path: "a.txt" })), say("Done."));
      await run(bench);
      expect(results(bench)).toEqual(["A"]);
      expect(JSON.stringify(bench.requests().at(-1)?.messages)).not.toContain(`"${name}"`);
    },
  );

  test("stay inside the workspace, and a tool that throws is a result", async () => {
    using bench = new Bench();
    bench.shell.answer = () => {
      throw new LoomError("storage_failed", "The disk is on fire", { hint: "Leave" });
    };
    bench.script = inTurn(
      act(call("read_file", { path: "../../etc/passwd" }), call("shell_execute", { command: "ls" })),
      say("Done."),
    );
    await run(bench);
    expect(results(bench)[0]).toMatch(/^ERROR: .*passwd/);
    expect(results(bench)[1]).toBe("ERROR: The disk is on fire (Leave)");
  });

  test("are refused by the policy without running", async () => {
    using bench = new Bench();
    bench.judge = () => ({ decision: "deny", reason: "no shell here.", risk: "high" });
    bench.script = inTurn(act(call("shell_execute", { command: "rm -rf /" })), say("Done."));
    await run(bench);
    expect(bench.shell.lines).toEqual([]);
    expect(results(bench)).toEqual([
      "ERROR: policy_denied: denied by policy: no shell here. Nothing was run and no person is asked: do it another way, or go on without it.",
    ]);
  });
});
