/** The verifier role: evidence from the journal and the workspace, checks without a model, then other models' opinions. */
import type { Report } from "../domain/report.ts";
import type { Subtask } from "../domain/task.ts";
import type { CheckResult, Verdict } from "../domain/verdict.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Execution, Executor } from "../ports/executor.ts";
import type { Changes, Workspace, Workspaces } from "../ports/workspace.ts";
import { type Evidence, evidenceOf } from "./evidence.ts";
import { within } from "./excerpt.ts";
import { modelFailure } from "./model-step.ts";
import { type ReviewPorts, review } from "./review.ts";
import { diffCharsMax } from "./review-prompt.ts";
import { type CheckPorts, runCheck } from "./run-check.ts";
import { type TierOnePorts, tierOneChecks } from "./tier-one.ts";
import { workspaceFailure } from "./workspace-failure.ts";

export interface VerifierPorts extends ReviewPorts, TierOnePorts, CheckPorts {
  readonly events: Pick<EventStore, "steps">;
  readonly workspaces: Pick<Workspaces, "open">;
  readonly changes: Pick<Changes, "diff">;
}

export function createVerifier(ports: VerifierPorts): Executor<"verify"> {
  return async (execution) => {
    const { key } = execution.effect;
    try {
      return await verify(execution, ports);
    } catch (error) {
      const report = modelFailure(key, error) ?? workspaceFailure(key, error);
      if (report === null) throw error;
      return report;
    }
  };
}

async function verify(execution: Execution<"verify">, ports: VerifierPorts): Promise<Report> {
  const { effect, stop } = execution;
  const task = execution.current();
  const subtask = task.subtasks.get(effect.subtaskId);
  if (subtask === undefined) throw new Error(`Task ${task.id} has no subtask "${effect.subtaskId}"`);
  const workspace = await ports.workspaces.open(task.brief.workspace);
  const evidence = await evidenceOf(ports.events, task, subtask, effect.attempt);
  const { rules } = task.brief;
  const votes = votesFor(execution, subtask, evidence);
  const checks = rules.tier1_enabled
    ? await checked(execution, ports, { subtask, evidence, workspace, isReviewed: votes > 0 })
    : [];
  if (checks === null || stop.yielding.aborted) return { type: "Yielded", key: effect.key };
  if (checks.some(({ passed }) => !passed)) return { type: "Judged", key: effect.key, verdict: failedChecks(checks) };
  if (votes === 0) return { type: "Judged", key: effect.key, verdict: passedChecks(checks) };
  const diff = evidence.changes.length === 0 ? "" : await ports.changes.diff(evidence.changes, diffCharsMax * 2);
  const verdict = await review(ports, { execution, votes, material: { task, subtask, evidence, checks, diff } });
  return { type: "Judged", key: effect.key, verdict };
}

/** How many models are to be asked. What wrote, ran a command or only answers is seen by one at least. @see DECISIONS 16 */
function votesFor({ effect, task }: Execution<"verify">, { spec }: Subtask, evidence: Evidence): number {
  const { rules } = task.brief;
  const planned = Math.max(effect.tier, spec.verification_tier);
  if (planned >= 3 && rules.tier3_enabled) return rules.tier3_vote_count;
  if (!rules.tier2_enabled) return 0;
  return planned >= 2 || spec.kind !== "inspect" || evidence.wrote || evidence.ran ? 1 : 0;
}

interface Case {
  readonly subtask: Subtask;
  readonly evidence: Evidence;
  readonly workspace: Workspace;
  readonly isReviewed: boolean;
}

/** @returns null when the work is to yield before a command of the plan is run */
async function checked(
  execution: Execution<"verify">,
  ports: VerifierPorts,
  given: Case,
): Promise<CheckResult[] | null> {
  const checks = await tierOneChecks(ports, given);
  if (checks.some(({ passed }) => !passed)) return checks;
  const { effect, journal, stop, task } = execution;
  for (const [index, check] of given.subtask.spec.checks.entries()) {
    if (stop.yielding.aborted) return null;
    const step = `check-${index + 1}`;
    const place = {
      journal,
      execution,
      step,
      subtaskId: effect.subtaskId,
      attempt: effect.attempt,
      root: given.workspace.root,
      policy: task.brief.policy,
      marker: `${task.id}:${effect.key}:${step}`,
      signal: stop.aborted,
    };
    checks.push(await runCheck(ports, place, check));
  }
  return checks;
}

function failedChecks(checks: readonly CheckResult[]): Verdict {
  const failed = checks.filter(({ passed }) => !passed);
  const lines = failed.map(({ name, detail }) => `${name}: ${detail}`);
  return {
    tier: 1,
    outcome: "fail",
    reason_code: reasonCode(failed[0]?.name ?? ""),
    severity_class: "semantic",
    feedback: within(`Verification failed:\n${lines.map((line) => `- ${line}`).join("\n")}`, 6000),
    issues: lines.slice(0, 20).map((line) => within(line, 300)),
    checks: [...checks],
    independent: true,
  };
}

function reasonCode(name: string): string {
  if (name === "work_shown") return "no_work_shown";
  if (name.startsWith("exists_")) return "output_missing";
  if (name.startsWith("nonempty_")) return "output_empty";
  return name.startsWith("syntax_") ? "syntax_broken" : "check_failed";
}

function passedChecks(checks: readonly CheckResult[]): Verdict {
  return {
    tier: checks.length > 0 ? 1 : 0,
    outcome: "pass",
    reason_code: "checks_passed",
    severity_class: "semantic",
    feedback: "",
    issues: [],
    checks: [...checks],
    independent: true,
  };
}
