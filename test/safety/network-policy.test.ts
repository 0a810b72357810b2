/** The policy where the network is off: what must ask for it, who gets it, and what goes on without a word. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Judgement } from "../../src/ports/policy.ts";
import type { Action } from "../../src/ports/tool.ts";
import { withoutNetwork } from "../../src/safety/network-policy.ts";
import { createPolicy } from "../../src/safety/policy.ts";

const policy = withoutNetwork(createPolicy());
const action = (parts: Partial<Action>): Action => ({
  tool: "shell_execute",
  reads: [],
  writes: [],
  deletes: [],
  hosts: [],
  ...parts,
});
const judged = (command: string): Judgement => policy.judge(action({ command }));
const saying = (judgement: Judgement) => withoutNetwork({ judge: () => judgement });

describe("where the network is off, a command that", () => {
  test.each([
    "npm ci",
    "npm install --no-audit left-pad",
    "cd web && pnpm --silent add x",
    "yarn",
    "yarn && yarn build",
    "CI=1 npm i",
    "pip install -r requirements.txt",
    "python3 -m pip install .",
    "uv pip install x",
    "cargo fetch; cargo build",
    "go mod download",
    "if true; then npm ci; fi",
    "git pull",
    "bundle install",
  ])("fetches asks, at low risk, and gets it with the yes: %s", (line) => {
    expect(judged(line)).toMatchObject({ decision: "ask", risk: "low", network: true });
  });

  test.each([
    "npm test",
    "npm run install-hooks",
    "yarn build",
    "cargo build --release",
    "go test ./...",
    "git commit -m 'npm install'",
    "echo npm install",
    "make install",
    "curl http://localhost:3000/",
  ])("does not, runs without it: %s", (line) => {
    expect(judged(line)).toEqual({ decision: "allow", reason: "", risk: "low" });
  });

  test("speaks of it and must be asked about gets it with the yes", () => {
    expect(judged("curl https://example.org/")).toMatchObject({ decision: "ask", network: true });
    expect(judged("rm -rf build")).toMatchObject({ decision: "ask", network: false });
    expect(policy.judge(action({ tool: "git_command", argv: ["git", "fetch", "origin"] }))).toMatchObject({
      decision: "ask",
      network: true,
      reason: '"git fetch" needs the network, which is off in the sandbox unless someone allows it.',
    });
  });

  test("is denied, or judged with its network by a rule, is judged as before", () => {
    const denied = { decision: "deny", reason: "no", risk: "high" } as const;
    expect(saying(denied).judge(action({ command: "npm ci" }))).toBe(denied);
    const ruled = { decision: "allow", reason: "", risk: "low", network: true } as const;
    expect(saying(ruled).judge(action({ command: "npm ci" }))).toBe(ruled);
    const write = action({ tool: "write_file", writes: ["npm install"] });
    expect(policy.judge(write)).toMatchObject({ decision: "allow" });
  });

  test("is one of many harmless ones mostly goes on as before", () => {
    const lines = readFileSync(join(import.meta.dirname, "harmless.txt"), "utf8").split("\n");
    const plain = lines.filter((line) => line.trim() !== "" && !line.startsWith("#"));
    const asked = plain.filter((line) => judged(line).decision === "ask");
    expect(asked.length).toBeLessThan(plain.length / 10);
  });
});

describe("where the network is off, the owner's allow rules", () => {
  const owned = withoutNetwork(
    createPolicy({
      allow: [{ command: "npm ci" }, { command: "make *" }, { host: "api.example.com" }],
      ask: [],
      deny: [],
    }),
  );

  test.each(["npm ci", "make deps", "npm ci && make all", "curl https://api.example.com/v1"])(
    "give it to what they name: %s",
    (command) => expect(owned.judge(action({ command }))).toMatchObject({ decision: "allow", network: true }),
  );

  test.each(["npm ci && node fetch.js", "node fetch.js", "echo npm ci"])("and to nothing beside it: %s", (command) =>
    expect(
      owned.judge(action({ command })).network === true && owned.judge(action({ command })).decision === "allow",
    ).toBe(false),
  );
});
