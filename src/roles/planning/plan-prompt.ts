/** What the planner reads, and the JSON form that it is asked for. */

import { isUnderWay, type Planning, planned, type Subtask, type Task } from "../../domain/task.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { Entry } from "../../ports/workspace.ts";
import { cuttable, fittedText, pinned } from "../context/context-fit.ts";
import { head } from "../excerpt.ts";
import { instructionSection, objectSchema, section, taskSection, textSchema } from "../prompts.ts";

const plannerRules = `You are the planner of Loom. You turn a goal into a plan: a list of subtasks that executors carry out with tools, side by side where they do not depend on each other.

Rules:
- As few subtasks as the goal needs: one for a small goal, seldom more than ten.
- Each subtask can be done and judged by itself. Its description says everything its executor must know; it sees the goal, but not the other subtasks.
- "depends_on" names the subtasks whose results it needs, and nothing else. No cycles. Subtasks that write the same file depend on one another.
- "kind": "change" for work that alters files or runs commands, "inspect" for work that only looks, "answer" for work whose result is text.
- "model_tier": 1 simple, 2 code, 3 hard reasoning. "verification_tier": 1 files and commands, 2 a second model, 3 several.
- "acceptance_criteria" says how someone else can tell that it is done. "expected_outputs" lists the paths of files that must then exist; "checks" commands that must then exit 0. Leave both empty unless you are sure.
- "is_critical_path": true if the task makes no sense without it. "is_synthesis": true only for a last subtask that brings the results of others together; only synthesis subtasks may depend on it.
- Answer with JSON only.`;

const example = {
  subtasks: [
    {
      id: "fix-parser",
      description: "In src/parse.py make parse() accept an empty line instead of raising IndexError.",
      depends_on: [],
      model_tier: 2,
      verification_tier: 2,
      is_critical_path: true,
      is_synthesis: false,
      acceptance_criteria: "parse('') returns [] and the existing tests still pass.",
      kind: "change",
      expected_outputs: ["src/parse.py"],
      checks: [{ name: "tests", run: "python -m pytest -q" }],
    },
    {
      id: "note-change",
      description: "Add a line about the empty-line fix to CHANGELOG.md.",
      depends_on: ["fix-parser"],
      model_tier: 1,
      verification_tier: 1,
      is_critical_path: false,
      is_synthesis: false,
      acceptance_criteria: "CHANGELOG.md has a line that names the fix.",
      kind: "change",
      expected_outputs: ["CHANGELOG.md"],
      checks: [],
    },
  ],
};

export interface PlanMaterial {
  readonly task: Task;
  readonly planning: Planning;
  readonly listing: readonly Entry[];
  readonly toolNames: readonly string[];
}

export function plannerSystem(): string {
  return `${plannerRules}\n\nThe form, by an example for another goal:\n${JSON.stringify(example)}`;
}

/** Of the room, for goal and context. */
const taskShare = 0.6;

export function plannerRequest(
  { task, planning, listing, toolNames }: PlanMaterial,
  bytesMax = Number.POSITIVE_INFINITY,
): string {
  const files = listing.length === 0 ? ["(none yet)"] : listing.map(entryLine);
  const flaws = planning.flaws.map((flaw) => `- ${flaw}`);
  return fittedText(
    [
      pinned(taskSection(task, { bytesMax: bytesMax * taskShare })),
      pinned(section("Tools that executors have", [toolNames.join(", ")])),
      cuttable(section("Files in the workspace", files)),
      cuttable(planning.replan === null ? "" : replanSections(task, planning.replan.reason), 4),
      pinned(instructionSection(task.instructions.map(({ text }) => text))),
      cuttable(section("Your last plan was sent back. Put right", flaws), 2),
    ],
    bytesMax,
  );
}

function entryLine({ path, kind }: Entry): string {
  return kind === "folder" ? `${path}/` : path;
}

function replanSections(task: Task, reason: string): string {
  const known = planned(task);
  const completed = known.flatMap((subtask) =>
    subtask.status.kind === "completed" ? [`- ${subtask.spec.id}: ${head(subtask.status.summary, 600)}`] : [],
  );
  const underWay = known.filter(isUnderWay).map(({ spec }) => `- ${spec.id}: ${head(spec.description, 300)}`);
  const rest = known.filter(({ status, critiques }) => critiques.length > 0 && status.kind !== "completed");
  return [
    section("Why a new plan is needed", [reason]),
    section("Completed; stays as it is, may be depended on, do not plan it again", completed),
    section("Still running; stays as it is, may be depended on, do not plan it again", underWay),
    section("Failed; plan another way to the same end", rest.map(failureLine)),
    section("Now", ["Plan what is left to do, and only that."]),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function failureLine({ spec, critiques }: Subtask): string {
  return `- ${spec.id} (${head(spec.description, 300)}): ${head(critiques.at(-1)?.feedback ?? "", 800)}`;
}

const tier: JsonObject = { type: "integer", minimum: 1, maximum: 3 };

export const planSchema: JsonObject = objectSchema({
  subtasks: {
    type: "array",
    items: objectSchema({
      id: textSchema(64),
      description: textSchema(3000),
      depends_on: { type: "array", items: textSchema(64) },
      model_tier: tier,
      verification_tier: tier,
      is_critical_path: { type: "boolean" },
      is_synthesis: { type: "boolean" },
      acceptance_criteria: textSchema(2000),
      kind: { type: "string", enum: ["change", "inspect", "answer"] },
      expected_outputs: { type: "array", items: textSchema(300) },
      checks: { type: "array", items: objectSchema({ name: textSchema(100), run: textSchema(1000) }) },
    }),
  },
});
