/** Roles that ask once: their request fits the window there is, what was asked for stays in it, and a server that finds it too long is asked again with less. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LoomError } from "../../../src/lib/errors.ts";
import { createAnswerer } from "../../../src/roles/answer.ts";
import { createExtractor } from "../../../src/roles/extracting/extract.ts";
import { createPlanner } from "../../../src/roles/planning/plan.ts";
import { createVerifier } from "../../../src/roles/verifying/verify.ts";
import { createWorker } from "../../../src/roles/working/work.ts";
import { act, Bench, call, deliver, say } from "../../support/role-bench.ts";
import { completed, created, spec, taskOf, told } from "../../support/role-task.ts";

const long = (mark: string, words = 4000) => `${mark} ${"word ".repeat(words)}`;
const sizeOf = (bench: Bench, role: string) =>
  Math.max(
    ...bench.requests(role).map(({ messages, schema }) => Buffer.byteLength(JSON.stringify([messages, schema]))),
  );

/** A task of which everything is long, and a window of 4 096 tokens. */
function longBench(): Bench {
  const bench = new Bench(
    Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`w/a-long-file-name-${n}.txt`, "x"])),
  );
  bench.window = { name: "m1", contextTokens: 4096, maxTokens: 1000, bytesPerToken: 3 };
  bench.brief = { goal: long("GOAL"), context: { rule: long("RULE") } };
  bench.subtasks = [
    spec({ description: `DESCRIBED ${long("", 300)}`, acceptance_criteria: "CRITERION: it is there." }),
  ];
  bench.after.push(told("INSTRUCTION: be kind."), told(long("MORE", 1000)));
  bench.shell.answer = (line) => ({ exitCode: 0, output: long(line, 800) });
  return bench;
}

const worked = (bench: Bench) =>
  deliver(bench, createWorker(bench.ports), (_asked, n) =>
    n < 10 ? act(call("shell_execute", { command: `step ${n}` })) : say(long("CLAIM")),
  );
const verdict = JSON.stringify({ passed: true, outcome: "pass", confidence: 0.9, feedback: "", issues: [] });
const plan = JSON.stringify({ subtasks: [spec()] });
const planning = { kind: "plan", version: 1, call: 1 } as const;

describe("in a window of 4 096 tokens", () => {
  test("the verifier's request fits, with goal, criteria and the newest of the evidence", async () => {
    using bench = longBench();
    await worked(bench);
    bench.script = () => say(verdict);
    await createVerifier(bench.ports)(bench.execution({ kind: "verify", subtaskId: "a", attempt: 1, try: 1, tier: 2 }));
    expect(sizeOf(bench, "verifier")).toBeLessThan(0.75 * 4096 * 3);
    const text = JSON.stringify(bench.requests("verifier")[0]?.messages);
    for (const kept of ["GOAL", "CRITERION: it is there.", "DESCRIBED", "# Changes to files"])
      expect(text).toContain(kept);
    expect(text).not.toContain("CLAIM");
    expect(text).toMatch(/shell_execute .*step \d/);
  });

  test("the extractor's and the answer's requests fit, with goal, criteria and what people said", async () => {
    using bench = longBench();
    await worked(bench);
    bench.script = () => say(JSON.stringify({ entries: [], summary: "s", answer: "a" }));
    await createExtractor(bench.ports)(bench.execution({ kind: "extract", subtaskId: "a" }));
    bench.after.push(completed("a", long("SUMMARY")));
    await createAnswerer(bench.ports)(bench.execution({ kind: "answer", call: 1 }));
    expect(sizeOf(bench, "extractor")).toBeLessThan(0.75 * 4096 * 3);
    expect(sizeOf(bench, "planner")).toBeLessThan(0.75 * 4096 * 3);
    expect(JSON.stringify(bench.requests("extractor"))).toMatch(/GOAL.*CRITERION: it is there\./);
    expect(JSON.stringify(bench.requests("planner"))).toMatch(/GOAL.*INSTRUCTION: be kind\..*SUMMARY/);
  });

  test("the executor's first request takes about half, with rules, goal, context, criteria and what people said", async () => {
    using bench = longBench();
    bench.before = bench.after.splice(0);
    bench.script = () => say("Done.");
    await createWorker(bench.ports)(bench.work());
    const [request] = bench.requests();
    expect(Buffer.byteLength(JSON.stringify([request?.messages, request?.tools]))).toBeLessThan(0.6 * 4096 * 3);
    expect(JSON.stringify(request)).toMatch(/GOAL.*RULE.*CRITERION: it is there\..*INSTRUCTION: be kind\./);
  });
});

describe("a planner whose server finds the request too long", () => {
  const overflow = (windowTokens: number) => new LoomError("context_overflow", "Too long", { extra: { windowTokens } });
  const planned = (bench: Bench) => {
    const { goal = "", context = {} } = bench.brief;
    const task = taskOf([
      created({ goal, context, workspace: join(bench.root, "w") }),
      { type: "task_planning", goal, version: 1, call: 1 },
    ]);
    return createPlanner(bench.ports)(bench.execution(planning, { task, current: () => task }));
  };

  test("is asked once more with at most half", async () => {
    using bench = longBench();
    bench.script = (_asked, n) => (n === 1 ? overflow(2048) : say(plan));
    expect(await planned(bench)).toMatchObject({ type: "PlanProposed", flaws: [] });
    const [first, second] = bench.requests("planner").map(({ messages }) => messages[1]?.content ?? "");
    expect(Buffer.byteLength(second ?? "")).toBeLessThanOrEqual(Buffer.byteLength(first ?? "") * 0.55);
    expect(second).toContain("GOAL");
    expect([...bench.ledger("plan:1:1").rows.keys()]).toEqual(["plan", "plan-short"]);
  });

  test("fails with the server's words when that was too long as well, and when it is another failure at once", async () => {
    using bench = longBench();
    bench.script = () => overflow(512);
    expect(await planned(bench)).toMatchObject({ type: "Failed", class: "context" });
    expect(bench.requests("planner")).toHaveLength(2);
    using other = longBench();
    other.script = () => new LoomError("model_refused", "No");
    expect(await planned(other)).toMatchObject({ type: "Failed", class: "model" });
    expect(other.requests("planner")).toHaveLength(1);
  });
});
