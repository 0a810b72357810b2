/** Events, tasks and text as lines. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chosen } from "../../src/cli/prompt.ts";
import { renderEvent } from "../../src/cli/render.ts";
import { framesOf } from "../../src/cli/sse.ts";
import { clean, oneLine, table } from "../../src/cli/style.ts";
import { finalLines, taskLines, undoLines } from "../../src/cli/views.ts";
import { TaskShown } from "../../src/cli/wire.ts";
import { eventTypes } from "../../src/domain/event.ts";

const plain = { color: false };

function line(event_type: string, data: Record<string, unknown>, subtask_id = "a"): string | null {
  return renderEvent({ event_type, task_id: "task_1", subtask_id, data }, plain);
}

describe("an event as a line", () => {
  test.each([
    ["task_planning", { call: 2 }, "· planning, call 2"],
    ["task_plan_rejected", { flaws: ["one", "two"] }, "· the plan has flaws and goes back: one, two"],
    ["task_plan_degraded", { detail: "no JSON" }, "· no usable plan, so the goal is one subtask: no JSON"],
    [
      "task_plan_ready",
      {
        version: 2,
        subtask_count: 2,
        subtasks: [
          { id: "a", description: "x", depends_on: [] },
          { id: "b", description: "y", depends_on: ["a"] },
        ],
      },
      "plan 2: 2 subtasks\n    a: x\n    b: y (after a)",
    ],
    ["task_replanning", { reason: "stuck" }, "↻ planning again: stuck"],
    ["subtask_started", { attempt: 3, model_tier: 2 }, "▶ a (attempt 3, tier 2)"],
    ["tool_call_completed", { tool: "shell_execute", success: true }, "    a: shell_execute"],
    [
      "tool_call_completed",
      { tool: "shell_execute", success: false, error: "Exit code: 1" },
      "    a: shell_execute failed: Exit code: 1",
    ],
    [
      "files_changed",
      {
        changes: [
          { path: "n", before: { kind: "absent" }, after: { kind: "file" } },
          { path: "c", before: { kind: "file" }, after: { kind: "file" } },
          { path: "d", before: { kind: "file" }, after: { kind: "absent" } },
          { path: "m", moved_to: "m2" },
          7,
        ],
      },
      "    a: created n, changed c, deleted d, moved m to m2, changed undefined",
    ],
    [
      "uncertain_effect",
      { tool: "shell_execute", detail: "killed" },
      "    a: it is not known whether shell_execute had run: killed",
    ],
    ["verification_passed", { tier: 2 }, "    a: verified, tier 2"],
    ["verification_failed", { feedback: "no file" }, "    a: not accepted: no file"],
    ["subtask_completed", { summary: "done", flagged: true, flag_reason: "low" }, "✔ a: done (flagged: low)"],
    ["subtask_failed", { attempt: 1, class: "tool", feedback: "wrong" }, "✘ a: attempt 1 failed (tool): wrong"],
    ["subtask_failed", { attempt: 2, class: "semantic", feedback: "wrong" }, "✘ a: attempt 2 failed (semantic)"],
    ["subtask_retrying", { attempt: 2, escalated_tier: 2 }, "↻ a: attempt 2, tier 2"],
    ["subtask_blocked", { reasons: ["b failed"] }, "■ a is blocked: b failed"],
    ["subtask_skipped", { reason: "ended" }, "– a is skipped: ended"],
    ["subtask_waiting", { reason: "model down" }, "… a waits: model down"],
    ["approval_received", { approved: false, by: "me", reason: "no" }, "· a: rejected by me: no"],
    ["approval_expired", { on_timeout: "reject" }, "· a: nobody answered in time (reject)"],
    ["ask_user_requested", { question: "Which?" }, "? a asks: Which?"],
    ["ask_user_answered", { by: "me" }, "· a: answered by me"],
    ["task_paused", { reason: "asked" }, "‖ paused: asked"],
    [
      "task_budget_exhausted",
      { budget_name: "tokens", observed: 5, limit: 4 },
      "■ the budget of tokens is spent: 5 of 4",
    ],
    ["undo_applied", { restored: ["x"] }, "· put back 1 path"],
    ["webhook_failed", { target_host: "h", reason: "410" }, "· the webhook to h failed: 410"],
    ["task_failed", { reason: "budget", message: "spent" }, "✘ failed (budget): spent"],
    ["model_invocation", {}, null],
    ["something_new", {}, null],
    ["constructor", {}, null],
  ])("%s", (type, data, expected) => expect(line(type, data)).toBe(expected));

  test("never throws, whatever a newer server says, and moves no cursor", () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...eventTypes),
        fc.dictionary(
          fc.constantFrom("summary", "reason", "changes", "subtasks", "flaws", "attempt", "tool"),
          fc.anything(),
        ),
        (type, data) => {
          const shown = line(type, data);
          expect(shown === null || !/[\p{Cc}]/u.test(shown.replaceAll("\n", ""))).toBe(true);
        },
      ),
    ));

  test("is painted on a terminal", () =>
    expect(renderEvent({ event_type: "task_completed", task_id: "t", data: {} }, { color: true })).toBe(
      "\u001B[32m✔\u001B[0m completed",
    ));
});

describe("text from elsewhere", () => {
  test("loses what moves the cursor or turns its reading around", () => {
    expect(clean("a\u001B[2Jb\u0007c\u202Ed\n\te\r")).toBe("abcd\n\te");
    expect(oneLine("  a\n b  ", 10)).toBe("a b");
    expect(oneLine("x".repeat(20), 10)).toBe(`${"x".repeat(9)}…`);
    expect(
      table([
        ["a", "b"],
        ["ccc", "d"],
      ]),
    ).toEqual(["a    b", "ccc  d"]);
  });
});

const task = TaskShown.parse({
  task_id: "task_1",
  goal: "g",
  status: "waiting_approval",
  workspace: "/w",
  plan: {
    version: 1,
    subtasks: [
      {
        id: "a",
        description: "d",
        status: "completed",
        depends_on: [],
        attempt: 1,
        summary: "s",
        confidence: 0.6,
        flagged: true,
      },
    ],
  },
  progress: { total_subtasks: 1, completed: 1, failed: 0, running: 0 },
  errors: [
    { subtask: "a", error: "e1" },
    { subtask: null, error: "e2" },
  ],
  result: { summary: "sum", answer: "" },
  awaiting: [
    { kind: "approval", id: "apr", reason: "rm" },
    { kind: "time", id: "t", until: "later" },
  ],
  workspace_changes: { files_created: 1, files_modified: 2, files_deleted: 3 },
  usage: {
    input_tokens: 1,
    output_tokens: 2,
    cached_tokens: 0,
    model_calls: 3,
    tool_calls: 1,
    wall_ms: 1500,
    usd: 0.5,
  },
  last_seq: 1,
  created_at: "now",
});

describe("a task as lines", () => {
  test("ends with status, summary, errors, flags, files and tokens", () => {
    expect(finalLines(task, plain)).toEqual([
      "waiting_approval: 1 of 1 subtask (task_1)",
      "sum",
      "error in a: e1",
      "error: e2",
      "flagged: a was accepted with a confidence of 0.6; have a look at it",
      "files: 1 created, 2 modified, 3 deleted in /w",
      "tokens: 1 in (0 cached), 2 out; 3 model calls, 1 tool call, 1.5 s, $0.5000",
    ]);
    expect(taskLines(task, plain).slice(0, 4)).toEqual([
      "task_1: g",
      "  a  completed  s",
      "awaiting approval apr: rm",
      "awaiting time t until later",
    ]);
    expect(finalLines({ ...task, plan: null, result: null, errors: [] }, plain)).toHaveLength(3);
  });

  test("says what is left of its budget, where it has one", () => {
    const settled = { tokens: 900, usd: 0.25, model_calls: 3, tool_calls: 1, wall_seconds: 1.5 };
    const budget = { cap: {}, settled, reserved: { tokens: 40 } };
    expect(finalLines({ ...task, budget }, plain)).toEqual(finalLines(task, plain));
    const capped = { ...budget, cap: { tokens: 1000, usd: 1, model_calls: 5 } };
    expect(finalLines({ ...task, budget: capped }, plain).slice(-1)).toEqual([
      "budget: 900 of 1000 tokens (and 40 set aside), 0.25 of 1 usd, 3 of 5 model_calls",
    ]);
    expect(finalLines({ ...task, budget: { ...capped, excess: { tokens: 7 } } }, plain).at(-1)).toBe(
      "servers used more than they were granted: 7 tokens",
    );
  });
});

describe("an undo as lines", () => {
  test("says what was put back, and what was not", () => {
    expect(undoLines({ restored: [], conflicts: [{ path: "p", reason: "changed" }], skipped: ["q"] }, false)).toEqual([
      "0 paths put back",
      "left as it is: p: changed",
      "as before already: q",
    ]);
  });
});

describe("an answer as typed", () => {
  const question = {
    options: [
      { id: "x", label: "The first", description: "" },
      { id: "y", label: "The second", description: "" },
    ],
  };
  test.each([
    ["1", ["x"], ""],
    ["1, 2", ["x", "y"], ""],
    ["y", ["y"], ""],
    ["THE FIRST", ["x"], ""],
    ["3", [], "3"],
    ["1, something else", [], "1, something else"],
  ])("%s chooses %j", (typed, optionIds, text) => expect(chosen(question, typed)).toEqual({ optionIds, text }));
  test("is plain words where there are no options", () =>
    expect(chosen({ options: [] }, "1")).toEqual({ optionIds: [], text: "1" }));
});

describe("server-sent events", () => {
  const frames = async (...chunks: readonly string[]) => {
    const body = (async function* () {
      for (const chunk of chunks) yield new TextEncoder().encode(chunk);
    })();
    const read = [];
    for await (const frame of framesOf(body)) read.push(frame);
    return read;
  };

  test("are read across chunks, line ends and comments", async () => {
    expect(
      await frames("retry: 1\n\n: hb\n\nid: 1\nevent: x\nda", "ta: a\r\ndata:b\r\n\r\n", "data: no end\n"),
    ).toEqual([{ id: "1", data: "a\nb" }]);
  });

  test("are the same however the bytes are cut", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.nat(60), { maxLength: 6 }), async (cuts) => {
        const text = "id: 1\ndata: ä\n\nid: 2\r\ndata: b\r\n\r\ndata\n\n";
        const places = [...new Set(cuts)].toSorted((a, b) => a - b);
        const pieces = [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length));
        expect(await frames(...pieces)).toEqual([
          { id: "1", data: "ä" },
          { id: "2", data: "b" },
          { id: undefined, data: "" },
        ]);
      }),
    ));
});
