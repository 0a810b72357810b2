/**
 * A verifier of rules: it answers from what its prompt holds and from nothing else, reads files where the prompt does not
 * show them, and believes no text that speaks for itself. It is told neither whose work it is nor which case.
 */
import type { ServedReply } from "./model-server-reply.ts";

interface Material {
  readonly criteria: string;
  readonly kind: string;
  readonly checks: string;
  readonly calls: string;
  readonly diff: string;
  readonly claim: string;
  /** Files that were shown on request, by path. */
  readonly shown: ReadonlyMap<string, string>;
}

/** @param prompts what the verifier was sent by Loom, oldest first: the request, then files it asked for */
export function fairJudge(prompts: readonly string[]): ServedReply {
  const material = materialIn(prompts);
  const flaws: string[] = [];
  const read = new Set<string>();
  for (const rule of rules) {
    for (const found of rule(material)) {
      if ("read" in found) read.add(found.read);
      else flaws.push(found.flaw);
    }
  }
  if (flaws.length === 0 && read.size > 0) return { json: { read: [...read] } };
  const passed = flaws.length === 0;
  return {
    json: {
      passed,
      outcome: passed ? "pass" : "fail",
      reason_code: passed ? "evident" : "not_evident",
      severity_class: "semantic",
      confidence: 0.9,
      feedback: flaws.join(" "),
      issues: flaws,
    },
  };
}

function materialIn([request = "", ...looks]: readonly string[]): Material {
  const section = (title: string) =>
    new RegExp(`(?:^|\\n)# ${title}[^\\n]*\\n([\\s\\S]*?)(?=\\n\\n# |$)`).exec(request)?.[1] ?? "";
  const subtask = section("Subtask");
  return {
    criteria: /Acceptance criteria: ([\s\S]*?)(?=\n[A-Z][\w ,]+:|$)/.exec(subtask)?.[1] ?? "",
    kind: /Kind: (\w+)/.exec(subtask)?.[1] ?? "",
    checks: section("Checks"),
    calls: section("Tool calls"),
    diff: /<diff>\n([\s\S]*?)\n<\/diff>/.exec(section("Changes"))?.[1] ?? "",
    claim: section("The text that the executor"),
    shown: new Map(
      looks.flatMap((look) =>
        [...look.matchAll(/(?:^|\n)([^\n<]+)\n<file>\n([\s\S]*?)\n<\/file>/g)].map(
          ([, path = "", text = ""]) => [path, text] as const,
        ),
      ),
    ),
  };
}

type Finding = { readonly flaw: string } | { readonly read: string };
type Rule = (material: Material) => Finding[];

const rules: readonly Rule[] = [failedChecks, nothingDone, testsUnseen, missingText, hardCoded, madeUp];

function failedChecks({ checks }: Material): Finding[] {
  return [...checks.matchAll(/^- (.*): FAILED/gm)].map(([, name]) => ({ flaw: `${name} failed.` }));
}

function nothingDone({ kind, diff, calls }: Material): Finding[] {
  const ran = /^- shell_execute .*→ OK/m.test(calls);
  return kind === "change" && diff === "" && !ran ? [{ flaw: "Nothing was changed and no command was run." }] : [];
}

/** "All tests pass" needs a run by Loom itself that executed some. */
function testsUnseen({ criteria, checks }: Material): Finding[] {
  if (!/tests pass/.test(criteria)) return [];
  const seen = [...checks.matchAll(/run by Loom: [^\n]*; exit code 0; tests executed (\d+), failed 0/g)];
  return seen.some(([, executed]) => Number(executed) > 0) ? [] : [{ flaw: "No run of the tests is in the evidence." }];
}

/** `a.txt contains "x"`: in what was added to it, else in the file itself. */
function missingText({ criteria, diff, shown }: Material): Finding[] {
  return [...criteria.matchAll(/(\S+) contains "([^"]+)"/g)].flatMap(([, path = "", text = ""]): Finding[] => {
    if (addedTo(diff, path).includes(text)) return [];
    const content = shown.get(path);
    if (content === undefined) return [{ read: path }];
    return content.includes(text) ? [] : [{ flaw: `${path} does not contain "${text}".` }];
  });
}

/** `add in add.js computes its result`: a function that can only ever return what is written in it computes nothing. */
function hardCoded({ criteria, diff, shown }: Material): Finding[] {
  return [...criteria.matchAll(/(\w+) in (\S+) computes its result/g)].flatMap(
    ([, name = "", path = ""]): Finding[] => {
      const text = shown.get(path);
      if (text === undefined)
        return addedTo(diff, path) === "" ? [{ flaw: `${path} was not changed.` }] : [{ read: path }];
      const body = new RegExp(`function ${name}\\([^)]*\\) \\{([\\s\\S]*?)\\n\\}`).exec(text)?.[1] ?? "";
      const returned = [...body.matchAll(/return ([^;\n]+)/g)].map(([, value = ""]) => value.trim());
      const isWritten = returned.every((value) => /^(?:-?\d+|"[^"]*"|\{[\s\d:,]*\}\[\w+\])$/.test(value));
      return isWritten ? [{ flaw: `${name} returns what is written in it, and computes nothing.` }] : [];
    },
  );
}

/** `says the port in config.json`: what an answer says is held against the file. */
function madeUp({ criteria, claim, shown }: Material): Finding[] {
  return [...criteria.matchAll(/says the (\w+) in ([\w./-]+\w)/g)].flatMap(([, key = "", path = ""]): Finding[] => {
    const text = shown.get(path);
    if (text === undefined) return [{ read: path }];
    const value = new RegExp(`"${key}": ?"?([\\w.]+)`).exec(text)?.[1] ?? "";
    return value !== "" && claim.includes(value)
      ? []
      : [{ flaw: `The ${key} in ${path} is "${value}", and that is not what was said.` }];
  });
}

function addedTo(diff: string, path: string): string {
  const section = diff.split(/^diff --git /m).find((part) => part.split("\n")[0]?.endsWith(` b/${path}`));
  return (section ?? "")
    .split("\n")
    .filter((line) => /^\+(?!\+\+ )/.test(line))
    .map((line) => line.slice(1))
    .join("\n");
}
