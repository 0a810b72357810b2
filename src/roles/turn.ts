/**
 * The model–tool loop of one attempt: a turn of the model, its tool calls, the next turn, until a final text or a reason to
 * stop. All that it knows comes from the recorded steps, so a replay takes the same way without a model or a tool.
 */

import type { FileState } from "../domain/change.ts";
import type { FailureClass } from "../domain/event.ts";
import type { Report } from "../domain/report.ts";
import { bounds } from "../domain/rules.ts";
import { LoomError } from "../lib/errors.ts";
import { isJsonObject } from "../lib/json.ts";
import type { Execution } from "../ports/executor.ts";
import type { Models, ToolSchema } from "../ports/model.ts";
import type { Tool } from "../ports/tool.ts";
import type { Workspace } from "../ports/workspace.ts";
import { type CallPorts, toolFor } from "./call-plan.ts";
import { runCalls } from "./calls.ts";
import { Conversation } from "./conversation.ts";
import { within } from "./excerpt.ts";
import { askModel, emptyReply } from "./model-step.ts";
import { PromptMeter } from "./prompt-meter.ts";
import { goOnAfterCut, goOnAfterNothing, lastTurns, nudgeAfterRepeats, steering } from "./prompts.ts";
import type { JsonReader } from "./reading.ts";
import { type CallRecord, Compaction, jsonOf, type Opening, type Reply, TurnStarted } from "./records.ts";
import { Repetition, repeatsToFail, repeatsToNudge } from "./repetition.ts";

export interface LoopPorts extends CallPorts {
  readonly models: Pick<Models, "call" | "first" | "readJson" | "terms">;
}

export interface LoopRoom {
  readonly execution: Execution<"work">;
  readonly workspace: Workspace;
  readonly offered: readonly Tool[];
  readonly opening: Opening;
}

const shortfallsMax = 3;
const summaryCharsMax = 2000;
const turnsLeftToWarn = 3;

export class ToolLoop {
  readonly #ports: LoopPorts;
  readonly #room: LoopRoom;
  readonly #schemas: readonly ToolSchema[];
  readonly #conversation: Conversation;
  readonly #seen = new Map<string, FileState>();
  readonly #repetition = new Repetition();
  readonly #meter = new PromptMeter();
  readonly #applied = new Set<number>();
  #compactions = 0;
  #denials = 0;
  #shortfalls = 0;
  #overflowed = false;

  constructor(ports: LoopPorts, room: LoopRoom) {
    this.#ports = ports;
    this.#room = room;
    this.#schemas = room.offered.map(({ schema }) => schema);
    this.#conversation = new Conversation(room.opening, this.#schemas);
  }

