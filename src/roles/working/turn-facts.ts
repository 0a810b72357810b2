/** What a reply and the calls of a turn say, beside being carried out: whether the attempt goes on, and why not. Pure. */
import { repetitionCut } from "../../domain/protocol.ts";
import { isJsonObject } from "../../lib/json.ts";
import type { Execution } from "../../ports/executor.ts";
import type { Tool } from "../../ports/tool.ts";
import { within } from "../excerpt.ts";
import { goOnAfterCut, goOnAfterNothing, goOnAfterRepetition } from "../prompts.ts";
import type { JsonReader } from "../reading.ts";
import type { CallRecord, Reply } from "../records.ts";
import { toolFor } from "./call-plan.ts";

const reasonCharsMax = 2000;

/** Calls go on under the name of the tool that was meant, so that the next request names only tools that exist. */
export function withMeantNames(reply: Reply, offered: readonly Tool[]): Reply {
  return {
    ...reply,
    toolCalls: reply.toolCalls.map((call) => ({
      ...call,
      name: toolFor(offered, call.name)?.schema.name ?? call.name,
    })),
  };
}

export function mayHaveChanged(record: CallRecord | undefined): boolean {
  return (
    record !== undefined && (record.changed.length > 0 || (record.command !== undefined && record.mark === undefined))
  );
}

export function tooLongAgain(limit: Reply["limit"]): string {
  const sizes = [
    limit?.promptTokens === undefined ? "" : `the prompt has ${limit.promptTokens} tokens`,
    limit?.windowTokens === undefined ? "" : `the model takes ${limit.windowTokens}`,
  ].filter((text) => text !== "");
  const told = sizes.length === 0 ? "" : ` (${sizes.join(", ")})`;
  return `The model refused the conversation as too long, also after it was shortened once${told}. Give the model a larger window, or make the subtask smaller`;
}

/** Of a reply that is of no use: what the model is told, and what is told of one that gives no other. */
export function shortfallOf({ finish, repaired }: Pick<Reply, "finish" | "repaired">): {
  readonly note: string;
  readonly failed: string;
} {
  if (finish !== "length") return { note: goOnAfterNothing, failed: "The model answered with nothing again and again" };
  return repaired.includes(repetitionCut)
    ? { note: goOnAfterRepetition, failed: "The model's replies said the same over and over, again and again" }
    : { note: goOnAfterCut, failed: "The model's replies were cut at the token limit again and again" };
}

export function lastDenial(records: readonly CallRecord[]): string {
  return records.findLast(({ mark }) => mark === "denied")?.error ?? "";
}

/** @returns the reason when the whole reply says that the subtask is blocked, else null */
export function blockedReason(text: string, reader: JsonReader): string | null {
  const bare = text.trim().replace(/^```(?:json)?\s*|\s*```$/g, "");
  if (!bare.startsWith("{") || !bare.endsWith("}")) return null;
  const value = reader.readJson(bare)?.value;
  if (!isJsonObject(value) || value["status"] !== "blocked") return null;
  const reason = value["reason"];
  return typeof reason === "string" && reason !== ""
    ? within(reason, reasonCharsMax)
    : "The executor said that it is blocked, and gave no reason";
}

/** What people said before the attempt began stands in its first prompt, and has its receipt there. */
export function toldBefore(execution: Execution<"work">): number[] {
  const { instructions, subtasks } = execution.current();
  const { subtaskId } = execution.effect;
  const since = subtasks.get(subtaskId)?.startedSeq ?? 0;
  return instructions.flatMap(({ seq, readBy }) => (seq < since && !readBy.includes(subtaskId) ? [seq] : []));
}
