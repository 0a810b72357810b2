/** Events for tests, each as it usually is: what a test says nothing about goes well. */
import type { ApprovalAsk, QuestionAsk } from "../../src/domain/approval.ts";
import type { FileChange, FileState } from "../../src/domain/change.ts";
import type { Event, EventOf } from "../../src/domain/event.ts";
import type { SubtaskSpec } from "../../src/domain/plan.ts";
import { defaultRules, type Rules } from "../../src/domain/rules.ts";
import type { Brief } from "../../src/domain/task.ts";
import type { Verdict } from "../../src/domain/verdict.ts";

export function briefOf(brief: Partial<Omit<Brief, "rules">> = {}, rules: Partial<Rules> = {}): Brief {
  return {
    goal: "Make the tests pass",
    workspace: "/work/project",
    context: {},
    metadata: {},
    approval_mode: "auto",
    callback_events: [],
    checks: [],
    budget: {},
    approve_plan: false,
    approvers: "wait",
    submitted_by: "ada",
    ...brief,
    rules: { ...defaultRules, ...rules },
  };
}

export function created(brief: Partial<Omit<Brief, "rules">> = {}, rules: Partial<Rules> = {}): Event {
  return { type: "task_created", ...briefOf(brief, rules) };
}

export function spec(id: string, more: Partial<SubtaskSpec> = {}): SubtaskSpec {
  return {
    id,
    description: `Do ${id}`,
    depends_on: [],
    model_tier: 1,
    verification_tier: 2,
    is_critical_path: false,
    is_synthesis: false,
    acceptance_criteria: "",
    kind: "change",
    expected_outputs: [],
    checks: [],
    ...more,
  };
}

export const planning: Event = { type: "task_planning", goal: "Make the tests pass", version: 1, call: 1 };

export function planReady(specs: readonly SubtaskSpec[], more: Partial<EventOf<"task_plan_ready">> = {}): Event {
  return {
    type: "task_plan_ready",
    version: 1,
    replanned: false,
    subtask_count: specs.length,
    subtask_ids: specs.map(({ id }) => id),
    subtasks: [...specs],
    reverting: [],
    ...more,
  };
}

/** Planned, and at work on it. Ids alone stand for subtasks as they usually are. */
export function executing(...subtasks: readonly (SubtaskSpec | string)[]): readonly Event[] {
  const specs = subtasks.map((subtask) => (typeof subtask === "string" ? spec(subtask) : subtask));
  return [planning, planReady(specs), { type: "task_executing", version: 1 }];
}

export function replanning(version: number, more: Partial<EventOf<"task_replanning">> = {}): Event {
  return { type: "task_replanning", reason: "it did not go", version, requested_by: "harness", ...more };
}

export function started(id: string, attempt = 1): Event {
  return { type: "subtask_started", subtask_id: id, attempt, model_tier: 1 };
}

export function delivered(id: string, attempt = 1): Event {
  return { type: "subtask_delivered", subtask_id: id, attempt, summary: `${id} is done`, digest: "d1" };
}

export function verdict(more: Partial<Verdict> = {}): Verdict {
  return {
    tier: 2,
    outcome: "pass",
    reason_code: "ok",
    severity_class: "semantic",
    confidence: 0.95,
    feedback: "",
    issues: [],
    checks: [{ name: "files", passed: true, detail: "" }],
    independent: true,
    ...more,
  };
}

export function passed(id: string, more: Partial<Verdict> = {}): Event {
  return { type: "verification_passed", subtask_id: id, attempt: 1, try: 1, ...verdict(more) };
}

export function completed(id: string, more: Partial<EventOf<"subtask_completed">> = {}): Event {
  return {
    type: "subtask_completed",
    subtask_id: id,
    summary: `${id} is done`,
    confidence: 0.98,
    flagged: false,
    attempt: 1,
    status: "success",
    ...more,
  };
}

export function extracted(id: string): Event {
  return { type: "extraction_settled", subtask_id: id, dropped: false, entries: 0 };
}

