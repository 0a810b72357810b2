import { describe, expect, test } from "vitest";
import { given } from "../support/given.ts";
import {
  attemptFailed,
  created,
  done,
  executing,
  planReady,
  replanning,
  retried,
  spec,
  started,
} from "../support/happenings.ts";

type FailureClass = "semantic" | "blocked" | "model" | "timeout" | "internal" | "no_output";
const failedIn = (key: string, failure: FailureClass = "semantic") =>
  ({ type: "Failed", key, class: failure, feedback: "the tests still fail" }) as const;

const lastTry = created({}, { max_subtask_retries: 0 });
const chain = executing(spec("a"), spec("b", { depends_on: ["a"] }), spec("c", { depends_on: ["b"] }), "free");

describe("a subtask that failed for good", () => {
  test("blocks all that depends on it, and its siblings go on", () => {
    given(lastTry, chain, started("a"), started("free"))
      .reported(failedIn("work:a:1:1"))
      .records(
        { type: "subtask_failed", final: true },
        { type: "subtask_blocked", subtask_id: "b", reasons: ["a"] },
        { type: "subtask_blocked", subtask_id: "c", reasons: ["a"] },
        { type: "task_replanning", failed_subtask_id: "a", version: 2, requested_by: "harness" },
      )
      .wants("plan:2:1", "work:free:1:1")
      .subtaskIs("b", { status: "blocked" })
      .viewIs({ progress: { failed: 1, pending: 2 } });
  });

  test("is taken in by a new plan that is being made already", () => {
    given(lastTry, executing("a", "b"), started("a"), started("b"), attemptFailed("b", { final: true }), replanning(2))
      .reported(failedIn("work:a:1:1"))
      .records({ type: "subtask_failed", final: true })
      .wants("plan:2:1");
  });

  test("ends the task when the plan may not be made again, and skips the rest", () => {
    given(created({}, { max_subtask_retries: 0, max_replans: 0 }), chain, started("a"), started("free"))
      .reported(failedIn("work:a:1:1"))
      .records(
        { type: "subtask_failed" },
        { type: "subtask_blocked" },
        { type: "subtask_blocked" },
        { type: "subtask_skipped", subtask_id: "b", reason: "task failed: subtask_failed" },
        { type: "subtask_skipped", subtask_id: "c" },
        { type: "subtask_skipped", subtask_id: "free" },
        { type: "task_failed", reason: "subtask_failed", completed: 0, total: 4, failed_subtasks: ["a"] },
      )
      .wants()
      .viewIs({ status: "failed", awaiting: [] });
  });

  test("counts only what it was planned again for: a second failure plans a second time, a third does not", () => {
    given(
      lastTry,
      executing("a"),
      replanning(2),
      planReady([spec("a")], { version: 2 }),
      replanning(3),
      planReady([spec("a")], { version: 3 }),
      started("a"),
    )
      .reported(failedIn("work:a:1:1"))
      .records({ type: "subtask_failed" }, { type: "task_failed", reason: "subtask_failed" });
  });
});

describe("a critical subtask that failed for good", () => {
  const critical = { is_critical_path: true };
  const remedied = executing(
    "before",
    spec("a", { ...critical, depends_on: ["before"] }),
    spec("b", { depends_on: ["before", "a"] }),
  );

  test("is put right by one subtask in its place, with the strongest model", () => {
    const story = given(lastTry, remedied, done("before"), started("a"))
      .reported(failedIn("work:a:1:1"))
      .records(
        { type: "subtask_failed", final: true },
        { type: "subtask_blocked", subtask_id: "b" },
        { type: "task_plan_ready", version: 2, replanned: true, subtask_ids: ["before", "fix-a", "b"], reverting: [] },
      )
      .wants("work:fix-a:1:1")
      .subtaskIs("b", { status: "pending", depends_on: ["before", "fix-a"] })
      .subtaskIs("fix-a", { model_tier: 3, is_critical_path: true });
    expect(story.task.subtasks.get("fix-a")?.spec.description).toContain("It failed with: the tests still fail");
  });

  test("ends the task when that fails too", () => {
    given(lastTry, remedied, done("before"), started("a"))
      .reported(failedIn("work:a:1:1"))
      .and(started("fix-a"))
      .reported(failedIn("work:fix-a:1:1"))
      .records(
        { type: "subtask_failed" },
        { type: "subtask_blocked" },
        { type: "subtask_skipped" },
        { type: "task_failed", reason: "critical_subtask_failed", failed_subtasks: ["fix-a"] },
      );
  });

  test("is put right also when the planner itself named it fix-something", () => {
    given(lastTry, executing(spec("fix-login", critical)), started("fix-login"))
      .reported(failedIn("work:fix-login:1:1"))
      .records({ type: "subtask_failed" }, { type: "task_plan_ready", subtask_ids: ["fix-fix-login"] });
  });

  test("ends the task when its place has been taken once before", () => {
    given(lastTry, executing(spec("a", critical), "fix-a"), started("a"))
      .reported(failedIn("work:a:1:1"))
      .records(
        { type: "subtask_failed" },
        { type: "subtask_skipped" },
        { type: "task_failed", reason: "critical_subtask_failed" },
      );
  });

  test("and says that it is blocked ends the task when no other plan may be made", () => {
    given(
      created({}, { max_replans: 0 }),
      executing(spec("a", critical)),
      retried("a", 1, { class: "blocked" }),
      started("a", 2),
    )
      .reported(failedIn("work:a:2:1", "blocked"))
      .records({ type: "subtask_failed" }, { type: "task_failed", reason: "critical_subtask_failed" });
  });
});
