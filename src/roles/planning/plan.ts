/** The planner: goal, workspace and what went before in; a proposed plan, or why there is none, out. It judges no plan. */
import { isQuestion, type SubtaskSpec } from "../../domain/plan.ts";
import type { Report } from "../../domain/report.ts";
import { canonicalJson } from "../../lib/json.ts";
import type { Execution, Executor } from "../../ports/executor.ts";
import type { Models } from "../../ports/model.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { Tools } from "../../ports/tool.ts";
import type { Workspaces } from "../../ports/workspace.ts";
import { askFitting } from "../context/request-room.ts";
import { modelFailure } from "../model-step.ts";
import { workspaceFailure } from "../workspace-failure.ts";
import { copyFlaws, planExamples } from "./plan-examples.ts";
import { type PlanMaterial, plannerRequest, plannerSystem, planSchema } from "./plan-prompt.ts";
import { readPlan } from "./plan-reading.ts";

export interface PlannerPorts {
  readonly models: Pick<Models, "call" | "readJson" | "terms" | "window">;
  readonly tools: Pick<Tools, "forTask">;
  readonly workspaces: Pick<Workspaces, "open">;
  readonly clock: Pick<Clock, "now">;
}

const listingDepth = 2;
const listingMax = 200;

export function createPlanner(ports: PlannerPorts): Executor<"plan"> {
  return async (execution) => {
    const { key } = execution.effect;
    if (execution.stop.yielding.aborted) return { type: "Yielded", key };
    try {
      return await propose(execution, ports);
    } catch (error) {
      const report = modelFailure(key, error) ?? workspaceFailure(key, error);
      if (report === null) throw error;
      return report;
    }
  };
}

async function propose(execution: Execution<"plan">, ports: PlannerPorts): Promise<Report> {
  const { effect, journal, stop } = execution;
  const known = await material(execution, ports);
  const reply = await askFitting(journal, ports, {
    step: "plan",
    pick: { role: "planner", tier: 2, taskId: execution.task.id, priority: "plan" },
    system: plannerSystem(),
    schema: { name: "plan", schema: planSchema },
    examples: planExamples(known.toolNames),
    user: (bytesMax) => plannerRequest(known, bytesMax),
    at: { attempt: effect.call, iteration: 1 },
    signal: stop.aborted,
  });
  const read = readPlan(reply.text, ports.models);
  // A plan that was cut may lack its end, however well what is there can be read.
  const isCut = reply.finish === "length" && (read.flaws.length > 0 || read.repaired);
  const { brief } = known.task;
  const copied = copyFlaws(
    read.subtasks,
    `${brief.goal} ${canonicalJson(brief.context)} ${known.listing.map(({ path }) => path).join(" ")}`,
  );
  const flaws = isCut ? ["The reply was cut before its end; make a shorter plan."] : [...read.flaws, ...copied];
  const isFirst = known.planning.replan === null;
  const subtasks = isFirst && reply.protocol !== undefined ? withGoalAsJob(read.subtasks, brief.goal) : read.subtasks;
  return { type: "PlanProposed", key: effect.key, subtasks: flaws.length > 0 ? [] : subtasks, flaws };
}

const goalAsJobMax = 2000;

/**
 * What a small model makes of a goal in its own words is seldom better than the goal: where one subtask is all, that is its
 * job. Even the name that it gave the subtask leads an executor as small away from it.
 */
function withGoalAsJob(subtasks: readonly SubtaskSpec[], goal: string): readonly SubtaskSpec[] {
  const [only, ...others] = subtasks;
  if (only === undefined || others.length > 0 || goal.length > goalAsJobMax) return subtasks;
  // What it adds is mostly taken from an example: the goal's form says what kind of work it is, and its words which files it means.
  const asked = isQuestion(goal) ? "inspect" : "change";
  const kind = only.kind === "answer" ? only.kind : asked;
  const outputs = only.expected_outputs.filter((path) => goal.includes(path));
  return [
    { ...only, id: "main", description: goal, kind, acceptance_criteria: "", expected_outputs: outputs, checks: [] },
  ];
}

async function material(execution: Execution<"plan">, ports: PlannerPorts): Promise<PlanMaterial> {
  const task = execution.current();
  const { planning } = task;
  if (planning === null) throw new Error(`Task ${task.id} runs ${execution.effect.key} but wants no plan`);
  const workspace = await ports.workspaces.open(task.brief.workspace);
  const tools = await ports.tools.forTask({ workspace, someoneCanAnswer: task.brief.approvers === "wait" });
  const listing = await workspace.list(".", { depth: listingDepth, limit: listingMax });
  return { task, planning, listing, toolNames: tools.map((tool) => tool.schema.name) };
}
