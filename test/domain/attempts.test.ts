import { describe, expect, test } from "vitest";
import { tierOf } from "../../src/domain/attempts.ts";
import { given } from "../support/given.ts";
import {
  attemptFailed,
  created,
  delivered,
  done,
  executing,
  planReady,
  replanning,
  retried,
  retrying,
  spec,
  started,
} from "../support/happenings.ts";

type FailureClass = "semantic" | "blocked" | "model" | "timeout" | "internal" | "no_output";
const failedIn = (key: string, failure: FailureClass = "semantic") =>
  ({ type: "Failed", key, class: failure, feedback: "the tests still fail" }) as const;

describe("a ready subtask", () => {
  test("is announced when its first leg starts, and only then", () => {
    given(executing("a"))
      .reported({ type: "Started", key: "work:a:1:1" })
      .records({ type: "subtask_started", subtask_id: "a", attempt: 1, model_tier: 1 })
      .subtaskIs("a", { status: "running", attempt: 1 })
      .reported({ type: "Started", key: "work:a:1:1" })
      .recordsNothing();
  });

  test("is verified once it has delivered", () => {
    given(executing("a"), started("a"))
      .reported({ type: "Delivered", key: "work:a:1:1", summary: "done", digest: "d" })
      .records({ type: "subtask_delivered", subtask_id: "a", attempt: 1, summary: "done" })
      .wants("verify:a:1:1");
  });
});

describe("a failed attempt", () => {
  test("is followed by another with the critique", () => {
    given(executing("a"), started("a"))
      .reported(failedIn("work:a:1:1"))
      .records(
        { type: "subtask_failed", attempt: 1, final: false, class: "semantic", verification_tier: 0 },
        { type: "subtask_retrying", attempt: 2, feedback: "the tests still fail", retry_strategy: "semantic" },
      )
      .wants("work:a:2:1")
      .subtaskIs("a", { status: "pending", attempt: 2, retry_count: 1 })
      .viewIs({ errors: [{ subtask: "a", error: "attempt 1 (semantic): the tests still fail" }] });
  });

  test("is told as resolved once a later one succeeded", () => {
    given(executing("a"), retried("a", 1), done("a")).viewIs({
      errors: [{ subtask: "a", resolution: "a later attempt succeeded" }],
    });
  });

  test.each(["model", "timeout", "internal"] as const)("of class %s is tried again a little later", (failure) => {
    const story = given(executing("a"), started("a"));
    story
      .reported(failedIn("work:a:1:1", failure))
      .records({ type: "subtask_failed" }, { type: "subtask_retrying", until: story.now + 1000 })
      .wants("wait:a:7")
      .viewIs({ awaiting: [{ kind: "time", id: "a", reason: failure }] })
      .reported({ type: "TimeReached", key: "wait:a:7" })
      .records({ type: "wait_elapsed", what: "a", n: 7 })
      .wants("work:a:2:1");
  });

  test("waits twice as long each time, and half a minute at most", () => {
    const story = given(
      created({}, { max_subtask_retries: 9 }),
      executing("a"),
      [1, 2, 3, 4, 5].map((n) => retried("a", n)),
      started("a", 6),
    );
    story
      .reported(failedIn("work:a:6:1", "model"))
      .records({ type: "subtask_failed" }, { type: "subtask_retrying", until: story.now + 30_000 });
  });

  test("keeps the last four critiques", () => {
    const story = given(
      executing("a"),
      [1, 2, 3, 4, 5].map((n) => retried("a", n)),
    );
    expect(story.task.subtasks.get("a")?.critiques.map(({ attempt }) => attempt)).toEqual([2, 3, 4, 5]);
  });

  test("is the last when its retries are used up", () => {
    given(created({}, { max_subtask_retries: 1 }), executing("a"), retried("a", 1), started("a", 2))
      .reported(failedIn("work:a:2:1"))
      .records(
        { type: "subtask_failed", attempt: 2, final: true },
        { type: "task_replanning", failed_subtask_id: "a" },
      );
  });
});

