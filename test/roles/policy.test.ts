/** Rules as a worker and a checker meet them: a denial is an answer to the model and no question, and a task's rules go with each call. */
import { describe, expect, test } from "vitest";
import type { TaskPolicy } from "../../src/domain/policy-rules.ts";
import { createChecker } from "../../src/roles/verifying/check.ts";
import { createWorker } from "../../src/roles/working/work.ts";
import { createPolicy } from "../../src/safety/policy.ts";
import { act, Bench, call, say } from "../support/role-bench.ts";

function ruled(policy: TaskPolicy): Bench {
  const bench = new Bench();
  const rules = createPolicy({
    allow: [],
    ask: [],
    deny: [{ equals: { command: "make deploy" }, reason: "not from here" }],
  });
  bench.brief = { policy, checks: [{ name: "ci", run: "npm test" }] };
  bench.judge = (action, task) => rules.judge(action, task);
  return bench;
}

function told(bench: Bench): string[] {
  const last = bench.requests().at(-1)?.messages ?? [];
  return last.flatMap((message) => (message.role === "tool" ? [message.content] : []));
}

describe("a call that a rule denies", () => {
  test("is answered with code, rule and reason, and the loop goes on", async () => {
    using bench = ruled({ deny: [{ tool: "write_file", path: "infra/**" }] });
    const calls = [
      call("shell_execute", { command: "make deploy" }),
      call("write_file", { path: "infra/a", content: "x" }),
      call("write_file", { path: "src/a", content: "x" }),
    ];
    bench.script = (_asked, turn) => (turn === 1 ? act(...calls) : say("Done."));
    expect(await createWorker(bench.ports)(bench.work())).toMatchObject({ type: "Delivered" });
    expect(bench.shell.lines).toEqual([]);
    expect(bench.text("src/a")).toBe("x");
    expect(told(bench)).toEqual([
      'ERROR: policy_denied: denied by policy: "make deploy" is denied by [policy] deny, rule 1 (equals {"command":"make deploy"}): not from here. Nothing was run and no person is asked: do it another way, or go on without it.',
      'ERROR: policy_denied: denied by policy: "write_file" is denied by the task\'s policy, deny, rule 1 (tool "write_file", path "infra/**"). Nothing was run and no person is asked: do it another way, or go on without it.',
      "Done: src/a",
    ]);
  });
});

describe("a call that a task's own rule asks about", () => {
  test("waits for a person, though the server would let it run", async () => {
    using bench = ruled({ ask: [{ command: "npm test", reason: "it takes hours" }] });
    bench.script = () => act(call("shell_execute", { command: "npm test" }));
    const report = await createWorker(bench.ports)(bench.work());
    expect(report).toMatchObject({
      type: "NeedsApproval",
      ask: { reason: expect.stringContaining("it takes hours") as string },
    });
    expect(bench.shell.lines).toEqual([]);
  });
});

describe("a check", () => {
  test("is judged by the rules of its task, too", async () => {
    using bench = ruled({ deny: [{ command: "npm" }] });
    const report = await createChecker(bench.ports)(bench.execution({ kind: "check", round: 1 }));
    expect(report).toMatchObject({
      results: [{ passed: false, detail: expect.stringContaining("the task's policy, deny, rule 1") as string }],
    });
    expect(bench.shell.lines).toEqual([]);
  });
});
