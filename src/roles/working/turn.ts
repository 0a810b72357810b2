/**
 * The model–tool loop of one attempt: a turn of the model, its tool calls, the next turn, until a final text or a reason to
 * stop. All that it knows comes from the recorded steps, so a replay takes the same way without a model or a tool.
 */

import type { FileState } from "../../domain/change.ts";
import type { FailureClass } from "../../domain/event.ts";
import type { Report } from "../../domain/report.ts";
import { bounds } from "../../domain/rules.ts";
import type { Execution } from "../../ports/executor.ts";
import type { Models, ToolSchema } from "../../ports/model.ts";
import type { Tool } from "../../ports/tool.ts";
import type { Workspace } from "../../ports/workspace.ts";
import { sizeOfMessages } from "../context/context-size.ts";
import { Conversation } from "../context/conversation.ts";
import { makeRoom } from "../context/make-room.ts";
import { PromptMeter } from "../context/prompt-meter.ts";
import { within } from "../excerpt.ts";
import { askModel, emptyReply, limitOf } from "../model-step.ts";
import { lastTurns, nudgeAfterRepeats, steering } from "../prompts.ts";
import { type CallRecord, type EpochPlan, jsonOf, type Opening, type Reply, TurnStarted } from "../records.ts";
import { outcomesOf } from "./call-outcome.ts";
import type { CallPorts } from "./call-plan.ts";
import { runCalls } from "./calls.ts";
import { Guidance } from "./guidance.ts";
import { LeaseWatch } from "./lease-watch.ts";
import { plainSystem } from "./plain.ts";
import { Repetition, repeatsToFail, repeatsToNudge } from "./repetition.ts";
import { SpokenProtocol } from "./spoken-protocol.ts";
import {
  blockedReason,
  lastDenial,
  mayHaveChanged,
  shortfallOf,
  toldBefore,
  tooLongAgain,
  withMeantNames,
} from "./turn-facts.ts";

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
  readonly #guidance: Guidance;
  readonly #conversation: Conversation;
  readonly #seen = new Map<string, FileState>();
  readonly #repetition: Repetition;
  readonly #meter = new PromptMeter();
  readonly #protocol = new SpokenProtocol();
  readonly #applied = new Set<number>();
  readonly #leases: LeaseWatch;
  #denials = 0;
  #shortfalls = 0;
  #overflowed = false;

  constructor(ports: LoopPorts, room: LoopRoom) {
    this.#ports = ports;
    this.#room = room;
    this.#schemas = room.offered.map(({ schema }) => schema);
    const { bytesPerToken, windowTokens } = room.opening;
    const { effect, task } = room.execution;
    const subtask = task.subtasks.get(effect.subtaskId);
    this.#guidance = new Guidance({
      tools: room.offered,
      windowTokens,
      // Another attempt sees other examples: what was wrong because of them is not done again.
      variant: effect.attempt - 1,
      plain: plainSystem(task, Buffer.byteLength(room.opening.system)),
      kind: subtask?.spec.kind ?? "change",
      job: subtask?.spec.description ?? "",
      hasMaterial: (subtask?.spec.depends_on.length ?? 0) > 0,
    });
    // Where they are shown they take their part of the window.
    const taken = sizeOfMessages(this.#guidance.examples) / bytesPerToken;
    const left = Math.floor(windowTokens - taken);
    this.#conversation = new Conversation({ ...room.opening, windowTokens: left }, this.#schemas);
    this.#repetition = new Repetition(ports.digest);
    this.#leases = new LeaseWatch(subtask?.leaseWaits ?? []);
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
      const cut = execution.inbox.interrupted();
      const instructions = this.#instruct(turn);
      const at = { execution, turn, conversation: this.#conversation, seen: this.#seen, cut };
      const epoch = await makeRoom(this.#ports, at);
      const reply = await this.#ask(turn, cut, { instructions, epoch });
      const left = turnsMax - turn;
      const report = await this.#take(reply, { number: turn, cut, left });
      const end = this.#leases.after(report, { key: execution.effect.key, turn, left });
      if (typeof end === "string") this.#goOn(reply, end);
      else if (end !== null) return end;
    }
    return this.#failed(
      "loop",
      `The subtask was not finished within ${turnsMax} turns (limits.runner.max_tool_iterations)`,
    );
  }

  /** What people said since the last turn, or, in a replay, what this turn was started with. */
  #instruct(turn: number): TurnStarted["instructions"] {
    const recorded = this.#room.execution.journal.recall(`turn-${turn}`);
    const instructions = recorded === undefined ? this.#unread() : TurnStarted.parse(recorded.started).instructions;
    for (const { seq, text } of instructions) {
      this.#applied.add(seq);
      this.#conversation.instruct(steering(text));
    }
    return instructions;
  }

  async #ask(
    turn: number,
    cut: AbortSignal,
    { instructions, epoch }: { readonly instructions: TurnStarted["instructions"]; readonly epoch: EpochPlan | null },
  ): Promise<Reply> {
    const { execution } = this.#room;
    const { effect, journal, stop, task } = execution;
    const pick = { role: "executor", tier: effect.tier, taskId: task.id, priority: "work" } as const;
    const model = this.#ports.models.first(pick)?.name ?? "";
    const recorded = journal.recall(`turn-${turn}`);
    const lowered = this.#protocol.lowered(recorded === undefined ? undefined : TurnStarted.parse(recorded.started));
    if (lowered !== undefined) this.#conversation.retold();
    const growsFrom = this.#conversation.growsFrom();
    const terms = this.#ports.models.terms(pick);
    const guidance = await this.#guidance.parts(this.#room.workspace, terms, this.#repetition.stuck);
    return askModel(journal, this.#ports, {
      step: `turn-${turn}`,
      pick,
      request: {
        messages: this.#conversation.messages(),
        tools: this.#schemas,
        ...guidance,
        ...this.#protocol.spoken,
      },
      lowered,
      at: { subtaskId: effect.subtaskId, attempt: effect.attempt, iteration: turn, epoch: this.#conversation.epoch },
      ...(growsFrom === null ? {} : { growsFrom }),
      started: jsonOf({
        instructions,
        opening: turn === 1 ? this.#room.opening : undefined,
        lowered,
        ...(epoch === null ? {} : { epoch }),
      }),
      instructionSeqs: [...(turn === 1 ? toldBefore(execution) : []), ...instructions.map(({ seq }) => seq)],
      signal: AbortSignal.any([stop.aborted, cut]),
      meter: this.#meter,
      onToken: (text) => execution.token(text, { subtaskId: effect.subtaskId, model }),
      replyFor: (error) => {
        const limit = limitOf(error);
        if (limit !== null) return emptyReply("overflow", limit);
        return cut.aborted && !stop.aborted.aborted ? emptyReply("interrupted") : null;
      },
    });
  }

  #unread(): TurnStarted["instructions"] {
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
    if (reply.finish === "overflow") return this.#tooLong(reply);
    this.#overflowed = false;
    this.#protocol.observe(reply);
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

  /** What would have ended the attempt did not: it has waited for a path that it now may change. */
  #goOn(reply: Reply, note: string): void {
    if (reply.toolCalls.length === 0) this.#conversation.said(reply.text);
    this.#conversation.note(note);
    this.#repetition.begin();
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
    this.#leases.saw(end.records);
    this.#guidance.saw(end.records);
    const { attempt, subtaskId } = execution.effect;
    const outcomes = outcomesOf({ subtaskId, attempt, turn: turn.number }, reply, end.records);
    this.#conversation.acted(reply, outcomes);
    this.#denials += end.records.filter(({ mark }) => mark === "denied").length;
    if (this.#denials >= bounds.denialsMax)
      return this.#failed("denied", `${this.#denials} calls were denied: ${lastDenial(end.records)}`);
    const results = outcomes.map(({ text }) => text);
    return this.#noticeRepeats(reply, end.records, results);
  }

  #noticeRepeats(reply: Reply, records: readonly CallRecord[], results: readonly string[]): Report | null {
    const repeats = this.#repetition.add(
      reply.toolCalls.map(({ name, arguments: args }, index) => ({
        name,
        arguments: args,
        result: results[index] ?? "",
        mayChange: mayHaveChanged(records[index]),
      })),
    );
    if (repeats >= repeatsToFail) {
      const names = [...new Set(reply.toolCalls.map(({ name }) => name))].join(", ");
      return this.#failed(
        "loop",
        `The same call (${names}) gave the same result ${repeats} times, and nothing else changed: ${within(results.at(-1) ?? "", 500)}`,
      );
    }
    if (repeats === repeatsToNudge) this.#conversation.note(nudgeAfterRepeats);
    return null;
  }

  /** Recovered from by the epoch that begins with the next turn; not twice in a row. */
  #tooLong({ limit }: Reply): Report | null {
    if (this.#overflowed) return this.#failed("context", tooLongAgain(limit));
    this.#overflowed = true;
    this.#conversation.overflowed(limit);
    return null;
  }

  #fellShort(reply: Reply): Report | null {
    this.#shortfalls += 1;
    const { failed, note } = shortfallOf(reply);
    if (this.#shortfalls > shortfallsMax) return this.#failed("no_output", failed);
    if (reply.finish === "length") this.#conversation.wasCut(reply.text);
    else this.#conversation.said(reply.text);
    this.#conversation.note(note);
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
