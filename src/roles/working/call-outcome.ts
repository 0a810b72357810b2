/** What a call came to, as the conversation keeps it: the text for the model, and the facts that outlive the epoch. */
import type { JsonObject } from "../../lib/json.ts";
import { oneLine, shortArguments, within } from "../excerpt.ts";
import type { CallRecord, Reply } from "../records.ts";
import { callArtifact } from "./artifact-ids.ts";

export interface Outcome {
  readonly text: string;
  /** Where all of it can be read again. */
  readonly artifact: string;
  /** The tool itself showed only a part. */
  readonly isPart: boolean;
  /** The call and its result on one line, for a handoff. */
  readonly line: string;
  readonly tool: string;
  readonly success: boolean;
  readonly changed: readonly string[];
  /** What a person decided with it; empty when none did. */
  readonly decision: string;
}

interface Turn {
  readonly subtaskId: string;
  readonly attempt: number;
  readonly turn: number;
}

export function outcomesOf(turn: Turn, reply: Reply, records: readonly CallRecord[]): Outcome[] {
  return reply.toolCalls.map((call, index) => {
    const record = records[index];
    if (record === undefined) throw new Error(`Call ${index + 1} of turn ${turn.turn} has no record`);
    const text = resultText(record);
    const line = `turn ${turn.turn}: ${record.tool} ${shown(call.arguments, 120)} → ${oneLine(text, 240)}`;
    return {
      text,
      artifact: callArtifact({ ...turn, call: index + 1 }),
      isPart: record.artifact !== undefined,
      line,
      tool: record.tool,
      success: record.success,
      changed: record.changed,
      decision: decisionIn(record, call.arguments),
    };
  });
}

/** A call's result as the model reads it. */
export function resultText(record: Pick<CallRecord, "success" | "output" | "error">): string {
  if (record.success) return record.output === "" ? "(done, no output)" : record.output;
  const error = `ERROR: ${record.error ?? "the call failed"}`;
  return record.output === "" ? error : `${error}\n${record.output}`;
}

function decisionIn(record: CallRecord, args: JsonObject | string): string {
  if (record.mark === "denied") return `${record.tool} ${shown(args, 200)}: ${oneLine(record.error ?? "denied", 300)}`;
  if (record.kind !== "person" || !record.success) return "";
  return `asked ${shown(args, 300)}, a person answered: ${within(record.output, 1000)}`;
}

function shown(args: JsonObject | string, charsMax: number): string {
  return within(JSON.stringify(shortArguments(args, charsMax)), 3 * charsMax);
}
