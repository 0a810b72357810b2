/** Which tests the verifier runs of its own accord, and what becomes of them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createVerifier } from "../../../src/roles/verifying/verify.ts";
import { wantedTests } from "../../../src/roles/verifying/wanted-tests.ts";
import { act, call, say } from "../../support/role-bench.ts";
import { judged, type Story, told, worked, wrote } from "../../support/role-story.ts";

const nothing = { pass: false, commands: [] };
const pass = { pass: true, commands: [] };
const given = { demanded: nothing, claimed: nothing, planned: [], ran: [], usual: null };

describe("the tests that are wanted", () => {
  test("are those that are named, the criteria's first, each once", () => {
    const { commands } = wantedTests({
      ...given,
      demanded: { pass: true, commands: ["npm test"] },
      claimed: { pass: true, commands: ["pytest", "npm test"] },
      planned: ["cd a && make check || true"],
    });
    expect(commands).toEqual([
      { command: "npm test", askedBy: "criteria" },
      { command: "pytest", askedBy: "claim" },
    ]);
  });

  test("are those that the work ran last, or else those of the project, where none is named", () => {
    const ran = ["pytest -q || true", "ls"];
    expect(wantedTests({ ...given, claimed: pass, ran, usual: "npm test" }).commands).toEqual([
      { command: "pytest -q", askedBy: "claim" },
    ]);
    expect(wantedTests({ ...given, demanded: pass, usual: "npm test" }).commands).toEqual([
      { command: "npm test", askedBy: "criteria" },
    ]);
  });

  test("are none where nobody speaks of tests, or the plan has its own", () => {
    expect(wantedTests({ ...given, ran: ["npm test"], usual: "npm test" })).toEqual({
      commands: [],
      isUnproven: false,
    });
    expect(wantedTests({ ...given, claimed: pass, planned: ["npm test"] })).toEqual({
      commands: [],
      isUnproven: false,
    });
  });

  test("are unproven exactly when they are claimed to pass and nobody knows which", () => {
    expect(wantedTests({ ...given, claimed: pass }).isUnproven).toBe(true);
    expect(wantedTests({ ...given, demanded: pass }).isUnproven).toBe(false);
  });

  const said = fc.record({
    pass: fc.boolean(),
    commands: fc.array(fc.constantFrom("npm test", "pytest", "make check", "tox", "go test"), { maxLength: 6 }),
  });
  test("are few, unlike, and none of the plan's", () =>
    fc.assert(
      fc.property(
        said,
        said,
        fc.array(fc.constantFrom("npm test", "make check"), { maxLength: 2 }),
        (demanded, claimed, planned) => {
          const commands = wantedTests({ ...given, demanded, claimed, planned }).commands.map(({ command }) => command);
          expect(new Set(commands).size).toBe(commands.length);
          expect(commands.length).toBeLessThanOrEqual(3);
          expect(commands.filter((command) => planned.includes(command as "npm test"))).toEqual([]);
        },
      ),
    ));
});

const claims: Story = {
  work: [
    act(call("write_file", { path: "a.txt", content: "A" }), call("shell_execute", { command: "npm test | tail" })),
    say("All tests pass."),
  ],
};

async function atBench(story: Story, prepare: (bench: ReturnType<typeof told>) => void = () => undefined) {
  using bench = told(story);
  await worked(bench, story);
  bench.shell.lines.length = 0;
  prepare(bench);
  const verdict = await judged(bench);
  return { verdict, lines: [...bench.shell.lines] };
}

describe("a verifier", () => {
  test("runs what the executor claims, and says so in the verdict", async () => {
    const { verdict, lines } = await atBench(claims, (bench) => {
      bench.shell.answer = () => ({ exitCode: 0, output: "ℹ tests 2\nℹ fail 0" });
    });
    expect(lines).toEqual(["npm test"]);
    expect(verdict.checks.find(({ ran }) => ran !== undefined)).toMatchObject({
      passed: true,
      ran: { command: "npm test", asked_by: "claim", exit_code: 0, tests: { run: 2, failed: 0, skipped: 0 } },
    });
  });

  test("keeps the whole output as a blob under its digest", async () => {
    const output = `${"x".repeat(5000)}\nℹ tests 1`;
    using bench = told(claims);
    await worked(bench, claims);
    bench.shell.answer = () => ({ exitCode: 0, output });
    const verdict = await judged(bench);
    const digest = verdict.checks.find(({ ran }) => ran !== undefined)?.ran?.output_digest ?? "";
    expect(new TextDecoder().decode((await bench.ports.blobs.get(digest)) ?? new Uint8Array())).toBe(output);
  });

  test("only remarks what the policy keeps it from running", async () => {
    const { verdict, lines } = await atBench(claims, (bench) => {
      bench.judge = ({ command = "" }) =>
        command === "npm test"
          ? { decision: "ask", reason: "it needs a person", risk: "high" }
          : { decision: "allow", reason: "", risk: "low" };
    });
    expect(lines).toEqual([]);
    expect(verdict).toMatchObject({
      outcome: "pass",
      remarks: [expect.stringContaining("npm test: not run") as string],
    });
  });

  test.each([
    ["package.json", '{"scripts":{"test":"node --test"}}', ["npm test"]],
    ["package.json", '{"scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}', []],
    ["Cargo.toml", "[package]", ["cargo test"]],
    ["go.mod", "module a", ["go test ./..."]],
    ["README.md", "npm test", []],
  ])("finds the project's tests in %s where criteria want some: %s", async (path, text, expected) => {
    const story: Story = { files: { [path]: text }, spec: { acceptance_criteria: "All tests pass." }, work: [wrote] };
    expect((await atBench(story)).lines).toEqual(expected);
  });

  test("runs no tests before a pause is over", async () => {
    using bench = told(claims);
    await worked(bench, claims);
    bench.shell.lines.length = 0;
    const stop = { yielding: AbortSignal.abort(), aborted: new AbortController().signal };
    const execution = bench.execution({ kind: "verify", subtaskId: "a", attempt: 1, try: 1, tier: 1 }, { stop });
    expect(await createVerifier(bench.ports)(execution)).toMatchObject({ type: "Yielded" });
    expect(bench.shell.lines).toEqual([]);
  });

  test("does not read claims into the text of an answer", async () => {
    const story: Story = { spec: { kind: "answer" }, work: [say("I ran `npm test`. All tests pass.")] };
    expect((await atBench(story)).verdict).toMatchObject({ outcome: "pass", tier: 2 });
    const change: Story = { work: [wrote, say("I ran `npm test`. All tests pass.")] };
    expect((await atBench(change)).verdict).toMatchObject({ outcome: "fail", reason_code: "claim_unproven" });
  });
});
