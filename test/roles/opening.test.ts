/** The first request of an attempt: steadiest first, short, and made of what was known when the attempt began. */
import { describe, expect, test } from "vitest";
import { createWorker } from "../../src/roles/working/work.ts";
import { Bench } from "../support/role-bench.ts";
import { completed, failed, spec, started, told } from "../support/role-task.ts";

const run = (bench: Bench, over = {}) => createWorker(bench.ports)(bench.work(over));

describe("the first request of an attempt", () => {
  test("has the task before the subtask and earlier attempts last, in few characters", async () => {
    using bench = new Bench();
    bench.subtasks = [
      spec({ id: "before" }),
      spec({ depends_on: ["before"], expected_outputs: ["hello.txt"], checks: [{ name: "t", run: "make test" }] }),
    ];
    bench.brief = { context: { team: "blue" } };
    bench.before = [
      started("before"),
      completed("before", "Found the greeting."),
      told("Be polite", "queue"),
      started(),
      ...failed("a", "hello.txt is empty"),
    ];
    await createWorker(bench.ports)(bench.execution({ kind: "work", subtaskId: "a", attempt: 1, leg: 1, tier: 1 }));
    const [request] = bench.requests();
    const [system, user, ...rest] = request?.messages ?? [];
    expect(rest).toEqual([]);
    expect(system?.content.startsWith("You are an executor of Loom")).toBe(true);
    const all = `${system?.content}\n${user?.content}`;
    const order = [
      "Rules:",
      "Greet the world.",
      '{"team":"blue"}',
      "# The plan",
      "- before\n- a, after before",
      "# Subtask a\nWrite the greeting",
      "Expected outputs: hello.txt",
      "make test",
      "Found the greeting.",
      "Be polite",
      "hello.txt is empty",
    ];
    expect(
      order.map((text) => all.indexOf(text)).every((at, index, list) => at >= 0 && at >= (list[index - 1] ?? 0)),
    ).toBe(true);
    expect(all.length + JSON.stringify(request?.tools).length).toBeLessThan(9000);
    expect(all.length).toBeLessThan(4500);
  });

  test("is the same word for word up to the subtask, for every subtask of a task", async () => {
    using bench = new Bench();
    bench.subtasks = [spec(), spec({ id: "b", description: "Another thing." })];
    await run(bench);
    bench.ledgers.clear();
    await createWorker(bench.ports)(bench.execution({ kind: "work", subtaskId: "b", attempt: 1, leg: 1, tier: 1 }));
    const [first, second] = bench.requests();
    expect(second?.messages[0]).toEqual(first?.messages[0]);
    expect(second?.tools).toEqual(first?.tools);
    expect(second?.messages[1]).not.toEqual(first?.messages[1]);
  });

  test("shows the head of a goal that is over 6000 characters, and says so", async () => {
    using bench = new Bench();
    bench.brief = { goal: `Start. ${"word ".repeat(20_000)}` };
    await run(bench);
    const system = bench.requests()[0]?.messages[0]?.content ?? "";
    expect(system.length).toBeLessThan(9000);
    expect(system).toContain("more characters]");
  });

  test("knows what was remembered before the attempt began, meant for it first, at most twelve", async () => {
    using bench = new Bench();
    const row = { taskId: "t", entryType: "discovery" as const, detail: "", tags: [], relevanceTo: [], at: 0 };
    const others = Array.from({ length: 20 }, (_, id) => ({
      ...row,
      id,
      subtaskId: "x",
      summary: `other ${id}.`,
      seq: 3,
    }));
    bench.memories.push({ ...row, id: 99, subtaskId: "x", summary: "too late", seq: 4000 }, ...others.toReversed(), {
      ...row,
      id: 50,
      subtaskId: "x",
      summary: "meant for a",
      detail: "really",
      relevanceTo: ["a"],
      seq: 2,
    });
    await run(bench);
    const user = bench.requests()[0]?.messages[1]?.content ?? "";
    expect(user).toContain("- [discovery] (from x) meant for a: really");
    expect(user).not.toContain("too late");
    expect(user.match(/\[discovery\]/g)).toHaveLength(12);
    expect(user).not.toContain("other 3.");
  });
});
