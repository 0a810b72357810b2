/**
 * The lower rungs of the ladder by which a verdict is read: where there is no JSON, lines of `key: value`, then plain prose.
 * Pure. A yes must be said plainly and by nothing contradicted; a no is heard wherever it is said.
 */
import type { JsonObject } from "../../lib/json.ts";

const linesMax = 200;
const lineCharsMax = 1000;

/** @returns the members of a verdict as far as the text tells them; null when it tells none, or may be cut JSON */
export function verdictInText(text: string): JsonObject | null {
  const lines = plainLines(text);
  if (lines.some((line) => /^[{[]/.test(line))) return null;
  return fromLines(lines) ?? fromProse(lines.join("\n"));
}

/** What stands in fences or is quoted is material that the verifier repeats, and no word of its own. */
function plainLines(text: string): string[] {
  let isFenced = false;
  const kept: string[] = [];
  for (const line of text.split("\n", linesMax)) {
    const trimmed = line.slice(0, lineCharsMax).trim();
    if (trimmed.startsWith("```")) isFenced = !isFenced;
    else if (!isFenced && !trimmed.startsWith(">")) kept.push(trimmed);
  }
  return kept;
}

const member =
  /^[-*#\s]{0,6}["'*_]{0,3}(passed|pass|outcome|verdict|result|assessment|reason_code|severity_class|severity|confidence|feedback|issues)["'*_]{0,3}\s?[:=]["'*_]{0,3}\s{0,8}(.*)$/i;
const outcomes: ReadonlySet<string> = new Set(["passed", "pass", "outcome", "verdict", "result", "assessment"]);
const no = /^(?:false|no|fail(?:ed|ure|s)?|reject(?:ed)?|not\b.*)\b/i;

function fromLines(lines: readonly string[]): JsonObject | null {
  const { found, issues } = membersIn(lines);
  const told = [...found].filter(([name]) => outcomes.has(name));
  if (told.length === 0) return null;
  const severity = found.get("severity");
  return {
    ...Object.fromEntries([...found].filter(([name]) => name !== "issues")),
    ...(severity === undefined ? {} : { severity_class: severity }),
    ...(told.some(([, value]) => no.test(value)) ? { passed: false, outcome: "fail" } : {}),
    issues: issues.slice(0, 20),
  };
}

function membersIn(lines: readonly string[]): {
  readonly found: ReadonlyMap<string, string>;
  readonly issues: readonly string[];
} {
  const found = new Map<string, string>();
  const issues: string[] = [];
  let key = "";
  for (const line of lines) {
    const [, name, value = ""] = member.exec(line) ?? [];
    if (name === undefined) {
      if (key === "issues" && /^[-*]\s/.test(line)) issues.push(line.replace(/^[-*]\s+/, ""));
      continue;
    }
    key = name.toLowerCase();
    const bare = value.replace(/^["'*_\s]+|["'*_,.\s]+$/g, "");
    // Said twice, the no counts.
    if (!found.has(key) || (outcomes.has(key) && no.test(bare))) found.set(key, bare);
  }
  return { found, issues };
}

const fails = [
  /\b(?:subtask|task|work|verification|attempt|it)\b (?:has |have |is |was |clearly |therefore )*(?:fail(?:s|ed)|not (?:done|complete|completed|met|finished|passed)|incomplete)\b/i,
  /\b(?:does|do|did) not (?:fully )?(?:meet|satisfy|fulfil|pass)\b/i,
  /\bcriteri(?:a|on) (?:is|are|was|were|has|have)(?: been)? (?:not|only partly|partly) (?:all )?(?:met|satisfied|fulfilled)\b/i,
];
const passes = [
  /\b(?:subtask|task|work|verification|attempt)\b (?:has |have |is |was |clearly |therefore )*pass(?:es|ed)\b/i,
  /\b(?:all |the )*(?:acceptance )?criteria (?:is|are|was|were|have|has)(?: all| been| fully)* (?:met|satisfied|fulfilled)\b/i,
];
/** With one of these in it, a yes is none that can be taken as plain. */
const doubts =
  /\b(?:not|no|never|but|however|except|unless|if|only|partly|partially|cannot|could|would|should|fail\w*|missing|unclear|unsure|almost)\b|n't\b/i;

function fromProse(text: string): JsonObject | null {
  if (fails.some((form) => form.test(text))) return { passed: false, outcome: "fail", feedback: text.slice(0, 2000) };
  if (!passes.some((form) => form.test(text)) || doubts.test(text)) return null;
  // Nobody gave a figure: a yes in passing is worth less than one in the form that was asked for.
  return { passed: true, outcome: "pass", confidence: 0.5 };
}
