/** Stories for scripted models: plans, tool calls and verdicts, in the words that a script needs. */
import type { ScriptReply } from "../../src/models/script.ts";

export interface PlannedSubtask {
  readonly id: string;
  readonly description: string;
  readonly [field: string]: unknown;
}

/** A planner's reply; what a subtask does not say is filled in. */
export function plan(...subtasks: readonly PlannedSubtask[]): ScriptReply {
  const filled = subtasks.map((subtask) => ({
    depends_on: [],
    model_tier: 1,
    verification_tier: 2,
    is_critical_path: true,
    is_synthesis: false,
    acceptance_criteria: "It is done.",
    kind: "change",
    ...subtask,
  }));
  return { role: "planner", json: JSON.parse(JSON.stringify({ subtasks: filled })) };
}

/** The executor's turns for the subtask whose description contains `when`; the last one should be a text. */
export function works(when: string, ...turns: readonly (ScriptReply | string)[]): ScriptReply[] {
  return turns.map((turn, index) => ({
    role: "executor",
    when,
    turn: index,
    ...(typeof turn === "string" ? { text: turn } : turn),
  }));
}

export function calls(name: string, args: Readonly<Record<string, string | number | boolean>>): ScriptReply {
  return { tool_calls: [{ name, arguments: { ...args } }] };
}

export const approves: ScriptReply = {
  role: "verifier",
  json: {
    passed: true,
    outcome: "pass",
    reason_code: "verified",
    severity_class: "semantic",
    confidence: 0.95,
    feedback: "as asked",
    issues: [],
    metadata: {},
  },
};

export function rejects(feedback: string): ScriptReply {
  return {
    role: "verifier",
    json: {
      passed: false,
      outcome: "fail",
      reason_code: "not_done",
      severity_class: "semantic",
      confidence: 0.9,
      feedback,
      issues: [feedback],
      metadata: {},
    },
  };
}

export const extractsNothing: ScriptReply = { role: "extractor", json: [] };
export const answers: ScriptReply = {
  role: "answer",
  json: { summary: "All is done.", answer: "All is done, as asked." },
};

/** What every story ends with. */
export const ending: readonly ScriptReply[] = [approves, extractsNothing, answers];
