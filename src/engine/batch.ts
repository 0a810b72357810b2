/**
 * One batch of a driver's mailbox as one append: every message is decided or settled on the state that the ones before it
 * lead to. Pure; nothing of it is true until it is appended.
 */

import { type Charge, nothing, sum } from "../domain/budget.ts";
import { decide } from "../domain/decide.ts";
import type { Event, TaskEvent } from "../domain/event.ts";
import type { Circumstances, Report } from "../domain/report.ts";
import type { Request } from "../domain/request.ts";
import { dayOf } from "../domain/reservation.ts";
import { settle } from "../domain/settle.ts";
import { mustWait, startedAs } from "../domain/spending.ts";
import type { Task } from "../domain/task.ts";
import type { Refusal } from "../lib/errors.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Append, Blob, IdempotencyRow, StepRow } from "../ports/event-store.ts";
import { AccountCharges, isCapped } from "./account-charges.ts";
import { folded } from "./log-reading.ts";
import { outboxOf, rowOf } from "./projection.ts";

export interface RequestMessage {
  readonly kind: "request";
  readonly request: Request;
  readonly idempotency?: Idempotency;
  /** Refused unless the log ends at one of these. */
  readonly ifSeq?: readonly number[];
}

/** What a request led to. */
export interface Outcome {
  /** The task right after this request; others may have been taken since. */
  readonly task: Task;
  readonly events: readonly Event[];
}

/** The row that is kept with a request, so that its key can be used once. */
export type Idempotency = (taskId: string, outcome: Outcome) => IdempotencyRow;

export interface ReportMessage {
  readonly kind: "report";
  readonly report: Report;
  readonly steps?: readonly StepRow[];
  readonly blobs?: readonly Blob[];
  /** Key of the effect that ends with this report. */
  readonly ends?: string;
  /** Nobody waits until it is durable: who sent it goes on once it is accepted, and it waits for company. */
  readonly pace?: "soon";
}

export type Message = RequestMessage | ReportMessage;

export interface Answer {
  /** As the rules made them: what their maker recognises, secrets included. The log keeps them redacted. */
  readonly events: readonly Event[];
  readonly refusal: Refusal | null;
  readonly appliedSeq: number;
  /** Right after this message, unless it was refused. */
  readonly task?: Task;
  readonly duplicate?: IdempotencyRow;
}

/** What came of a request that was not refused. */
export interface Taken {
  readonly appliedSeq: number;
  readonly events: readonly Event[];
  /** Right after this request; others may have been taken since. */
  readonly task?: Task;
  /** The idempotency key was used before: this is what it led to then, and nothing was done now. */
  readonly duplicate?: IdempotencyRow;
}

/** A message is answered, or it met a bug: that fails alone, and what stands beside it goes on. */
export type Fate =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "bug"; readonly error: unknown }
  /** It is to be asked again when a model call in flight has ended. */
  | { readonly kind: "later" };

export interface Drafted {
  /** The state after the append. */
  readonly task: Task | null;
  readonly stamped: readonly TaskEvent[];
  /** One a message, for the first messages of the batch: an append has room for one idempotency key. */
  readonly fates: readonly Fate[];
  /** Which message brought the idempotency key. */
  readonly keyed: number | null;
  /** Keys of the effects that end with it. */
  readonly ended: ReadonlySet<string>;
  /** Null when there is nothing to write. */
  readonly append: Append | null;
}

export interface Standing {
  readonly taskId: string;
  readonly task: Task | null;
  /** How many effects are in flight, waits and those that ended not counted. */
  readonly inFlight: (ended: ReadonlySet<string>) => number;
  /** What the task's account was charged today, where it has one. */
  readonly ledger?: Charge;
  readonly redact: <T>(value: T) => T;
}

export function draftOf(messages: readonly Message[], standing: Standing, now: number): Drafted {
  const batch = new Batch(standing);
  for (const message of messages) {
    if (!batch.hasRoomFor(message)) break;
    batch.take(message, now);
  }
  return batch.drafted();
}

/** Why a request that was made for another state of the task is not taken. */
export function staleness(task: Task | null, ifSeq: readonly number[] | undefined): Refusal | null {
  const lastSeq = task?.lastSeq ?? 0;
  if (ifSeq === undefined || ifSeq.includes(lastSeq)) return null;
  return {
    code: "precondition_failed",
    message: `The task has changed: it is at t-${lastSeq}`,
    hint: "GET it again, look at what changed, and send the request with its new ETag",
    extra: { last_seq: lastSeq },
  };
}

