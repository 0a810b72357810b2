import { describe, expect, test } from "vitest";
import type { FileState } from "../../src/domain/change.ts";
import { changeViews } from "../../src/domain/change-view.ts";
import { approvalView, questionView, statusOf, subtaskViews, viewOf } from "../../src/domain/view.ts";
import { epoch, given, type Happened } from "../support/given.ts";
import {
  absent,
  approvalAsk,
  asked,
  change,
  changed,
  created,
  delivered,
  done,
  executing,
  file,
  modelCall,
  planReady,
  questionAsk,
  questioned,
  replanning,
  retried,
  started,
} from "../support/happenings.ts";

const iso = (at: number) => new Date(at).toISOString();

describe("the view of a task", () => {
  test("says everything of one that has just been created", () => {
    const story = given(created({ budget: { tokens: 9 }, context: { a: 1 }, metadata: { b: 2 } }));
    expect(viewOf(story.task)).toEqual({
      task_id: "task_01",
      run_id: "run_01",
      goal: "Make the tests pass",
      status: "pending",
      workspace: "/work/project",
      approval_mode: "auto",
      approvers: "wait",
      approval_timeout_seconds: 0,
      policy: null,
      process: null,
      context: { a: 1 },
      metadata: { b: 2 },
      plan: null,
      progress: { total_subtasks: 0, completed: 0, failed: 0, pending: 0, running: 0, percent_complete: 0 },
      errors: [],
      result: null,
      awaiting: [],
      workspace_changes: { files_created: 0, files_modified: 0, files_deleted: 0 },
      usage: { input_tokens: 0, output_tokens: 0, cached_tokens: 0, model_calls: 0, tool_calls: 0, wall_ms: 0 },
      budget: {
        cap: { tokens: 9 },
        settled: { tokens: 0, model_calls: 0, tool_calls: 0, wall_seconds: 0 },
        reserved: { tokens: 0 },
      },
      last_seq: 1,
      created_at: iso(epoch),
      updated_at: iso(epoch),
      completed_at: null,
    });
  });

  test("is as of its last event, and as of its end once it has one", () => {
    given(executing("a")).viewIs({ last_seq: 4, updated_at: iso(epoch + 3000), usage: { wall_ms: 3000 } });
    const closed = given(executing("a")).after(7000).requested({ type: "CancelTask", by: "ada" });
    closed
      .after(60_000)
      .requested({ type: "GiveFeedback", rating: 1, by: "ada" })
      .viewIs({ completed_at: iso(epoch + 10_000), usage: { wall_ms: 10_000 } });
  });

  test("names a cost only where there is one", () => {
    given(
      executing("a"),
      modelCall("done", { usage: { input_tokens: 1, output_tokens: 1, cost_micro_usd: 2_500_000 } }),
    ).viewIs({ usage: { usd: 2.5 } });
    expect(viewOf(given(executing("a")).task).usage).not.toHaveProperty("usd");
  });

  test("counts what the changes came to", () => {
    given(
      executing("a"),
      changed(
        "a",
        "c1",
        change("new", absent, file("a")),
        change("old", file("a"), absent),
        change("edited", file("a"), file("b")),
      ),
      changed("a", "c2", change("brief", absent, file("a")), change("brief", file("a"), absent)),
    ).viewIs({ workspace_changes: { files_created: 1, files_modified: 1, files_deleted: 1 } });
  });

  test("counts no folders that were made or removed for files", () => {
    const folder: FileState = { kind: "folder", mode: 0o755 };
    given(
      executing("a"),
      started("a"),
      changed("a", "c1", change("deep/a.txt", absent, file("a")), change("deep", absent, folder)),
      changed("a", "c2", change("old", folder, absent)),
    ).viewIs({ workspace_changes: { files_created: 1, files_modified: 0, files_deleted: 0 } });
  });

  test("names what holds it that the log does not know, while it is open", () => {
    const held = { kind: "workspace", id: "task_00", reason: "task task_00 works there" } as const;
    const story = given(executing("a"));
    expect(viewOf(story.task, held).awaiting).toEqual([held]);
    expect(viewOf(story.requested({ type: "CancelTask", by: "ada" }).task, held).awaiting).toEqual([]);
  });

  test("shows the subtasks of the plan in force; all that ever were are listed beside it", () => {
    const { task } = given(
      executing("a", "b"),
      done("b"),
      replanning(2),
      planReady([], { version: 2, subtask_ids: ["b"], subtasks: [] }),
    );
    expect(viewOf(task).plan?.subtasks.map(({ id }) => id)).toEqual([]);
    expect(subtaskViews(task).map(({ id, status, summary }) => [id, status, summary])).toEqual([
      ["a", "skipped", "plan 2 does without it"],
    ]);
  });

  test("tells why the task failed", () => {
    given(created({ budget: { model_calls: 1 } }), modelCall("start"))
      .reported({ type: "StepStarted", key: "plan:1:1", step: "plan", event: modelCall("start"), instructionSeqs: [] })
      .viewIs({
        status: "failed",
        errors: [{ subtask: null, error: "budget: The budget for model_calls is spent: 1 of 1" }],
      });
  });
});

