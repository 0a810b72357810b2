/**
 * The files that are judged: what changed and what was to be brought, read once, as they stand now. From them come checks of
 * their syntax and substance, of the tests that were lost, and of the scripts that checks rest on.
 */
import type { FileChange, FileState } from "../../domain/change.ts";
import type { Subtask } from "../../domain/task.ts";
import type { CheckResult, JudgedFile } from "../../domain/verdict.ts";
import { LoomError } from "../../lib/errors.ts";
import { isJsonObject, parseJson } from "../../lib/json.ts";
import type { BlobStore } from "../../ports/blob-store.ts";
import type { Syntax, Workspace } from "../../ports/workspace.ts";
import { within } from "../excerpt.ts";
import { mayBeEmpty } from "./named-paths.ts";
import { asksForPlaceholders, isBlank, isOnlyPlaceholder, linesForTheJudge } from "./substance.ts";
import { isTestFile } from "./test-cases.ts";
import { lossText, lostTests, type TestFileChange } from "./test-loss.ts";

export interface FilePorts {
  readonly syntax: Syntax;
  readonly blobs: BlobStore;
}

export interface FilesCase {
  readonly subtask: Subtask;
  readonly workspace: Workspace;
  readonly net: readonly FileChange[];
  /** Expected outputs that are paths and no patterns. */
  readonly outputs: readonly string[];
  /** Commands whose outcome counts: what they run must not be what the work has changed. */
  readonly commands: readonly string[];
  /** A second model will judge, too. */
  readonly isReviewed: boolean;
}

export interface FilesSeen {
  readonly checks: readonly CheckResult[];
  readonly files: readonly JudgedFile[];
  readonly remarks: readonly string[];
}

const filesMax = 200;
const filesTold = 40;
const bytesMax = 1_000_000;
const testBytesMax = 256_000;

interface Seen {
  readonly path: string;
  readonly state: FileState;
  /** Null where it is no file, or one that is too long or no text. */
  readonly text: string | null;
  readonly bytes: Uint8Array | null;
  readonly change: FileChange | null;
}

export async function judgedFiles(ports: FilePorts, given: FilesCase): Promise<FilesSeen> {
  const changed = new Map(given.net.map((change) => [change.path, change]));
  const paths = [...new Set([...changed.keys(), ...given.outputs])].slice(0, filesMax);
  const checks: CheckResult[] = [];
  const files: JudgedFile[] = [];
  const remarks: string[] = [];
  const tests: TestFileChange[] = [];
  for (const path of paths) {
    const seen = await look(given.workspace, path, changed.get(path) ?? null);
    if (seen === null) continue;
    files.push(toldFile(seen));
    checks.push(...(await syntaxChecks(ports, seen)), ...substanceChecks(given, seen));
    remarks.push(...talkToTheJudge(seen));
    checks.push(...(await scriptChecks(ports, given, seen)));
    if (isTestFile(path) && seen.change !== null) tests.push(...(await testChange(ports, seen, seen.change)));
  }
  checks.push(...lossChecks(given, tests));
  return { checks, remarks: remarks.slice(0, 10), files: files.slice(0, filesTold) };
}

/** @returns null for what cannot be looked at: other checks say so where it matters */
async function look(workspace: Workspace, path: string, change: FileChange | null): Promise<Seen | null> {
  try {
    const { state, bytes = null } = await workspace.look(path, bytesMax);
    const text = bytes === null || bytes.includes(0) ? null : new TextDecoder().decode(bytes);
    return { path, state, text, bytes, change };
  } catch (error) {
    if (error instanceof LoomError) return null;
    throw error;
  }
}

function toldFile({ path, state }: Seen): JudgedFile {
  return { path, state: state.kind, ...(state.kind === "file" ? { digest: state.digest } : {}) };
}

/** @see DECISIONS 15 */
async function syntaxChecks({ syntax, blobs }: FilePorts, { path, bytes, change }: Seen): Promise<CheckResult[]> {
  if (change === null || bytes === null || bytes.length === 0) return [];
  const now = await syntax.check(path, bytes);
  if (now === null) return [];
  const name = checkName("syntax", path);
  if (now.parsed) return [{ name, passed: true, detail: "" }];
  const { before } = change;
  const bytesBefore = before.kind === "file" ? await blobs.get(before.digest) : null;
  const earlier = bytesBefore === null ? null : await syntax.check(path, bytesBefore);
  if (before.kind === "file" && earlier?.parsed !== true) return [];
  return [{ name, passed: false, detail: within(`"${path}" does not parse: ${now.detail}`, 2000) }];
}

/** White space is no content, and a placeholder is no work, unless that was what was asked for. */
function substanceChecks({ outputs, subtask }: FilesCase, { path, text, change }: Seen): CheckResult[] {
  if (text === null || mayBeEmpty(path)) return [];
  const name = checkName("substance", path);
  const isWanted = outputs.includes(path);
  if (isBlank(text) && text !== "" && isWanted)
    return [{ name, passed: false, detail: `"${path}" is expected and holds only white space.` }];
  if ((change === null && !isWanted) || asksForPlaceholders(wantedOf(subtask)) || !isOnlyPlaceholder(text)) return [];
  return [{ name, passed: false, detail: `"${path}" holds only a placeholder: put in what was asked for.` }];
}

