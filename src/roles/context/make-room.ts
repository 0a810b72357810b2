/**
 * Makes room in a conversation before a turn: begins the next epoch when the last nears the window. How it begins is kept
 * with the turn, and the notes that a model makes of what is put away are a step of their own, so that a replay asks nobody.
 */
import type { FileState } from "../../domain/change.ts";
import { LoomError } from "../../lib/errors.ts";
import type { Execution } from "../../ports/executor.ts";
import type { ModelPick, Models, ModelWindow } from "../../ports/model.ts";
import { askModel, emptyReply, type ModelStepPorts } from "../model-step.ts";
import { EpochPlan, Reply, TurnStarted } from "../records.ts";
import { TokenGauge } from "./context-size.ts";
import type { Conversation } from "./conversation.ts";
import { compactorRequest, type Notes, readNotes } from "./handoff.ts";

export interface RoomPorts extends ModelStepPorts {
  readonly models: Pick<Models, "call" | "first" | "readJson" | "terms">;
}

export interface RoomAt {
  readonly execution: Execution<"work">;
  readonly turn: number;
  readonly conversation: Conversation;
  readonly seen: ReadonlyMap<string, FileState>;
  /** Fires when a person interrupts: the notes are then done without. */
  readonly cut: AbortSignal;
}

/** Of the compactor's window, for what it reads. */
const promptShare = 0.7;
/** An epoch that was filled by fewer turns has little to note. */
const turnsToNote = 2;

/** @returns how the epoch that begins with this turn begins; null when none does */
export async function makeRoom(ports: RoomPorts, at: RoomAt): Promise<EpochPlan | null> {
  const { conversation, execution, turn } = at;
  const step = `epoch-${turn}`;
  const turnBefore = execution.journal.recall(`turn-${turn}`);
  const before = execution.journal.recall(step);
  if (turnBefore !== undefined) {
    const plan = TurnStarted.parse(turnBefore.started).epoch ?? null;
    if (plan !== null) begin(at, plan, before?.ended === undefined ? null : notesIn(before.ended.result, ports));
    return plan;
  }
  if (before === undefined && !conversation.isFull()) return null;
  const plan = before === undefined ? conversation.nextEpoch() : EpochPlan.parse(before.started);
  if (plan === null) return null;
  const isNoted = before !== undefined || conversation.turns >= turnsToNote;
  begin(at, plan, isNoted ? await notesOn(ports, at, { step, plan }) : null);
  return plan;
}

function begin({ conversation, seen }: RoomAt, plan: EpochPlan, notes: Notes | null): void {
  conversation.begin(plan, notes, (path) => standing(seen.get(path)));
}

function standing(state: FileState | undefined): string {
  if (state === undefined) return "changed";
  if (state.kind === "absent") return "deleted";
  return state.kind === "file" ? `${state.bytes} bytes, ${state.digest.slice(0, 19)}` : state.kind;
}

/** A model that fails to take notes, or takes none that can be used, ends no attempt: what is recorded is enough to go on. */
async function notesOn(
  ports: RoomPorts,
  { execution, turn, conversation, cut }: RoomAt,
  { step, plan }: { readonly step: string; readonly plan: EpochPlan },
): Promise<Notes | null> {
  const { effect, journal, stop, task } = execution;
  const pick: ModelPick = { role: "compactor", tier: effect.tier, taskId: task.id, priority: "work" };
  const reply = await askModel(journal, ports, {
    step,
    pick,
    request: compactorRequest(conversation.putAway(plan), roomOf(ports.models.first(pick))),
    at: { subtaskId: effect.subtaskId, attempt: effect.attempt, iteration: turn, epoch: conversation.epoch },
    started: { ...plan },
    signal: AbortSignal.any([stop.aborted, cut]),
    replyFor: (error) => {
      if (stop.aborted.aborted) return null;
      if (cut.aborted) return emptyReply("interrupted");
      return error instanceof LoomError ? emptyReply("failed") : null;
    },
  });
  return notesIn(reply, ports);
}

function notesIn(reply: unknown, { models }: RoomPorts): Notes | null {
  const { text, finish } = Reply.parse(reply);
  return finish === "stop" || finish === "other" ? readNotes(text, models) : null;
}

function roomOf(window: ModelWindow | null): number {
  if (window === null) return 8000;
  return new TokenGauge(window.bytesPerToken).sizeFor(window.contextTokens * promptShare);
}
