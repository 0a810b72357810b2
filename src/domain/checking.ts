/** Checking: what follows when the task's own checks ran. The answer, or one subtask that shall put right what they found. */
import { replacePlan } from "./attempts.ts";
import { failTask } from "./closing.ts";
import type { Draft } from "./draft.ts";
import type { SubtaskSpec } from "./plan.ts";
import { bounds } from "./rules.ts";
import { planned } from "./task.ts";
import type { CheckResult } from "./verdict.ts";

export function checksRan(draft: Draft, results: readonly CheckResult[], round: number): void {
  const broken = results.filter((result) => !result.passed);
  draft.say({ type: broken.length === 0 ? "checks_passed" : "checks_failed", round, results: [...results] });
  if (broken.length === 0) return;
  if (draft.task.checks.failed > bounds.checkRoundsMax) {
    failTask(draft, "checks_failed", `The task's own checks failed: ${namesOf(broken)}`);
  } else {
    replacePlan(draft, [...planned(draft.task).map(({ spec }) => spec), checkFix(broken, round)]);
  }
}

function namesOf(results: readonly CheckResult[]): string {
  return results.map(({ name }) => name).join(", ");
}

/** @see DECISIONS 9: the output of the failed checks is the criterion */
function checkFix(broken: readonly CheckResult[], round: number): SubtaskSpec {
  const criteria = broken.map(({ name, detail }) => `${name} exits 0. It failed with:\n${detail}`);
  return {
    id: `fix-checks-${round}`,
    description: `Make the task's own checks pass: ${namesOf(broken)}`.slice(0, 4000),
    depends_on: [],
    model_tier: 2,
    verification_tier: 2,
    is_critical_path: true,
    is_synthesis: false,
    acceptance_criteria: criteria.join("\n\n").slice(0, 4000),
    kind: "change",
    expected_outputs: [],
    checks: [],
  };
}
