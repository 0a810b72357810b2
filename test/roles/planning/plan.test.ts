/** The planner: what it is shown, and how tolerantly its plan is read. */
import { describe, expect, test } from "vitest";
import type { EventOf } from "../../../src/domain/event.ts";
import { planFlaws } from "../../../src/domain/plan.ts";
import type { Report } from "../../../src/domain/report.ts";
import { LoomError } from "../../../src/lib/errors.ts";
import { createPlanner } from "../../../src/roles/planning/plan.ts";
import { Bench, say } from "../../support/role-bench.ts";
import { completed, created, failed, planned, spec, started, taskOf, told } from "../../support/role-task.ts";

const good = { id: "a", description: "Do it." };

/** A task that is being planned, after these events. */
function planning(bench: Bench, events: readonly Parameters<typeof taskOf>[0][number][] = []) {
  const task = taskOf([created({ workspace: `${bench.root}/w`, ...bench.brief }), ...events]);
  const work = { kind: "plan" as const, version: task.planning?.version ?? 1, call: task.planning?.call ?? 1 };
  return bench.execution(work, { task, current: () => task });
}

async function proposal(
  reply: string,
  finish: "stop" | "length" = "stop",
): Promise<Extract<Report, { type: "PlanProposed" }>> {
  using bench = new Bench();
  bench.script = () => ({ text: reply, finish });
  const report = await createPlanner(bench.ports)(planning(bench));
  if (report.type !== "PlanProposed") throw new Error(JSON.stringify(report));
  return report;
}

describe("a plan of one subtask by a model that has to be shown the form of it", () => {
  const plan = { id: "find-x", description: "Look around", acceptance_criteria: "c", expected_outputs: ["CHANGES.md"] };
  const planOf = async (goal: string, subtask: object = plan, protocol: "json_schema" | null = "json_schema") => {
    using bench = new Bench();
    bench.brief = { goal };
    const text = JSON.stringify({ subtasks: [{ ...plan, ...subtask }] });
    bench.script = () => (protocol === null ? { text } : { text, protocol });
    const report = await createPlanner(bench.ports)(planning(bench));
    if (report.type !== "PlanProposed") throw new Error(JSON.stringify(report));
    return report.subtasks;
  };
  const checks = [{ name: "t", run: "make" }];

  test("has the goal as its job, and nothing that the goal does not name", async () => {
    expect(await planOf("Delete x.txt", { kind: "inspect", checks, expected_outputs: ["x.txt", "y.txt"] })).toEqual([
      spec({ id: "main", description: "Delete x.txt", kind: "change", expected_outputs: ["x.txt"] }),
    ]);
    expect(await planOf("What is in x.txt?", { kind: "change" })).toMatchObject([{ kind: "inspect" }]);
    expect(await planOf("Write a poem", { kind: "answer" })).toMatchObject([{ kind: "answer" }]);
  });

  test("is left as it is where the goal is long, or the model needs to be shown nothing", async () => {
    expect(await planOf("x".repeat(3000))).toMatchObject([plan]);
    expect(await planOf("Delete x.txt", plan, null)).toMatchObject([plan]);
  });
});

describe("a plan", () => {
  test("is taken as it is written", async () => {
    const whole = spec({
      id: "b",
      depends_on: ["a"],
      model_tier: 3,
      verification_tier: 2,
      is_critical_path: true,
      acceptance_criteria: "x",
      kind: "inspect",
      phase_id: "p",
      expected_outputs: ["o.md"],
      checks: [{ name: "t", run: "make" }],
    });
    const { subtasks, flaws } = await proposal(JSON.stringify({ subtasks: [good, whole] }));
    expect(flaws).toEqual([]);
    expect(subtasks[1]).toEqual(whole);
  });

  test("gets defaults for what was left out", async () => {
    const { subtasks } = await proposal(
      '{"subtasks":[{"description":"Do it."},{"description":"Tell it.","is_synthesis":true}]}',
    );
    expect(subtasks[0]).toEqual(spec({ id: "step-1", description: "Do it." }));
    expect(subtasks[1]).toMatchObject({ id: "step-2", kind: "answer", is_synthesis: true });
    expect(planFlaws(subtasks)).toEqual([]);
  });

  test.each([
    [
      "prose and a fence around",
      'Here is my plan:\n```json\n{"subtasks":[{"id":"a","description":"Do it."}]}\n```\nGood luck!',
    ],
    ["a bare list", '[{"id":"a","description":"Do it."}]'],
    ["a plan inside an object", '{"plan":{"goal":"g","subtasks":[{"id":"a","description":"Do it."}]}}'],
    ["other names", '{"steps":[{"id":"a","task":"Do it."}]}'],
    ["a single subtask", '{"id":"a","description":"Do it."}'],
    ["trailing commas", '{"subtasks":[{"id":"a","description":"Do it.",},]}'],
    ["lines of text", '{"subtasks":["Do it."]}'],
  ])("is found with %s", async (_name, reply) => {
    const { subtasks, flaws } = await proposal(reply);
    expect(flaws).toEqual([]);
    expect(subtasks).toMatchObject([{ description: "Do it." }]);
  });

  test("has its numbers, flags and lists read as they were meant", async () => {
    const raw = {
      id: 7,
      description: "Do it.",
      model_tier: "2",
      verification_tier: 9,
      is_critical_path: "yes",
      acceptance_criteria: ["a", "b"],
      kind: "CHANGE",
      expected_outputs: "out.md",
      checks: ["make test", { cmd: "make lint" }, {}, 5.5],
    };
    const { subtasks } = await proposal(
      JSON.stringify({
        subtasks: [raw, { id: "Write tests!", description: "T", depends_on: "7", model_tier: -3, kind: "dance" }],
      }),
    );
    expect(subtasks).toMatchObject([
      {
        id: "7",
        model_tier: 2,
        verification_tier: 3,
        is_critical_path: true,
        acceptance_criteria: "a; b",
        kind: "change",
        expected_outputs: ["out.md"],
        checks: [{ name: "make test", run: "make test" }, { run: "make lint" }, { run: "5.5" }],
      },
      { id: "Write-tests", depends_on: ["7"], model_tier: 1, kind: "change" },
    ]);
  });

  test("may name a dependency by its number where ids are missing", async () => {
    const { subtasks } = await proposal('{"subtasks":[{"description":"A"},{"description":"B","depends_on":[1]}]}');
    expect(subtasks[1]?.depends_on).toEqual(["step-1"]);
  });

  test.each([
    ["I cannot plan that.", "holds no JSON"],
    ['{"thoughts":"hm"}', 'no list "subtasks"'],
    ['{"subtasks":[{"id":"a"}]}', 'Subtask "a" has no description'],
    ['{"subtasks":[4]}', "Subtask 1 is not an object"],
  ])("that reads %j is flawed", async (reply, flaw) => {
    const { subtasks, flaws } = await proposal(reply);
    expect(subtasks).toEqual([]);
    expect(flaws.join()).toContain(flaw);
  });

  test("that was cut is flawed, even where what is there can be read", async () => {
    const { flaws, subtasks } = await proposal('{"subtasks":[{"id":"a","description":"Do it."},', "length");
    expect(subtasks).toEqual([]);
    expect(flaws).toEqual([expect.stringContaining("cut before its end")]);
  });
});