function wantedOf({ spec }: Subtask): string {
  return [spec.description, spec.acceptance_criteria, ...spec.expected_outputs].join("\n");
}

function talkToTheJudge({ path, text, change }: Seen): string[] {
  if (text === null || change === null) return [];
  const [line] = linesForTheJudge(text);
  return line === undefined
    ? []
    : [
        within(
          `"${path}" line ${line} reads as if it were written for whoever judges the work: it proves nothing.`,
          500,
        ),
      ];
}

/** Nothing where a side of it cannot be read: then nobody can say what it lost. */
async function testChange({ blobs }: FilePorts, seen: Seen, { before }: FileChange): Promise<TestFileChange[]> {
  const { path, state, text } = seen;
  const isGone = state.kind === "absent";
  if (!isGone && (text === null || text.length > testBytesMax)) return [];
  if (before.kind !== "file") return [{ path, before: null, after: text }];
  const bytes = before.bytes > testBytesMax ? null : await blobs.get(before.digest);
  return bytes === null ? [] : [{ path, before: new TextDecoder().decode(bytes), after: isGone ? null : text }];
}

const taking =
  /\b(?:remov|delet|drop|renam|replac|mov(?:e|ing)\b|rewrit|refactor|migrat|skip|disabl|obsolet|consolidat|merg|clean|split|port\b)/i;

/** Where the work is to take something away, tests may go with it: whether they should is for a second model to say. */
function lossChecks({ subtask, isReviewed }: FilesCase, changes: readonly TestFileChange[]): CheckResult[] {
  if (changes.length === 0) return [];
  const lost = lossText(lostTests(changes));
  if (lost === "") return [{ name: "tests_kept", passed: true, detail: "No test was removed, skipped or emptied." }];
  const passed = isReviewed && taking.test(wantedOf(subtask));
  const detail = passed ? lost : `${lost} Put them back: a test that is in the way is no reason to lose it.`;
  return [{ name: "tests_kept", passed, detail: within(detail, 2000) }];
}

/** What a check runs is not the executor's to change, unless that is what the subtask is about. */
async function scriptChecks({ blobs }: FilePorts, given: FilesCase, seen: Seen): Promise<CheckResult[]> {
  const { path, change } = seen;
  if (change?.before.kind !== "file" || isTestFile(path)) return [];
  const running = given.commands.filter((command) => scriptsRunBy(command).some((script) => isAt(path, script)));
  const scripts = /(?:^|\/)package\.json$/.test(path) ? given.commands.flatMap(scriptOf) : [];
  if (running.length === 0 && scripts.length === 0) return [];
  const base = path.split("/").at(-1) ?? path;
  const wanted = wantedOf(given.subtask);
  if (wanted.includes(base) || (scripts.length > 0 && /\bscripts?\b/i.test(wanted))) return [];
  if (running.length === 0) {
    const bytes = await blobs.get(change.before.digest);
    const before = bytes === null ? "" : new TextDecoder().decode(bytes);
    if (!scripts.some((script) => scriptIn(before, script) !== scriptIn(seen.text ?? "", script))) return [];
  }
  const detail = `"${path}" is what ${running[0] ?? "the test command"} runs, and was changed. Put it back: the work must pass the check as it was.`;
  return [{ name: checkName("check_kept", path), passed: false, detail: within(detail, 2000) }];
}

const interpreters = /^(?:sh|bash|dash|zsh|node|deno|bun|tsx|ts-node|python3?|ruby|perl|php)$/;

/** Scripts that a command line starts, by their paths; what it only reads is none. */
function scriptsRunBy(command: string): string[] {
  return command.split(/[;&|\n]+/).flatMap((part) => {
    const words = (part.match(/[^\s"'<>]+/g) ?? []).filter((word) => !/^\w+=/.test(word));
    const [program = "", ...args] = words;
    const script = interpreters.test(program) ? args.find((arg) => !/^(?:-|run$)/.test(arg)) : program;
    return script?.includes(".") === true || script?.includes("/") === true ? [script.replace(/^(?:\.\/)+/, "")] : [];
  });
}

function isAt(path: string, script: string): boolean {
  return path === script || path.endsWith(`/${script}`);
}

/** `npm test` → `test`, `npm run check` → `check` */
function scriptOf(command: string): string[] {
  const [, name, test] = /\b(?:npm|pnpm|yarn|bun) (?:run(?:-script)? ([\w:-]+)|(t|test)\b)/.exec(command) ?? [];
  return name === undefined ? (test === undefined ? [] : ["test"]) : [name];
}

function scriptIn(text: string, name: string): string {
  const value = parseJson(text);
  const scripts = isJsonObject(value) ? value["scripts"] : undefined;
  const script = isJsonObject(scripts) ? scripts[name] : undefined;
  return typeof script === "string" ? script : "";
}

export function checkName(rule: string, path: string): string {
  return within(`${rule}_${path}`, 300);
}