export class Batch {
  readonly #standing: Standing;
  readonly #ended = new Set<string>();
  readonly #stamped: TaskEvent[] = [];
  readonly #fates: Fate[] = [];
  readonly #steps: StepRow[] = [];
  readonly #blobs: Blob[] = [];
  #idempotency: IdempotencyRow | null = null;
  #accounts = new AccountCharges();
  #task: Task | null;
  #now = 0;
  #keyed: number | null = null;

  constructor(standing: Standing) {
    this.#standing = standing;
    this.#task = standing.task;
  }

  hasRoomFor(message: Message): boolean {
    return this.#keyed === null || message.kind === "report" || message.idempotency === undefined;
  }

  take(message: Message, now: number): Fate {
    this.#now = now;
    if (message.kind === "report" && message.ends !== undefined) this.#ended.add(message.ends);
    const fate = this.#fateOf(message);
    this.#fates.push(fate);
    return fate;
  }

  drafted(): Drafted {
    return {
      task: this.#task,
      stamped: this.#stamped,
      fates: this.#fates,
      keyed: this.#keyed,
      ended: this.#ended,
      append: this.#task === null ? null : this.#append(this.#task),
    };
  }

  #fateOf(message: Message): Fate {
    try {
      const task = this.#task;
      const isEarly =
        task !== null && message.kind === "report" && mustWait(task, message.report, this.#circumstances());
      return isEarly ? { kind: "later" } : { kind: "answer", answer: this.#answer(message) };
    } catch (error) {
      return { kind: "bug", error };
    }
  }

  #circumstances(): Circumstances {
    const { inFlight, ledger = nothing } = this.#standing;
    const account = this.#task?.brief.account;
    const charged = isCapped(account) ? sum(ledger, this.#accounts.chargedOn(dayOf(this.#now))) : ledger;
    return { now: this.#now, inFlight: inFlight(this.#ended), ledger: charged };
  }

  #answer(message: Message): Answer {
    const outcome = this.#ask(message);
    if (!outcome.ok) return { events: [], refusal: outcome.error, appliedSeq: this.#task?.lastSeq ?? 0 };
    this.#say(outcome.value);
    if (message.kind === "report") this.#keep(message, outcome.value);
    else if (message.idempotency !== undefined && this.#task !== null) {
      this.#idempotency = message.idempotency(this.#standing.taskId, { task: this.#task, events: outcome.value });
      this.#keyed = this.#fates.length;
    }
    const answer = { events: outcome.value, refusal: null, appliedSeq: this.#task?.lastSeq ?? 0 };
    return this.#task === null ? answer : { ...answer, task: this.#task };
  }

  #ask(message: Message): Result<readonly Event[], Refusal> {
    const circumstances = this.#circumstances();
    if (message.kind === "request") {
      const refusal = staleness(this.#task, message.ifSeq);
      return refusal === null ? decide(this.#task, message.request, circumstances) : err(refusal);
    }
    return ok(this.#task === null ? [] : settle(this.#task, message.report, circumstances));
  }

  /** All of a message's events or, when one of them cannot be folded, none. */
  #say(events: readonly Event[]): void {
    const { taskId, redact } = this.#standing;
    const now = this.#now;
    let task = this.#task;
    const accounts = this.#accounts.copy();
    const stamped = events.map((event) => {
      const next: TaskEvent = { ...redact(event), seq: (task?.lastSeq ?? 0) + 1, at: now };
      if (task !== null) accounts.add(task, next);
      task = folded(taskId, task, next);
      return next;
    });
    this.#accounts = accounts;
    this.#task = task;
    this.#stamped.push(...stamped);
  }

  /** The start of a step is kept only if it was let start: what was refused did not happen. */
  #keep({ report, steps = [], blobs = [] }: ReportMessage, events: readonly Event[]): void {
    if (report.type === "StepStarted" && startedAs(report, events) === undefined) return;
    this.#steps.push(...steps);
    this.#blobs.push(...blobs);
  }

  #append(task: Task): Append | null {
    if (this.#stamped.length + this.#steps.length + this.#blobs.length === 0 && this.#idempotency === null) return null;
    return {
      taskId: task.id,
      expectedSeq: this.#standing.task?.lastSeq ?? 0,
      events: this.#stamped,
      projection: rowOf(task),
      steps: this.#steps,
      blobs: this.#blobs,
      outbox: outboxOf(task, this.#stamped),
      ledger: this.#accounts.entries(task.brief.account),
      ...(this.#idempotency === null ? {} : { idempotency: this.#idempotency }),
    };
  }
}
