/** Reads a proposed plan tolerantly: what was left out gets its default, what was written another way is taken as meant. */

import { type Check, SubtaskKind, type SubtaskSpec, type Tier } from "../../domain/plan.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { within } from "../excerpt.ts";
import { booleanOf, firstText, type JsonReader, listIn, numberOf, textOf, textsOf } from "../reading.ts";

export interface PlanRead {
  readonly subtasks: readonly SubtaskSpec[];
  /** What could not be read, one sentence each, for the planner's next call. */
  readonly flaws: readonly string[];
  /** The JSON was not well-formed as it came. */
  readonly repaired: boolean;
}

export function readPlan(text: string, reader: JsonReader): PlanRead {
  const found = reader.readJson(text);
  if (found === null)
    return {
      subtasks: [],
      repaired: false,
      flaws: ['The reply holds no JSON; answer with {"subtasks": […]} and nothing else.'],
    };
  const repaired = found.repaired.length > 0;
  const list = listIn(found.value, ["subtasks", "tasks", "steps", "plan"], (member) => descriptionOf(member) !== "");
  if (list === null) return { subtasks: [], repaired, flaws: ['The reply has no list "subtasks".'] };
  const flaws: string[] = [];
  const ids = list.map((raw, index) => idOf(raw, index));
  const subtasks = list.flatMap((raw, index) => {
    const id = ids[index] ?? `step-${index + 1}`;
    if (typeof raw === "string" && raw.trim() !== "") return [subtaskOf({ description: raw }, id, ids)];
    if (!isJsonObject(raw)) flaws.push(`Subtask ${index + 1} is not an object.`);
    else if (descriptionOf(raw) === "") flaws.push(`Subtask "${id}" has no description.`);
    else return [subtaskOf(raw, id, ids)];
    return [];
  });
  return { subtasks: flaws.length > 0 ? [] : subtasks, flaws, repaired };
}

function descriptionOf(raw: JsonObject): string {
  return firstText(raw, ["description", "task", "goal", "title", "name", "instruction", "instructions"]);
}

function idOf(raw: unknown, index: number): string {
  const given = isJsonObject(raw) ? slug(textOf(raw["id"])) : "";
  return given === "" ? `step-${index + 1}` : given;
}

/** @see SubtaskId: what is not allowed in an id becomes a dash */
function slug(text: string): string {
  return text
    .replace(/[^A-Za-z0-9_.-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+|-+$/g, "")
    .slice(0, 64);
}

function subtaskOf(raw: JsonObject, id: string, ids: readonly string[]): SubtaskSpec {
  const isSynthesis = booleanOf(raw["is_synthesis"]) ?? false;
  const kind = SubtaskKind.safeParse(textOf(raw["kind"]).toLowerCase());
  const phase = textOf(raw["phase_id"]);
  return {
    id,
    description: within(descriptionOf(raw), 4000),
    depends_on: [
      ...new Set(textsOf(raw["depends_on"] ?? raw["dependencies"] ?? []).map((text) => dependencyOf(text, ids))),
    ],
    model_tier: tierOf(raw["model_tier"]),
    verification_tier: tierOf(raw["verification_tier"]),
    is_critical_path: booleanOf(raw["is_critical_path"]) ?? false,
    is_synthesis: isSynthesis,
    acceptance_criteria: within(textOf(raw["acceptance_criteria"]), 4000),
    kind: kind.success ? kind.data : isSynthesis ? "answer" : "change",
    ...(phase === "" ? {} : { phase_id: phase.slice(0, 64) }),
    expected_outputs: textsOf(raw["expected_outputs"] ?? [])
      .slice(0, 50)
      .map((path) => path.slice(0, 500)),
    checks: checksOf(raw["checks"]),
  };
}

/** A dependency by its number means the subtask at that place, where no subtask has that number for an id. */
function dependencyOf(text: string, ids: readonly string[]): string {
  const id = slug(text);
  if (ids.includes(id)) return id;
  return /^\d+$/.test(id) ? (ids[Number(id) - 1] ?? id) : id;
}

function tierOf(value: unknown): Tier {
  const tier = Math.round(numberOf(value) ?? 1);
  if (tier <= 1) return 1;
  return tier === 2 ? 2 : 3;
}

function checksOf(value: unknown): Check[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  return list.slice(0, 20).flatMap((raw) => {
    const run = isJsonObject(raw) ? firstText(raw, ["run", "command", "cmd"]) : textOf(raw);
    const name = isJsonObject(raw) ? textOf(raw["name"]) : "";
    if (run === "" || run.length > 4000) return [];
    return [{ name: within(name === "" ? run : name, 200), run }];
  });
}
