/**
 * The journal of one attempt: each model turn and each tool call is a step, recorded when it starts and when it ends.
 * What has ended is replayed from the record; what had only started is judged by its effect class.
 */

import type { ApprovalAsk } from "../domain/approval.ts";
import type { EventOf } from "../domain/event.ts";
import type { StepEndEvent, StepStartEvent } from "../domain/report.ts";
import type { Quote } from "../domain/reservation.ts";
import type { Json } from "../lib/json.ts";
import type { Blob, EffectClass } from "./event-store.ts";

export interface RecordedStep {
  readonly step: string;
  readonly started: Json;
  readonly ended?: { readonly result: Json };
}

/** How a step ended, for the record: what is replayed, what the log shall say, what must be kept with it. */
export interface StepEnd<T extends Json> {
  readonly result: T;
  readonly events: readonly StepEndEvent[];
  readonly blobs?: readonly Blob[];
}

export interface StepSpec<T extends Json> {
  /** Unique within the journal, and the same whenever the attempt is replayed: `turn-3`, `turn-3-call-1`. */
  readonly step: string;
  readonly effectClass: EffectClass;
  readonly event: StepStartEvent;
  /** Kept with the start; comes back in `recall` and in `interrupted`. */
  readonly started?: Json;
  /** Kept with the start: pre-images. */
  readonly blobs?: readonly Blob[];
  /** Instructions that enter with this step; each gets its `steer_applied`. */
  readonly instructionSeqs?: readonly number[];
  /** Its run reads what earlier steps recorded: it waits until that is durable. */
  readonly readsRecord?: boolean;
  /** Of a model call: what it would like to have set aside. It waits where calls in flight must first give something back. */
  readonly quote?: Quote;
  /** What the log shall say when `run` throws; the step stays started. @param started the event with what was set aside */
  readonly failed?: (error: unknown, started: StepStartEvent) => readonly StepEndEvent[];
  /**
   * Only for a step that was started in an earlier life and not ended. `again`: run it; `done`: it had happened, record
   * this; `uncertain`: nobody knows, record this and say so. Not asked for `pure` steps, which run again.
   */
  readonly interrupted?: (started: Json) => Promise<
    | { readonly kind: "again" }
    | { readonly kind: "done"; readonly end: StepEnd<T> }
    | {
        readonly kind: "uncertain";
        readonly event: EventOf<"uncertain_effect">;
        readonly end: StepEnd<T>;
        readonly ask?: ApprovalAsk;
      }
  >;
}

export interface Journal {
  /** @returns what is recorded of a step, in this life or an earlier one */
  recall(step: string): RecordedStep | undefined;

  /**
   * Returns the recorded result, or records the start, runs, records the end, and returns. The start is durable before
   * anything runs but a `pure` step, and with it all that came before. `run` is given the event as it was recorded.
   *
   * @throws StepRefused when the effect is not wanted any more or its budget is spent: nothing ran
   * @throws whatever `run` throws; the step then stays started and not ended
   */
  step<T extends Json>(spec: StepSpec<T>, run: (started: StepStartEvent) => Promise<StepEnd<T>>): Promise<T>;
}

/** The effect is not wanted any more: unwind, report nothing. */
export class StepRefused extends Error {
  constructor(step: string) {
    super(`Step ${step} was not started: its effect is not wanted any more`);
    this.name = "StepRefused";
  }
}
