/**
 * The tool calls of one turn: all are judged before any runs, then they run in their order up to the first that needs a
 * person. Each is answered, whatever becomes of the others. What has ended in an earlier life is not touched again.
 */
import type { ApprovalAsk } from "../../domain/approval.ts";
import type { Report } from "../../domain/report.ts";
import type { ToolCall } from "../../ports/model.ts";
import { CallRecord, CallStarted, hasEnded } from "../records.ts";
import {
  type CallPlan,
  classOf,
  failedRecord,
  type Place,
  planCall,
  type RunPlan,
  type Turn,
  toolFor,
} from "./call-plan.ts";
import { callAt, recordSettled, resumeCall, runPrepared, undoLack } from "./call-step.ts";
import { answerTo, consentTo, refusalOf, uncertainAsk, withDiff, withLack } from "./consent.ts";

/** Well under what the field holds: taking secrets out may lengthen it. */
const diffBytesMax = 6000;

export type CallsEnd =
  | { readonly kind: "done"; readonly records: readonly CallRecord[] }
  | { readonly kind: "ended"; readonly report: Report };

type CallEnd =
  | { readonly kind: "record"; readonly record: CallRecord }
  | { readonly kind: "ended"; readonly report: Report };

export async function runCalls(turn: Turn, calls: readonly ToolCall[]): Promise<CallsEnd> {
  const places = calls.map(
    (call, index): Place => ({ call, number: index + 1, step: `turn-${turn.number}-call-${index + 1}` }),
  );
  const plans = new Plans(turn);
  for (const place of places) await plans.of(place);
  const records: CallRecord[] = [];
  while (records.length < places.length) {
    const batch = await nextBatch(plans, places.slice(records.length));
    if (batch.some((place) => !isEnded(turn, place)) && turn.execution.stop.yielding.aborted) {
      return { kind: "ended", report: { type: "Yielded", key: turn.execution.effect.key } };
    }
    const ends = await allEnds(batch.map((place) => carryOut(turn, plans, place)));
    for (const end of ends) {
      if (end.kind === "ended") return end;
      records.push(end.record);
      for (const [path, state] of Object.entries(end.record.seen ?? {})) turn.seen.set(path, state);
    }
    plans.forget();
  }
  return { kind: "done", records };
}

