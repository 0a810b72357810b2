/** Pieces of logs for the command line's tests. */
import type { Event } from "../../src/domain/event.ts";

export const planned: readonly Event[] = [
  { type: "task_planning", goal: "g", version: 1, call: 1 },
  {
    type: "task_plan_ready",
    version: 1,
    replanned: false,
    subtask_count: 1,
    subtask_ids: ["a"],
    reverting: [],
    subtasks: [
      {
        id: "a",
        description: "Write a file",
        depends_on: [],
        model_tier: 1,
        verification_tier: 1,
        is_critical_path: false,
        is_synthesis: false,
        acceptance_criteria: "",
        kind: "change",
        expected_outputs: [],
        checks: [],
      },
    ],
  },
  { type: "task_executing", version: 1 },
  { type: "subtask_started", subtask_id: "a", attempt: 1, model_tier: 1 },
];

export const completed: readonly Event[] = [
  {
    type: "subtask_completed",
    subtask_id: "a",
    summary: "wrote it",
    confidence: 0.9,
    flagged: false,
    attempt: 1,
    status: "success",
  },
  { type: "task_completed", completed: 1, total: 1, summary: "All done.", answer: "The answer.", subtasks_flagged: [] },
];

export const failed: readonly Event[] = [
  { type: "task_failed", completed: 0, total: 1, reason: "budget", message: "too dear", failed_subtasks: [] },
];

export const approvalAsked: readonly Event[] = [
  {
    type: "approval_requested",
    subtask_id: "a",
    approval_id: "apr_a_1_1_1",
    kind: "tool",
    summary: "rm -rf build",
    reason: "deletes folders",
    risk: "high",
    digest: "d",
    proposed_action: "rm -rf build",
    risk_level: "high",
    attempt: 1,
  },
];

export const questionAsked: readonly Event[] = [
  {
    type: "ask_user_requested",
    subtask_id: "a",
    question_id: "qst_a_1_1_1",
    question: "Which one?",
    question_type: "single_choice",
    options: [
      { id: "x", label: "The first", description: "" },
      { id: "y", label: "The second", description: "" },
    ],
    allow_custom_response: true,
    context_note: "",
    urgency: "normal",
    attempt: 1,
  },
];
