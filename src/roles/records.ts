/**
 * Records: what the journal keeps of an attempt's steps, and how it is read back. A turn is a model's reply, a call is the
 * result of one tool call; verification, extraction and the answer read them too, so their shape is said once, here.
 */
import { z } from "zod";
import { CallUsage } from "../domain/budget.ts";
import { FileChange, FileState } from "../domain/change.ts";
import { SandboxLayer } from "../domain/event.ts";
import { ProtocolLowered } from "../domain/protocol.ts";
import { isJsonObject, type JsonObject, parseJson } from "../lib/json.ts";
import type { StepRow } from "../ports/event-store.ts";
import type { RecordedStep } from "../ports/journal.ts";

const Arguments = z.union([z.string(), z.custom<JsonObject>(isJsonObject)]);

/**
 * `interrupted`: a person cut the call; `overflow`: the request was too long for the model; `failed`: the model could not be
 * had for what can be done without it. All have an empty reply.
 */
export const Reply = z.object({
  text: z.string(),
  toolCalls: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      arguments: Arguments,
      repaired: z.array(z.string()).optional(),
      error: z.string().optional(),
    }),
  ),
  finish: z.enum(["stop", "tool_calls", "length", "filtered", "other", "interrupted", "overflow", "failed"]),
  usage: CallUsage.optional(),
  model: z.string(),
  protocol: z.enum(["json_schema", "text"]).optional(),
  repaired: z.array(z.string()),
  /** What the server said of its window when it refused the request. */
  limit: z.object({ windowTokens: z.number().optional(), promptTokens: z.number().optional() }).optional(),
  /** The server cut the prompt: what it counted, and what it holds. */
  promptCut: z.object({ countedTokens: z.number(), windowTokens: z.number() }).optional(),
});
export type Reply = z.infer<typeof Reply>;

/** The first messages of an attempt and the window they are for, kept with its first turn so that a replay sends the same. */
export const Opening = z.object({
  system: z.string(),
  user: z.string(),
  windowTokens: z.number(),
  /** As it was known of the model then. */
  bytesPerToken: z.number().default(3),
});
export type Opening = z.infer<typeof Opening>;

/** How an epoch begins: kept with the start of its compaction, so that a replay begins it just so. */
export const EpochPlan = z.object({
  /** Groups of messages that are put away, the oldest first; the others stay as they are. */
  away: z.number(),
  handoffBytes: z.number(),
  /** For the last step where it is too long to be kept as it is; its result was not seen yet. */
  lastStepBytes: z.number(),
  instructionBytes: z.number(),
});
export type EpochPlan = z.infer<typeof EpochPlan>;

export const TurnStarted = z.object({
  instructions: z.array(z.object({ seq: z.number(), text: z.string() })),
  opening: Opening.optional(),
  /** Present where a weaker protocol is spoken from this turn on. */
  lowered: ProtocolLowered.optional(),
  /** Present where an epoch begins with this turn. */
  epoch: EpochPlan.optional(),
});

export type TurnStarted = z.infer<typeof TurnStarted>;

/** Why a call has no result of a run: the person's no, the policy's, another subtask's path, arguments that could not be read, … */
const CallMark = z.enum(["denied", "refused", "held", "invalid", "skipped", "uncertain", "stopped"]);

export const CallRecord = z.object({
  tool: z.string(),
  /** What the call was, as evidence: `none` for one that did not run or did not succeed in anything. */
  kind: z.enum(["read", "write", "command", "person", "none"]),
  success: z.boolean(),
  output: z.string(),
  error: z.string().optional(),
  exitCode: z.number().optional(),
  sandbox: SandboxLayer.optional(),
  seen: z.record(z.string(), FileState).optional(),
  mark: CallMark.optional(),
  /** The path for which it was refused, as another subtask holds it. */
  held: z.string().optional(),
  changed: z.array(z.string()),
  /** The command line, for calls that ran one. */
  command: z.string().optional(),
  /** All that the call gave, where `output` is cut: kept as a blob. */
  artifact: z.object({ digest: z.string(), bytes: z.number() }).optional(),
});
export type CallRecord = z.infer<typeof CallRecord>;

export const CallStarted = z.object({
  tool: z.string(),
  /** `pure` also for a call that was only to be answered, not run. */
  effectClass: z.enum(["pure", "workspace", "external"]),
  destructive: z.boolean(),
  arguments: z.record(z.string(), z.unknown()).optional(),
  changes: z.array(FileChange).optional(),
  /** Stock was taken before it. */
  watched: z.boolean().optional(),
});

export type CallStarted = z.infer<typeof CallStarted>;

/** @returns a record as JSON: members that are undefined are left out, nothing is shared with `value` */
export function jsonOf(value: object): JsonObject {
  const copy = parseJson(JSON.stringify(value));
  if (!isJsonObject(copy)) throw new Error("A record must be a JSON object");
  return copy;
}

export function hasEnded(recorded: RecordedStep | undefined): boolean {
  return recorded?.ended !== undefined;
}

export interface PastCall {
  readonly step: string;
  readonly arguments: JsonObject | string;
  readonly record: CallRecord;
}

/** An attempt as its journal tells it. */
export interface PastAttempt {
  readonly calls: readonly PastCall[];
  /** Names of the models that answered. */
  readonly models: readonly string[];
  /** What the last turn said. */
  readonly finalText: string;
  /** Every reply had to be shown its form, as those of small models do. */
  readonly wasShownForm: boolean;
}

export function pastAttempt(rows: readonly StepRow[]): PastAttempt {
  const ended = new Map(
    rows.flatMap(({ step, ended: end }) => (end === undefined ? [] : [[step, end.result] as const])),
  );
  const models = new Set<string>();
  const calls: PastCall[] = [];
  let finalText = "";
  let wasShownForm = true;
  for (const [step, result] of ended) {
    if (!/^turn-\d+$/.test(step)) continue;
    const reply = Reply.parse(result);
    wasShownForm &&= reply.protocol !== undefined;
    if (reply.model !== "") models.add(reply.model);
    finalText = reply.text;
    for (const [index, call] of reply.toolCalls.entries()) {
      const at = `${step}-call-${index + 1}`;
      const record = ended.get(at);
      if (record !== undefined) calls.push({ step: at, arguments: call.arguments, record: CallRecord.parse(record) });
    }
  }
  return { calls, models: [...models], finalText, wasShownForm };
}
