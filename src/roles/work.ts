/** The executor role: opens the workspace, says what the subtask is, and lets the loop run to its report. */
import type { Report } from "../domain/report.ts";
import type { Subtask } from "../domain/task.ts";
import type { Execution, Executor } from "../ports/executor.ts";
import type { Memory, MemoryRow } from "../ports/memory.ts";
import type { Tools } from "../ports/tool.ts";
import type { Workspaces } from "../ports/workspace.ts";
import { modelFailure } from "./model-step.ts";
import { executorBriefing, executorSystem } from "./prompts.ts";
import { type Opening, TurnStarted } from "./records.ts";
import { type LoopPorts, ToolLoop } from "./turn.ts";
import { workspaceFailure } from "./workspace-failure.ts";

export interface WorkerPorts extends LoopPorts {
  readonly tools: Pick<Tools, "forTask">;
  readonly workspaces: Pick<Workspaces, "open">;
  readonly memory: Pick<Memory, "list">;
}

const memoriesShown = 12;
const memoriesRead = 200;
/** @see DECISIONS 26 */
const windowTokensDefault = 8192;

export function createWorker(ports: WorkerPorts): Executor<"work"> {
  return async (execution) => {
    const { key } = execution.effect;
    try {
      return await attempt(execution, ports);
    } catch (error) {
      const report = modelFailure(key, error) ?? workspaceFailure(key, error);
      if (report === null) throw error;
      return report;
    }
  };
}

async function attempt(execution: Execution<"work">, ports: WorkerPorts): Promise<Report> {
  const { brief } = execution.task;
  const workspace = await ports.workspaces.open(brief.workspace);
  const offered = await ports.tools.forTask({ workspace, someoneCanAnswer: brief.approvers === "wait" });
  const opening = recordedOpening(execution) ?? (await openingOf(execution, ports));
  return new ToolLoop(ports, { execution, workspace, offered, opening }).run();
}

function recordedOpening({ journal }: Execution<"work">): Opening | undefined {
  const first = journal.recall("turn-1");
  return first === undefined ? undefined : TurnStarted.parse(first.started).opening;
}

async function openingOf(execution: Execution<"work">, ports: WorkerPorts): Promise<Opening> {
  const task = execution.current();
  const { subtaskId, tier } = execution.effect;
  const subtask = task.subtasks.get(subtaskId);
  if (subtask === undefined) throw new Error(`Task ${task.id} has no subtask "${subtaskId}"`);
  const memories = relevant(await ports.memory.list(task.id, { limit: memoriesRead }), subtask);
  const window = ports.models.first({ role: "executor", tier });
  return {
    system: executorSystem(task),
    user: executorBriefing({ task, subtask, memories }),
    windowTokens: window?.contextTokens ?? windowTokensDefault,
  };
}

/** What was known before the attempt began: what is meant for this subtask first, then the newest; told oldest first. */
function relevant(rows: readonly MemoryRow[], subtask: Subtask): MemoryRow[] {
  const { id } = subtask.spec;
  const known = rows.filter((row) => row.seq < subtask.startedSeq);
  const isMeant = (row: MemoryRow) => row.subtaskId === id || row.relevanceTo.includes(id);
  return [...known.filter(isMeant), ...known.filter((row) => !isMeant(row))]
    .slice(0, memoriesShown)
    .sort((a, b) => a.seq - b.seq || a.id - b.id);
}
