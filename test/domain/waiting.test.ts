import { describe, test } from "vitest";
import { given } from "../support/given.ts";
import { asked, created, delivered, executing, modelCall, planning, started } from "../support/happenings.ts";

const down = (key: string, retryAfterMs = 5000) =>
  ({ type: "ModelDown", key, reason: "connection refused", retryAfterMs }) as const;
const impatient = created({}, { model_wait_ms: 10_000, max_subtask_retries: 1 });

describe("a model that is down", () => {
  test("costs no attempt: the work waits, and goes on in its next leg", () => {
    const story = given(executing("a"), started("a"));
    story
      .reported(down("work:a:1:1"))
      .records({
        type: "subtask_waiting",
        subtask_id: "a",
        on: "model",
        until: story.now + 5000,
        reason: "connection refused",
      })
      .wants("wait:a:6")
      .viewIs({ awaiting: [{ kind: "time", id: "a", reason: "connection refused" }], status: "executing" })
      .reported({ type: "TimeReached", key: "wait:a:6" })
      .records({ type: "wait_elapsed", what: "a", n: 6 })
      .wants("work:a:1:2")
      .subtaskIs("a", { attempt: 1, retry_count: 0 });
  });

  test.each([
    [0, 1000],
    [5000, 5000],
    [9e6, 300_000],
  ])("is asked again after %d ms at its own word, which counts as %d", (retryAfterMs, waitMs) => {
    const story = given(executing("a"), started("a"));
    story.reported(down("work:a:1:1", retryAfterMs)).records({ type: "subtask_waiting", until: story.now + waitMs });
  });

  test("holds up planning, which then goes on with the same call", () => {
    given(planning)
      .reported(down("plan:1:1"))
      .records({ type: "subtask_waiting", subtask_id: "plan" })
      .wants("wait:plan:3")
      .viewIs({ awaiting: [{ kind: "time", id: "plan" }] })
      .reported({ type: "TimeReached", key: "wait:plan:3" })
      .records({ type: "wait_elapsed", what: "plan" })
      .wants("plan:1:1");
  });

  test("holds up a verification, which then goes on with the same try", () => {
    given(executing("a"), started("a"), delivered("a"))
      .reported(down("verify:a:1:1"))
      .records({ type: "subtask_waiting", subtask_id: "a" })
      .reported({ type: "TimeReached", key: "wait:a:7" })
      .records({ type: "wait_elapsed" })
      .wants("verify:a:1:1")
      .reported({ type: "Started", key: "verify:a:1:1" })
      .recordsNothing();
  });
});

describe("a model that stays down", () => {
  test("is waited for no longer than the rule says, in a row; then the attempt has failed", () => {
    given(impatient, executing("a"), started("a"))
      .reported(down("work:a:1:1"))
      .after(9999)
      .reported({ type: "TimeReached", key: "wait:a:6" })
      .reported(down("work:a:1:2"))
      .records({ type: "subtask_waiting" })
      .after(1)
      .reported({ type: "TimeReached", key: "wait:a:8" })
      .reported(down("work:a:1:3"))
      .records(
        { type: "subtask_failed", class: "model", feedback: "connection refused" },
        { type: "subtask_retrying" },
      );
  });

  test("has its time anew after a call that it answered", () => {
    given(impatient, executing("a"), started("a"))
      .reported(down("work:a:1:1"))
      .after(10_000)
      .reported({ type: "TimeReached", key: "wait:a:6" })
      .and(modelCall("done", { subtask_id: "a" }))
      .reported(down("work:a:1:2"))
      .records({ type: "subtask_waiting" });
  });

  test("ends the task when there is no plan", () => {
    given(impatient, planning)
      .reported(down("plan:1:1"))
      .after(10_000)
      .reported({ type: "TimeReached", key: "wait:plan:3" })
      .reported(down("plan:1:1"))
      .records({ type: "task_failed", reason: "model_unavailable", message: "connection refused" });
  });

  test("leaves the work unverified, not undone: it counts as a verification that could not tell", () => {
    given(impatient, executing("a"), started("a"), delivered("a"))
      .reported(down("verify:a:1:1"))
      .after(10_000)
      .reported({ type: "TimeReached", key: "wait:a:7" })
      .reported(down("verify:a:1:1"))
      .records({ type: "verification_failed", outcome: "inconclusive", feedback: "connection refused" })
      .wants("verify:a:1:2");
  });
});

describe("a time that has come", () => {
  test("means nothing to what does not wait any more", () => {
    given(
      executing("a"),
      started("a"),
      { type: "wait_elapsed", what: "a", n: 1 },
      { type: "wait_elapsed", what: "plan", n: 1 },
    ).wants("work:a:1:1");
    given(executing("a"), started("a"), asked("a")).reported({ type: "TimeReached", key: "wait:a:6" }).recordsNothing();
  });

  test("means nothing to a plan that is not wanted any more", () => {
    const waiting = { type: "subtask_waiting", subtask_id: "plan", on: "model", until: 1, reason: "down" } as const;
    given(executing("a"), waiting).wants("work:a:1:1");
  });
});
