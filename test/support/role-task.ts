/** Tasks for tests of the roles, folded from real events, so that they stand as the engine would have them. */
import type { Event, EventOf, TaskEvent } from "../../src/domain/event.ts";
import { fold } from "../../src/domain/evolve.ts";
import type { SubtaskSpec } from "../../src/domain/plan.ts";
import { defaultRules, type Rules } from "../../src/domain/rules.ts";
import type { Task } from "../../src/domain/task.ts";

const taskId = "task_01test";

export function spec(over: Partial<SubtaskSpec> = {}): SubtaskSpec {
  return {
    id: "a",
    description: "Write the greeting into hello.txt.",
    depends_on: [],
    model_tier: 1,
    verification_tier: 1,
    is_critical_path: false,
    is_synthesis: false,
    acceptance_criteria: "",
    kind: "change",
    expected_outputs: [],
    checks: [],
    ...over,
  };
}

export type Brief = Partial<Omit<EventOf<"task_created">, "rules" | "type">> & { readonly rules?: Partial<Rules> };

export function created(brief: Brief = {}): Event {
  const { rules, ...rest } = brief;
  return {
    type: "task_created",
    goal: "Greet the world.",
    workspace: "/tmp/none",
    context: {},
    metadata: {},
    approval_mode: "auto",
    callback_events: [],
    checks: [],
    budget: {},
    approve_plan: false,
    approvers: "wait",
    submitted_by: "test",
    rules: { ...defaultRules, ...rules },
    ...rest,
  };
}

export function planned(subtasks: readonly SubtaskSpec[]): Event[] {
  const ids = subtasks.map(({ id }) => id);
  return [
    { type: "task_planning", goal: "Greet the world.", version: 1, call: 1 },
    {
      type: "task_plan_ready",
      version: 1,
      replanned: false,
      subtask_count: ids.length,
      subtask_ids: ids,
      subtasks: [...subtasks],
      reverting: [],
    },
    { type: "task_executing", version: 1 },
  ];
}

export function started(subtaskId = "a", attempt = 1): Event {
  return { type: "subtask_started", subtask_id: subtaskId, attempt, model_tier: 1 };
}

export function completed(subtaskId: string, summary: string): Event {
  return {
    type: "subtask_completed",
    subtask_id: subtaskId,
    summary,
    confidence: 0.9,
    flagged: false,
    attempt: 1,
    status: "success",
  };
}

export function failed(subtaskId: string, feedback: string): Event[] {
  return [
    {
      type: "subtask_failed",
      subtask_id: subtaskId,
      attempt: 1,
      final: false,
      class: "semantic",
      feedback,
      verification_tier: 1,
    },
    {
      type: "subtask_retrying",
      subtask_id: subtaskId,
      attempt: 2,
      escalated_tier: 1,
      feedback,
      retry_strategy: "semantic",
    },
  ];
}

export function told(instruction: string, mode: EventOf<"steer_instruction">["mode"] = "next_boundary"): Event {
  return { type: "steer_instruction", instruction, instruction_chars: instruction.length, mode, source: "test" };
}

/** The task after these events. */
export function taskOf(events: readonly Event[]): Task {
  return fold(
    taskId,
    events.map((event, index): TaskEvent => ({ ...event, seq: index + 1, at: 1000 + index })),
  );
}
