/** What `loom run` takes about persons and policy, and how a task tells it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { completed, planned } from "./story.ts";
import { oneModel, PlayedLoom, serveFake, Terminal } from "./terminal.ts";

const rules = { ask: [{ command: "git push" }], deny: [{ path: "infra/**", reason: "frozen" }] };

describe("loom run with terms of its own", () => {
  test.each([
    ["on a server", true],
    ["on an engine of its own", false],
  ])("hands them over, %s", async (_where, isServed) => {
    const loom = new PlayedLoom([...planned, ...completed]);
    await using server = await serveFake(loom);
    using terminal = new Terminal({ env: isServed ? { LOOM_URL: server.url } : oneModel, open: async () => loom });
    writeFileSync(join(terminal.home, "rules.json"), JSON.stringify(rules));
    const terms = ["--policy", "rules.json", "--approvers", "wait", "--approval-timeout", "600"];
    expect(await terminal.run("run", "Do it", ...terms)).toBe(0);
    const expected = { policy: rules, approvers: "wait", approvalTimeoutSeconds: 600 };
    expect(loom.calls[0]).toEqual(["submit", expect.objectContaining(expected)]);
  });

  test("leaves what was not said to the configuration", async () => {
    const loom = new PlayedLoom([...planned, ...completed]);
    using terminal = new Terminal({ env: oneModel, open: async () => loom });
    expect(await terminal.run("run", "Do it")).toBe(0);
    const asked = { goal: "Do it", workspace: terminal.home, context: {}, approvePlan: false, submittedBy: "cli" };
    expect(loom.calls[0]).toEqual(["submit", asked]);
  });

  test("is shown by loom status", async () => {
    const loom = new PlayedLoom([...planned, ...completed]);
    await using server = await serveFake(loom);
    using terminal = new Terminal({ env: { LOOM_URL: server.url } });
    const more = { ...rules, deny: [...rules.deny, { tool: "git_command", equals: { force: true } }] };
    expect(
      await terminal.run("run", "x", "--policy", JSON.stringify(more), "--unattended", "--approval-timeout", "5"),
    ).toBe(0);
    terminal.out = "";
    expect(await terminal.run("status", "task_00000001")).toBe(0);
    expect(terminal.out).toContain(
      [
        "approvers: none; what needs a person is refused",
        "approval timeout: 5 s",
        'policy: asks about command "git push"',
        'policy: denies path "infra/**" (frozen)',
        'policy: denies tool "git_command", equals {"force":true}',
        "",
      ].join("\n"),
    );
  });

  test.each([
    [["--policy", "nowhere.json"], '--policy "nowhere.json" cannot be read: ENOENT'],
    [["--policy", "{"], '--policy "{" is no JSON'],
    [["--policy", '{"allow":[{"tool":"x"}]}'], "is no policy at allow: a task may only narrow what runs"],
    [["--policy", '{"deny":[{}]}'], "is no policy at deny.0: states no condition"],
    [["--policy", '{"never":[]}'], 'Unrecognized key: "never"'],
    [["--approvers", "bob"], '--approvers "bob" is not known'],
    [["--approvers", "wait", "--unattended"], "say opposite things"],
    [["--approval-timeout", "soon"], '--approval-timeout "soon" is no number of seconds'],
    [["--approval-timeout", "99999999"], "from 0 to 31536000"],
  ])("exits 64 and says what is wrong: %j", async (argv, message) => {
    using terminal = new Terminal({ env: oneModel });
    expect(await terminal.run("run", "x", ...argv)).toBe(64);
    expect(terminal.err).toContain(message);
  });
});
