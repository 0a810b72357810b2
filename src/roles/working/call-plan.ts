/** What becomes of a tool call before anything runs: its tool is found, its arguments are read, its action is judged. */

import type { FileState } from "../../domain/change.ts";
import { LoomError, messageOf } from "../../lib/errors.ts";
import { meantTool, nearestTools } from "../../lib/tool-names.ts";
import type { EffectClass } from "../../ports/event-store.ts";
import type { Execution } from "../../ports/executor.ts";
import type { Manifests } from "../../ports/manifests.ts";
import type { ToolCall } from "../../ports/model.ts";
import type { Judgement, Policy } from "../../ports/policy.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { PreparedCall, Tool, ToolContext } from "../../ports/tool.ts";
import type { Changes, Workspace } from "../../ports/workspace.ts";
import type { CallRecord } from "../records.ts";
import { heldFrom, heldRecord } from "./held-paths.ts";

export interface CallPorts {
  readonly policy: Policy;
  readonly clock: Pick<Clock, "now">;
  /** Digest of a text: binds a person's yes to what was shown. */
  readonly digest: (text: string) => string;
  readonly manifests: Manifests;
  readonly changes: Pick<Changes, "foreseen">;
}

/** One turn whose calls are to be carried out. */
export interface Turn {
  readonly ports: CallPorts;
  readonly execution: Execution<"work">;
  readonly number: number;
  readonly offered: readonly Tool[];
  readonly workspace: Workspace;
  readonly seen: Map<string, FileState>;
  /** Fires when a person interrupts. */
  readonly cut: AbortSignal;
}

/** One call of a turn, by its place. */
export interface Place {
  readonly call: ToolCall;
  readonly number: number;
  readonly step: string;
}

export interface RunPlan {
  readonly kind: "run";
  readonly tool: Tool;
  readonly prepared: PreparedCall;
  readonly judgement: Judgement;
}

export type CallPlan =
  | RunPlan
  /** Nothing runs; this is the result. */
  | { readonly kind: "settled"; readonly record: CallRecord };

/** A call may be milder than its tool: `git status` only reads. */
export function classOf({ tool, prepared }: RunPlan): EffectClass {
  return prepared.effectClass ?? tool.effectClass;
}

/** Does it run something that may change any file? */
export function runsCommand(plan: RunPlan): boolean {
  const { argv, command } = plan.prepared.action;
  return classOf(plan) === "external" && (command !== undefined || argv !== undefined);
}

export async function planCall(turn: Turn, place: Place): Promise<CallPlan> {
  if (place.call.error !== undefined) return settled(place.call.name, { error: place.call.error, mark: "invalid" });
  const tool = toolFor(turn.offered, place.call.name);
  if (tool === null)
    return settled(place.call.name, { error: unknownTool(place.call.name, turn.offered), mark: "invalid" });
  const { name } = tool.schema;
  try {
    const prepared = await tool.prepare(place.call.arguments, contextOf(turn, place));
    if (!prepared.ok) return settled(name, { error: prepared.error, mark: "invalid" });
    const judgement = judgementOf(turn, place, prepared.value);
    const held = heldFrom(turn.execution, prepared.value, judgement);
    if (held !== null && judgement.decision !== "deny") return { kind: "settled", record: heldRecord(name, held) };
    if (prepared.value.failure !== undefined) return settled(name, prepared.value.failure);
    return judged(tool, prepared.value, judgement);
  } catch (error) {
    turn.execution.stop.aborted.throwIfAborted();
    return settled(name, { error: explained(error), mark: "invalid" });
  }
}

function judgementOf({ ports, execution, workspace }: Turn, { call }: Place, prepared: PreparedCall): Judgement {
  const understood = prepared.arguments ?? (typeof call.arguments === "string" ? undefined : call.arguments);
  const action = {
    root: workspace.root,
    ...prepared.action,
    ...(understood === undefined ? {} : { arguments: understood }),
  };
  return ports.policy.judge(action, execution.task.brief.policy);
}

function judged(tool: Tool, prepared: PreparedCall, judgement: Judgement): CallPlan {
  if (judgement.decision !== "deny") return { kind: "run", tool, prepared, judgement };
  return settled(tool.schema.name, { error: denialOf(judgement), mark: "refused" });
}

/** For the model: nobody is asked, and asking again changes nothing. */
export function denialOf({ reason }: Judgement): string {
  return `policy_denied: denied by policy: ${reason} Nothing was run and no person is asked: do it another way, or go on without it.`;
}

export function toolFor(offered: readonly Tool[], written: string): Tool | null {
  const name = meantTool(
    written,
    offered.map(({ schema }) => schema.name),
  );
  return offered.find(({ schema }) => schema.name === name) ?? null;
}

function unknownTool(written: string, offered: readonly Tool[]): string {
  const nearest = nearestTools(
    written,
    offered.map(({ schema }) => schema.name),
  );
  return `There is no tool "${written}". Did you mean: ${nearest.join(", ")}?`;
}

export function contextOf(turn: Turn, place: Place): ToolContext {
  const { execution, workspace, seen } = turn;
  const { task, effect } = execution;
  return {
    taskId: task.id,
    subtaskId: effect.subtaskId,
    workspace,
    seen,
    signal: AbortSignal.any([execution.stop.aborted, turn.cut]),
    marker: `${task.id}:${effect.subtaskId}:${effect.attempt}:${place.step}`,
  };
}

function settled(
  tool: string,
  result: Pick<CallRecord, "error" | "mark" | "seen"> & { readonly output?: string; readonly exitCode?: number },
): CallPlan {
  return { kind: "settled", record: failedRecord(tool, result) };
}

export function failedRecord(
  tool: string,
  result: Pick<CallRecord, "error" | "mark" | "seen"> & { readonly output?: string; readonly exitCode?: number },
): CallRecord {
  const { output = "", error, mark, exitCode, seen } = result;
  return {
    tool,
    kind: "none",
    success: false,
    output,
    changed: [],
    ...(error === undefined ? {} : { error }),
    ...(mark === undefined ? {} : { mark }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(seen === undefined ? {} : { seen }),
  };
}

export function explained(error: unknown): string {
  const hint = error instanceof LoomError ? error.hint : undefined;
  return hint === undefined ? messageOf(error) : `${messageOf(error)} (${hint})`;
}
