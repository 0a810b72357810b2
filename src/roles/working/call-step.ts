/**
 * One tool call as one step of the journal: started with what is needed to judge it after a crash, ended with its result
 * and the changes it made. A call that fails is a result; only an abort or a refusal of the journal is thrown.
 */

import { type FileChange, sameState } from "../../domain/change.ts";
import type { JsonObject } from "../../lib/json.ts";
import { StepRefused, type StepSpec } from "../../ports/journal.ts";
import type { CommandChanges, Watch } from "../../ports/manifests.ts";
import type { PreparedCall, ToolResult } from "../../ports/tool.ts";
import { head, within } from "../excerpt.ts";
import { CallRecord, type CallStarted } from "../records.ts";
import { endOf, type Outcome, specOf } from "./call-events.ts";
import {
  classOf,
  contextOf,
  explained,
  failedRecord,
  type Place,
  planCall,
  type RunPlan,
  runsCommand,
  type Turn,
} from "./call-plan.ts";
import { type CallAt, uncertainAsk } from "./consent.ts";
import { heldFrom, heldRecord, trespassNote } from "./held-paths.ts";
import { commandAt, isStillWanted, pathsOf, underWatch } from "./watching.ts";

const changedInRecord = 100;

export function callAt(turn: Turn, place: Place): CallAt {
  const { subtaskId, attempt } = turn.execution.effect;
  return { subtaskId, attempt, turn: turn.number, call: place.number };
}

/** Records the result of a call that does not run. */
export async function recordSettled(turn: Turn, place: Place, record: CallRecord): Promise<CallRecord> {
  const spec = specOf(turn, place, { tool: record.tool, effectClass: "pure" });
  return taken(turn, spec, () => Promise.resolve({ record, made: [], destructive: false, durationMs: 0 }));
}

/** Runs a call that may run. */
export async function runPrepared(turn: Turn, place: Place, plan: RunPlan): Promise<CallRecord> {
  if (!runsCommand(plan)) return begun(turn, place, plan);
  const { manifests } = turn.ports;
  const record = await underWatch(manifests, watchedAt(turn, place), (watch) => begun(turn, place, plan, watch));
  turn.execution.stop.aborted.throwIfAborted();
  return record;
}

async function begun(turn: Turn, place: Place, plan: RunPlan, watch?: Watch & { begun(): void }): Promise<CallRecord> {
  const { judgement, prepared, tool } = plan;
  const facts = {
    tool: tool.schema.name,
    effectClass: classOf(plan),
    destructive: prepared.destructive,
    repaired: prepared.repaired ?? [],
    named: judgement.writes ?? [],
    ...(prepared.change === undefined ? {} : { changes: prepared.change.changes, blobs: prepared.change.blobs }),
    ...(watch === undefined ? {} : { watched: true }),
  };
  try {
    return await taken(turn, specOf(turn, place, facts), () => {
      watch?.begun();
      return carriedOut(turn, place, plan, watch);
    });
  } catch (error) {
    // Another subtask set out at the same moment, and was first in the log.
    const held = error instanceof StepRefused ? heldFrom(turn.execution, prepared, judgement) : null;
    if (held === null) throw error;
    return await recordSettled(turn, place, heldRecord(tool.schema.name, held));
  }
}

/** @returns why not all that a command may change could be put back; null where all could, or none is run */
export async function undoLack(turn: Turn, plan: RunPlan): Promise<string | null> {
  if (!runsCommand(plan)) return null;
  const { root } = turn.workspace;
  return await turn.ports.manifests.lack({ taskId: turn.execution.task.id, root });
}

function watchedAt(turn: Turn, place: Place) {
  const { subtaskId, marker } = contextOf(turn, place);
  return commandAt(turn.execution, { root: turn.workspace.root, subtaskId, marker });
}

/** Comes back to a call that was started in an earlier life and not ended: what is done stays done, what is unclear is said. */
export async function resumeCall(turn: Turn, place: Place, before: CallStarted): Promise<CallRecord> {
  const name = before.tool;
  const spec: StepSpec<JsonObject> = {
    ...specOf(turn, place, { tool: name, effectClass: before.effectClass }),
    interrupted: async () => {
      const changes = before.changes ?? [];
      const standing = changes.length === 0 ? "neither" : await turn.workspace.standing(changes);
      if (standing === "before") return { kind: "again" };
      if (standing === "after") return { kind: "done", end: endOf(turn, place, doneBefore(name, before)) };
      const done = before.watched === true ? await turn.ports.manifests.interrupted(watchedAt(turn, place)) : nothing;
      return uncertain(turn, place, before, done);
    },
  };
  return taken(turn, spec, async () => {
    const plan = await planCall(turn, place);
    if (plan.kind === "settled") return { record: plan.record, made: [], destructive: false, durationMs: 0 };
    const outcome = await carriedOut(turn, place, plan);
    return { ...outcome, blobs: [...(plan.prepared.change?.blobs ?? []), ...(outcome.blobs ?? [])] };
  });
}

const nothing: CommandChanges = { changes: [], blobs: [], sharedWith: [], partial: null };

async function taken(turn: Turn, spec: StepSpec<JsonObject>, run: () => Promise<Outcome>): Promise<CallRecord> {
  const place = { step: spec.step };
  let made: CallRecord | null = null;
  const result = await turn.execution.journal.step(spec, async () => {
    const outcome = await run();
    made = outcome.record;
    return endOf(turn, place, outcome);
  });
  return made ?? CallRecord.parse(result);
}

