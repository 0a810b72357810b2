/** Paths that another subtask holds: what a call is told, how an attempt that ends for it is parked, and how it goes on. */
import { describe, expect, test } from "vitest";
import type { Event, EventOf } from "../../../src/domain/event.ts";
import type { Report } from "../../../src/domain/report.ts";
import { createWorker } from "../../../src/roles/working/work.ts";
import { type Answer, act, Bench, call, say } from "../../support/role-bench.ts";
import { RoleJournal } from "../../support/role-journal.ts";
import { completed, spec, started } from "../../support/role-task.ts";

const holds = (...paths: string[]): EventOf<"tool_call_started"> => ({
  type: "tool_call_started",
  subtask_id: "b",
  tool: "write_file",
  step: "turn-1-call-1",
  attempt: 1,
  args: {},
  effect_class: "workspace",
  writes: paths,
});

/** Subtask b is at work beside a, and holds these. */
function benchBeside(...paths: readonly string[]): Bench {
  const bench = new Bench({ "kept.txt": "kept", "mine.txt": "mine" });
  bench.subtasks = [spec(), spec({ id: "b", description: "Write the other part." })];
  bench.before = [started("b"), holds(...paths)];
  return bench;
}

const work = (bench: Bench, ...turns: readonly Answer[]): Promise<Report> => {
  bench.script = (_asked, n) => turns[n - 1] ?? say("Done.");
  return createWorker(bench.ports)(bench.work());
};

const write = (path: string, content = "a's part") => act(call("write_file", { path, content }));
const blocked = say('{"status":"blocked","reason":"hello.txt is held"}');

/** The texts that a model was last shown: results of tools, and what it was told. */
const shown = (bench: Bench, role: "tool" | "user"): readonly string[] =>
  bench
    .requests()
    .at(-1)
    ?.messages.flatMap((message) => (message.role === role ? [message.content] : [])) ?? [];

const waited = (turn: number, path = "hello.txt"): Event[] => [
  {
    type: "subtask_waiting",
    subtask_id: "a",
    on: "lease",
    reason: "held",
    lease: { path, holder: "b", attempt: 1, turn },
  },
  completed("b", "written"),
  { type: "wait_elapsed", what: "a", n: 9 },
];

