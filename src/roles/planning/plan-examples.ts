/** Worked examples for a planner that speaks JSON by schema: small goals, planned as small as they are. */
import type { SubtaskSpec } from "../../domain/plan.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { Message } from "../../ports/model.ts";
import { section, taskSection } from "../prompts.ts";

interface Planned {
  readonly goal: string;
  readonly files: readonly string[];
  readonly subtask: JsonObject;
}

const usual = {
  depends_on: [],
  model_tier: 1,
  verification_tier: 2,
  is_critical_path: true,
  is_synthesis: false,
};

const plans: readonly Planned[] = [
  {
    goal: "How many boats does boats.md name?",
    files: ["boats.md"],
    subtask: {
      id: "count-boats",
      description: "How many boats does boats.md name?",
      ...usual,
      acceptance_criteria: "The number that boats.md names is said.",
      kind: "inspect",
      expected_outputs: [],
      checks: [],
    },
  },
  {
    goal: "Put the opening hours into notes/harbour.txt: open from six to nine",
    files: ["(none yet)"],
    subtask: {
      id: "write-hours",
      description: "Put the opening hours into notes/harbour.txt: open from six to nine",
      ...usual,
      acceptance_criteria: "notes/harbour.txt says: open from six to nine",
      kind: "change",
      expected_outputs: ["notes/harbour.txt"],
      checks: [],
    },
  },
  {
    goal: "Remove the file signals/last-year.csv",
    files: ["signals/", "signals/last-year.csv"],
    subtask: {
      id: "remove-signals",
      description: "Remove the file signals/last-year.csv",
      ...usual,
      acceptance_criteria: "signals/last-year.csv is gone.",
      kind: "change",
      expected_outputs: [],
      checks: [],
    },
  },
];

export function planExamples(toolNames: readonly string[]): readonly Message[] {
  return plans.flatMap(({ goal, files, subtask }): Message[] => [
    {
      role: "user",
      content: [
        taskSection({ brief: { goal, context: {}, workspace: "/work/harbour" } }),
        section("Tools that executors have", [toolNames.join(", ")]),
        section("Files in the workspace", files),
      ].join("\n\n"),
    },
    { role: "assistant", content: JSON.stringify({ subtasks: [subtask] }) },
  ]);
}

const tellTales = ["notes/harbour.txt", "from six to nine", "boats.md", "how many boats", "signals/last-year.csv"];

/** @returns what is wrong with a plan that was copied from the examples: it names what stands in them, and not in the goal */
export function copyFlaws(
  subtasks: readonly Pick<SubtaskSpec, "id" | "description" | "acceptance_criteria">[],
  known: string,
) {
  const said = known.toLowerCase();
  return subtasks.flatMap(({ id, description, acceptance_criteria: criteria }) => {
    const copied = tellTales.find(
      (word) => `${description} ${criteria}`.toLowerCase().includes(word) && !said.includes(word),
    );
    return copied === undefined
      ? []
      : [`Subtask "${id}" is copied from an example ("${copied}" is not in this goal). Plan the goal of this task.`];
  });
}