describe("the status of a task", () => {
  test("is that it waits for a person only while nothing else can be done", () => {
    given(executing("a"), started("a"), asked("a")).viewIs({ status: "waiting_approval" });
    given(executing("a", "b"), started("a"), asked("a")).viewIs({ status: "executing" });
  });

  test("is that it waits for a person also while it waits for a time", () => {
    const later = { type: "subtask_waiting", subtask_id: "b", on: "model", until: 8e15, reason: "down" } as const;
    given(executing("a", "b"), started("a"), started("b"), asked("a"), later).viewIs({
      status: "waiting_approval",
      awaiting: [{ kind: "approval" }, { kind: "time", id: "b" }],
    });
  });

  test("is that it is paused, whatever else it waits for", () => {
    given(executing("a"), started("a"), asked("a"), { type: "task_paused", reason: "requested" }).viewIs({
      status: "paused",
    });
  });

  test("is its outcome in the end", () => {
    const { task } = given(executing("a")).requested({ type: "CancelTask", by: "ada" });
    expect(statusOf(task)).toBe("cancelled");
  });
});

describe("the status of a subtask", () => {
  test.each<[string, readonly Happened[]]>([
    ["pending", []],
    ["running", [started("a")]],
    ["running", [started("a"), delivered("a")]],
    ["running", [started("a"), asked("a")]],
    ["running", [started("a"), asked("a", { kind: "subtask" })]],
    ["pending", retried("a", 1)],
    ["completed", done("a")],
    ["blocked", [{ type: "subtask_blocked", subtask_id: "a", reasons: ["b"] }]],
    ["skipped", [{ type: "subtask_skipped", subtask_id: "a", reason: "no need" }]],
  ])("is %s after %j", (status, happened) => {
    given(executing("a"), happened).subtaskIs("a", { status });
  });

  test("comes with why it is so", () => {
    given(executing("a"), done("a")).subtaskIs("a", { summary: "a is done", confidence: 0.98 });
    given(executing("a"), { type: "subtask_skipped", subtask_id: "a", reason: "no need" }).subtaskIs("a", {
      summary: "no need",
      confidence: null,
    });
  });
});

describe("the view of an approval", () => {
  const action = {
    tool: "shell_execute",
    arguments: { command: "rm -rf build" },
    command: "rm -rf build",
    paths: ["build"],
    hosts: [],
  };

  test("says what would be done, and until when it may be answered", () => {
    const { task } = given(executing("a"), started("a"), asked("a", { action, expires_at: epoch + 60_000 }));
    const [row] = [...task.approvals.values()].map((approval) => approvalView(task, approval));
    const { digest: _digest, reason, ...shown } = approvalAsk({ action });
    expect(row).toEqual({
      ...shown,
      task_id: "task_01",
      subtask_id: "a",
      status: "pending",
      reason_requested: reason,
      requested_at: iso(epoch + 5000),
      expires_at: iso(epoch + 60_000),
    });
  });

  test("says who decided what, when and why", () => {
    const { now, task } = given(executing("a"), started("a"), asked("a")).requested({
      type: "DecideApproval",
      subtaskId: "a",
      approved: false,
      by: "ada",
      reason: "no",
    });
    const [row] = [...task.approvals.values()].map((approval) => approvalView(task, approval));
    expect(row).toMatchObject({
      status: "rejected",
      decided_by: "ada",
      decided_at: iso(now),
      reason: "no",
      action: { tool: "tool", arguments: {} },
    });
  });
});

describe("the view of a question", () => {
  test("says what is asked, and until when it may be answered", () => {
    const { task } = given(
      executing("a"),
      started("a"),
      questioned("a", { expires_at: epoch + 60_000, default_option_id: "low" }),
    );
    const [row] = [...task.questions.values()].map((question) => questionView(task, question));
    expect(row).toEqual({
      ...questionAsk({ default_option_id: "low" }),
      task_id: "task_01",
      subtask_id: "a",
      status: "pending",
      requested_at: iso(epoch + 5000),
      expires_at: iso(epoch + 60_000),
    });
  });

  test("says who answered what, and when", () => {
    const answer = { selected_option_ids: ["low"], custom_response: "" };
    const { now, task } = given(executing("a"), started("a"), questioned("a")).requested({
      type: "AnswerQuestion",
      questionId: "qst_a_1_1_1",
      answer,
      by: "ada",
    });
    const [row] = [...task.questions.values()].map((question) => questionView(task, question));
    expect(row).toMatchObject({ status: "answered", answer, answered_by: "ada", answered_at: iso(now) });
  });
});

describe("the view of changes", () => {
  test("says what was done to each path, by whom, and whether it was undone", () => {
    const { task } = given(
      executing("a"),
      {
        type: "files_changed",
        subtask_id: "a",
        change_id: "c0",
        changes: [change("x", absent, file("a"))],
        shared_with: ["b"],
      },
      changed(
        "a",
        "c1",
        { ...change("a", file("a"), absent), moved_to: "b" },
        { ...change("b", absent, file("a")), moved_from: "a" },
      ),
      { type: "undo_applied", k: 1, restored: [], conflicts: [], skipped: [], changes: [], undone_ids: ["c1"] },
    );
    const by = { subtask_id: "a", seq: 6, operation: "renamed" };
    const made = { subtask_id: "a", seq: 5, operation: "created", bytes_before: null, bytes_after: 1 };
    expect(changeViews(task)).toEqual([
      { ...made, change_id: "c0", path: "x", undone: false, shared_with: ["b"] },
      { ...by, change_id: "c1", path: "a", undone: true, bytes_before: 1, bytes_after: null, moved_to: "b" },
      { ...by, change_id: "c1.1", path: "b", undone: false, bytes_before: null, bytes_after: 1, moved_from: "a" },
    ]);
  });
});
