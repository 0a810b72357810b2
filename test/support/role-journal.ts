/** A journal in memory, honest to its port, that can die before, between or after any step and be opened again from what it had kept. */
import type { EventOf } from "../../src/domain/event.ts";
import type { StepEndEvent, StepStartEvent } from "../../src/domain/report.ts";
import type { Json } from "../../src/lib/json.ts";
import type { Blob, StepRow } from "../../src/ports/event-store.ts";
import { type Journal, type RecordedStep, type StepEnd, StepRefused, type StepSpec } from "../../src/ports/journal.ts";

/** The process died: nothing after this was written. */
export class Crash extends Error {}

type Moment = "start" | "run" | "end";

/** What outlives a process: rows, blobs and events, as the store would keep them. */
export class RoleLedger {
  readonly rows = new Map<string, StepRow>();
  readonly blobs = new Map<string, Uint8Array>();
  readonly events: (StepStartEvent | StepEndEvent | EventOf<"uncertain_effect">)[] = [];
  readonly applied: number[] = [];

  keep(blobs: readonly Blob[] = []): void {
    for (const { digest, bytes } of blobs) this.blobs.set(digest, bytes);
  }
}

export class RoleJournal implements Journal {
  readonly ledger: RoleLedger;
  readonly #scope: string;
  /** Runs of steps in this life. */
  readonly ran: string[] = [];
  refuse: (step: string) => boolean = () => false;
  /** Throws `Crash` to die at a moment. */
  at: (moment: Moment, step: string) => void = () => undefined;

  constructor(ledger = new RoleLedger(), scope = "work:a:1") {
    this.ledger = ledger;
    this.#scope = scope;
  }

  recall(step: string): RecordedStep | undefined {
    return this.ledger.rows.get(step);
  }

  async step<T extends Json>(spec: StepSpec<T>, run: (started: StepStartEvent) => Promise<StepEnd<T>>): Promise<T> {
    const known = this.ledger.rows.get(spec.step);
    if (known?.ended !== undefined) return known.ended.result as T;
    const standing =
      known === undefined || spec.effectClass === "pure" ? undefined : await spec.interrupted?.(known.started);
    if (standing !== undefined && standing.kind !== "again") {
      this.#end(spec, known?.started ?? null, standing.end);
      if (standing.kind === "uncertain") this.ledger.events.push(standing.event);
      return standing.end.result;
    }
    if (this.refuse(spec.step)) throw new StepRefused(spec.step);
    this.at("start", spec.step);
    const started = copy(spec.started ?? null);
    this.ledger.rows.set(spec.step, { scope: this.#scope, step: spec.step, effectClass: spec.effectClass, started });
    this.ledger.keep(spec.blobs);
    const event = paid(spec);
    this.ledger.events.push(event);
    this.ledger.applied.push(...(spec.instructionSeqs ?? []));
    this.at("run", spec.step);
    this.ran.push(spec.step);
    const end = await run(event);
    this.at("end", spec.step);
    this.#end(spec, started, end);
    return end.result;
  }

  #end<T extends Json>({ step, effectClass }: StepSpec<T>, started: Json, end: StepEnd<T>): void {
    const ended = { result: copy(end.result) };
    this.ledger.rows.set(step, { scope: this.#scope, step, effectClass, started, ended });
    this.ledger.keep(end.blobs);
    this.ledger.events.push(...end.events);
  }
}

/** As a task without a budget would have it: all that was asked for is set aside. */
function paid({ event, quote }: Pick<StepSpec<Json>, "event" | "quote">): StepStartEvent {
  if (event.type !== "model_invocation" || quote === undefined) return event;
  return { ...event, reserved: { input_tokens: quote.inputTokens, output_tokens: quote.outputTokens } };
}

/** As it would come back from a database. */
function copy(value: Json): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
