import { describe, test } from "vitest";
import type { Report } from "../../src/domain/report.ts";
import { given } from "../support/given.ts";
import { created, done, executing, started } from "../support/happenings.ts";

const checks = [
  { name: "tests", run: "npm test" },
  { name: "lint", run: "npm run lint" },
];
const checked = given(created({ checks }), executing("a"), done("a"));
const ran = (round: number, ...passed: readonly boolean[]): Report => ({
  type: "ChecksRan",
  key: `check:${round}`,
  results: passed.map((ok, at) => ({ name: checks[at]?.name ?? "", passed: ok, detail: ok ? "" : "2 failed" })),
});

describe("the checks of a task", () => {
  test("run once all else is done, and are announced once", () => {
    given(created({ checks }), executing("a")).wants("work:a:1:1");
    checked
      .wants("check:1")
      .reported({ type: "Started", key: "check:1" })
      .records({ type: "checks_started", round: 1, checks })
      .reported({ type: "Started", key: "check:1" })
      .recordsNothing();
  });

  test("let the answer follow when they pass", () => {
    checked
      .reported(ran(1, true, true))
      .records({ type: "checks_passed", round: 1 })
      .wants("answer:1");
  });

  test("lead to one subtask that shall make them pass, with their output as its criterion", () => {
    const failed = checked.reported(ran(1, true, false));
    failed
      .records(
        { type: "checks_failed", round: 1 },
        { type: "task_plan_ready", version: 2, replanned: true, subtask_ids: ["a", "fix-checks-1"] },
      )
      .wants("work:fix-checks-1:1:1")
      .subtaskIs("fix-checks-1", {
        acceptance_criteria: "lint exits 0. It failed with:\n2 failed",
        kind: "change",
        is_critical_path: true,
        is_synthesis: false,
      });
  });

  test("run again after that, in a round of their own", () => {
    checked
      .reported(ran(1, false, true))
      .and(done("fix-checks-1"))
      .wants("check:2");
  });

  const twice = checked
    .reported(ran(1, false))
    .and(done("fix-checks-1"))
    .reported(ran(2, false))
    .and(done("fix-checks-2"));

  test("end the task when they fail a third time", () => {
    twice
      .wants("check:3")
      .reported(ran(3, false, false))
      .records(
        { type: "checks_failed", round: 3 },
        { type: "task_failed", reason: "checks_failed", message: "The task's own checks failed: tests, lint" },
      );
  });

  test("get their rounds anew when a person has the task retried, under new numbers", () => {
    twice
      .reported(ran(3, false))
      .requested({ type: "RetryTask", by: "ada" })
      .wants("check:4")
      .reported(ran(4, false))
      .records({ type: "checks_failed", round: 4 }, { type: "task_plan_ready" })
      .wants("work:fix-checks-4:1:1");
  });

  test("are not read from an old journal when the task is retried after they began", () => {
    checked
      .reported({ type: "Started", key: "check:1" })
      .requested({ type: "CancelTask", by: "ada" })
      .requested({ type: "RetryTask", by: "ada" })
      .wants("check:2");
  });

  test("that could not be run have failed", () => {
    checked
      .reported({ type: "Failed", key: "check:1", class: "internal", feedback: "no shell" })
      .records(
        { type: "checks_failed", results: [{ name: "checks", passed: false, detail: "no shell" }] },
        { type: "task_plan_ready" },
      );
    checked
      .reported({ type: "ModelDown", key: "check:1", reason: "no model", retryAfterMs: 0 })
      .records({ type: "checks_failed" }, { type: "task_plan_ready" });
  });

  test("are not put right a second time within a round", () => {
    given(created({ checks }, { max_subtask_retries: 0 }), executing("a"), done("a"))
      .reported(ran(1, false))
      .and(started("fix-checks-1"))
      .reported({ type: "Failed", key: "work:fix-checks-1:1:1", class: "semantic", feedback: "no" })
      .records({ type: "subtask_failed" }, { type: "task_failed", reason: "critical_subtask_failed" });
  });
});
