import { describe, expect, test } from "vitest";
import { given } from "../support/given.ts";
import {
  attemptFailed,
  change,
  changed,
  completed,
  created,
  delivered,
  done,
  executing,
  extracted,
  file,
  passed,
  planning,
  planReady,
  replanning,
  spec,
  started,
} from "../support/happenings.ts";

const proposed = (key: string, ...subtasks: ReturnType<typeof spec>[]) =>
  ({ type: "PlanProposed", key, subtasks, flaws: [] }) as const;
const unreadable = (key: string) =>
  ({ type: "PlanProposed", key, subtasks: [], flaws: ["The reply holds no JSON."] }) as const;
const rejected = (call: number) => ({ type: "task_plan_rejected" as const, version: 1, call, flaws: ["no"] });

describe("a new task", () => {
  test("wants a plan", () => {
    given(created()).wants("plan:1:1").viewIs({ status: "pending", plan: null });
  });

  test("is in planning once its planner has started, and says so once", () => {
    given(created())
      .reported({ type: "Started", key: "plan:1:1" })
      .records({ type: "task_planning", version: 1, call: 1 })
      .viewIs({ status: "planning" })
      .reported({ type: "Started", key: "plan:1:1" })
      .recordsNothing();
  });

  test("takes a sound plan and sets to work on it", () => {
    given(planning)
      .reported(proposed("plan:1:1", spec("a"), spec("b", { depends_on: ["a"] })))
      .records(
        { type: "task_plan_ready", version: 1, replanned: false, subtask_ids: ["a", "b"], subtask_count: 2 },
        { type: "task_executing", version: 1 },
      )
      .wants("work:a:1:1")
      .viewIs({ status: "executing", plan: { version: 1 } });
  });
});

describe("a flawed plan", () => {
  test("is sent back, and the next call is told its flaws", () => {
    given(planning)
      .reported(proposed("plan:1:1", spec("a", { depends_on: ["b"] })))
      .records({
        type: "task_plan_rejected",
        call: 1,
        flaws: ['Subtask "a" depends on "b", which is not in the plan.'],
      })
      .wants("plan:1:2")
      .reported({ type: "Started", key: "plan:1:2" })
      .records({ type: "task_planning", call: 2 });
  });

  test("is sent back when it could not even be read", () => {
    given(planning)
      .reported(unreadable("plan:1:1"))
      .records({ type: "task_plan_rejected", flaws: ["The reply holds no JSON."] })
      .wants("plan:1:2");
  });

  test("is sent back when its planner broke down", () => {
    given(planning)
      .reported({ type: "Failed", key: "plan:1:1", class: "internal", feedback: "boom" })
      .records({ type: "task_plan_rejected", flaws: ["boom"] });
  });

  test("is replaced the third time by a plan that needs no planner", () => {
    given(planning, rejected(1), rejected(2))
      .reported(unreadable("plan:1:3"))
      .records(
        { type: "task_plan_rejected", call: 3 },
        { type: "task_plan_degraded", version: 1, detail: "The reply holds no JSON." },
        { type: "task_plan_ready", subtask_ids: ["execute-goal"] },
        { type: "task_executing" },
      )
      .wants("work:execute-goal:1:1");
  });

  test("ends the task when the model itself refuses, since asking again would not help", () => {
    given(planning)
      .reported({ type: "Failed", key: "plan:1:1", class: "model", feedback: "401: no such key" })
      .records({ type: "task_failed", reason: "model_refused", message: "401: no such key" });
  });
});

describe("a new plan while siblings run", () => {
  const running = given(
    executing("gone", "done", "running", "waiting", spec("below", { depends_on: ["gone"] })),
    done("done"),
    started("running"),
    started("gone"),
    attemptFailed("gone", { attempt: 4, final: true }),
    { type: "subtask_blocked", subtask_id: "below", reasons: ["gone"] },
    replanning(2, { failed_subtask_id: "gone" }),
  );

  test("is made beside them, and knows why", () => {
    running.wants("plan:2:1", "work:running:1:1", "work:waiting:1:1");
    expect(running.task.planning?.replan).toEqual({ reason: "it did not go", failedSubtaskId: "gone" });
  });

  test("is not announced a second time when its planner starts", () => {
    running.reported({ type: "Started", key: "plan:2:1" }).recordsNothing();
  });

  test("keeps what is completed or running as it is, named in it or not", () => {
    running
      .reported(proposed("plan:2:1", spec("done"), spec("other", { depends_on: ["done", "running"] })))
      .records({ type: "task_plan_ready", version: 2, replanned: true, subtask_ids: ["done", "running", "other"] })
      .wants("work:running:1:1")
      .subtaskIs("done", { status: "completed" });
  });

  test("begins anew what failed or was blocked, and attempts are numbered on", () => {
    running
      .reported(proposed("plan:2:1", spec("gone"), spec("below", { depends_on: ["gone"] })))
      .records({ type: "task_plan_ready" })
      .wants("work:running:1:1", "work:gone:2:1")
      .subtaskIs("below", { status: "pending" });
  });

  test("frees what was blocked by something that it does without", () => {
    running
      .reported(proposed("plan:2:1", spec("below")))
      .records({ type: "task_plan_ready" })
      .wants("work:running:1:1", "work:below:1:1")
      .viewIs({
        progress: { total_subtasks: 3, completed: 1, failed: 0, pending: 1, running: 1, percent_complete: 33.3 },
      });
  });

  test("may be to do without what failed, and with nothing in its place", () => {
    given(executing("a", "b"), done("a"), started("b"), attemptFailed("b", { final: true }), replanning(2))
      .reported(proposed("plan:2:1", spec("a")))
      .records({ type: "task_plan_ready", subtask_ids: ["a"] })
      .wants("answer:2");
  });

  test("is flawed when it has no subtask at all", () => {
    running
      .reported(proposed("plan:2:1"))
      .records({ type: "task_plan_rejected", flaws: ["The plan has no subtasks; give at least one."] });
  });

  test("falls back to one more subtask under an id that is still free", () => {
    given(
      executing("execute-goal"),
      started("execute-goal"),
      attemptFailed("execute-goal", { final: true }),
      replanning(2),
      { ...rejected(1), version: 2 },
      { ...rejected(2), version: 2 },
    )
      .reported(unreadable("plan:2:3"))
      .records(
        { type: "task_plan_rejected" },
        { type: "task_plan_degraded" },
        { type: "task_plan_ready", subtask_ids: ["execute-goal-2"] },
      );
  });
});

