/** Small rules behind the roles, each where the whole would need a long story: what is shown of a gated call, … */
import { describe, expect, test } from "vitest";
import { createAnswerer } from "../../src/roles/answer.ts";
import { pastAttempt } from "../../src/roles/records.ts";
import { answerTo, consentTo } from "../../src/roles/working/consent.ts";
import { createWorker } from "../../src/roles/working/work.ts";
import { act, Bench, call, say } from "../support/role-bench.ts";
import { created, spec, taskOf } from "../support/role-task.ts";

const at = { subtaskId: "a", attempt: 1, turn: 1, call: 1 };

describe("a gated call with an argument vector", () => {
  test("is shown as one could type it", () => {
    const action = {
      tool: "git_command",
      argv: ["git", "commit", "-m", "it's done"],
      reads: [],
      writes: [],
      deletes: [],
      hosts: ["example.com"],
    };
    const prepared = { action, destructive: false, run: () => Promise.reject(new Error("not run")) };
    const gated = {
      at,
      tool: "git_command",
      arguments: "?",
      prepared,
      judgement: { decision: "ask", reason: "r", risk: "low" } as const,
    };
    const consent = consentTo(taskOf([created()]), gated, (text) => text.slice(0, 50));
    expect(consent).toMatchObject({
      kind: "missing",
      ask: { action: { command: "git commit -m 'it'\\''s done'", hosts: ["example.com"], arguments: { text: "?" } } },
    });
  });

  test("names hosts where there is neither a command nor a path", () => {
    const action = { tool: "web_fetch", reads: [], writes: [], deletes: [], hosts: ["example.com"] };
    const prepared = { action, destructive: false, run: () => Promise.reject(new Error("not run")) };
    const gated = {
      at,
      tool: "web_fetch",
      arguments: {},
      prepared,
      judgement: { decision: "ask", reason: "r", risk: "low" } as const,
    };
    expect(consentTo(taskOf([created()]), gated, String)).toMatchObject({ ask: { summary: "web_fetch: example.com" } });
  });
});

test("a question without a default that nobody answered leaves the choice to the model", () => {
  const ask = {
    question: "Blue?",
    question_type: "free_text" as const,
    options: [],
    allow_custom_response: true,
    context_note: "",
    urgency: "low" as const,
  };
  const asked = {
    type: "ask_user_requested" as const,
    subtask_id: "a",
    attempt: 1,
    question_id: "qst_a_1_1_1",
    ...ask,
  };
  expect(answerTo(taskOf([created(), asked]), at, ask)).toMatchObject({ kind: "missing" });
  const answer = { selected_option_ids: [], custom_response: "" };
  const task = taskOf([
    created(),
    asked,
    { type: "ask_user_answered", subtask_id: "a", question_id: "qst_a_1_1_1", answer, by: "timeout" },
  ]);
  expect(answerTo(task, at, ask)).toEqual({ kind: "answered", text: "Nobody answered in time; decide by yourself." });
});

describe("an attempt as its journal tells it", () => {
  test("leaves out what has not ended", () => {
    const turn = {
      text: "",
      toolCalls: [{ id: "1", name: "t", arguments: {} }],
      finish: "tool_calls",
      model: "",
      repaired: [],
    };
    const rows = [
      { scope: "s", step: "turn-1", effectClass: "pure" as const, started: {}, ended: { result: turn } },
      { scope: "s", step: "turn-1-call-1", effectClass: "pure" as const, started: {} },
      { scope: "s", step: "turn-2", effectClass: "pure" as const, started: {} },
    ];
    expect(pastAttempt(rows)).toEqual({ calls: [], models: [], finalText: "", wasShownForm: false });
  });
});

describe("a call", () => {
  test("that takes longer than its tool may is ended", async () => {
    using bench = new Bench();
    bench.shell.timeoutMs = 5;
    bench.shell.wait = (signal) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    bench.script = (_asked, n) => (n === 1 ? act(call("shell_execute", { command: "sleep" })) : say("Done."));
    await createWorker(bench.ports)(bench.work());
    expect(bench.requests().at(-1)?.messages.at(-1)?.content).toBe("ERROR: shell_execute did not end within 0.005 s");
  });

  test("that fails after it has changed a file has changed it all the same", async () => {
    using bench = new Bench();
    bench.shell.afterWrite = () => {
      throw new Error("died on the way back");
    };
    bench.script = (_asked, n) => (n === 1 ? act(call("write_file", { path: "x", content: "new" })) : say("Done."));
    await createWorker(bench.ports)(bench.work());
    const { events } = bench.ledger("work:a:1");
    expect(events.find(({ type }) => type === "tool_call_completed")).toMatchObject({
      success: false,
      files_changed: ["x"],
    });
    expect(events.filter(({ type }) => type === "files_changed")).toHaveLength(1);
  });

  test("that was only to be answered in its first life does not run in the next", async () => {
    using bench = new Bench();
    bench.script = (_asked, n) => (n === 1 ? act(call("shell_execute", { command: "deploy" })) : say("Done."));
    const ledger = bench.ledger("work:a:1");
    const started = { tool: "shell_execute", effectClass: "pure", destructive: false };
    ledger.rows.set("turn-1-call-1", { scope: "work:a:1", step: "turn-1-call-1", effectClass: "pure", started });
    await createWorker(bench.ports)(bench.work());
    expect(bench.shell.lines).toEqual([]);
    expect(bench.requests().at(-1)?.messages.at(-1)?.content).toContain("Loom was restarted; call it again");
  });
});

test("the answer tells what was left out, and names at most a hundred files", async () => {
  using bench = new Bench();
  bench.subtasks = [spec(), spec({ id: "b", description: "Sign it." })];
  const digest = `sha256:${"0".repeat(64)}`;
  const changes = Array.from({ length: 120 }, (_, n) => ({
    path: `f${n}`,
    before: { kind: "absent" as const },
    after: { kind: "file" as const, digest, mode: 0o644, bytes: 1 },
  }));
  bench.after = [
    { type: "files_changed", subtask_id: "a", change_id: "c", changes },
    { type: "subtask_skipped", subtask_id: "b", reason: "nobody wanted it" },
  ];
  bench.script = () => say("Fine.");
  await createAnswerer(bench.ports)(bench.execution({ kind: "answer", call: 1 }));
  const user = bench.requests("planner")[0]?.messages[1]?.content ?? "";
  for (const part of ["- Sign it. (nobody wanted it)", "- and 20 more", "(nothing had to be done)"])
    expect(user).toContain(part);
});