  /** @throws LoomError as `Models.call` does, but for `context_overflow` */
  async run(): Promise<Report> {
    const { execution } = this.#room;
    const { max_tool_iterations: turnsMax } = execution.task.brief.rules;
    for (let turn = 1; turn <= turnsMax; turn += 1) {
      execution.stop.aborted.throwIfAborted();
      if (execution.stop.yielding.aborted && execution.journal.recall(`turn-${turn}`)?.ended === undefined) {
        return { type: "Yielded", key: execution.effect.key };
      }
      await this.#makeRoom(turn);
      const cut = execution.inbox.interrupted();
      const reply = await this.#ask(turn, cut);
      const report = await this.#take(reply, { number: turn, cut, left: turnsMax - turn });
      if (report !== null) return report;
    }
    return this.#failed(
      "loop",
      `The subtask was not finished within ${turnsMax} turns (limits.runner.max_tool_iterations)`,
    );
  }

  async #makeRoom(turn: number): Promise<void> {
    if (!this.#overflowed && !this.#conversation.isFull()) return;
    const compaction = this.#conversation.compaction(this.#overflowed);
    if (compaction === null) return;
    this.#compactions += 1;
    const { effect, journal } = this.#room.execution;
    const about = {
      type: "model_invocation" as const,
      subtask_id: effect.subtaskId,
      role: "compactor",
      step: `compact-${this.#compactions}`,
      attempt: effect.attempt,
      iteration: turn,
    };
    const result = await journal.step(
      { step: about.step, effectClass: "pure", event: { ...about, phase: "start" } },
      () => Promise.resolve({ result: jsonOf(compaction), events: [{ ...about, phase: "done", duration_ms: 0 }] }),
    );
    this.#conversation.compact(Compaction.parse(result));
  }

  async #ask(turn: number, cut: AbortSignal): Promise<Reply> {
    const { execution } = this.#room;
    const { effect, journal, stop, task } = execution;
    const recorded = journal.recall(`turn-${turn}`);
    const instructions = recorded === undefined ? this.#unread() : TurnStarted.parse(recorded.started).instructions;
    for (const { seq, text } of instructions) {
      this.#applied.add(seq);
      this.#conversation.instruct(steering(text));
    }
    const pick = { role: "executor", tier: effect.tier, taskId: task.id, priority: "work" } as const;
    const model = this.#ports.models.first(pick)?.name ?? "";
    return askModel(journal, this.#ports, {
      step: `turn-${turn}`,
      pick,
      request: { messages: this.#conversation.messages(), tools: this.#schemas },
      at: { subtaskId: effect.subtaskId, attempt: effect.attempt, iteration: turn },
      started: jsonOf({ instructions, opening: turn === 1 ? this.#room.opening : undefined }),
      instructionSeqs: instructions.map(({ seq }) => seq),
      signal: AbortSignal.any([stop.aborted, cut]),
      meter: this.#meter,
      onToken: (text) => execution.token(text, { subtaskId: effect.subtaskId, model }),
      replyFor: (error) => {
        if (error instanceof LoomError && error.code === "context_overflow") return emptyReply("overflow");
        return cut.aborted && !stop.aborted.aborted ? emptyReply("interrupted") : null;
      },
    });
  }

  #unread(): { readonly seq: number; readonly text: string }[] {
    return this.#room.execution.inbox
      .instructions()
      .filter(({ seq }) => !this.#applied.has(seq))
      .map(({ seq, text }) => ({ seq, text }));
  }

  /** What follows from a reply: a report that ends the leg, or null for another turn. */
  async #take(
    reply: Reply,
    turn: { readonly number: number; readonly cut: AbortSignal; readonly left: number },
  ): Promise<Report | null> {
    if (reply.finish === "interrupted") return null;
    if (reply.finish === "overflow") return this.#tooLong();
    this.#overflowed = false;
    this.#conversation.observe(reply);
    if (reply.toolCalls.length > 0) {
      const report = await this.#act(reply, turn);
      if (report === null && turn.left === turnsLeftToWarn) this.#conversation.note(lastTurns(turn.left));
      return report;
    }
    const isWhole = reply.finish !== "length" && reply.finish !== "filtered";
    if (!isWhole || reply.text.trim() === "") return this.#fellShort(reply);
    this.#shortfalls = 0;
    const blocked = blockedReason(reply.text, this.#ports.models);
    if (blocked !== null) return this.#failed("blocked", blocked);
    if (turn.left > 0 && this.#unread().length > 0) {
      this.#conversation.said(reply.text);
      return null;
    }
    return this.#delivered(reply.text);
  }

  async #act(received: Reply, turn: { readonly number: number; readonly cut: AbortSignal }): Promise<Report | null> {
    this.#shortfalls = 0;
    const { execution, offered, workspace } = this.#room;
    const reply = withMeantNames(received, offered);
    const at = {
      ports: this.#ports,
      execution,
      number: turn.number,
      offered,
      workspace,
      seen: this.#seen,
      cut: turn.cut,
    };
    const end = await runCalls(at, reply.toolCalls);
    if (end.kind === "ended") return end.report;
    const results = end.records.map(resultText);
    this.#conversation.acted(reply, results);
    this.#denials += end.records.filter(({ mark }) => mark === "denied").length;
    if (this.#denials >= bounds.denialsMax)
      return this.#failed("denied", `${this.#denials} calls were denied: ${lastDenial(end.records)}`);
    return this.#noticeRepeats(reply, results);
  }

  #noticeRepeats(reply: Reply, results: readonly string[]): Report | null {
    const repeats = this.#repetition.add(
      reply.toolCalls.map(({ name, arguments: args }, index) => ({
        name,
        arguments: args,
        result: results[index] ?? "",
      })),
    );
    if (repeats >= repeatsToFail) {
      const names = [...new Set(reply.toolCalls.map(({ name }) => name))].join(", ");
      return this.#failed(
        "loop",
        `The same call (${names}) gave the same result ${repeats} times in a row: ${within(results.at(-1) ?? "", 500)}`,
      );
    }
    if (repeats === repeatsToNudge) this.#conversation.note(nudgeAfterRepeats);
    return null;
  }

  #tooLong(): Report | null {
    if (this.#overflowed)
      return this.#failed("context", "The conversation is too long for the model, also after it was shortened");
    this.#overflowed = true;
    return null;
  }

  #fellShort(reply: Reply): Report | null {
    this.#shortfalls += 1;
    const isCut = reply.finish === "length";
    if (this.#shortfalls > shortfallsMax) {
      return this.#failed(
        "no_output",
        isCut
          ? "The model's replies were cut at the token limit again and again"
          : "The model answered with nothing again and again",
      );
    }
    if (isCut) this.#conversation.wasCut(reply.text);
    else this.#conversation.said(reply.text);
    this.#conversation.note(isCut ? goOnAfterCut : goOnAfterNothing);
    return null;
  }

  #delivered(text: string): Report {
    const { key } = this.#room.execution.effect;
    return { type: "Delivered", key, summary: within(text.trim(), summaryCharsMax), digest: this.#ports.digest(text) };
  }

  #failed(failure: FailureClass, feedback: string): Report {
    return { type: "Failed", key: this.#room.execution.effect.key, class: failure, feedback };
  }
}

/** Calls go on under the name of the tool that was meant, so that the next request names only tools that exist. */
function withMeantNames(reply: Reply, offered: readonly Tool[]): Reply {
  return {
    ...reply,
    toolCalls: reply.toolCalls.map((call) => ({
      ...call,
      name: toolFor(offered, call.name)?.schema.name ?? call.name,
    })),
  };
}

/** A call's result as the model reads it. */
function resultText(record: CallRecord): string {
  if (record.success) return record.output === "" ? "(done, no output)" : record.output;
  const error = `ERROR: ${record.error ?? "the call failed"}`;
  return record.output === "" ? error : `${error}\n${record.output}`;
}

function lastDenial(records: readonly CallRecord[]): string {
  return records.findLast(({ mark }) => mark === "denied")?.error ?? "";
}

/** @returns the reason when the whole reply says that the subtask is blocked, else null */
function blockedReason(text: string, reader: JsonReader): string | null {
  const bare = text.trim().replace(/^```(?:json)?\s*|\s*```$/g, "");
  if (!bare.startsWith("{") || !bare.endsWith("}")) return null;
  const value = reader.readJson(bare)?.value;
  if (!isJsonObject(value) || value["status"] !== "blocked") return null;
  const reason = value["reason"];
  return typeof reason === "string" && reason !== ""
    ? within(reason, summaryCharsMax)
    : "The executor said that it is blocked, and gave no reason";
}
