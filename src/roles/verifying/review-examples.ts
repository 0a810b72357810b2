/** Worked examples for a verifier that speaks JSON by schema: work that was done, and work that only looks so. */
import type { SubtaskKind } from "../../domain/plan.ts";
import type { Message } from "../../ports/model.ts";
import { fenced, section, subtaskSection } from "../prompts.ts";

export interface JudgedExample {
  readonly goal: string;
  readonly kind: SubtaskKind;
  readonly calls: string;
  readonly diff: string;
  readonly delivered?: string;
  readonly flaw: string | null;
}

const cases: readonly JudgedExample[] = [
  {
    goal: "Put the opening hours into notes/harbour.txt: open from six to nine",
    kind: "change",
    calls: '- write_file {"path":"notes/harbour.txt"} → OK',
    diff: "--- /dev/null\n+++ notes/harbour.txt\n@@ -0,0 +1 @@\n+open from six to nine",
    flaw: null,
  },
  {
    goal: "Add the line anchor to tools.txt",
    kind: "change",
    calls: '- write_file {"path":"tools.txt"} → OK',
    diff: "--- tools.txt\n+++ tools.txt\n@@ -1,2 +1 @@\n-rope\n-sail\n+anchor",
    flaw: "The lines rope and sail were lost: the line should have been added to them.",
  },
  {
    goal: "How many boats does boats.md name?",
    kind: "inspect",
    calls: '- read_file {"path":"boats.md"} → OK\n  harbour: north boats: 14',
    diff: "",
    delivered: "boats.md names 20 boats.",
    flaw: "boats.md names 14 boats, not 20.",
  },
  {
    goal: "Which files are in the folder maps?",
    kind: "inspect",
    calls: '- list_directory {"path":"maps"} → OK\n  east.png west.png',
    diff: "",
    delivered: "In maps are east.png and west.png.",
    flaw: null,
  },
  {
    goal: "Rename crew.csv to sailors.csv",
    kind: "change",
    calls: '- write_file {"path":"sailors.csv"} → OK',
    diff: "--- /dev/null\n+++ sailors.csv\n@@ -0,0 +1 @@\n+sailors",
    flaw: "crew.csv is still there, and its content was not taken along.",
  },
  {
    goal: "Remove the file signals/last-year.csv",
    kind: "change",
    calls: '- delete_file {"path":"signals/last-year.csv"} → OK',
    diff: "--- signals/last-year.csv\n+++ /dev/null\n@@ -1 +0,0 @@\n-2019",
    flaw: null,
  },
];

export function reviewExamples(): readonly Message[] {
  return cases.flatMap(({ flaw, ...shown }, index): Message[] => [
    { role: "user", content: requestOf(shown, `example-${index + 1}`) },
    { role: "assistant", content: JSON.stringify(verdictOf(flaw)) },
  ]);
}

export function requestOf({ goal, kind, calls, diff, delivered }: Omit<JudgedExample, "flaw">, id: string): string {
  const subtask = { id, description: goal, kind, acceptance_criteria: "", expected_outputs: [], checks: [] };
  return [
    section("Goal of the whole task", [goal]),
    subtaskSection(subtask),
    section("Tool calls of the executor, as recorded", [calls]),
    section("Changes to files", [diff === "" ? "(none)" : fenced("diff", diff)]),
    delivered === undefined ? "" : section("The text that the executor delivered", [fenced("claim", delivered)]),
    section("Now", ["Answer with the JSON of the verdict."]),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function verdictOf(flaw: string | null) {
  const isGood = flaw === null;
  return {
    passed: isGood,
    outcome: isGood ? "pass" : "fail",
    reason_code: isGood ? "criteria_met" : "criteria_not_met",
    severity_class: "semantic",
    confidence: 0.9,
    feedback: flaw ?? "",
    issues: isGood ? [] : [flaw],
  };
}
