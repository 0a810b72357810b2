import { describe, expect, test } from "vitest";
import { Draft } from "../../src/domain/draft.ts";
import { given, type Story } from "../support/given.ts";
import {
  approvalAsk,
  asked,
  created,
  delivered,
  executing,
  planning,
  spec,
  started,
  verdict,
} from "../support/happenings.ts";

const decided = (approved: boolean, more: { reason?: string; approvalId?: string; subtaskId?: string } = {}) =>
  ({ type: "DecideApproval", subtaskId: "a", approved, by: "ada", ...more }) as const;
const working = [executing("a"), started("a")];

describe("a gated call", () => {
  test("parks its subtask, which holds nothing while a person thinks", () => {
    given(working)
      .reported({ type: "NeedsApproval", key: "work:a:1:1", ask: approvalAsk() })
      .records({ type: "approval_requested", subtask_id: "a", approval_id: "apr_a_1_1_1", risk_level: "high" })
      .wants()
      .viewIs({ status: "waiting_approval", awaiting: [{ kind: "approval", id: "apr_a_1_1_1" }] })
      .subtaskIs("a", { status: "running" });
  });

  test("does not hold up its siblings, nor make the task look idle", () => {
    given(executing("a", "b"), started("a"), asked("a")).wants("work:b:1:1").viewIs({ status: "executing" });
  });

  test.each([true, false])("goes on in the next leg of the same attempt, approved or not: %s", (approved) => {
    given(working, asked("a"))
      .requested(decided(approved))
      .records({ type: "approval_received", approval_id: "apr_a_1_1_1", approved, by: "ada" })
      .wants("work:a:1:2")
      .subtaskIs("a", { status: "running", attempt: 1 });
  });

  test("that was denied is counted", () => {
    const story = given(working, asked("a")).requested(decided(false));
    expect(story.task.subtasks.get("a")?.stats.denials).toBe(1);
  });

  test("is asked about again for a step of which nobody knows how far it ran", () => {
    const event = {
      type: "uncertain_effect",
      subtask_id: "a",
      attempt: 1,
      step: "s",
      tool: "shell",
      detail: "",
    } as const;
    given(working)
      .reported({ type: "StepUncertain", key: "work:a:1:1", event, ask: approvalAsk() })
      .records({ type: "uncertain_effect" }, { type: "approval_requested" })
      .wants();
    given(working)
      .reported({ type: "StepUncertain", key: "work:a:1:1", event })
      .records({ type: "uncertain_effect" })
      .wants("work:a:1:1");
  });
});

describe("an approval", () => {
  test("is decided once: the same way again says nothing, the other way is refused", () => {
    const approved = given(working, asked("a")).requested(decided(true));
    approved.requested(decided(true)).recordsNothing();
    approved.requested(decided(false)).isRefused("approval_decided", "already approved by ");
    const rejected = given(working, asked("a")).requested(decided(false));
    rejected.requested(decided(false)).recordsNothing();
    rejected.requested(decided(true)).isRefused("approval_decided", "already rejected by ");
  });

  test("keeps the reason that was given, an empty one is none", () => {
    given(working, asked("a"))
      .requested(decided(false, { reason: "not there" }))
      .records({ type: "approval_received", reason: "not there" });
    const [event] = given(working, asked("a"))
      .requested(decided(false, { reason: "" }))
      .log.slice(-1);
    expect(event).not.toHaveProperty("reason");
  });

  test("must be named when its subtask was asked about before", () => {
    const second = asked("a", { approval_id: "apr_a_1_2_1" });
    const story = given(working, asked("a")).requested(decided(true)).and(second);
    story.requested(decided(true)).isRefused("approval_id_required", "asked about before");
    story
      .requested(decided(true, { approvalId: "apr_a_1_2_1" }))
      .records({ type: "approval_received" })
      .wants("work:a:1:3");
  });

  test.each([
    ["of an unknown subtask", { subtaskId: "x" }, "not_found"],
    ["of a subtask that was not asked about", { subtaskId: "b" }, "nothing_pending"],
    ["of a plan that was not asked about", { subtaskId: "plan" }, "nothing_pending"],
    ["by an unknown id", { approvalId: "apr_x" }, "not_found"],
    ["by the id of another subtask's", { subtaskId: "b", approvalId: "apr_a_1_1_1" }, "not_found"],
  ] as const)("%s is refused", (_, at, code) => {
    given(executing("a", "b"), started("a"), asked("a")).requested(decided(true, at)).isRefused(code);
  });

  test("cannot be given to a task that has ended", () => {
    given(working, asked("a"))
      .requested({ type: "CancelTask", by: "ada" })
      .viewIs({ awaiting: [] })
      .requested(decided(true))
      .isRefused("approval_decided", "already expired");
  });

  test("of another step than the one its subtask waits for changes nothing", () => {
    const stray = {
      type: "approval_received",
      subtask_id: "a",
      approval_id: "apr_x",
      approved: true,
      by: "ada",
    } as const;
    given(working, asked("a"), stray).wants();
    given(working, stray).wants("work:a:1:1");
  });
});

