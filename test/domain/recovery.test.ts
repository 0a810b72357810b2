import { describe, test } from "vitest";
import { given, type Happened } from "../support/given.ts";
import {
  asked,
  change,
  changed,
  created,
  delivered,
  done,
  executing,
  file,
  modelCall,
  planning,
  planReady,
  questioned,
  replanning,
  retried,
  started,
  toolEnded,
  toolStarted,
} from "../support/happenings.ts";

const recovered = { type: "Recovered", stepsInFlight: ["a/1/turn-1"] } as const;
const crashed = (recoveries: number) => ({ type: "task_recovered" as const, steps_in_flight: [], recoveries });

describe("a task whose work was cut short by a crash", () => {
  const checks = [{ name: "tests", run: "npm test" }];

  test.each<[string, readonly Happened[], string]>([
    ["in planning", [planning], "plan:1:1"],
    ["in replanning", [executing("a"), done("a"), replanning(2)], "plan:2:1"],
    ["in an attempt", [executing("a"), started("a")], "work:a:1:1"],
    ["in a later leg", [executing("a"), started("a"), asked("a"), approved()], "work:a:1:2"],
    ["in verification", [executing("a"), started("a"), delivered("a"), verificationStarted()], "verify:a:1:1"],
    [
      "in its checks",
      [created({ checks }), executing("a"), done("a"), { type: "checks_started", round: 1, checks }],
      "check:1",
    ],
    ["in its answer", [executing("a"), done("a")], "answer:1"],
  ])("%s says so, and goes on with the same effect", (_, happened, key) => {
    given(...happened)
      .reported(recovered)
      .records({ type: "task_recovered", steps_in_flight: ["a/1/turn-1"], recoveries: 1 })
      .wants(key);
  });

  test("is given up the third time, if no step was recorded since the first", () => {
    given(executing("a"), started("a"), crashed(1), crashed(2))
      .reported(recovered)
      .records(
        { type: "task_recovered", recoveries: 3 },
        { type: "subtask_skipped" },
        { type: "task_failed", reason: "crash_loop" },
      );
  });

  test.each([
    ["a tool call", toolEnded("a")],
    ["a model call", modelCall("done", { subtask_id: "a" })],
  ])("starts to count anew with %s that was recorded", (_, step) => {
    given(executing("a"), started("a"), crashed(1), crashed(2), step)
      .reported(recovered)
      .records({ type: "task_recovered", recoveries: 1 });
  });

  test("does not count a step that was only begun", () => {
    given(executing("a"), started("a"), crashed(1), crashed(2), toolStarted("a"))
      .reported(recovered)
      .records({ type: "task_recovered", recoveries: 3 }, { type: "subtask_skipped" }, { type: "task_failed" });
  });
});

describe("a task that lost nothing by a restart says nothing:", () => {
  test.each<[string, readonly Happened[]]>([
    ["it had not begun", [created()]],
    ["it waits for an approval", [executing("a"), started("a"), asked("a")]],
    ["it waits for an answer", [executing("a"), started("a"), questioned("a")]],
    ["it waits before the next attempt", [executing("a"), retried("a", 1).slice(0, 2), backoff()]],
    [
      "its plan waits for a yes",
      [created({ approve_plan: true }), planning, planReady([]), asked("plan", { kind: "plan" })],
    ],
    ["its next attempt had not begun", [executing("a"), retried("a", 1)]],
    ["its verification had not begun", [executing("a"), started("a"), delivered("a")]],
    ["it is paused", [executing("a"), started("a"), { type: "task_paused", reason: "requested" }]],
  ])("%s", (_, happened) => {
    given(...happened)
      .reported(recovered)
      .recordsNothing();
  });

  test("it is closed", () => {
    given(executing("a"), started("a"))
      .requested({ type: "CancelTask", by: "ada" })
      .reported(recovered)
      .recordsNothing();
  });
});

describe("a paused task that was undoing something", () => {
  test("says that it was cut short", () => {
    given(
      executing("a"),
      { type: "task_paused", reason: "requested" },
      { type: "undo_requested", k: 1, scope: "task", requested_by: "ada" },
    )
      .reported(recovered)
      .records({ type: "task_recovered" })
      .wants("undo:1", "yields work:a:1:1");
  });
});

describe("a paused task that was putting something back", () => {
  test("says that it was cut short, since that runs all the same", () => {
    const wrote = changed("a", "chg_a", change("a.txt", file("a"), file("b")));
    given(executing("a"), started("a"), wrote, delivered("a"), asked("a", { kind: "subtask" }), {
      type: "task_paused",
      reason: "requested",
    })
      .requested({ type: "DecideApproval", subtaskId: "a", approved: false, by: "ada" })
      .reported(recovered)
      .records({ type: "task_recovered" })
      .wants("revert:a:1");
  });
});

function approved(): Happened {
  return { type: "approval_received", subtask_id: "a", approval_id: "apr_a_1_1_1", approved: true, by: "ada" };
}

function verificationStarted(): Happened {
  return { type: "verification_started", subtask_id: "a", attempt: 1, try: 1, target_tier: 2 };
}

function backoff(): Happened {
  return {
    type: "subtask_retrying",
    subtask_id: "a",
    attempt: 2,
    escalated_tier: 1,
    feedback: "",
    retry_strategy: "model",
    until: 8e15,
  };
}
