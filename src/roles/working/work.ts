/** The executor role: opens the workspace, says what the subtask is, and lets the loop run to its report. */
import type { Report } from "../../domain/report.ts";
import type { Subtask } from "../../domain/task.ts";
import type { Execution, Executor } from "../../ports/executor.ts";
import type { Memory, MemoryRow } from "../../ports/memory.ts";
import type { Models } from "../../ports/model.ts";
import type { Tool, Tools } from "../../ports/tool.ts";
import type { Workspaces } from "../../ports/workspace.ts";
import { sizeOfTools, TokenGauge } from "../context/context-size.ts";
import { modelFailure } from "../model-step.ts";
import { executorBriefing, executorRulesBytes, executorSystem } from "../prompts.ts";
import { type Opening, TurnStarted } from "../records.ts";
import { workspaceFailure } from "../workspace-failure.ts";
import { readArtifactTool } from "./artifact-ids.ts";
import { type LoopPorts, ToolLoop } from "./turn.ts";

export interface WorkerPorts extends LoopPorts {
  readonly models: LoopPorts["models"] & Pick<Models, "window">;
  readonly tools: Pick<Tools, "forTask">;
  readonly workspaces: Pick<Workspaces, "open">;
  readonly memory: Pick<Memory, "list">;
}

const memoriesShown = 12;
const memoriesRead = 200;
/** @see DECISIONS 26 */
const unknownWindow = { contextTokens: 8192, bytesPerToken: 3 };
/** Of the window, for all that stands in every request. */
const pinnedShare = 0.5;
const openingBytesLeast = 2000;
const fullShare = 0.9;

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
  const opening = recordedOpening(execution) ?? (await openingOf(execution, ports, offered));
  const flaw = flawOf(opening, offered);
  if (flaw !== null) return { type: "Failed", key: execution.effect.key, class: "context", feedback: flaw };
  return new ToolLoop(ports, { execution, workspace, offered, opening }).run();
}

function recordedOpening({ journal }: Execution<"work">): Opening | undefined {
  const first = journal.recall("turn-1");
  return first === undefined ? undefined : TurnStarted.parse(first.started).opening;
}

async function openingOf(execution: Execution<"work">, ports: WorkerPorts, offered: readonly Tool[]): Promise<Opening> {
  const task = execution.current();
  const { subtaskId, tier } = execution.effect;
  const subtask = task.subtasks.get(subtaskId);
  if (subtask === undefined) throw new Error(`Task ${task.id} has no subtask "${subtaskId}"`);
  const memories = relevant(await ports.memory.list(task.id, { limit: memoriesRead }), subtask);
  const window = await ports.models.window({ role: "executor", tier }, execution.stop.aborted);
  const { contextTokens: windowTokens, bytesPerToken } = window ?? unknownWindow;
  const given = new TokenGauge(bytesPerToken).sizeFor(windowTokens * pinnedShare) - steadyBytes(offered);
  const bytesMax = Math.max(given, openingBytesLeast);
  const canReadOn = offered.some(({ schema }) => schema.name === readArtifactTool);
  const system = executorSystem(task, { bytesMax: Math.floor(bytesMax / 2), canReadOn });
  const taskBytes = Buffer.byteLength(system) - executorRulesBytes;
  const user = executorBriefing({ task, subtask, memories }, bytesMax - taskBytes);
  return { system, user, windowTokens, bytesPerToken };
}

/** What no cutting makes smaller. */
function steadyBytes(offered: readonly Tool[]): number {
  return executorRulesBytes + sizeOfTools(offered.map(({ schema }) => schema));
}

/** A window that the first request fills can hold no work. */
function flawOf({ system, user, windowTokens, bytesPerToken }: Opening, offered: readonly Tool[]): string | null {
  const bytes = Buffer.byteLength(system) + Buffer.byteLength(user) + sizeOfTools(offered.map(({ schema }) => schema));
  const tokens = Math.ceil(new TokenGauge(bytesPerToken).tokens(bytes));
  if (tokens < fullShare * windowTokens) return null;
  return `The model's window of ${windowTokens} tokens is too small for an executor: its rules, tools and task take about ${tokens} of them. Use a model with a window of at least ${2 * tokens}, or set context_tokens to what the server really holds`;
}

/** What was known before the attempt began: what is meant for this subtask first, then the newest; decisions apart; told oldest first. */
function relevant(rows: readonly MemoryRow[], subtask: Subtask): MemoryRow[] {
  const { id } = subtask.spec;
  const known = rows.filter((row) => row.seq < subtask.startedSeq);
  const isMeant = (row: MemoryRow) => row.subtaskId === id || row.relevanceTo.includes(id);
  const ranked = [...known.filter(isMeant), ...known.filter((row) => !isMeant(row))];
  const isDecision = ({ entryType }: MemoryRow) => entryType === "decision";
  return [
    ...ranked.filter(isDecision).slice(0, memoriesShown),
    ...ranked.filter((row) => !isDecision(row)).slice(0, memoriesShown),
  ].sort((a, b) => a.seq - b.seq || a.id - b.id);
}
