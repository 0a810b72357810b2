/** The verifier role: evidence from the journal and the workspace, checks without a model, then other models' opinions. */
import type { Report } from "../../domain/report.ts";
import type { Subtask } from "../../domain/task.ts";
import type { CheckResult, JudgedFile, Verdict } from "../../domain/verdict.ts";
import type { EventStore } from "../../ports/event-store.ts";
import type { Execution, Executor } from "../../ports/executor.ts";
import type { Changes, Workspace, Workspaces } from "../../ports/workspace.ts";
import { within } from "../excerpt.ts";
import { modelFailure } from "../model-step.ts";
import { workspaceFailure } from "../workspace-failure.ts";
import { claimChecks, commandChecks, testsWanted } from "./command-checks.ts";
import { type Evidence, evidenceOf } from "./evidence.ts";
import type { FilePorts } from "./judged-files.ts";
import { type ReviewPorts, review } from "./review.ts";
import { diffCharsMax } from "./review-prompt.ts";
import type { CheckPorts } from "./run-check.ts";
import { tierOneChecks } from "./tier-one.ts";
import { Trials } from "./trial.ts";

export interface VerifierPorts extends Omit<ReviewPorts, "trials">, FilePorts, CheckPorts {
  readonly events: Pick<EventStore, "steps">;
  readonly workspaces: Pick<Workspaces, "open" | "createCopy">;
  readonly changes: Pick<Changes, "diff">;
}

export function createVerifier(given: VerifierPorts): Executor<"verify"> {
  const ports = { ...given, trials: new Trials() };
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

async function verify(execution: Execution<"verify">, ports: VerifierPorts & ReviewPorts): Promise<Report> {
  const { effect, stop } = execution;
  const task = execution.current();
  const subtask = task.subtasks.get(effect.subtaskId);
  if (subtask === undefined) throw new Error(`Task ${task.id} has no subtask "${effect.subtaskId}"`);
  const workspace = await ports.workspaces.open(task.brief.workspace);
  const evidence = await evidenceOf(ports.events, task, subtask, effect.attempt);
  const { rules } = task.brief;
  const votes = votesFor(execution, subtask, evidence);
  const found = rules.tier1_enabled
    ? await checked(execution, ports, { subtask, evidence, workspace, isReviewed: votes > 0 })
    : nothingFound;
  if (found === null || stop.yielding.aborted) return { type: "Yielded", key: effect.key };
  const judged = (verdict: Verdict): Report => ({
    type: "Judged",
    key: effect.key,
    verdict: { ...verdict, ...told(found) },
  });
  const { checks, remarks } = found;
  if (checks.some(({ passed }) => !passed)) return judged(failedChecks(checks));
  if (votes === 0) return judged(passedChecks(checks));
  const diff = evidence.changes.length === 0 ? "" : await ports.changes.diff(evidence.changes, diffCharsMax * 2);
  const material = { task, subtask, evidence, checks, remarks, diff, workspace };
  return judged(await review(ports, { execution, votes, material }));
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

/** What tier 1 found, the cheapest first: what already fails makes the dearer needless. */
interface Found {
  readonly checks: readonly CheckResult[];
  readonly files: readonly JudgedFile[];
  readonly remarks: readonly string[];
}

const nothingFound: Found = { checks: [], files: [], remarks: [] };

function told({ files, remarks }: Found): Pick<Verdict, "files" | "remarks"> {
  return {
    ...(files.length === 0 ? {} : { files: [...files] }),
    ...(remarks.length === 0 ? {} : { remarks: remarks.slice(0, 20) }),
  };
}

/** @returns null when the work is to yield before a command is run */
async function checked(execution: Execution<"verify">, ports: VerifierPorts, given: Case): Promise<Found | null> {
  const wanted = await testsWanted(given);
  const planned = [...given.subtask.spec.checks, ...execution.task.brief.checks].map(({ run }) => run);
  const commands = [...planned, ...wanted.commands.map(({ command }) => command)];
  const seen = await tierOneChecks(ports, { ...given, commands });
  const checks = [...seen.checks, ...claimChecks(given, wanted)];
  if (checks.some(({ passed }) => !passed)) return { ...seen, checks };
  const ran = await commandChecks(execution, ports, { ...given, wanted });
  if (ran === null) return null;
  return { ...seen, checks: [...checks, ...ran.checks], remarks: [...seen.remarks, ...ran.remarks] };
}

function failedChecks(checks: readonly CheckResult[]): Verdict {
  const failed = checks.filter(({ passed }) => !passed);
  const lines = failed.map(({ name, detail }) => `${name}: ${detail}`);
  return {
    tier: 1,
    outcome: "fail",
    reason_code: failed[0] === undefined ? "check_failed" : reasonCode(failed[0]),
    severity_class: "semantic",
    feedback: within(`Verification failed:\n${lines.map((line) => `- ${line}`).join("\n")}`, 6000),
    issues: lines.slice(0, 20).map((line) => within(line, 300)),
    checks: [...checks],
    independent: true,
  };
}

/** Names of checks, by how they begin, and what their failure is called. */
const reasonCodes: readonly (readonly [string, string])[] = [
  ["work_shown", "no_work_shown"],
  ["claimed_", "claim_unproven"],
  ["exists_", "output_missing"],
  ["nonempty_", "output_empty"],
  ["substance_", "output_hollow"],
  ["tests_kept", "tests_lost"],
  ["check_kept_", "check_changed"],
  ["syntax_", "syntax_broken"],
];

function reasonCode({ name, ran }: CheckResult): string {
  if (ran !== undefined) return ran.tests?.run === 0 ? "no_tests_ran" : "check_failed";
  return reasonCodes.find(([start]) => name.startsWith(start))?.[1] ?? "check_failed";
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