/** From its start to the day nothing of it is wanted any more. */
export function done(id: string): readonly Event[] {
  return [started(id), delivered(id), passed(id), completed(id), extracted(id)];
}

export function attemptFailed(id: string, more: Partial<EventOf<"subtask_failed">> = {}): Event {
  return {
    type: "subtask_failed",
    subtask_id: id,
    attempt: 1,
    final: false,
    class: "semantic",
    feedback: "the tests still fail",
    verification_tier: 2,
    ...more,
  };
}

export function retrying(id: string, attempt: number, more: Partial<EventOf<"subtask_retrying">> = {}): Event {
  return {
    type: "subtask_retrying",
    subtask_id: id,
    attempt,
    escalated_tier: 1,
    feedback: "the tests still fail",
    retry_strategy: "semantic",
    ...more,
  };
}

/** The attempt with this number begins, fails, and the next one is wanted. */
export function retried(id: string, attempt: number, more: Partial<EventOf<"subtask_failed">> = {}): readonly Event[] {
  return [started(id, attempt), attemptFailed(id, { attempt, ...more }), retrying(id, attempt + 1)];
}

export function approvalAsk(more: Partial<ApprovalAsk> = {}): ApprovalAsk {
  return {
    approval_id: "apr_a_1_1_1",
    kind: "tool",
    summary: "shell_execute: rm -rf build",
    reason: "it deletes a folder",
    risk: "high",
    digest: "d1",
    ...more,
  };
}

export function asked(id: string, more: Partial<EventOf<"approval_requested">> = {}): Event {
  const ask = approvalAsk({ approval_id: `apr_${id}_1_1_1` });
  const shown = { proposed_action: ask.summary, risk_level: ask.risk };
  return { type: "approval_requested", subtask_id: id, attempt: 1, ...ask, ...shown, ...more };
}

export function questionAsk(more: Partial<QuestionAsk> = {}): QuestionAsk {
  return {
    question_id: "qst_a_1_1_1",
    question: "Which port?",
    question_type: "single_choice",
    options: [
      { id: "low", label: "8080", description: "" },
      { id: "high", label: "9000", description: "" },
    ],
    allow_custom_response: false,
    context_note: "",
    urgency: "normal",
    ...more,
  };
}

export function questioned(id: string, more: Partial<EventOf<"ask_user_requested">> = {}): Event {
  const ask = questionAsk({ question_id: `qst_${id}_1_1_1` });
  return { type: "ask_user_requested", subtask_id: id, attempt: 1, ...ask, ...more };
}

/** A file's state, told by one letter of its content. */
export function file(letter: string): FileState {
  return { kind: "file", digest: `sha256:${letter.repeat(64)}`, mode: 0o644, bytes: 1 };
}

export const absent: FileState = { kind: "absent" };

export function change(path: string, before: FileState, after: FileState): FileChange {
  return { path, before, after };
}

export function changed(id: string, changeId: string, ...changes: readonly FileChange[]): Event {
  return { type: "files_changed", subtask_id: id, change_id: changeId, changes: [...changes] };
}

export function toolStarted(id: string, step = "turn-1-call-1"): EventOf<"tool_call_started"> {
  const call = { subtask_id: id, tool: "write_file", step, attempt: 1 };
  return { type: "tool_call_started", ...call, args: {}, effect_class: "workspace" };
}

export function toolEnded(
  id: string,
  more: Partial<EventOf<"tool_call_completed">> = {},
): EventOf<"tool_call_completed"> {
  return {
    type: "tool_call_completed",
    subtask_id: id,
    tool: "write_file",
    step: "turn-1-call-1",
    attempt: 1,
    success: true,
    output: "",
    files_changed: [],
    destructive: false,
    duration_ms: 1,
    ...more,
  };
}

export function modelCall(
  phase: EventOf<"model_invocation">["phase"],
  more: Partial<EventOf<"model_invocation">> = {},
): EventOf<"model_invocation"> {
  return { type: "model_invocation", phase, role: "executor", step: "turn-1", attempt: 1, iteration: 1, ...more };
}
