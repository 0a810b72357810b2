/** Verification without a model: the outcome counts, not the way; a claim without evidence fails. */
import { describe, expect, test } from "vitest";
import type { Verdict } from "../../../src/domain/verdict.ts";
import { createVerifier } from "../../../src/roles/verifying/verify.ts";
import { act, call, say } from "../../support/role-bench.ts";
import { judged, type Story, told, verdictOn, worked, wrote } from "../../support/role-story.ts";

describe("a subtask that claims work and shows none", () => {
  test.each([
    ["did nothing", []],
    ["only failed", [act(call("read_file", { path: "gone" }), call("shell_execute", { command: "fail" }))]],
    ["only printed that it was done", [act(call("shell_execute", { command: "echo I have created hello.txt" }))]],
  ])("fails tier 1 when it %s", async (_name, work) => {
    const story: Story = { work: [...work, say("I created hello.txt and everything works.")] };
    using bench = told(story);
    bench.shell.answer = (line) => ({ exitCode: line === "fail" ? 1 : 0, output: line });
    await worked(bench, story);
    const verdict = await judged(bench);
    expect(verdict).toMatchObject({ tier: 1, outcome: "fail", reason_code: "no_work_shown" });
    expect(bench.asked).toEqual([]);
  });

  test("fails when it inspected nothing", async () => {
    expect(await verdictOn({ spec: { kind: "inspect" }, work: [say("It has three files.")] })).toMatchObject({
      outcome: "fail",
      reason_code: "no_work_shown",
    });
  });
});

describe("a subtask of kind change", () => {
  test("passes when a file changed, though a call failed before it was put right", async () => {
    const work = [act(call("read_file", { path: "gone" }), call("write_file", { path: "hello.txt" })), wrote];
    const verdict = await verdictOn({ work });
    expect(verdict).toMatchObject({ tier: 2, outcome: "pass", confidence: 0.9, independent: true });
    expect(verdict.checks.every((check) => check.passed)).toBe(true);
  });

  test("that found nothing to do passes only if a second model confirms it", async () => {
    const story: Story = {
      files: { "hello.txt": "hi" },
      work: [act(call("read_file", { path: "hello.txt" })), say("It already says so.")],
    };
    using bench = told(story);
    await worked(bench, story);
    expect(await judged(bench)).toMatchObject({ tier: 2, outcome: "pass" });
    expect(bench.requests("verifier")[0]?.messages[1]?.content).toContain(
      "Pass only if what was read shows that nothing needed to be done",
    );
    bench.ledgers.delete("verify:a:1:1");
    bench.brief = { rules: { tier2_enabled: false } };
    expect(await judged(bench)).toMatchObject({ tier: 1, outcome: "fail", reason_code: "no_work_shown" });
  });

  test.each([
    ["an expected output is not there", { expected_outputs: ["hello.txt", "docs/guide.md"] }, "output_missing"],
    ["nothing matches an expected pattern", { expected_outputs: ["out/*.csv"] }, "output_missing"],
    ["an expected output lies outside", { expected_outputs: ["../../other.txt"] }, "output_missing"],
    ["an expected output is empty", { expected_outputs: ["hello.txt", "empty.txt"] }, "output_empty"],
    [
      "the criteria name a file that is not there",
      { acceptance_criteria: "The file docs/guide.md exists." },
      "output_missing",
    ],
  ])("fails when %s", async (_name, over, reason) => {
    const verdict = await verdictOn({ spec: over, files: { "empty.txt": "" }, work: [wrote] });
    expect(verdict).toMatchObject({ tier: 1, outcome: "fail", reason_code: reason });
    expect(verdict.feedback).toMatch(/^Verification failed:\n- /);
  });

  test("may leave exempt files empty, name files by their last part, and describe outputs in prose", async () => {
    const over = {
      expected_outputs: ["pkg/__init__.py", "A summary of it", "hello.*"],
      acceptance_criteria: "The file deep.md contains a title.",
    };
    const files = { "pkg/__init__.py": "", "docs/deep.md": "# x" };
    expect(await verdictOn({ spec: over, files, work: [wrote] })).toMatchObject({ outcome: "pass" });
  });

  test("fails when a file that parsed before does not parse now, or a new one does not", async () => {
    const edit = [
      act(call("read_file", { path: "a.json" }), call("edit_file", { path: "a.json", old_str: "}", new_str: "" })),
    ];
    expect(await verdictOn({ files: { "a.json": '{"a":1}' }, work: edit })).toMatchObject({
      tier: 1,
      outcome: "fail",
      reason_code: "syntax_broken",
    });
    const fresh = [act(call("write_file", { path: "b.json", content: "{" }))];
    expect(await verdictOn({ work: fresh })).toMatchObject({ reason_code: "syntax_broken" });
  });

  test("is not blamed for a file that was broken before", async () => {
    const edit = [
      act(call("read_file", { path: "a.json" }), call("edit_file", { path: "a.json", old_str: "1", new_str: "2" })),
    ];
    expect(await verdictOn({ files: { "a.json": '{"a":1' }, work: edit })).toMatchObject({ outcome: "pass" });
  });

  test("is looked at without tier 2 where that is off", async () => {
    expect(await verdictOn({ rules: { tier2_enabled: false }, work: [wrote] })).toMatchObject({
      tier: 1,
      outcome: "pass",
      independent: true,
    });
    expect(await verdictOn({ rules: { tier1_enabled: false, tier2_enabled: false }, work: [] })).toMatchObject({
      tier: 0,
      outcome: "pass",
      checks: [],
    });
  });
});

