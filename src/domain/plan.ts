/** The plan: what a planner proposes, the flaws that send it back, and the plan that stands in for a planner that failed. */
import { z } from "zod";
import { reservedIds, SubtaskId } from "./ids.ts";

export const Tier = z.union([z.literal(1), z.literal(2), z.literal(3)]);
export type Tier = z.infer<typeof Tier>;

export const SubtaskKind = z.enum(["change", "inspect", "answer"]);
export type SubtaskKind = z.infer<typeof SubtaskKind>;

export const Check = z.strictObject({
  name: z.string().min(1).max(200),
  run: z.string().min(1).max(4000),
});
export type Check = z.infer<typeof Check>;

/** One subtask as planned: what is to be done, after what, by how strong a model, and how it will be judged. */
export const SubtaskSpec = z.strictObject({
  id: SubtaskId,
  description: z.string().min(1).max(4000),
  depends_on: z.array(SubtaskId).max(200),
  model_tier: Tier,
  verification_tier: Tier,
  is_critical_path: z.boolean(),
  is_synthesis: z.boolean(),
  acceptance_criteria: z.string().max(4000),
  kind: SubtaskKind,
  phase_id: z.string().max(64).optional(),
  expected_outputs: z.array(z.string().min(1).max(500)).max(50),
  checks: z.array(Check).max(20),
});
export type SubtaskSpec = z.infer<typeof SubtaskSpec>;

export const subtasksMax = 200;

/**
 * Checks a proposed plan. Pure; order of flaws follows the plan.
 *
 * @param finished ids of earlier subtasks that stay as they are and may be depended on
 * @returns one sentence for each flaw, fit to be shown to the planner; empty when the plan is well-formed
 */
export function planFlaws(subtasks: readonly SubtaskSpec[], finished: ReadonlySet<string> = new Set()): string[] {
  if (subtasks.length === 0) return ["The plan has no subtasks; give at least one."];
  if (subtasks.length > subtasksMax)
    return [`The plan has ${subtasks.length} subtasks; at most ${subtasksMax} are allowed.`];
  const byId = new Map(subtasks.map((subtask) => [subtask.id, subtask]));
  const flaws = [
    ...subtasks.flatMap(({ id }, index) => idFlaws(id, subtasks.slice(0, index))),
    ...subtasks.flatMap((subtask) =>
      subtask.depends_on.flatMap((id) => dependencyFlaws(subtask, { id, target: byId.get(id), finished })),
    ),
  ];
  const cycle = cycleIn(byId);
  if (cycle !== null) flaws.push(`The dependencies form a cycle: ${cycle.join(" -> ")}.`);
  return flaws;
}

function idFlaws(id: string, earlier: readonly SubtaskSpec[]): string[] {
  const flaws: string[] = [];
  if (earlier.some((other) => other.id === id)) {
    flaws.push(`Subtask id "${id}" is used more than once; ids must be unique.`);
  }
  if (reservedIds.includes(id)) flaws.push(`Subtask id "${id}" is reserved; choose another.`);
  return flaws;
}

interface Dependency {
  readonly id: string;
  readonly target: SubtaskSpec | undefined;
  readonly finished: ReadonlySet<string>;
}

function dependencyFlaws(subtask: SubtaskSpec, { finished, id, target }: Dependency): string[] {
  if (target === undefined) {
    return finished.has(id) ? [] : [`Subtask "${subtask.id}" depends on "${id}", which is not in the plan.`];
  }
  if (!target.is_synthesis || subtask.is_synthesis) return [];
  return [`Subtask "${subtask.id}" depends on the synthesis subtask "${id}"; only synthesis subtasks may.`];
}

function cycleIn(byId: ReadonlyMap<string, SubtaskSpec>): readonly string[] | null {
  const done = new Set<string>();
  for (const start of byId.keys()) {
    const path: string[] = [];
    const found = walk(start, { byId, done, path });
    if (found !== null) return found;
  }
  return null;
}

interface Walk {
  readonly byId: ReadonlyMap<string, SubtaskSpec>;
  readonly done: Set<string>;
  readonly path: string[];
}

function walk(id: string, search: Walk): readonly string[] | null {
  const at = search.path.indexOf(id);
  if (at >= 0) return [...search.path.slice(at), id];
  if (search.done.has(id)) return null;
  search.path.push(id);
  for (const next of search.byId.get(id)?.depends_on ?? []) {
    const found = walk(next, search);
    if (found !== null) return found;
  }
  search.path.pop();
  search.done.add(id);
  return null;
}

/** Does the goal ask for an answer rather than for a change? Read off its form, since no model is to be trusted with it. */
export function isQuestion(goal: string): boolean {
  const text = goal.trim();
  if (text.endsWith("?")) return true;
  const begins =
    /^(?:what|why|who|when|where|which|how|is|are|does|do|can|explain|describe|summari[sz]e|list|compare|count|tell me)\b/i;
  return begins.test(text) || /^(?:read|look|see)\b[^\n]{0,300}\b(?:tell|say|answer|report)\b/i.test(text);
}

/** May the answer stand word for word in what is read? Not where words of one's own are asked for. */
export function isLookup(job: string): boolean {
  return !/^\s*(?:explain|describe|summari[sz]e|compare|why|how (?!many\b|much\b)|tell me (?:why|how|about)\b)/i.test(
    job,
  );
}

/** The single-subtask plan that stands in after the last flawed proposal. @see DECISIONS 13 */
export function fallbackPlan(goal: string, id: string): SubtaskSpec {
  return {
    id,
    description:
      goal.length > 4000
        ? `${goal.slice(0, 3900)} […the goal goes on; the whole of it stands in the task section]`
        : goal,
    depends_on: [],
    model_tier: 2,
    verification_tier: 2,
    is_critical_path: true,
    is_synthesis: false,
    acceptance_criteria: "The goal of the task is fulfilled.",
    kind: isQuestion(goal) ? "answer" : "change",
    expected_outputs: [],
    checks: [],
  };
}

/** @returns ids of everything that depends on `id`, directly or not, in plan order */
export function dependentsOf(id: string, subtasks: readonly Pick<SubtaskSpec, "id" | "depends_on">[]): string[] {
  const below = new Set([id]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const subtask of subtasks) {
      if (!below.has(subtask.id) && subtask.depends_on.some((dependency) => below.has(dependency))) {
        below.add(subtask.id);
        grown = true;
      }
    }
  }
  return subtasks.map((subtask) => subtask.id).filter((other) => other !== id && below.has(other));
}
