/** Policies of a task, from its body and from its metadata: both hold, whatever of them is given. */
import { describe, expect, test } from "vitest";
import { bothPolicies, PolicyRule } from "../../src/domain/policy-rules.ts";

const push = { command: "git push" };
const hosts = { host: "*.example.com" };

describe("two policies of one task", () => {
  test.each([
    [undefined, undefined, undefined],
    [{ ask: [push] }, undefined, { ask: [push] }],
    [undefined, { deny: [hosts] }, { deny: [hosts] }],
    [{ ask: [push] }, { deny: [hosts] }, { ask: [push], deny: [hosts] }],
    [{ deny: [hosts] }, { ask: [push] }, { ask: [push], deny: [hosts] }],
    [
      { ask: [push], deny: [hosts] },
      { ask: [hosts], deny: [push] },
      { ask: [push, hosts], deny: [hosts, push] },
    ],
  ])("%j and %j add up to %j", (one, other, both) => expect(bothPolicies(one, other)).toEqual(both));
});

describe("a rule", () => {
  test.each([{}, { equals: {} }, { matches: {} }, { reason: "because" }])(
    "that states nothing is refused: %j",
    (rule) => expect(PolicyRule.safeParse(rule).success).toBe(false),
  );

  test.each([push, hosts, { equals: { path: "a" } }, { matches: { path: "a*" } }, { tool: "shell_execute" }])(
    "that states something is taken: %j",
    (rule) => expect(PolicyRule.safeParse(rule).success).toBe(true),
  );
});
