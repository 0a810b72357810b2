/**
 * Tier 1: checks without a model. They judge the outcome and not the way to it: what stands in the workspace, what was
 * shown, what the plan's own commands say. A call that failed and was put right counts for nothing.
 */

import type { FileState } from "../../domain/change.ts";
import type { Subtask } from "../../domain/task.ts";
import type { CheckResult } from "../../domain/verdict.ts";
import { LoomError } from "../../lib/errors.ts";
import type { Workspace } from "../../ports/workspace.ts";
import { within } from "../excerpt.ts";
import { type Evidence, type Standing, standingOf } from "./evidence.ts";
import { checkName, type FilePorts, type FilesSeen, judgedFiles } from "./judged-files.ts";
import { isPath, matcherOf, mayBeEmpty, pathsInCriteria } from "./named-paths.ts";

export interface TierOneCase {
  readonly subtask: Subtask;
  readonly evidence: Evidence;
  readonly workspace: Workspace;
  /** Commands whose outcome counts. */
  readonly commands: readonly string[];
  /** A second model will judge, too. */
  readonly isReviewed: boolean;
}

const listingDepth = 12;
const listingMax = 5000;
/** A verdict holds 100: these, what is claimed, 20 commands of a plan, three of others, and the vote. */
const checksMax = 74;

export async function tierOneChecks(ports: FilePorts, given: TierOneCase): Promise<FilesSeen> {
  const { subtask, evidence, workspace, commands, isReviewed } = given;
  const checks = [workShown(standingOf(subtask, evidence), given.isReviewed)];
  const outputs = subtask.spec.expected_outputs.filter(isPath);
  for (const output of outputs) checks.push(...(await outputChecks(workspace, output)));
  const named = subtask.spec.kind === "change" ? pathsInCriteria(subtask.spec.acceptance_criteria) : [];
  for (const path of named.filter((other) => !outputs.includes(other)))
    checks.push(await namedCheck(workspace, evidence, path));
  const plain = outputs.filter((output) => !isPattern(output));
  const seen = await judgedFiles(ports, {
    subtask,
    workspace,
    net: evidence.net,
    outputs: plain,
    commands,
    isReviewed,
  });
  // What failed is never cut off behind what passed.
  const all = [...checks, ...seen.checks].toSorted((a, b) => Number(a.passed) - Number(b.passed));
  return { ...seen, checks: all.slice(0, checksMax) };
}

function workShown(standing: Standing, isReviewed: boolean): CheckResult {
  const passed = standing.kind === "shown" || (standing.kind === "to_confirm" && isReviewed);
  const detail =
    standing.kind === "to_confirm" && !isReviewed
      ? `${standing.detail} Nobody could confirm that nothing was needed.`
      : standing.detail;
  return { name: "work_shown", passed, detail: within(detail, 2000) };
}

async function outputChecks(workspace: Workspace, output: string): Promise<CheckResult[]> {
  const name = checkName("exists", output);
  if (isPattern(output)) {
    const found = (await workspace.list(".", { depth: listingDepth, limit: listingMax })).some(({ path }) =>
      matcherOf(output)(path),
    );
    return [{ name, passed: found, detail: found ? "" : `Nothing in the workspace matches "${output}".` }];
  }
  const state = await stateOf(workspace, output);
  if (typeof state === "string") return [{ name, passed: false, detail: state }];
  if (state.kind === "absent") return [{ name, passed: false, detail: `"${output}" is expected and does not exist.` }];
  const exists: CheckResult = { name, passed: true, detail: "" };
  if (state.kind !== "file" || mayBeEmpty(output)) return [exists];
  const passed = state.bytes > 0;
  return [
    exists,
    { name: checkName("nonempty", output), passed, detail: passed ? "" : `"${output}" is expected and is empty.` },
  ];
}

function isPattern(output: string): boolean {
  return /[*?]/.test(output);
}

/** @returns the state, or why there can be none */
async function stateOf(workspace: Workspace, path: string): Promise<FileState | string> {
  try {
    return await workspace.state(path);
  } catch (error) {
    if (error instanceof LoomError) return within(error.message, 2000);
    throw error;
  }
}

/** A criterion may name a file by its last part; it counts wherever it stands. */
async function namedCheck(workspace: Workspace, evidence: Evidence, path: string): Promise<CheckResult> {
  const name = checkName("exists", path);
  const state = await stateOf(workspace, path);
  const isThere = typeof state !== "string" && state.kind !== "absent";
  if (isThere || (await standsElsewhere(workspace, evidence, path))) return { name, passed: true, detail: "" };
  return { name, passed: false, detail: `The acceptance criteria name "${path}", which does not exist.` };
}

async function standsElsewhere(workspace: Workspace, evidence: Evidence, path: string): Promise<boolean> {
  const isIt = (other: string) => other.endsWith(`/${path}`);
  if (evidence.net.some(({ path: changed, after }) => after.kind !== "absent" && isIt(changed))) return true;
  return (await workspace.list(".", { depth: listingDepth, limit: listingMax })).some((entry) => isIt(entry.path));
}
