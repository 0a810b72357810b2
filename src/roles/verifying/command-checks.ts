/**
 * Commands as evidence: the checks of the plan, the tests that criteria or the executor speak of, run by the verifier itself;
 * and what the executor says it ran, held against the record.
 */
import type { Subtask } from "../../domain/task.ts";
import type { CheckResult, CommandRun } from "../../domain/verdict.ts";
import { LoomError } from "../../lib/errors.ts";
import { isJsonObject, parseJson } from "../../lib/json.ts";
import type { Execution } from "../../ports/executor.ts";
import type { Workspace } from "../../ports/workspace.ts";
import { within } from "../excerpt.ts";
import { commandsClaimed, testsClaimed, testsDemanded, wasRun } from "./claims.ts";
import type { Evidence } from "./evidence.ts";
import { type Checked, type CheckPorts, runCheck } from "./run-check.ts";
import { type WantedTests, wantedTests } from "./wanted-tests.ts";

export interface CommandsCase {
  readonly subtask: Subtask;
  readonly evidence: Evidence;
  readonly workspace: Workspace;
}

/** Which tests are to be run beside the plan's checks. Reads the project's own files only where nothing else tells. */
export async function testsWanted({ subtask, evidence, workspace }: CommandsCase): Promise<WantedTests> {
  const { acceptance_criteria: criteria, checks, kind } = subtask.spec;
  const given = {
    demanded: testsDemanded(criteria),
    // The text of an answer is what is judged, and is judged as a whole.
    claimed: testsClaimed(kind === "answer" ? "" : evidence.attempt.finalText),
    planned: checks.map(({ run }) => run),
    ran: evidence.commands,
  };
  const first = wantedTests({ ...given, usual: null });
  if (!given.demanded.pass || first.commands.length > 0 || given.planned.length > 0) return first;
  return wantedTests({ ...given, usual: await usualTest(workspace) });
}

const manifestBytesMax = 256_000;
const manifests = [
  { path: "package.json", command: "npm test", isIt: hasTestScript },
  { path: "Cargo.toml", command: "cargo test", isIt: () => true },
  { path: "go.mod", command: "go test ./...", isIt: () => true },
  { path: "pytest.ini", command: "python3 -m pytest", isIt: () => true },
] as const;

/** @returns how this project is tested, as its manifest says; null where it says nothing */
async function usualTest(workspace: Workspace): Promise<string | null> {
  for (const { path, command, isIt } of manifests) {
    const text = await textOf(workspace, path);
    if (text !== null && isIt(text)) return command;
  }
  return null;
}

async function textOf(workspace: Workspace, path: string): Promise<string | null> {
  try {
    return new TextDecoder().decode(await workspace.read(path, manifestBytesMax));
  } catch (error) {
    if (error instanceof LoomError) return null;
    throw error;
  }
}

function hasTestScript(text: string): boolean {
  const value = parseJson(text);
  const scripts = isJsonObject(value) ? value["scripts"] : undefined;
  const script = isJsonObject(scripts) ? scripts["test"] : undefined;
  return typeof script === "string" && !script.includes("no test specified");
}

/** What was said to have been run and was not. Costs nothing, so it is looked at before anything is run. */
export function claimChecks({ subtask, evidence }: CommandsCase, wanted: WantedTests): CheckResult[] {
  if (subtask.spec.kind === "answer") return [];
  const unrun = commandsClaimed(evidence.attempt.finalText).filter((command) => !wasRun(command, evidence.commands));
  const checks: CheckResult[] = [];
  if (unrun.length > 0)
    checks.push({
      name: "claimed_commands",
      passed: false,
      detail: within(
        `You say that you ran ${unrun.join(", ")}; no such call is recorded. Run it, or do not say so.`,
        2000,
      ),
    });
  if (wanted.isUnproven)
    checks.push({
      name: "claimed_tests",
      passed: false,
      detail: "You say that tests pass, but ran none. Run them, or do not say so.",
    });
  return checks;
}

export interface CommandsSeen {
  readonly checks: readonly CheckResult[];
  readonly remarks: readonly string[];
}

/** @returns null when the work is to yield before a command is run */
export async function commandChecks(
  execution: Execution<"verify">,
  ports: CheckPorts,
  { subtask, workspace, wanted }: CommandsCase & { readonly wanted: WantedTests },
): Promise<CommandsSeen | null> {
  const checks: CheckResult[] = [];
  const remarks: string[] = [];
  const run = async (what: {
    readonly step: string;
    readonly askedBy: CommandRun["asked_by"];
    readonly name: string;
    readonly run: string;
  }) => {
    const place = placeOf(execution, workspace, what);
    const { isHeld, ...result }: Checked = await runCheck(ports, place, { name: what.name, run: what.run });
    // What nobody planned may not be run without asking: that nobody saw it pass is then all there is to say.
    if (isHeld === true && what.askedBy !== "plan") remarks.push(within(`${what.name}: ${result.detail}`, 500));
    else checks.push(result);
  };
  for (const [index, { name, run: command }] of subtask.spec.checks.entries()) {
    if (execution.stop.yielding.aborted) return null;
    await run({ step: `check-${index + 1}`, askedBy: "plan", name, run: command });
  }
  for (const [index, { command, askedBy }] of wanted.commands.entries()) {
    if (execution.stop.yielding.aborted) return null;
    await run({ step: `test-${index + 1}`, askedBy, name: within(command, 200), run: command });
  }
  return { checks, remarks };
}

function placeOf(
  execution: Execution<"verify">,
  workspace: Workspace,
  { step, askedBy }: { readonly step: string; readonly askedBy: CommandRun["asked_by"] },
) {
  const { effect, journal, stop, task } = execution;
  return {
    journal,
    execution,
    step,
    askedBy,
    subtaskId: effect.subtaskId,
    attempt: effect.attempt,
    root: workspace.root,
    policy: task.brief.policy,
    marker: `${task.id}:${effect.key}:${step}`,
    signal: stop.aborted,
  };
}