describe("the commands of a plan", () => {
  const checks = [{ name: "unit tests", run: "npm test" }];

  async function withCheck(answer: {
    exitCode: number;
    output: string;
  }): Promise<{ verdict: Verdict; lines: string[] }> {
    const story: Story = { spec: { checks }, work: [wrote] };
    using bench = told(story);
    await worked(bench, story);
    bench.shell.answer = () => answer;
    return { verdict: await judged(bench), lines: bench.shell.lines };
  }

  test("are run and must exit 0", async () => {
    expect((await withCheck({ exitCode: 0, output: "12 passed" })).verdict).toMatchObject({ outcome: "pass" });
    const { verdict, lines } = await withCheck({ exitCode: 1, output: "AssertionError: 1 != 2" });
    expect(verdict).toMatchObject({ tier: 1, outcome: "fail", reason_code: "check_failed" });
    expect(verdict.feedback).toContain("AssertionError");
    expect(lines).toEqual(["npm test"]);
  });

  test("fail when they ran no test", async () => {
    expect(
      (await withCheck({ exitCode: 0, output: "collected 0 items\n\nno tests ran in 0.01s" })).verdict,
    ).toMatchObject({ outcome: "fail" });
  });

  test("are not run when the policy does not allow them", async () => {
    const story: Story = { spec: { checks: [{ name: "clean", run: "rm -rf x" }] }, work: [wrote] };
    using bench = told(story);
    await worked(bench, story);
    bench.judge = () => ({ decision: "ask", reason: "removes things", risk: "high" });
    const verdict = await judged(bench);
    expect(verdict).toMatchObject({ outcome: "fail", feedback: expect.stringContaining("removes things") as string });
    expect(bench.shell.lines).toEqual([]);
  });

  test("are left for later when the task is paused", async () => {
    const story: Story = { spec: { checks }, work: [wrote] };
    using bench = told(story);
    await worked(bench, story);
    const stop = { yielding: AbortSignal.abort(), aborted: new AbortController().signal };
    const execution = bench.execution({ kind: "verify", subtaskId: "a", attempt: 1, try: 1, tier: 1 }, { stop });
    expect(await createVerifier(bench.ports)(execution)).toMatchObject({ type: "Yielded" });
    expect(bench.shell.lines).toEqual([]);
  });
});
