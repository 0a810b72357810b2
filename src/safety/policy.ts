/**
 * The policy: says of an action, before it runs, whether it may, whether a person must look, or that it never runs. Pure: the
 * action is read once, then the rules are held against what was read. Deny beats ask, ask beats allow, and no allow rule lifts
 * the floor. Confinement to the workspace is the workspace's own business.
 */
import type { PolicyRules, TaskPolicy } from "../domain/policy-rules.ts";
import type { Judgement, Policy } from "../ports/policy.ts";
import type { Action } from "../ports/tool.ts";
import { readLine, readVector } from "./command.ts";
import { asks, type Finding, insists, worst } from "./finding.ts";
import { isSampleOnly, leavesWorkspace, placed, secretComponent } from "./paths.ts";
import { type Found, plainHost, type Reading, type TouchedPath } from "./reading.ts";
import { lifts, meets, type NamedRule, namesAll, rulesOf } from "./rules.ts";

const shownChars = 160;
const reasonsMax = 3;

/** Folders whose files others run: git's hooks and settings. */
const runByOthers: ReadonlySet<string> = new Set([".git"]);

const noRules: PolicyRules = { allow: [], ask: [], deny: [] };

export function createPolicy(rules: PolicyRules = noRules): Policy {
  return { judge: (action, task) => judge(action, rules, task) };
}

function judge(action: Action, rules: PolicyRules, task: TaskPolicy | undefined): Judgement {
  const reading = readAction(action);
  const judgement = judged(action, reading, { rules, task });
  return reading.writes.length === 0 ? judgement : { ...judgement, writes: reading.writes };
}

interface AllRules {
  readonly rules: PolicyRules;
  readonly task: TaskPolicy | undefined;
}

function judged(action: Action, reading: Reading, { rules, task }: AllRules): Judgement {
  const denying = rulesOf("deny", rules, task).map((named) => ({ named, meeting: meets(named.rule, action, reading) }));
  const denied = denying.find(({ meeting }) => meeting === "yes");
  if (denied !== undefined) return denial(action, denied.named);
  const asking = rulesOf("ask", rules, task).filter(({ rule }) => meets(rule, action, reading) !== "no");
  const found = reading.findings.filter(
    (finding) => !rules.allow.some((rule) => lifts(rule, finding, action, reading)),
  );
  const findings = [
    ...asking.map(({ rule, name }) => asks(`is to be asked about by ${name}${because(rule)}`, "medium")),
    ...denying
      .filter(({ meeting }) => meeting === "maybe")
      .map(({ named }) => asks(`may be what is denied by ${named.name}${because(named.rule)}`, "high")),
    ...found,
  ];
  if (findings.length === 0) {
    const lifted = reading.findings.some((finding) => finding.host !== undefined);
    const network = lifted || namesAll(rules.allow, action, reading) ? { network: true } : {};
    return { decision: "allow", reason: "", risk: "low", ...network };
  }
  const first = asking[0]?.name;
  return {
    decision: "ask",
    reason: sentence(action, findings),
    risk: worst(findings),
    ...(first === undefined ? {} : { rule: first }),
  };
}

function denial(action: Action, { rule, name }: NamedRule): Judgement {
  return {
    decision: "deny",
    reason: `${subjectOf(action)} is denied by ${name}${because(rule)}.`,
    risk: "high",
    rule: name,
  };
}

function because({ reason }: NamedRule["rule"]): string {
  return reason === undefined ? "" : `: ${reason.replace(/\.$/, "")}`;
}

/** All that an action would do, from its own words and from its command. */
function readAction(action: Action): Reading {
  const readings = [
    ...(action.command === undefined ? [] : [readLine(action.command, action.root)]),
    ...(action.argv === undefined || action.argv.length === 0
      ? []
      : [readVector(withProgram(action.tool, action.argv), action.root)]),
  ];
  const offset = readings.length > 1 ? (readings[0]?.commands.length ?? 0) : 0;
  return {
    findings: [
      ...readings.flatMap(({ findings }, at) => findings.map((found) => shifted(found, at === 0 ? 0 : offset))),
      ...changed(action),
      ...read(action),
      ...elsewhere(action),
    ],
    commands: readings.flatMap(({ commands }) => commands),
    paths: [...readings.flatMap(({ paths }) => paths), ...namedPaths(action)],
    writes: readings.flatMap(({ writes }) => writes),
    hosts: [...readings.flatMap(({ hosts }) => hosts), ...action.hosts.map(plainHost)],
    effort: readings.reduce((sum, { effort }) => sum + effort, 0),
  };
}

function shifted(found: Found, offset: number): Found {
  return found.command === undefined ? found : { ...found, command: found.command + offset };
}

/** Tools whose reads reach what lies below the folder they name. */
const treeTools: ReadonlySet<string> = new Set(["search_files"]);

function namedPaths({ tool, reads, writes, deletes, root }: Action): readonly TouchedPath[] {
  const touched = (below: TouchedPath["below"]) => (path: string) => ({
    path: placed(path, { root, cwd: [] }),
    glob: false,
    dynamic: false,
    below,
  });
  return [
    ...reads.map(touched(treeTools.has(tool) ? "reads" : "no")),
    ...writes.map(touched("no")),
    ...deletes.map(touched("removes")),
  ];
}

/** The tools refuse such paths themselves; what would slip through is asked about. */
function elsewhere({ reads, writes, deletes, root }: Action): readonly Finding[] {
  return [...new Set([...reads, ...writes, ...deletes])]
    .filter((path) => path.includes("\0") || leavesWorkspace(path, { root, cwd: [] }))
    .map((path) => insists(`touches "${path}", which is outside the workspace`, "high"));
}

/** `git_command` may hand over git's arguments alone. */
function withProgram(tool: string, argv: readonly string[]): readonly string[] {
  return tool === "git_command" && argv[0] !== "git" ? ["git", ...argv] : argv;
}

function changed({ writes, deletes }: Action): readonly Finding[] {
  return [
    ...writes.map((path) => ({ path, does: "writes" })),
    ...deletes.map((path) => ({ path, does: "deletes" })),
  ].flatMap(({ path, does }): Finding[] => {
    if (secretComponent(path) !== undefined)
      return [insists(`${does} "${path}", where keys or credentials are kept`, "high")];
    if (path.split("/").some((component) => runByOthers.has(component.toLowerCase())))
      return [{ ...asks(`${does} "${path}", which git may run or rely on`, "high"), path }];
    return [];
  });
}

function read({ reads }: Action): readonly Finding[] {
  return reads
    .filter((path) => secretComponent(path) !== undefined && !isSampleOnly(path))
    .map((path) => insists(`reads "${path}", where keys or credentials are kept, into a prompt`, "high"));
}

function sentence(action: Action, findings: readonly Finding[]): string {
  const reasons = [...new Set(findings.map(({ reason }) => reason))];
  const more = reasons.length > reasonsMax ? [`${reasons.length - reasonsMax} more`] : [];
  return `${subjectOf(action)} ${[...reasons.slice(0, reasonsMax), ...more].join("; ")}.`;
}

function subjectOf(action: Action): string {
  const subject = action.command ?? action.argv?.join(" ") ?? action.tool;
  const shown = subject.length > shownChars ? `${subject.slice(0, shownChars)}…` : subject;
  return `"${shown.replaceAll(/\s+/g, " ")}"`;
}
