/**
 * The policy: says of an action, before it runs, whether it may, or whether a person must look. Reads the parsed action and
 * nothing else, so the same action is always judged the same. Confinement to the workspace is the workspace's own business.
 */
import type { Judgement, Policy } from "../ports/policy.ts";
import type { Action } from "../ports/tool.ts";
import { argvFindings, commandFindings } from "./command.ts";
import { type Finding, worst } from "./finding.ts";
import { isSampleOnly, secretComponent } from "./paths.ts";

const shownChars = 160;
const reasonsMax = 3;

/** Folders whose files others run: git's hooks and settings. */
const runByOthers: ReadonlySet<string> = new Set([".git"]);

export function createPolicy(): Policy {
  return { judge };
}

function judge(action: Action): Judgement {
  const findings = [...commandPart(action), ...changed(action), ...read(action)];
  if (findings.length === 0) return { decision: "allow", reason: "", risk: "low" };
  return { decision: "ask", reason: sentence(action, findings), risk: worst(findings) };
}

function commandPart(action: Action): readonly Finding[] {
  const line = action.command === undefined ? [] : commandFindings(action.command, action.root);
  const argv =
    action.argv === undefined || action.argv.length === 0
      ? []
      : argvFindings(withProgram(action.tool, action.argv), action.root);
  return [...line, ...argv];
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
      return [{ reason: `${does} "${path}", where keys or credentials are kept`, risk: "high" }];
    if (path.split("/").some((component) => runByOthers.has(component.toLowerCase())))
      return [{ reason: `${does} "${path}", which git may run or rely on`, risk: "high" }];
    return [];
  });
}

function read({ reads }: Action): readonly Finding[] {
  return reads
    .filter((path) => secretComponent(path) !== undefined && !isSampleOnly(path))
    .map((path) => ({ reason: `reads "${path}", where keys or credentials are kept, into a prompt`, risk: "high" }));
}

function sentence(action: Action, findings: readonly Finding[]): string {
  const subject = action.command ?? action.argv?.join(" ") ?? action.tool;
  const shown = subject.length > shownChars ? `${subject.slice(0, shownChars)}…` : subject;
  const reasons = [...new Set(findings.map(({ reason }) => reason))];
  const more = reasons.length > reasonsMax ? [`${reasons.length - reasonsMax} more`] : [];
  return `"${shown.replaceAll(/\s+/g, " ")}" ${[...reasons.slice(0, reasonsMax), ...more].join("; ")}.`;
}
