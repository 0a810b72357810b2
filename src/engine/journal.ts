/** The journal of one attempt over the driver's mailbox: it has no connection of its own, and what it writes is one append with its events. */

import type { Event } from "../domain/event.ts";
import type { Report, StepEndEvent, StepStartEvent } from "../domain/report.ts";
import { startedAs } from "../domain/spending.ts";
import type { Json } from "../lib/json.ts";
import type { Blob, EffectClass, StepRow } from "../ports/event-store.ts";
import { type Journal, type RecordedStep, type StepEnd, StepRefused, type StepSpec } from "../ports/journal.ts";

export interface Kept {
  readonly steps?: readonly StepRow[];
  readonly blobs?: readonly Blob[];
  /** Nobody waits until it is durable. */
  readonly pace?: "soon";
}

/** Puts a report in the mailbox with what must be kept beside it. @returns the events it led to, once they are durable, or, at that pace, accepted */
export type Post = (report: Report, kept: Kept) => Promise<readonly Event[]>;

/** What is known of a step; how it may be repeated is judged by the class that it was started under. */
type KnownStep = RecordedStep & { readonly effectClass: EffectClass };

type Run<T extends Json> = (started: StepStartEvent) => Promise<StepEnd<T>>;

type Standing<T extends Json> = Awaited<ReturnType<NonNullable<StepSpec<T>["interrupted"]>>>;

export class AttemptJournal implements Journal {
  readonly #key: string;
  readonly #scope: string;
  readonly #post: Post;
  readonly #steps: Map<string, KnownStep>;
  #failure: Error | null = null;

  constructor(at: { readonly key: string; readonly scope: string }, recorded: readonly StepRow[], post: Post) {
    this.#key = at.key;
    this.#scope = at.scope;
    this.#post = post;
    this.#steps = new Map(recorded.map((row) => [row.step, row]));
  }

  recall(step: string): RecordedStep | undefined {
    return this.#steps.get(step);
  }

  async step<T extends Json>(spec: StepSpec<T>, run: Run<T>): Promise<T> {
    const known = this.#steps.get(spec.step);
    // What was recorded was recorded as a T: a step name stands for one kind of result in all lives of its attempt.
    if (known?.ended !== undefined) return known.ended.result as T;
    const started = spec.started ?? null;
    if (known === undefined || known.effectClass === "pure") return this.#run(spec, { started, run });
    const standing = await judged(spec, known.started);
    if (standing.kind === "again") return this.#run(spec, { started: known.started, run });
    return this.#settle(spec, known.started, standing);
  }

  async #run<T extends Json>(
    spec: StepSpec<T>,
    { started, run }: { readonly started: Json; readonly run: Run<T> },
  ): Promise<T> {
    if (this.#failure !== null) throw this.#failure;
    const { step, effectClass, event, instructionSeqs = [], blobs = [], quote } = spec;
    const paid = quote === undefined ? {} : { quote };
    const report = { type: "StepStarted", key: this.#key, step, event, instructionSeqs, ...paid } as const;
    // What may run twice may run before it is known that it began: what comes after it in the log is durable no sooner.
    const pace = effectClass === "pure" && spec.readsRecord !== true ? ({ pace: "soon" } as const) : {};
    const steps = [{ scope: this.#scope, step, effectClass, started }];
    const events = await this.#post(report, { steps, blobs, ...pace });
    const startedEvent = startedAs(report, events);
    if (startedEvent === undefined) throw new StepRefused(step);
    this.#steps.set(step, { step, effectClass, started });
    const end = await run(startedEvent).catch((error: unknown) => {
      this.#say(step, spec.failed?.(error, startedEvent) ?? [], { pace: "soon" });
      throw error;
    });
    this.#end(spec, started, end);
    return end.result;
  }

  /** An interrupted step that is not to run again: its end, and a doubt where there is one, in one append. */
  async #settle<T extends Json>(
    spec: StepSpec<T>,
    started: Json,
    standing: Exclude<Standing<T>, { readonly kind: "again" }>,
  ): Promise<T> {
    this.#end(spec, started, standing.end);
    if (standing.kind === "uncertain") {
      const { event, ask } = standing;
      await this.#post({ type: "StepUncertain", key: this.#key, event, ...(ask === undefined ? {} : { ask }) }, {});
    }
    return standing.end.result;
  }

  #end<T extends Json>({ step, effectClass }: StepSpec<T>, started: Json, end: StepEnd<T>): void {
    const ended = { result: end.result };
    this.#steps.set(step, { step, effectClass, started, ended });
    const kept = { steps: [{ scope: this.#scope, step, effectClass, started, ended }], blobs: end.blobs ?? [] };
    // Until its end is durable, a command that ran is one that may have run.
    this.#say(step, end.events, effectClass === "external" ? kept : { ...kept, pace: "soon" });
  }

  /** Not waited for: the mailbox keeps the order, so the next start, which is waited for, makes this durable too. */
  #say(step: string, events: readonly StepEndEvent[], kept: Kept): void {
    if (events.length === 0 && kept.steps === undefined) return;
    this.#post({ type: "StepEnded", key: this.#key, step, events }, kept).catch((error: unknown) => {
      this.#failure = new Error(`The end of step ${step} could not be recorded`, { cause: error });
    });
  }
}

/** What became of a step that changes the world and was not seen to end: it is never run again unasked. */
async function judged<T extends Json>(spec: StepSpec<T>, started: Json): Promise<Standing<T>> {
  if (spec.interrupted === undefined) {
    throw new Error(`Step ${spec.step} (${spec.effectClass}) was interrupted, and nothing says what became of it`);
  }
  return spec.interrupted(started);
}