describe("a call that would change what another subtask holds", () => {
  test("is refused with the path, whose it is and what to do; calls beside it run", async () => {
    using bench = benchBeside("hello.txt");
    const both = act(
      call("write_file", { path: "./sub/../hello.txt", content: "mine" }),
      call("write_file", { path: "other.txt", content: "mine too" }),
    );
    await work(bench, both, blocked);
    const [refusal = "", done = ""] = shown(bench, "tool");
    expect(refusal).toMatch(/^ERROR: path_held: "hello\.txt" is held by subtask "b" until that is verified/);
    expect(refusal).toContain('{"status":"blocked"');
    expect(done).toBe("Done: other.txt");
    expect(() => bench.text("hello.txt")).toThrow("ENOENT");
    expect(bench.text("other.txt")).toBe("mine too");
    const [first, second] = bench.ledger("work:a:1").events.filter(({ type }) => type === "tool_call_started");
    expect(first).toMatchObject({ effect_class: "pure" });
    expect(first).not.toHaveProperty("writes");
    expect(second).toMatchObject({ effect_class: "workspace", writes: ["other.txt"] });
  });

  test("is refused before a person is asked, and before it is said that the file should be read first", async () => {
    using bench = benchBeside("kept.txt");
    bench.judge = () => ({ decision: "ask", reason: "it may harm", risk: "high" });
    await work(bench, write("kept.txt"), blocked);
    expect(shown(bench, "tool")[0]).toContain("path_held");
  });

  test("is denied by policy all the same", async () => {
    using bench = benchBeside("hello.txt");
    bench.judge = () => ({ decision: "deny", reason: "no.", risk: "high" });
    await work(bench, write("hello.txt"));
    expect(shown(bench, "tool")[0]).toContain("policy_denied");
  });

  test("is refused where a command names the path as one that it writes", async () => {
    using bench = benchBeside("hello.txt");
    bench.judge = () => ({ decision: "allow", reason: "", risk: "low", writes: ["log.txt", "hello.txt"] });
    await work(bench, act(call("shell_execute", { command: "echo x > hello.txt" })), blocked);
    expect(shown(bench, "tool")[0]).toContain('"hello.txt" is held by subtask "b"');
    expect(bench.shell.lines).toEqual([]);
  });

  test("is refused also where both set out at the same moment and the other one is first in the log", async () => {
    using bench = benchBeside();
    const journal = new RoleJournal(bench.ledger("work:a:1"));
    journal.refuse = (step) => {
      const isFirst = step === "turn-1-call-1" && bench.after.length === 0;
      if (isFirst) bench.after.push(holds("hello.txt"));
      return isFirst;
    };
    bench.script = (_asked, n) => (n === 1 ? write("hello.txt") : blocked);
    const report = await createWorker(bench.ports)(bench.work({ journal }));
    expect(shown(bench, "tool")[0]).toContain("path_held");
    expect(report).toMatchObject({ type: "NeedsLease", path: "hello.txt", turn: 2 });
  });

  test("is refused in the same way where it is a command that names the path", async () => {
    using bench = benchBeside();
    bench.judge = () => ({ decision: "allow", reason: "", risk: "low", writes: ["hello.txt", "node_modules/x"] });
    const journal = new RoleJournal(bench.ledger("work:a:1"));
    journal.refuse = (step) => {
      const isFirst = step === "turn-1-call-1" && bench.after.length === 0;
      if (isFirst) bench.after.push(holds("hello.txt"));
      return isFirst;
    };
    const command = act(call("shell_execute", { command: "make > hello.txt" }));
    bench.script = (_asked, n) => {
      if (n === 2) bench.after.push(completed("b", "written"));
      return n < 3 ? command : say("Made.");
    };
    expect(await createWorker(bench.ports)(bench.work({ journal }))).toMatchObject({ type: "NeedsLease", turn: 3 });
    expect(shown(bench, "tool")[0]).toContain("path_held");
    expect(bench.shell.lines).toEqual(["make > hello.txt"]);
    const begun = bench.ledger("work:a:1").events.filter(({ type }) => type === "tool_call_started");
    expect(begun.at(-1)).toMatchObject({ effect_class: "external", writes: ["hello.txt"] });
  });

  test("whose effect is not wanted any more is not recorded as refused", async () => {
    using bench = benchBeside();
    const journal = new RoleJournal(bench.ledger("work:a:1"));
    journal.refuse = (step) => step === "turn-1-call-1";
    bench.script = () => write("hello.txt");
    await expect(createWorker(bench.ports)(bench.work({ journal }))).rejects.toThrow("not wanted any more");
  });
});