describe("the tier of an attempt", () => {
  test.each([
    [1, 1, 1],
    [1, 2, 1],
    [1, 3, 2],
    [1, 4, 3],
    [2, 2, 2],
    [2, 3, 3],
    [3, 1, 3],
    [3, 3, 3],
  ] as const)("planned at %i is, the %ith time, %s", (planned, nth, tier) => expect(tierOf(planned, nth)).toBe(tier));

  test("is raised for the third attempt under a plan", () => {
    given(executing("a"), retried("a", 1, { feedback: "nothing was done" }), started("a", 2))
      .reported(failedIn("work:a:2:1"))
      .records({ type: "subtask_failed" }, { type: "subtask_retrying", attempt: 3, escalated_tier: 2 });
  });
});

describe("a subtask that says it is blocked", () => {
  test("is tried once more", () => {
    given(executing("a"), retried("a", 1), started("a", 2))
      .reported(failedIn("work:a:2:1", "blocked"))
      .records({ type: "subtask_failed", final: false }, { type: "subtask_retrying", attempt: 3 });
  });

  test("is then planned another way, however many retries are left", () => {
    given(executing("a"), retried("a", 1, { class: "blocked" }), started("a", 2))
      .reported(failedIn("work:a:2:1", "blocked"))
      .records({ type: "subtask_failed", final: true }, { type: "task_replanning" });
  });

  test("is planned another way even if it is critical", () => {
    given(executing(spec("a", { is_critical_path: true })), retried("a", 1, { class: "blocked" }), started("a", 2))
      .reported(failedIn("work:a:2:1", "blocked"))
      .records({ type: "subtask_failed", final: true }, { type: "task_replanning" });
  });

  test("gets no attempt beyond those that any failure gets", () => {
    given(created({}, { max_subtask_retries: 1 }), executing("a"), retried("a", 1), started("a", 2))
      .reported(failedIn("work:a:2:1", "blocked"))
      .records({ type: "subtask_failed", final: true }, { type: "task_replanning" });
  });

  test("starts afresh under a new plan", () => {
    const blocked = retried("a", 1, { class: "blocked" });
    given(executing("a"), blocked, replanning(2), planReady([spec("a")], { version: 2 }), started("a", 2))
      .reported(failedIn("work:a:2:1", "blocked"))
      .records({ type: "subtask_failed", final: false }, { type: "subtask_retrying" });
  });
});

describe("all attempts of a task together", () => {
  const three = created({}, { max_loop_iterations: 3, max_subtask_retries: 9 });

  test("are bounded: the last failure ends the task", () => {
    given(three, executing("a"), retried("a", 1), retried("a", 2), started("a", 3))
      .reported(failedIn("work:a:3:1"))
      .records({ type: "subtask_failed", final: true }, { type: "task_failed", reason: "attempts_exhausted" });
  });

  test("are not used up before", () => {
    given(three, executing("a"), retried("a", 1, { feedback: "nothing was done" }), started("a", 2))
      .reported(failedIn("work:a:2:1"))
      .records({ type: "subtask_failed", final: false }, { type: "subtask_retrying", attempt: 3 });
  });

  test("are bounded: no further one is begun", () => {
    given(three, executing("a", "b", "c", "d"), done("a"), done("b"), done("c"))
      .reported({ type: "Started", key: "work:d:1:1" })
      .records({ type: "subtask_skipped", subtask_id: "d" }, { type: "task_failed", reason: "attempts_exhausted" });
  });

  test("count from the beginning again when a person has the task retried", () => {
    given(three, executing("a"), retried("a", 1), retried("a", 2), started("a", 3))
      .reported(failedIn("work:a:3:1"))
      .requested({ type: "RetryTask", by: "ada" })
      .reported({ type: "Started", key: "work:a:4:1" })
      .records({ type: "subtask_started", attempt: 4 });
  });
});

describe("a report of an attempt that is over", () => {
  test.each([
    { type: "Delivered", key: "work:a:1:1", summary: "late", digest: "" },
    { type: "Failed", key: "work:a:1:1", class: "tool", feedback: "late" },
    { type: "Started", key: "work:a:1:1" },
  ] as const)("is dropped: $type", (report) => {
    given(executing("a"), started("a"), attemptFailed("a"), retrying("a", 2)).reported(report).recordsNothing();
    given(executing("a"), started("a"), delivered("a")).reported(report).recordsNothing();
  });
});