/** Plans of calls, made afresh once something ran: a call may rest on what an earlier one of its turn has done. */
class Plans {
  readonly #turn: Turn;
  #known = new Map<string, CallPlan>();

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** @returns null for a call that was started in an earlier life: it has been judged */
  async of(place: Place): Promise<CallPlan | null> {
    if (this.#turn.execution.journal.recall(place.step) !== undefined) return null;
    const known = this.#known.get(place.step) ?? (await planCall(this.#turn, place));
    this.#known.set(place.step, known);
    return known;
  }

  forget(): void {
    this.#known = new Map();
  }
}

/** The next call, or the next calls that only read and may run side by side. */
async function nextBatch(plans: Plans, places: readonly Place[]): Promise<Place[]> {
  const batch: Place[] = [];
  for (const place of places) {
    const plan = await plans.of(place);
    const isBeside =
      plan?.kind === "run" &&
      classOf(plan) === "pure" &&
      plan.judgement.decision === "allow" &&
      plan.prepared.question === undefined;
    if (!isBeside) return batch.length === 0 ? [place] : batch;
    batch.push(place);
  }
  return batch;
}

function isEnded(turn: Turn, place: Place): boolean {
  return hasEnded(turn.execution.journal.recall(place.step));
}

/** Waits for all, also where one is refused: nothing of this turn is left running behind. */
async function allEnds(running: readonly Promise<CallEnd>[]): Promise<CallEnd[]> {
  const settled = await Promise.allSettled(running);
  return settled.map((end) => {
    if (end.status === "rejected") throw end.reason;
    return end.value;
  });
}

async function carryOut(turn: Turn, plans: Plans, place: Place): Promise<CallEnd> {
  turn.execution.stop.aborted.throwIfAborted();
  const recorded = turn.execution.journal.recall(place.step);
  if (recorded?.ended !== undefined) return known(turn, place, CallRecord.parse(recorded.ended.result));
  if (recorded !== undefined) return resume(turn, place, CallStarted.parse(recorded.started));
  if (turn.cut.aborted)
    return record(recordSettled(turn, place, notRun(turn, place, "a person interrupted; read what they say")));
  const plan = await plans.of(place);
  if (plan === null) throw new Error(`${place.step} was started by someone else`);
  return follow(turn, place, plan);
}

async function follow(turn: Turn, place: Place, plan: CallPlan): Promise<CallEnd> {
  if (plan.kind === "settled") return record(recordSettled(turn, place, plan.record));
  if (plan.prepared.question !== undefined) return question(turn, place, plan);
  return plan.judgement.decision === "ask" ? gated(turn, place, plan) : record(runPrepared(turn, place, plan));
}

async function record(pending: Promise<CallRecord>): Promise<CallEnd> {
  return { kind: "record", record: await pending };
}

/** A step that nobody knew the end of may have been put before a person; their no is told with it. */
function known(turn: Turn, place: Place, result: CallRecord): CallEnd {
  if (result.mark !== "uncertain") return { kind: "record", record: result };
  const row = turn.execution.current().approvals.get(uncertainAsk(callAt(turn, place), result.tool, "").approval_id);
  if (row === undefined || row.status === "approved" || row.status === "pending")
    return { kind: "record", record: result };
  return { kind: "record", record: { ...result, error: `${result.error ?? ""}; ${refusalOf(row)}` } };
}

async function resume(turn: Turn, place: Place, before: CallStarted): Promise<CallEnd> {
  if (before.effectClass !== "pure") return record(resumeCall(turn, place, before));
  const plan = await planCall(turn, place);
  // What was only to be answered in its first life must not run under a step that is recorded as harmless.
  const isAnother = plan.kind === "run" && classOf(plan) !== before.effectClass && plan.prepared.question === undefined;
  if (isAnother && plan.judgement.decision === "allow")
    return record(recordSettled(turn, place, notRun(turn, place, "Loom was restarted; call it again")));
  return follow(turn, place, plan);
}

function notRun(turn: Turn, place: Place, reason: string): CallRecord {
  const tool = toolFor(turn.offered, place.call.name)?.schema.name ?? place.call.name;
  return failedRecord(tool, { error: `not run: ${reason}`, mark: "skipped" });
}

async function question(turn: Turn, place: Place, plan: RunPlan): Promise<CallEnd> {
  const { execution } = turn;
  const ask = plan.prepared.question;
  if (ask === undefined) throw new Error(`${place.step} asks nothing`);
  const answer = answerTo(execution.current(), callAt(turn, place), ask);
  if (answer.kind === "missing")
    return { kind: "ended", report: { type: "NeedsAnswer", key: execution.effect.key, ask: answer.ask } };
  return record(
    recordSettled(turn, place, {
      tool: plan.tool.schema.name,
      kind: "person",
      success: true,
      output: answer.text,
      changed: [],
    }),
  );
}

/** A person judges a change of files by its diff, which is made for them alone, and knows what could not be undone. */
async function asked(turn: Turn, plan: RunPlan, ask: ApprovalAsk): Promise<Report> {
  const { key } = turn.execution.effect;
  const { change } = plan.prepared;
  const diff = change === undefined ? "" : await turn.ports.changes.foreseen(change, diffBytesMax);
  const told = withLack(ask, await undoLack(turn, plan));
  return { type: "NeedsApproval", key, ask: diff === "" ? told : withDiff(told, diff) };
}

async function gated(turn: Turn, place: Place, plan: RunPlan): Promise<CallEnd> {
  const { execution } = turn;
  const tool = plan.tool.schema.name;
  const { prepared, judgement } = plan;
  const call = { at: callAt(turn, place), tool, arguments: place.call.arguments, prepared, judgement };
  const consent = consentTo(execution.current(), call, turn.ports.digest);
  if (consent.kind === "given") return record(runPrepared(turn, place, plan));
  if (consent.kind === "missing") return { kind: "ended", report: await asked(turn, plan, consent.ask) };
  return record(recordSettled(turn, place, failedRecord(tool, { error: consent.reason, mark: "denied" })));
}