describe("what the planner is shown", () => {
  const shown = (bench: Bench) => bench.requests("planner")[0]?.messages.map(({ content }) => content) ?? [];

  test("is the goal, the tools, the files, and the form", async () => {
    using bench = new Bench({ "src/deep/er/x.txt": "", "README.md": "" });
    bench.script = () => say("[]");
    await createPlanner(bench.ports)(planning(bench));
    const [system, user] = shown(bench);
    expect(system?.startsWith("You are the planner of Loom")).toBe(true);
    for (const part of ["Greet the world.", "read_file, write_file", "src/deep/", "README.md"])
      expect(user).toContain(part);
    expect(user).not.toContain("er/x.txt");
    expect(bench.requests("planner")[0]?.schema?.name).toBe("plan");
    expect(bench.asked[0]?.pick).toMatchObject({ role: "planner", tier: 2, priority: "plan" });
  });

  test("has the flaws of the plan that was sent back, and what people said", async () => {
    using bench = new Bench();
    bench.script = () => say("[]");
    await createPlanner(bench.ports)(
      planning(bench, [
        told("Be quick"),
        { type: "task_plan_rejected", version: 1, call: 1, flaws: ["The dependencies form a cycle."] },
      ]),
    );
    const user = shown(bench)[1] ?? "";
    expect(user.indexOf("Be quick")).toBeGreaterThan(0);
    expect(user.indexOf("form a cycle")).toBeGreaterThan(user.indexOf("Be quick"));
  });

  test("has, for a new plan, the reason, what is done, what still runs, and what failed", async () => {
    using bench = new Bench();
    bench.script = () => say("[]");
    const replan: EventOf<"task_replanning"> = {
      type: "task_replanning",
      reason: "b cannot be done",
      version: 2,
      requested_by: "harness",
    };
    const events = [
      ...planned([spec(), spec({ id: "b" }), spec({ id: "c" })]),
      started("a"),
      completed("a", "Did a."),
      started("b"),
      ...failed("b", "no such API"),
      started("c"),
      replan,
    ];
    await createPlanner(bench.ports)(planning(bench, events));
    const user = shown(bench)[1] ?? "";
    for (const part of ["b cannot be done", "- a: Did a.", "Still running", "- c: ", "no such API"])
      expect(user).toContain(part);
  });
});

describe("a planner", () => {
  test.each([
    ["model_unavailable", "ModelDown", undefined],
    ["model_refused", "Failed", "model"],
    ["context_overflow", "Failed", "context"],
  ] as const)("that meets %s reports it", async (code, type, failure) => {
    using bench = new Bench();
    bench.script = () => new LoomError(code, "No", { hint: "Look" });
    const report = await createPlanner(bench.ports)(planning(bench));
    expect(report).toMatchObject(
      failure === undefined ? { type, reason: "No" } : { type, class: failure, feedback: "No (Look)" },
    );
  });

  test("yields before it asks, and reports a workspace that is gone", async () => {
    using bench = new Bench();
    const stop = { yielding: AbortSignal.abort(), aborted: new AbortController().signal };
    expect(await createPlanner(bench.ports)({ ...planning(bench), stop })).toMatchObject({ type: "Yielded" });
    bench.brief = { workspace: "/nowhere/at/all" };
    expect(await createPlanner(bench.ports)(planning(bench))).toMatchObject({ type: "Failed", class: "blocked" });
    expect(bench.asked).toEqual([]);
  });

  test("does not ask again for a plan that was recorded", async () => {
    using bench = new Bench();
    bench.script = () => say(JSON.stringify([good]));
    const first = await createPlanner(bench.ports)(planning(bench));
    expect(await createPlanner(bench.ports)(planning(bench))).toEqual(first);
    expect(bench.asked).toHaveLength(1);
  });

  test("throws a bug", async () => {
    using bench = new Bench();
    bench.script = () => new TypeError("oops");
    await expect(createPlanner(bench.ports)(planning(bench))).rejects.toThrow("oops");
  });
});
