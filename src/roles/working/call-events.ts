/** How a call stands in the log: what its step says when it starts, and when it ends. */
import { type FileChange, isBulk } from "../../domain/change.ts";
import type { EventOf } from "../../domain/event.ts";
import { leasedBy } from "../../domain/lease.ts";
import type { StepEndEvent } from "../../domain/report.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { Blob, EffectClass } from "../../ports/event-store.ts";
import type { StepEnd, StepSpec } from "../../ports/journal.ts";
import { head, shortArguments, within } from "../excerpt.ts";
import { type CallRecord, jsonOf } from "../records.ts";
import { readArtifactTool } from "./artifact-ids.ts";
import type { Place, Turn } from "./call-plan.ts";
import { changeEvents, undoNote } from "./watching.ts";

const argumentCharsInEvent = 500;
const outputCharsInEvent = 1000;
/** What a command names beyond these it holds when it has changed them. */
const namedMax = 100;

export interface Outcome {
  readonly record: CallRecord;
  readonly made: readonly FileChange[];
  readonly destructive: boolean;
  readonly durationMs: number;
  readonly blobs?: readonly Blob[];
  readonly sharedWith?: readonly string[];
  /** Why not all that it may have changed can be put back. */
  readonly partial?: string | null;
}

interface StepFacts {
  readonly tool: string;
  readonly effectClass: EffectClass;
  readonly destructive?: boolean;
  readonly changes?: readonly FileChange[];
  readonly blobs?: readonly Blob[];
  readonly watched?: boolean;
  /** Paths that a command names as those which it writes. */
  readonly named?: readonly string[];
  readonly repaired?: readonly string[];
}

export function specOf(
  turn: Turn,
  place: Place,
  { tool, effectClass, destructive = false, changes, blobs, watched, named = [], repaired = [] }: StepFacts,
): StepSpec<JsonObject> {
  const repairs = [...new Set([...(place.call.repaired ?? []), ...repaired])];
  const { subtaskId, attempt } = turn.execution.effect;
  const args = shortArguments(place.call.arguments, argumentCharsInEvent);
  const writes = [...leasedBy(changes ?? []), ...named.filter((path) => !isBulk(path)).slice(0, namedMax)];
  return {
    step: place.step,
    effectClass,
    event: {
      type: "tool_call_started",
      subtask_id: subtaskId,
      tool: within(tool, 100),
      step: place.step,
      attempt,
      args,
      effect_class: effectClass,
      ...(writes.length === 0 ? {} : { writes }),
      ...(repairs.length === 0 ? {} : { repaired: repairs }),
    },
    ...(tool === readArtifactTool ? { readsRecord: true } : {}),
    started: jsonOf({ tool, effectClass, destructive, arguments: args, changes, watched }),
    ...(blobs === undefined ? {} : { blobs }),
  };
}

export function endOf(
  turn: Turn,
  { step }: Pick<Place, "step">,
  { record, made, destructive, durationMs, blobs, sharedWith = [], partial = null }: Outcome,
): StepEnd<JsonObject> {
  const { subtaskId, attempt } = turn.execution.effect;
  const completed: EventOf<"tool_call_completed"> = {
    type: "tool_call_completed",
    subtask_id: subtaskId,
    tool: within(record.tool, 100),
    step,
    attempt,
    success: record.success,
    output: head(record.output, outputCharsInEvent),
    files_changed: record.changed,
    destructive,
    duration_ms: durationMs,
    ...(record.error === undefined ? {} : { error: within(record.error, outputCharsInEvent) }),
    ...(record.exitCode === undefined ? {} : { exit_code: record.exitCode }),
    ...(record.sandbox === undefined ? {} : { sandbox: record.sandbox }),
    ...undoNote(partial),
  };
  const changed = changeEvents({ subtaskId, changeId: changeIdOf(turn, step) }, { changes: made, sharedWith });
  const events: StepEndEvent[] = [completed, ...changed];
  return { result: jsonOf(record), events, ...(blobs === undefined || blobs.length === 0 ? {} : { blobs }) };
}

/** `turn-3-call-1` of attempt 2 of subtask a → `chg_a_2_3_1` */
function changeIdOf(turn: Turn, step: string): string {
  const { subtaskId, attempt } = turn.execution.effect;
  const [, number = "0", call = "0"] = /^turn-(\d+)-call-(\d+)$/.exec(step) ?? [];
  return `chg_${subtaskId}_${attempt}_${number}_${call}`;
}