describe("an approval that nobody gives in time", () => {
  const rejecting = created({}, { approval_timeout_ms: 60_000 });
  const pausing = created({}, { approval_timeout_ms: 60_000, on_timeout: "pause" });
  const waiting = (first: ReturnType<typeof created>) =>
    given(first, working).reported({ type: "NeedsApproval", key: "work:a:1:1", ask: approvalAsk() });
  const expired = (story: Story) => story.after(60_000).reported({ type: "TimeReached", key: "wait:apr_a_1_1_1:0" });

  test("says until when it waits", () => {
    const story = waiting(rejecting);
    story.records({ type: "approval_requested", expires_at: story.now + 60_000 }).wants("wait:apr_a_1_1_1:0");
  });

  test("is a no, and cannot be answered any more", () => {
    expired(waiting(rejecting))
      .records(
        { type: "approval_expired", on_timeout: "reject" },
        { type: "approval_received", approved: false, by: "timeout" },
      )
      .wants("work:a:1:2")
      .requested(decided(false))
      .isRefused("approval_decided", "already expired: nobody answered in time", "It is decided once");
  });

  test("pauses the task where that is the rule, and can still be answered", () => {
    expired(waiting(pausing))
      .records(
        { type: "approval_expired", on_timeout: "pause" },
        { type: "task_paused", reason: "nobody answered apr_a_1_1_1 in time" },
      )
      .wants()
      .viewIs({ status: "paused", awaiting: [{ kind: "approval" }, { kind: "resume" }] })
      .requested({ type: "ResumeTask", by: "ada" })
      .records({ type: "task_resumed" })
      .wants()
      .requested(decided(true))
      .records({ type: "approval_received", approved: true })
      .wants("work:a:1:2");
  });

  test("lets what else runs come to its next step before the task is paused", () => {
    given(pausing, executing("a", "b"), started("b"), started("a"))
      .reported({ type: "NeedsApproval", key: "work:a:1:1", ask: approvalAsk() })
      .whileRunning(1)
      .after(60_000)
      .reported({ type: "TimeReached", key: "wait:apr_a_1_1_1:0" })
      .records({ type: "approval_expired" }, { type: "task_pausing", requested_by: "timeout" })
      .wants("yields work:b:1:1")
      .reported({ type: "Yielded", key: "work:b:1:1" })
      .records({ type: "task_paused" });
  });

  test("leaves a task paused that was so", () => {
    const paused = waiting(pausing).requested({ type: "PauseTask", by: "ada" });
    expired(paused).records({ type: "approval_expired" }).viewIs({ status: "paused" });
  });

  test("says nothing about one that is not known", () => {
    given(working, { type: "approval_expired", subtask_id: "a", approval_id: "apr_x", on_timeout: "reject" }).wants(
      "work:a:1:1",
    );
  });
});

describe("a task for which nobody approves", () => {
  const alone = { approvers: "none" } as const;

  test("has gated calls denied at once", () => {
    given(created(alone), working)
      .reported({ type: "NeedsApproval", key: "work:a:1:1", ask: approvalAsk() })
      .records({ type: "approval_requested" }, { type: "approval_received", approved: false, by: "no approver" })
      .wants("work:a:1:2");
  });

  test("has doubtful work put back", () => {
    given(created({ ...alone, approval_mode: "manual" }), working, delivered("a"))
      .reported({ type: "Judged", key: "verify:a:1:1", verdict: verdict() })
      .records(
        { type: "verification_passed" },
        { type: "approval_requested" },
        { type: "approval_received", approved: false },
      )
      .wants("revert:a:1");
  });

  test("ends with a plan that had to be approved", () => {
    given(created({ ...alone, approve_plan: true }), planning)
      .reported({ type: "PlanProposed", key: "plan:1:1", subtasks: [spec("a")], flaws: [] })
      .records(
        { type: "task_plan_ready" },
        { type: "approval_requested", kind: "plan" },
        { type: "approval_received", approved: false },
        { type: "subtask_skipped" },
        { type: "task_cancelled", reason: "plan_rejected" },
      );
  });
});

describe("a rule that looks for a subtask that is not there", () => {
  test("throws, since that is a mistake of ours", () => {
    const { task, now } = given(executing("a"));
    expect(() => new Draft(task, { now, inFlight: 0 }).subtask("x")).toThrow('no subtask "x"');
  });
});
