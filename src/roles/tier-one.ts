/**
 * Tier 1: checks without a model. They judge the outcome and not the way to it: what stands in the workspace, what was
 * shown, what the plan's own commands say. A call that failed and was put right counts for nothing.
 */

import type { FileChange, FileState } from "../domain/change.ts";
import type { Subtask } from "../domain/task.ts";
import type { CheckResult } from "../domain/verdict.ts";
import { LoomError } from "../lib/errors.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import type { Syntax, Workspace } from "../ports/workspace.ts";
import { type Evidence, type Standing, standingOf } from "./evidence.ts";
import { within } from "./excerpt.ts";
import { isPath, matcherOf, mayBeEmpty, pathsInCriteria } from "./named-paths.ts";

export interface TierOnePorts {
  readonly syntax: Syntax;
  readonly blobs: BlobStore;
}

export interface TierOneCase {
  readonly subtask: Subtask;
  readonly evidence: Evidence;
  readonly workspace: Workspace;
  /** A second model will judge, too. */
  readonly isReviewed: boolean;
}

const syntaxBytesMax = 1_000_000;
const listingDepth = 12;
const listingMax = 5000;
/** A verdict holds 100: these, 20 commands of a plan, and the vote. */
const checksMax = 79;

export async function tierOneChecks(ports: TierOnePorts, given: TierOneCase): Promise<CheckResult[]> {
  const { subtask, evidence, workspace } = given;
  const checks = [workShown(standingOf(subtask, evidence), given.isReviewed)];
  const outputs = subtask.spec.expected_outputs.filter(isPath);
  for (const output of outputs) checks.push(...(await outputChecks(workspace, output)));
  const named = subtask.spec.kind === "change" ? pathsInCriteria(subtask.spec.acceptance_criteria) : [];
  for (const path of named.filter((other) => !outputs.includes(other)))
    checks.push(await namedCheck(workspace, evidence, path));
  for (const change of evidence.net) checks.push(...(await syntaxChecks(ports, workspace, change)));
  return checks.slice(0, checksMax);
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
  if (/[*?]/.test(output)) {
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

/** @see DECISIONS 15 */
async function syntaxChecks(
  { syntax, blobs }: TierOnePorts,
  workspace: Workspace,
  { path, before }: FileChange,
): Promise<CheckResult[]> {
  const state = await stateOf(workspace, path);
  if (typeof state === "string" || state.kind !== "file" || state.bytes > syntaxBytesMax || state.bytes === 0)
    return [];
  const now = await syntax.check(path, await workspace.read(path, syntaxBytesMax));
  if (now === null) return [];
  const name = checkName("syntax", path);
  if (now.parsed) return [{ name, passed: true, detail: "" }];
  const bytesBefore = before.kind === "file" ? await blobs.get(before.digest) : null;
  const earlier = bytesBefore === null ? null : await syntax.check(path, bytesBefore);
  if (before.kind === "file" && earlier?.parsed !== true) return [];
  return [{ name, passed: false, detail: within(`"${path}" does not parse: ${now.detail}`, 2000) }];
}

function checkName(rule: string, path: string): string {
  return within(`${rule}_${path}`, 300);
}
