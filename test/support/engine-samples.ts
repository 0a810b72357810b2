/** Samples for the engine's tests: a brief, a plan, a verdict, reports as executors make them. */
import type { ApprovalAsk, QuestionAsk } from "../../src/domain/approval.ts";
import type { SubtaskSpec } from "../../src/domain/plan.ts";
import type { Report } from "../../src/domain/report.ts";
import { defaultRules, type Rules } from "../../src/domain/rules.ts";
import type { Brief } from "../../src/domain/task.ts";
import type { Verdict } from "../../src/domain/verdict.ts";

export const taskId = "task_01aaaaaaaaaaaaaaaaaaaaaaaa";

export function taskIdOf(nth: number): string {
  return `task_01${String(nth).padStart(24, "0")}`;
}

export function brief(over: Partial<Omit<Brief, "rules">> & { readonly rules?: Partial<Rules> } = {}): Brief {
  return {
    goal: "Write it down",
    workspace: "/work/place",
    context: {},
    metadata: {},
    approval_mode: "auto",
    callback_events: [],
    checks: [],
    budget: {},
    approve_plan: false,
    approvers: "wait",
    submitted_by: "tester",
    ...over,
    rules: { ...defaultRules, ...over.rules },
  };
}

export function spec(id: string, over: Partial<SubtaskSpec> = {}): SubtaskSpec {
  return {
    id,
    description: `Do ${id}`,
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

export const passed: Verdict = {
  tier: 2,
  outcome: "pass",
  reason_code: "ok",
  severity_class: "semantic",
  confidence: 0.95,
  feedback: "",
  issues: [],
  checks: [],
  independent: true,
};

export function proposed(key: string, subtasks: readonly SubtaskSpec[]): Report {
  return { type: "PlanProposed", key, subtasks, flaws: [] };
}

export function delivered(key: string): Report {
  return { type: "Delivered", key, summary: `${key} is done`, digest: "" };
}

export function approvalAsk(id: string): ApprovalAsk {
  return { approval_id: id, kind: "tool", summary: "rm it", reason: "It removes", risk: "high", digest: "d" };
}

export function questionAsk(id: string): QuestionAsk {
  return {
    question_id: id,
    question: "Which one?",
    question_type: "free_text",
    options: [],
    allow_custom_response: true,
    context_note: "",
    urgency: "normal",
  };
}