async function carriedOut(turn: Turn, place: Place, plan: RunPlan, watch?: Watch): Promise<Outcome> {
  const { prepared, tool } = plan;
  const { clock } = turn.ports;
  const began = clock.now();
  const result = await resultOf(turn, place, plan).catch((error: unknown) => {
    if (watch === undefined || isStillWanted(turn.execution)) throw error;
    return stopped;
  });
  const isStopped = turn.cut.aborted && !result.success;
  const done = watch === undefined ? null : await watch.ended();
  const made = done?.changes ?? (await changesMade(turn, prepared, result));
  const command = prepared.action.command ?? prepared.action.argv?.join(" ");
  const record: CallRecord = {
    tool: tool.schema.name,
    kind: kindOf(result, made, runsCommand(plan)),
    success: result.success,
    output: done === null ? result.output : result.output + trespassNote(turn.execution, done),
    changed: made.slice(0, changedInRecord).map(({ path }) => path),
    ...(isStopped
      ? { error: "stopped by a person", mark: "stopped" }
      : result.error === undefined
        ? {}
        : { error: result.error }),
    ...(result.exitCode === undefined ? {} : { exitCode: result.exitCode }),
    ...(result.sandbox === undefined ? {} : { sandbox: result.sandbox }),
    ...(result.seen === undefined ? {} : { seen: result.seen }),
    ...(command === undefined ? {} : { command: head(command, 2000) }),
  };
  const kept = artifactOf(result, turn.ports.digest);
  return {
    record: kept === null ? record : { ...record, artifact: kept.artifact },
    made,
    destructive: prepared.destructive,
    durationMs: clock.now() - began,
    ...done,
    blobs: [...(done?.blobs ?? []), ...(kept === null ? [] : [kept.blob])],
  };
}

/** A long output is shown in part; all of it is kept beside the record, to be read on. */
function artifactOf({ whole }: ToolResult, digestOf: (text: string) => string) {
  if (whole === undefined) return null;
  const [bytes, digest] = [Buffer.from(whole), digestOf(whole)];
  return { blob: { digest, bytes }, artifact: { digest, bytes: bytes.length } };
}

const stopped: ToolResult = { success: false, output: "", error: "stopped: this is not wanted any more" };

async function resultOf(turn: Turn, place: Place, { tool, prepared, judgement }: RunPlan): Promise<ToolResult> {
  const limit = AbortSignal.timeout(tool.timeoutMs);
  try {
    const signal = AbortSignal.any([contextOf(turn, place).signal, limit]);
    return await prepared.run(signal, { network: judgement.network === true });
  } catch (error) {
    turn.execution.stop.aborted.throwIfAborted();
    const reason = limit.aborted
      ? `${tool.schema.name} did not end within ${tool.timeoutMs / 1000} s`
      : explained(error);
    return { success: false, output: "", error: reason };
  }
}

/** What the call changed: what it planned when it succeeded, and when it failed after all had been done. */
async function changesMade(turn: Turn, prepared: PreparedCall, result: ToolResult): Promise<FileChange[]> {
  const planned = prepared.change?.changes.filter(({ before, after }) => !sameState(before, after)) ?? [];
  if (planned.length === 0 || result.success) return planned;
  return (await turn.workspace.standing(planned)) === "after" ? planned : [];
}

function kindOf(result: ToolResult, made: readonly FileChange[], ranCommand: boolean): CallRecord["kind"] {
  if (ranCommand) return result.success ? "command" : "none";
  if (made.length > 0) return "write";
  return result.success ? "read" : "none";
}

function doneBefore(tool: string, { changes = [], destructive }: CallStarted): Outcome {
  const changed = changes.map(({ path }) => path);
  const seen = Object.fromEntries(changes.map(({ path, after }) => [path, after]));
  const record: CallRecord = {
    tool,
    kind: "write",
    success: true,
    output: `Done: ${changed.join(", ")}`,
    changed,
    seen,
  };
  return { record, made: changes, destructive, durationMs: 0 };
}

type Interrupted = Awaited<ReturnType<NonNullable<StepSpec<JsonObject>["interrupted"]>>>;

/** Nobody knows how far it ran: it is never repeated silently. */
function uncertain(
  turn: Turn,
  place: Place,
  { tool: name, effectClass }: CallStarted,
  { changes, ...done }: CommandChanges,
): Interrupted {
  const doubt =
    effectClass === "workspace"
      ? "this change was begun and Loom died; the files stand neither as before nor as intended; read them before you go on"
      : "this command was started and Loom died; it is not known whether or how far it ran; check before repeating";
  const detail = changes.length === 0 ? doubt : `${doubt}. Changed since it began: ${pathsOf(changes)}`;
  const changed = changes.slice(0, changedInRecord).map(({ path }) => path);
  const record = { ...failedRecord(name, { error: detail, mark: "uncertain" }), changed };
  const { subtaskId, attempt } = turn.execution.effect;
  const isAsked = turn.execution.task.brief.rules.on_uncertain === "ask";
  return {
    kind: "uncertain",
    event: {
      type: "uncertain_effect",
      subtask_id: subtaskId,
      attempt,
      step: place.step,
      tool: within(name, 100),
      detail,
    },
    end: endOf(turn, place, { record, made: changes, destructive: false, durationMs: 0, ...done }),
    ...(isAsked ? { ask: uncertainAsk(callAt(turn, place), name, detail) } : {}),
  };
}
