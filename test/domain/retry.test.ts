import { describe, expect, test } from "vitest";
import { given } from "../support/given.ts";
import {
  asked,
  attemptFailed,
  created,
  delivered,
  done,
  executing,
  passed,
  planning,
  planReady,
  questioned,
  replanning,
  retried,
  spec,
  started,
} from "../support/happenings.ts";

const retry = { type: "RetryTask", by: "ada" } as const;
const cancel = { type: "CancelTask", by: "ada" } as const;

describe("retrying a task", () => {
  const failed = given(
    created({}, { max_subtask_retries: 0, max_replans: 0 }),
    executing("a", spec("b", { model_tier: 2 }), spec("c", { depends_on: ["b"] })),
    done("a"),
    started("b"),
  ).reported({ type: "Failed", key: "work:b:1:1", class: "semantic", feedback: "no" });

  test("keeps what was finished and wants the rest again, attempts numbered on", () => {
    failed
      .viewIs({ status: "failed" })
      .requested(retry)
      .records({ type: "task_resumed", requested_by: "ada", reopened: true })
      .wants("work:b:2:1")
      .viewIs({ status: "executing", completed_at: null, errors: [{ subtask: "b" }] })
      .subtaskIs("a", { status: "completed" })
      .subtaskIs("b", { status: "pending", retry_count: 0, model_tier: 2 })
      .subtaskIs("c", { status: "pending" });
  });

  test("numbers an attempt anew only if the last one had begun", () => {
    failed.requested(retry).requested(cancel).requested(retry).wants("work:b:2:1");
  });

  test("begins at the planned tier, and gives retries and replans anew", () => {
    const { task } = given(
      executing("a"),
      retried("a", 1),
      retried("a", 2),
      retried("a", 3),
      started("a", 4),
      replanning(2),
    )
      .requested(cancel)
      .requested(retry)
      .wants("work:a:5:1");
    expect(task).toMatchObject({ replans: 0, attempts: 0, recoveries: 0 });
    expect(task.subtasks.get("a")).toMatchObject({ failures: 0, tier: 1, leg: 1 });
  });

  test("does not bring back what a new plan did without", () => {
    given(executing("a"), replanning(2), planReady([spec("b")], { version: 2 }))
      .requested(cancel)
      .requested(retry)
      .wants("work:b:1:1");
  });

  test("wants the plan again when there was none", () => {
    const { task } = given(planning).requested(cancel).requested(retry).wants("plan:1:2").viewIs({ status: "pending" });
    expect(task.planning?.replan).toBeNull();
  });

  test("does not read a plan that was being made from its old journal", () => {
    given(executing("a"), started("a"), replanning(2))
      .requested(cancel)
      .requested(retry)
      .and(started("a", 2), attemptFailed("a", { attempt: 2, final: true }), replanning(2))
      .wants("plan:2:2");
  });

  test("asks for another plan when the last one was never agreed to", () => {
    const again = given(created({ approve_plan: true }), planning)
      .reported({ type: "PlanProposed", key: "plan:1:1", subtasks: [spec("a")], flaws: [] })
      .requested({ type: "DecideApproval", subtaskId: "plan", approved: false, by: "ada" })
      .requested(retry)
      .wants("plan:2:1");
    expect(again.task.planning?.replan?.reason).toContain("not approved");
    again
      .reported({ type: "PlanProposed", key: "plan:2:1", subtasks: [spec("b")], flaws: [] })
      .records({ type: "task_plan_ready", version: 2 }, { type: "approval_requested", approval_id: "apr_plan_2_0_0" })
      .wants()
      .requested({ type: "DecideApproval", subtaskId: "plan", approvalId: "apr_plan_2_0_0", approved: true, by: "ada" })
      .records({ type: "approval_received" }, { type: "plan_approved" }, { type: "task_executing" })
      .wants("work:b:1:1");
  });

  test("leaves behind what a person was asked before the end", () => {
    given(executing("a"), started("a"), asked("a"))
      .requested(cancel)
      .requested(retry)
      .wants("work:a:2:1")
      .viewIs({ status: "executing", awaiting: [] });
  });

  test("keeps what a person had decided and answered", () => {
    const said = { selected_option_ids: ["low"], custom_response: "" };
    const { task } = given(executing("a", "b"), started("a"), asked("a"), started("b"), questioned("b"))
      .requested({ type: "DecideApproval", subtaskId: "a", approved: true, by: "ada" })
      .requested({ type: "AnswerQuestion", questionId: "qst_b_1_1_1", answer: said, by: "ada" })
      .requested(cancel);
    expect([...task.approvals.values(), ...task.questions.values()].map(({ status }) => status)).toEqual([
      "approved",
      "answered",
    ]);
  });

  test("answers anew when everything was done", () => {
    given(executing("a"), done("a")).requested(cancel).requested(retry).wants("answer:1");
  });

  test("begins what was being verified once more", () => {
    given(executing("a"), started("a"), delivered("a"), passed("a"))
      .requested(cancel)
      .requested(retry)
      .wants("work:a:2:1");
  });

  test.each([
    ["still open", given(executing("a")), "Task task_01 is executing"],
    [
      "completed",
      given(executing("a"), done("a")).reported({ type: "Answered", key: "answer:1", summary: "", answer: "" }),
      "Task task_01 is completed",
    ],
  ])("is refused while it is %s", (_, story, message) => {
    story.requested(retry).isRefused("wrong_state", message);
  });
});
