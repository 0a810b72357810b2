/** Events that the tests of the API let happen. */
import type { EventOf } from "../../src/domain/event.ts";

export const completed: EventOf<"task_completed"> = {
  type: "task_completed",
  completed: 1,
  total: 1,
  summary: "Done",
  answer: "42",
  subtasks_flagged: [],
};

export const failed: EventOf<"task_failed"> = {
  type: "task_failed",
  completed: 0,
  total: 1,
  reason: "test",
  message: "It went wrong",
  failed_subtasks: ["s1"],
};

export const reopened: EventOf<"task_resumed"> = { type: "task_resumed", requested_by: "test", reopened: true };

export const delivered: EventOf<"webhook_delivered"> = {
  type: "webhook_delivered",
  delivery_id: "d1",
  target_host: "agent",
  attempts: 1,
  status_code: 200,
};

export function started(subtaskId: string): EventOf<"subtask_started"> {
  return { type: "subtask_started", subtask_id: subtaskId, attempt: 1, model_tier: 1 };
}

export const planned: EventOf<"task_plan_ready"> = {
  type: "task_plan_ready",
  version: 1,
  replanned: false,
  subtask_count: 1,
  subtask_ids: ["s1"],
  reverting: [],
  subtasks: [
    {
      id: "s1",
      description: "Write it",
      depends_on: [],
      model_tier: 1,
      verification_tier: 1,
      is_critical_path: true,
      is_synthesis: false,
      acceptance_criteria: "It is there",
      kind: "change",
      expected_outputs: [],
      checks: [],
    },
  ],
};

export function approvalAsked(id: string): EventOf<"approval_requested"> {
  return {
    type: "approval_requested",
    subtask_id: "s1",
    approval_id: id,
    kind: "tool",
    summary: "Run rm",
    reason: "It deletes",
    risk: "high",
    digest: "d",
    proposed_action: "rm -rf build",
    risk_level: "high",
    attempt: 1,
  };
}

export const asked: EventOf<"ask_user_requested"> = {
  type: "ask_user_requested",
  subtask_id: "s1",
  question_id: "qst_s1_1_1_1",
  question: "Which?",
  question_type: "single_choice",
  options: [
    { id: "a", label: "The first", description: "" },
    { id: "b", label: "The second", description: "" },
  ],
  allow_custom_response: true,
  context_note: "",
  urgency: "normal",
  attempt: 1,
};

export const remembered: EventOf<"memory_recorded"> = {
  type: "memory_recorded",
  subtask_id: "s1",
  entry_type: "discovery",
  summary: "The build needs Node 24",
  detail: "Seen in package.json",
  tags: ["build"],
  relevance_to: [],
};

export const wrote: EventOf<"files_changed"> = {
  type: "files_changed",
  subtask_id: "s1",
  change_id: "chg_1",
  changes: [
    {
      path: "haiku.txt",
      before: { kind: "absent" },
      after: { kind: "file", digest: `sha256:${"0".repeat(64)}`, mode: 0o644, bytes: 3 },
    },
  ],
};
