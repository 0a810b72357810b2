import { describe, expect, test } from "vitest";
import { given } from "../support/given.ts";
import { attemptFailed, created, done, planning, planReady, replanning, spec, started } from "../support/happenings.ts";

const decided = (approved: boolean, more: { reason?: string; approvalId?: string; subtaskId?: string } = {}) =>
  ({ type: "DecideApproval", subtaskId: "a", approved, by: "ada", ...more }) as const;

describe("a plan that a person shall approve", () => {
  const asking = given(created({ approve_plan: true }), planning)
    .reported({ type: "PlanProposed", key: "plan:1:1", subtasks: [spec("a"), spec("b")], flaws: [] })
    .records(
      { type: "task_plan_ready" },
      {
        type: "approval_requested",
        subtask_id: "plan",
        kind: "plan",
        approval_id: "apr_plan_1_0_0",
        summary: "a: Do a\nb: Do b",
      },
    );
  const plan = { subtaskId: "plan" };
  const replacement = (key: string) => ({ type: "PlanProposed", key, subtasks: [spec("c")], flaws: [] }) as const;

  test("is not worked on before", () => {
    asking.wants().viewIs({ status: "waiting_approval", plan: { version: 1 } });
  });

  test("is worked on after a yes", () => {
    asking
      .requested(decided(true, plan))
      .records({ type: "approval_received" }, { type: "plan_approved", version: 1 }, { type: "task_executing" })
      .wants("work:a:1:1", "work:b:1:1");
  });

  test("ends the task after a no", () => {
    asking
      .requested(decided(false, plan))
      .records(
        { type: "approval_received" },
        { type: "subtask_skipped" },
        { type: "subtask_skipped" },
        { type: "task_cancelled", reason: "plan_rejected" },
      );
  });

  test("is made anew after a no with a reason; that costs none of the replans, and is asked about again", () => {
    const story = asking
      .requested(decided(false, { ...plan, reason: "one step only" }))
      .records(
        { type: "approval_received" },
        {
          type: "task_replanning",
          version: 2,
          requested_by: "person",
          reason: "A person rejected the plan: one step only",
        },
      )
      .wants("plan:2:1");
    expect(story.task.replans).toBe(0);
    story
      .reported(replacement("plan:2:1"))
      .records({ type: "task_plan_ready", version: 2 }, { type: "approval_requested", approval_id: "apr_plan_2_0_0" })
      .wants()
      .requested(decided(true, { ...plan, approvalId: "apr_plan_2_0_0" }))
      .records({ type: "approval_received" }, { type: "plan_approved", version: 2 }, { type: "task_executing" })
      .wants("work:c:1:1");
  });

  const approved = asking.requested(decided(true, plan));

  test("is not worked on either while another one is made in its place", () => {
    approved
      .and(started("a"), started("b"), attemptFailed("b", { final: true }), replanning(2))
      .reported(replacement("plan:2:1"))
      .records({ type: "task_plan_ready", version: 2 }, { type: "approval_requested" })
      .wants("work:a:1:1")
      .requested(decided(false, { ...plan, approvalId: "apr_plan_2_0_0", reason: "no" }))
      .records({ type: "approval_received" }, { type: "task_replanning" })
      .wants("plan:3:1", "work:a:1:1");
  });

  test("is asked about no more when what still ran fails and another one is needed", () => {
    const critical = spec("k", { is_critical_path: true });
    given(
      created({ approve_plan: true }, { max_subtask_retries: 0 }),
      planning,
      planReady([critical]),
      { type: "task_executing", version: 1 },
      started("k"),
      replanning(2),
    )
      .reported(replacement("plan:2:1"))
      .reported({ type: "Failed", key: "work:k:1:1", class: "semantic", feedback: "no" })
      .records({ type: "subtask_failed", final: true }, { type: "task_replanning", version: 3 })
      .wants("plan:3:1")
      .viewIs({ awaiting: [] })
      .requested(decided(true, plan))
      .isRefused("approval_decided", "already expired");
  });

  test("does not announce a second time that the task is at work", () => {
    approved
      .and(done("a"), started("b"), attemptFailed("b", { final: true }), replanning(2))
      .reported(replacement("plan:2:1"))
      .requested(decided(true, { ...plan, approvalId: "apr_plan_2_0_0" }))
      .records({ type: "approval_received" }, { type: "plan_approved" })
      .wants("work:c:1:1");
  });
});
