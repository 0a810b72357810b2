import { describe, test } from "vitest";
import { given } from "../support/given.ts";
import { asked, created, delivered, done, executing, planning, spec, started } from "../support/happenings.ts";

const pause = { type: "PauseTask", by: "ada" } as const;
const resume = { type: "ResumeTask", by: "ada" } as const;
const working = given(executing("a", "b"), started("a"));

describe("pausing a task", () => {
  test("takes effect at once when nothing runs", () => {
    working
      .requested(pause)
      .records({ type: "task_pausing", requested_by: "ada" }, { type: "task_paused", reason: "requested" })
      .viewIs({ status: "paused", awaiting: [{ kind: "resume", id: "task_01" }] })
      .wants("yields work:a:1:1", "yields work:b:1:1");
  });

  test("lets what runs end at its next step boundary", () => {
    working
      .whileRunning(1)
      .requested(pause)
      .records({ type: "task_pausing" })
      .viewIs({ status: "executing", awaiting: [{ kind: "resume" }] })
      .wants("yields work:a:1:1", "yields work:b:1:1")
      .reported({ type: "Yielded", key: "work:a:1:1" })
      .records({ type: "task_paused" })
      .viewIs({ status: "paused" });
  });

  test("waits for the last of what runs", () => {
    const pausing = working.whileRunning(2).requested(pause);
    pausing.whileRunning(1).reported({ type: "Yielded", key: "work:a:1:1" }).recordsNothing();
  });

  test("takes in what comes in its last step", () => {
    working
      .whileRunning(1)
      .requested(pause)
      .reported({ type: "Delivered", key: "work:a:1:1", summary: "done", digest: "" })
      .records({ type: "subtask_delivered" }, { type: "task_paused" })
      .wants("yields verify:a:1:1", "yields work:b:1:1");
  });

  test("is brought about by anything that ends the last of what runs, late or not", () => {
    const pausing = working.whileRunning(1).requested(pause);
    pausing.reported({ type: "Yielded", key: "work:gone:1:1" }).records({ type: "task_paused" });
  });

  test("has come about when Loom went down meanwhile", () => {
    given(executing("a"), started("a"), asked("a"), { type: "task_pausing", requested_by: "ada" })
      .reported({ type: "Recovered", stepsInFlight: [] })
      .records({ type: "task_paused" });
  });

  test("twice says nothing more", () => {
    working.requested(pause).requested(pause).recordsNothing();
    working.whileRunning(1).requested(pause).whileRunning(1).requested(pause).recordsNothing();
  });

  test("stops planning too, and what was proposed is taken in", () => {
    given(planning)
      .whileRunning(1)
      .requested(pause)
      .wants("yields plan:1:1")
      .reported({ type: "PlanProposed", key: "plan:1:1", subtasks: [spec("a")], flaws: [] })
      .records({ type: "task_plan_ready" }, { type: "task_executing" }, { type: "task_paused" })
      .wants("yields work:a:1:1");
  });

  test("does not stop what a person rejected from being put back", () => {
    const judged = asked("a", { kind: "subtask", approval_id: "apr_a_1_0_0" });
    given(executing("a"), started("a"), delivered("a"), judged)
      .requested(pause)
      .requested({ type: "DecideApproval", subtaskId: "a", approved: false, by: "ada" })
      .wants("revert:a:1");
  });

  test("is no use once the task has ended", () => {
    const closed = working.requested({ type: "CancelTask", by: "ada" });
    closed.requested(pause).isRefused("wrong_state", "Task task_01 is cancelled; it cannot be paused");
    closed.requested(resume).isRefused("wrong_state", "it cannot be resumed");
  });
});

describe("a paused task", () => {
  const paused = working.requested(pause);

  test("goes on with the same leg of the same attempt", () => {
    paused
      .requested(resume)
      .records({ type: "task_resumed", requested_by: "ada", reopened: false })
      .viewIs({ status: "executing", awaiting: [] })
      .wants("work:a:1:1", "work:b:1:1");
  });

  test("can be resumed before it has come to rest", () => {
    working
      .whileRunning(1)
      .requested(pause)
      .requested(resume)
      .records({ type: "task_resumed" })
      .wants("work:a:1:1", "work:b:1:1");
  });

  test("is not completed before it goes on", () => {
    const told = {
      type: "subtask_delivered",
      subtask_id: "answer",
      attempt: 1,
      summary: "s",
      answer: "a",
      digest: "",
    } as const;
    given(executing("a"), done("a"), { type: "task_pausing", requested_by: "ada" }, told)
      .reported({ type: "Yielded", key: "answer:1" })
      .records({ type: "task_paused" })
      .requested(resume)
      .records({ type: "task_resumed" }, { type: "task_completed" });
  });

  test("need not be resumed twice", () => {
    working.requested(resume).recordsNothing();
  });

  test("can be cancelled", () => {
    paused
      .requested({ type: "CancelTask", by: "ada" })
      .records(
        { type: "task_cancel_requested" },
        { type: "subtask_skipped" },
        { type: "subtask_skipped" },
        { type: "task_cancelled" },
      )
      .viewIs({ status: "cancelled" });
  });
});

describe("cancelling a task", () => {
  test("ends it, skips what was not done, and wants nothing more", () => {
    given(executing("a", "b", "c"), done("a"), started("b"))
      .requested({ type: "CancelTask", by: "ada", reason: "changed my mind" })
      .records(
        { type: "task_cancel_requested", requested_by: "ada", reason: "changed my mind" },
        { type: "subtask_skipped", subtask_id: "b", reason: "task cancelled" },
        { type: "subtask_skipped", subtask_id: "c" },
        { type: "task_cancelled", completed: 1, total: 3, reason: "changed my mind" },
      )
      .wants()
      .viewIs({ status: "cancelled", progress: { completed: 1, total_subtasks: 3 } });
  });

  test("before it was planned has nothing to skip", () => {
    given(created())
      .requested({ type: "CancelTask", by: "ada" })
      .records(
        { type: "task_cancel_requested" },
        { type: "task_cancelled", completed: 0, total: 0, reason: "cancel_requested" },
      );
  });

  test("twice says nothing more", () => {
    working.requested({ type: "CancelTask", by: "ada" }).requested({ type: "CancelTask", by: "bob" }).recordsNothing();
  });
});