describe("a command that has changed what another subtask holds", () => {
  test("says so, as far as it can be told whose change it is", async () => {
    using bench = benchBeside("kept.txt");
    bench.shell.answer = () => {
      bench.write("kept.txt", "changed");
      return { exitCode: 0, output: "ok" };
    };
    await work(bench, act(call("shell_execute", { command: "make" })), say("Made."));
    expect(shown(bench, "tool")[0]).toMatch(
      /^ok\n\[This changed what is not yours: "kept\.txt" is held by subtask "b"/,
    );
  });

  test("says nothing where it changed its own", async () => {
    using bench = benchBeside("kept.txt");
    bench.shell.answer = () => {
      bench.write("mine.txt", "changed");
      return { exitCode: 0, output: "ok" };
    };
    await work(bench, act(call("shell_execute", { command: "make" })), say("Made."));
    expect(shown(bench, "tool")[0]).toBe("ok");
  });
});

describe("an attempt that was refused a path", () => {
  const parked = { type: "NeedsLease", path: "hello.txt" };
  const tries = [1, 2, 3].map((n) => write("hello.txt", `try ${n}`));

  test.each<readonly [string, readonly Answer[], number]>([
    ["it says that it is blocked", [write("hello.txt"), blocked], 2],
    ["it gives up in plain words", [write("hello.txt"), say("I could not write hello.txt.")], 2],
    ["it claims to be done", [write("hello.txt"), write("other.txt"), say("hello.txt is written.")], 3],
    ["it tries again and again, each time in another way", tries, 3],
  ])("is parked when %s", async (_how, turns, turn) => {
    using bench = benchBeside("hello.txt");
    expect(await work(bench, ...turns)).toEqual({ ...parked, key: "work:a:1:1", turn });
  });

  test("is parked for the first of them when it goes in circles", async () => {
    using bench = benchBeside("hello.txt", "kept.txt");
    const read = act(call("read_file", { path: "mine.txt" }));
    expect(await work(bench, write("kept.txt"), write("hello.txt"), read, read, read, read, read)).toMatchObject({
      type: "NeedsLease",
      path: "kept.txt",
      turn: 7,
    });
  });

  test("is not parked once it could change the path after all", async () => {
    using bench = benchBeside("hello.txt");
    bench.script = (_asked, n) => {
      if (n === 2) bench.after.push(completed("b", "written"));
      return n < 3 ? write("hello.txt") : say("hello.txt is written.");
    };
    expect(await createWorker(bench.ports)(bench.work())).toMatchObject({ type: "Delivered" });
  });

  test("is not parked in its last turn: none would be left when the path is free", async () => {
    using bench = benchBeside("hello.txt");
    bench.brief = { rules: { max_tool_iterations: 2 } };
    expect(await work(bench, write("hello.txt"), blocked)).toMatchObject({ type: "Failed", class: "blocked" });
  });

  test("is not parked for what has another reason", async () => {
    using bench = benchBeside("hello.txt");
    bench.judge = ({ tool }) =>
      tool === "shell_execute"
        ? { decision: "ask", reason: "it may harm", risk: "high" }
        : { decision: "allow", reason: "", risk: "low" };
    const shell = act(call("shell_execute", { command: "rm -rf build" }));
    expect(await work(bench, write("hello.txt"), shell)).toMatchObject({ type: "NeedsApproval" });
  });
});

describe("an attempt that waited for a path", () => {
  test("goes on after the turn that would have ended it, is told that the path is free, and asks no model twice", async () => {
    using bench = benchBeside("hello.txt");
    await work(bench, write("hello.txt"), blocked);
    bench.asked.length = 0;
    bench.after.push(...waited(2));
    bench.write("hello.txt", "b's part");
    const report = await work(
      bench,
      act(call("read_file", { path: "hello.txt" })),
      write("hello.txt", "b's part, a's part"),
      say("Both parts are there."),
    );
    expect(report).toMatchObject({ type: "Delivered", summary: "Both parts are there." });
    expect(bench.text("hello.txt")).toBe("b's part, a's part");
    expect(bench.requests()).toHaveLength(3);
    const [said, told] = bench.requests()[0]?.messages.slice(-2) ?? [];
    expect(said).toEqual({ role: "assistant", content: '{"status":"blocked","reason":"hello.txt is held"}' });
    expect(told?.role).toBe("user");
    expect(told?.content).toContain('"hello.txt" is free for you now');
  });

  test("has its refusals and its circles behind it, and waits again for what is refused to it then", async () => {
    using bench = benchBeside("hello.txt");
    const read = act(call("read_file", { path: "mine.txt" }));
    await work(bench, write("hello.txt"), read, read, read, read, read);
    bench.asked.length = 0;
    bench.after.push(...waited(6), started("b", 2), holds("kept.txt"));
    const report = await work(bench, read, write("kept.txt"), write("kept.txt"), say("Given up."));
    expect(report).toEqual({ type: "NeedsLease", key: "work:a:1:1", path: "kept.txt", turn: 10 });
  });
});
