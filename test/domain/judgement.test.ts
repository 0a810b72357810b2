import { describe, test } from "vitest";
import type { Report } from "../../src/domain/report.ts";
import { given } from "../support/given.ts";
import { asked, change, created, delivered, executing, file, passed, spec, started } from "../support/happenings.ts";

const decided = (approved: boolean, more: { reason?: string; approvalId?: string; subtaskId?: string } = {}) =>
  ({ type: "DecideApproval", subtaskId: "a", approved, by: "ada", ...more }) as const;

const judgedAsk = asked("a", { kind: "subtask", approval_id: "apr_a_1_0_0" });
const awaitingJudgement = given(
  created({ approval_mode: "manual" }),
  executing("a", spec("b", { depends_on: ["a"] })),
  started("a"),
  delivered("a"),
  passed("a"),
  judgedAsk,
);
const putBack: Report = {
  type: "Reverted",
  key: "revert:a:1",
  outcome: { restored: ["a.txt"], conflicts: [], skipped: [] },
  changes: [change("a.txt", file("b"), file("a"))],
  undoneIds: ["chg_a"],
};

describe("verified work that a person shall look at", () => {
  test("waits, and what depends on it too", () => {
    awaitingJudgement.wants().subtaskIs("a", { status: "running" }).viewIs({ status: "waiting_approval" });
  });

  test("is completed by a yes, with the confidence that it had", () => {
    awaitingJudgement
      .requested(decided(true))
      .records({ type: "approval_received" }, { type: "subtask_completed", flagged: false, confidence: 0.985 })
      .wants("extract:a", "work:b:1:1");
  });

  test("is put back after a no with a reason, and tried again with it", () => {
    awaitingJudgement
      .requested(decided(false, { reason: "use tabs" }))
      .records({ type: "approval_received", approved: false })
      .wants("revert:a:1")
      .subtaskIs("a", { status: "running" })
      .reported(putBack)
      .records(
        { type: "undo_applied", subtask_id: "a", restored: ["a.txt"] },
        { type: "subtask_failed", class: "rejected", final: false, feedback: "use tabs" },
        { type: "subtask_retrying", attempt: 2, feedback: "use tabs" },
      )
      .wants("work:a:2:1");
  });

  test("is put back after a no without one, and fails; no plan is made around a person's no", () => {
    awaitingJudgement
      .requested(decided(false))
      .reported(putBack)
      .records(
        { type: "undo_applied" },
        { type: "subtask_failed", class: "rejected", final: true, feedback: "rejected by a person" },
        { type: "subtask_blocked", subtask_id: "b" },
        { type: "task_stalled", blocked_subtasks: ["b"], pending_subtasks: [] },
        { type: "subtask_skipped", subtask_id: "b" },
        { type: "task_failed", reason: "subtask_rejected", failed_subtasks: ["a"] },
      );
  });

  test("that was rejected lets its siblings begin and finish before the task ends", () => {
    given(executing("a", "b"), started("a"), delivered("a"), passed("a"), judgedAsk)
      .requested(decided(false))
      .wants("revert:a:1", "work:b:1:1")
      .reported(putBack)
      .records({ type: "undo_applied" }, { type: "subtask_failed", final: true })
      .wants("work:b:1:1");
  });

  test("fails as it stands when it cannot be put back", () => {
    awaitingJudgement
      .requested(decided(false, { reason: "use tabs" }))
      .reported({ type: "Failed", key: "revert:a:1", class: "internal", feedback: "disk full" })
      .records(
        { type: "undo_applied", restored: [], conflicts: [{ path: "*", reason: "disk full" }] },
        { type: "subtask_failed", class: "rejected" },
        { type: "subtask_retrying" },
      );
  });
});
