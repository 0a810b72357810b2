/** What stands in changed files: where it fails tier 1, and where it is for a second model to say. */
import { describe, expect, test } from "vitest";
import type { Answer } from "../../support/role-bench.ts";
import { act, call, say } from "../../support/role-bench.ts";
import { judged, type Story, told, verdictOn, worked } from "../../support/role-story.ts";

const edit = (path: string, content: string): Answer =>
  act(call("read_file", { path }), call("write_file", { path, content }));
const two = 'test("a", () => expect(f()).toBe(1));\ntest("b", () => expect(f()).toBe(2));\n';
const one = 'test("a", () => expect(f()).toBe(1));\n';
const lossy: Story = { files: { "f.test.js": two }, work: [edit("f.test.js", one)] };

describe("a lost test", () => {
  test("fails tier 1, with its name", async () => {
    const verdict = await verdictOn({ ...lossy, spec: { description: "Fix f." } });
    expect(verdict).toMatchObject({ tier: 1, outcome: "fail", reason_code: "tests_lost" });
    expect(verdict.feedback).toContain('1 test removed: "b".');
  });

  test("is for a second model to judge where the subtask takes something away, and a fail where there is none", async () => {
    const story: Story = { ...lossy, spec: { description: "Remove the second case of f." } };
    using bench = told(story);
    await worked(bench, story);
    expect(await judged(bench)).toMatchObject({ tier: 2, outcome: "pass" });
    expect(bench.requests("verifier")[0]?.messages[1]?.content).toContain('tests_kept: passed (1 test removed: "b".)');
    bench.ledgers.delete("verify:a:1:1");
    bench.brief = { rules: { tier2_enabled: false } };
    expect(await judged(bench)).toMatchObject({ tier: 1, outcome: "fail", reason_code: "tests_lost" });
  });

  test("is not seen in a file too long to be compared", async () => {
    const files = { "f.test.js": `${two}// ${"x".repeat(300_000)}\n` };
    expect(await verdictOn({ files, work: [edit("f.test.js", one)] })).toMatchObject({ outcome: "pass" });
  });
});

describe("a script that a check runs", () => {
  const checks = [{ name: "check", run: "cd . && FORCE=1 sh ./scripts/verify.sh data.txt" }];
  const files = { "scripts/verify.sh": "test -s data.txt\n", "data.txt": "1\n" };
  const changes = [edit("scripts/verify.sh", "exit 0\n")];

  test("is not the executor's to change, but what it reads is", async () => {
    expect(await verdictOn({ files, spec: { checks }, work: changes })).toMatchObject({
      outcome: "fail",
      reason_code: "check_changed",
    });
    expect(await verdictOn({ files, spec: { checks }, work: [edit("data.txt", "2\n")] })).toMatchObject({
      outcome: "pass",
    });
  });

  test("is, where that is what the subtask is about", async () => {
    const description = "Let verify.sh say what is missing.";
    expect(await verdictOn({ files, spec: { checks, description }, work: changes })).toMatchObject({ outcome: "pass" });
  });

  test("of a package is that one script and no other", async () => {
    const before = '{"scripts":{"lint":"biome","test":"node --test"}}';
    const story = (after: string, description = "Do it."): Story => ({
      files: { "package.json": before },
      spec: { description, checks: [{ name: "lint", run: "npm run lint" }] },
      work: [edit("package.json", after)],
    });
    expect(await verdictOn(story(before.replace("biome", "true")))).toMatchObject({ reason_code: "check_changed" });
    expect(await verdictOn(story(before.replace("node --test", "true")))).toMatchObject({ outcome: "pass" });
    expect(await verdictOn(story(before.replace("biome", "oxlint"), "Change the lint script."))).toMatchObject({
      outcome: "pass",
    });
  });
});

describe("a placeholder", () => {
  const work = [act(call("write_file", { path: "a.md", content: "# Title\n\nTODO\n" })), say("Done.")];

  test("is no work, unless it was asked for", async () => {
    expect(await verdictOn({ work })).toMatchObject({ tier: 1, outcome: "fail", reason_code: "output_hollow" });
    expect(await verdictOn({ spec: { description: "Write a stub of the guide." }, work })).toMatchObject({
      outcome: "pass",
    });
  });
});