describe("a subtask that a new plan does without", () => {
  const wrote = changed("a", "chg_a", change("a.txt", { kind: "absent" }, file("a")));
  const failedWithFiles = given(
    executing("a", "b"),
    started("a"),
    wrote,
    attemptFailed("a", { final: true }),
    done("b"),
    replanning(2),
  );

  test("is put back when it had changed files", () => {
    failedWithFiles
      .reported(proposed("plan:2:1", spec("c")))
      .records({ type: "task_plan_ready", reverting: ["a"] })
      .wants("revert:a:1");
  });

  test("holds up what begins anew until that is done", () => {
    failedWithFiles
      .reported(proposed("plan:2:1", spec("c")))
      .reported({
        type: "Reverted",
        key: "revert:a:1",
        outcome: { restored: ["a.txt"], conflicts: [], skipped: [] },
        changes: [change("a.txt", file("a"), { kind: "absent" })],
        undoneIds: ["chg_a"],
      })
      .records({ type: "undo_applied", subtask_id: "a" }, { type: "subtask_skipped", reason: "plan 2 does without it" })
      .wants("work:c:1:1");
  });

  test("is put back too when it was only about to be tried again", () => {
    given(
      executing("a", "b"),
      started("a"),
      wrote,
      attemptFailed("a"),
      {
        type: "subtask_retrying",
        subtask_id: "a",
        attempt: 2,
        escalated_tier: 1,
        feedback: "",
        retry_strategy: "semantic",
      },
      replanning(2),
    )
      .reported(proposed("plan:2:1", spec("c")))
      .records({ type: "task_plan_ready", reverting: ["a"] });
  });

  test("stays as it stands when the task is cancelled meanwhile, and is not put back later", () => {
    failedWithFiles
      .reported(proposed("plan:2:1", spec("c")))
      .requested({ type: "CancelTask", by: "ada" })
      .wants()
      .requested({ type: "RetryTask", by: "ada" })
      .wants("work:c:1:1");
  });

  test("leaves its id to nobody until it is put back", () => {
    failedWithFiles
      .and(planReady([spec("b"), spec("c")], { version: 2, reverting: ["a"] }), replanning(3))
      .reported(proposed("plan:3:1", spec("a")))
      .records({
        type: "task_plan_rejected",
        flaws: ['The changes of an earlier subtask "a" are being put back; choose another id.'],
      });
  });

  test("is merely skipped when it had changed nothing", () => {
    given(executing("a"), started("a"), attemptFailed("a", { final: true }), replanning(2))
      .reported(proposed("plan:2:1", spec("c")))
      .records({ type: "task_plan_ready", reverting: [] })
      .wants("work:c:1:1");
  });

  test("stays as it was when a later plan does without it too", () => {
    failedWithFiles
      .and(planReady([spec("b"), spec("c")], { version: 2 }), replanning(3))
      .reported(proposed("plan:3:1", spec("d")))
      .records({ type: "task_plan_ready", version: 3, reverting: [] })
      .wants("work:d:1:1");
  });
});

describe("a plan that comes late", () => {
  test("is dropped", () => {
    given(executing("a"))
      .reported(proposed("plan:1:1", spec("b")))
      .recordsNothing();
  });
});

describe("what is under way when a new plan is made", () => {
  const proposedWithout = proposed("plan:2:1", spec("other"));

  test.each([
    [
      "waits for its model in its first leg",
      [started("a"), { type: "subtask_waiting", subtask_id: "a", on: "model", until: 1, reason: "" }],
    ],
    ["is being verified", [started("a"), delivered("a")]],
    ["is completed, its memory not yet", [started("a"), delivered("a"), passed("a"), completed("a"), extracted("a")]],
  ] as const)("stays when it %s", (_, happened) => {
    given(executing("a", "b"), happened, replanning(2))
      .reported(proposedWithout)
      .records({ type: "task_plan_ready", subtask_ids: ["a", "other"] });
  });

  test("does not include what was never begun", () => {
    given(executing("a"), replanning(2))
      .reported(proposedWithout)
      .records({ type: "task_plan_ready", subtask_ids: ["other"] });
  });
});
