/**
 * The driver of one task: a mailbox, the folded state, and the effects in flight. It takes messages, asks `decide` or
 * `settle`, appends durably, folds, and reconciles: what is wanted and not running is started, what runs and is not wanted is stopped.
 */

import type { Event } from "../domain/event.ts";
import { fold } from "../domain/evolve.ts";
import type { Report } from "../domain/report.ts";
import type { Request } from "../domain/request.ts";
import type { Task } from "../domain/task.ts";
import type { Held } from "../domain/view.ts";
import { LoomError, type Refusal } from "../lib/errors.ts";
import { err, ok, type Result, unreachable } from "../lib/result.ts";
import type { Ledger } from "../ports/ledger.ts";
import { Ahead } from "./ahead.ts";
import type { Answer, Drafted, Fate, Idempotency, Message, Taken } from "./batch.ts";
import { waitAtMost } from "./deadline.ts";
import { factsOf, isPassing, storageRetryMs } from "./faults.ts";
import { answerAll, answerDuplicate, type Letter } from "./letters.ts";
import { readLog } from "./log-reading.ts";
import { tookEffect, write } from "./log-writing.ts";
import { Losses } from "./losses.ts";
import { Mailbox } from "./mailbox.ts";
import { withoutLog } from "./remains.ts";
import { Runner, type RunnerPorts } from "./runner.ts";
import { WaitingCalls } from "./waiting-calls.ts";

export interface DriverPorts extends RunnerPorts {
  readonly ledger: Ledger;
  /** Takes secrets out of what the log shall keep. */
  readonly redact: <T>(value: T) => T;
  /** Told after each append that changed the task. */
  readonly changed: (driver: Driver) => void;
  /** How long, in milliseconds, what nobody waits for may wait for a commit to share; 0 or absent: not at all. */
  readonly lingerMs?: number;
}

/** Law 4 gives 500 ms; what has not stopped by twice that does not hold up the end of the process. */
const stopMsMax = 1000;

export class Driver {
  readonly taskId: string;
  readonly #ports: DriverPorts;
  readonly #mailbox: Mailbox<Message, Answer>;
  readonly #ahead: Ahead;
  readonly #runner: Runner;
  readonly #losses = new Losses();
  readonly #waiting = new WaitingCalls();
  /** Fires when the driver goes down: nothing starts, and a store that is full is not waited for. */
  readonly #ending = new AbortController();
  #isClosed = false;
  #task: Task | null;
  /** The state that `changed` was told of. */
  #told: Task | null;
  #held: Held | null = null;
  /** Null until it was said for the first time. */
  #isAdmitted: boolean | null = null;
  /** What the store said when it last refused; null when it takes what it is given. */
  #refusing: LoomError | null = null;

  constructor(taskId: string, task: Task | null, ports: DriverPorts) {
    this.taskId = taskId;
    this.#task = task;
    this.#told = task;
    this.#ports = ports;
    const { clock, lingerMs = 0 } = ports;
    const linger = () => clock.sleepUntil(clock.now() + lingerMs, this.#ending.signal);
    this.#ahead = new Ahead(task, {
      taskId,
      losses: this.#losses,
      inFlight: (ended) => this.#runner.count(ended),
      ...ports,
    });
    this.#mailbox = new Mailbox(
      (batch) => this.#take(batch),
      lingerMs > 0 ? linger : null,
      (letter) => this.#ahead.see(letter),
    );
    this.#runner = new Runner(
      {
        taskId,
        task: () => this.#ahead.accepted ?? this.task,
        isEnding: () => this.#ending.signal.aborted,
        post: async (report, kept) => (await this.#post({ kind: "report", report, ...kept })).events,
        reconcile: () => this.#reconcile(),
      },
      ports,
    );
  }

  /** Folds the task from its log. @throws Error when the log cannot be folded; LoomError not_found when there is none */
  static async open(taskId: string, ports: DriverPorts): Promise<Driver> {
    const events = await readLog(ports.store, taskId, 0);
    if (events.length === 0) throw await withoutLog(ports.store, taskId);
    return new Driver(taskId, fold(taskId, events), ports);
  }

  /** The task as of the last append. @throws Error before it was created */
  get task(): Task {
    if (this.#task === null) throw new Error(`Task ${this.taskId} has not been created`);
    return this.#task;
  }

  /** Why wanted work does not go on, whatever the log says. */
  get held(): Held | null {
    if (this.#refusing !== null) return { kind: "storage", id: "storage", reason: this.#refusing.message };
    return this.#runner.held ?? this.#held;
  }

  get inFlight(): number {
    return this.#runner.size;
  }

  /** Lets work start, or says why it may not yet. What already runs goes on; times and undos are never held back. */
  admit(held: Held | null, admitted: boolean): void {
    this.#held = held;
    if (this.#isAdmitted === admitted) return;
    this.#isAdmitted = admitted;
    this.#reconcile();
  }

  /** A request, answered when what it led to is durable. @throws LoomError when the store cannot take it */
  async send(request: Request, idempotency?: Idempotency, ifSeq?: readonly number[]): Promise<Result<Taken, Refusal>> {
    if (this.#refusing !== null) throw this.#refusing;
    const terms = { ...(idempotency === undefined ? {} : { idempotency }), ...(ifSeq === undefined ? {} : { ifSeq }) };
    const answer = await this.#post({ kind: "request", request, ...terms });
    return answer.refusal === null ? ok(answer) : err(answer.refusal);
  }

  /** A report from outside the effects: recovery, a webhook's fate. Kept and tried again while the store is full. */
  async report(report: Report): Promise<readonly Event[]> {
    return (await this.#post({ kind: "report", report })).events;
  }

  /** Resolves when no message is waiting and no effect is in flight but waits. */
  async idle(): Promise<void> {
    for (;;) {
      await this.#mailbox.drained();
      const next = this.#runner.nextSettled();
      if (next === null) return;
      await next;
    }
  }

  /** Resolves when the effects that were aborted have settled: what they ran is dead. */
  stopped(): Promise<void> {
    return this.#runner.stopped();
  }

  /** Starts nothing more and lets what runs end at its next step boundary; aborts what has not by `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#end();
    this.#runner.yieldAll();
    await waitAtMost(this.#ports.clock, graceMs, this.#runner.settled());
    await this.close();
  }

  /** Aborts what runs and waits for it. Nothing is recorded about it: the next life finds it in the log. */
  async close(): Promise<void> {
    this.#end();
    this.#runner.abortAll();
    await waitAtMost(this.#ports.clock, stopMsMax, this.#runner.settled());
    await this.#mailbox.drained();
    this.#isClosed = true;
    const left = this.#runner.keys();
    if (left.length > 0)
      this.#ports.log.error({ task_id: this.taskId, effects: left }, "Effects did not stop when they were aborted");
  }

  #end(): void {
    if (!this.#ending.signal.aborted) this.#ending.abort(new Error(`The driver of ${this.taskId} goes down`));
    this.#waiting.end();
  }

  #post(message: Message): Promise<Answer> {
    if (!this.#isClosed) return this.#mailbox.post(message);
    const error = new LoomError("shutting_down", `Loom is shutting down; task ${this.taskId} takes nothing more`, {
      hint: "Try again in a few seconds",
    });
    return Promise.reject(error);
  }

  async #take(batch: readonly Letter[]): Promise<void> {
    let left: readonly Letter[] = batch.filter((letter) => {
      const loss = this.#losses.against(letter.message);
      if (loss !== null) letter.fail(loss);
      return loss === null;
    });
    while (left.length > 0) left = await this.#takeSome(left);
  }

  /** @returns what is still to be taken */
  async #takeSome(letters: readonly Letter[]): Promise<readonly Letter[]> {
    const found = this.#ahead.drafted(letters);
    const { drafted, error } =
      found === null ? await this.#ahead.draft(letters, this.#task) : { drafted: found, error: null };
    if (error !== null) return this.#hold(letters, { drafted, error });
    if (this.#mailbox.isEmpty && drafted.fates.length === letters.length) this.#ahead.writing(letters, drafted);
    else this.#ahead.close();
    const written = await write(this.#ports.store, { taskId: this.taskId, task: this.#task }, drafted.append);
    if (written.kind !== "appended") this.#ahead.close();
    switch (written.kind) {
      case "appended":
        return this.#conclude(letters, drafted);
      case "duplicate":
        return answerDuplicate(letters, { keyed: drafted.keyed, row: written.row });
      case "conflict":
        this.#task = written.task;
        return [...this.#waiting.takeAll(), ...letters];
      case "overdrawn":
        return letters; // asked again with what stands there now
      case "failed":
        return this.#hold(letters, { drafted, error: written.error });
      default:
        return unreachable(written);
    }
  }

  /** The append is durable: what it says is true now. */
  #conclude(letters: readonly Letter[], drafted: Drafted): readonly Letter[] {
    const taken = letters.slice(0, drafted.fates.length);
    this.#task = drafted.task;
    this.#refusing = null;
    this.#ahead.settled(this.#task);
    for (const [index, { message }] of taken.entries()) this.#settle(message, drafted.fates[index]);
    const isInterrupt = drafted.stamped.some(
      (event) => event.type === "steer_instruction" && event.mode === "interrupt",
    );
    if (isInterrupt) this.#runner.interruptAll();
    this.#reconcile();
    answerAll(taken, drafted.fates);
    this.#tell();
    return [...this.#waiting.follow(taken, drafted), ...letters.slice(taken.length)];
  }

  #settle(message: Message, fate: Fate | undefined): void {
    if (fate?.kind === "bug") {
      this.#losses.note(message);
      this.#ahead.close();
    } else if (message.kind === "report" && message.ends !== undefined) {
      this.#runner.ended(message.ends);
      this.#losses.forget(message.ends);
    }
  }

  #tell(): void {
    if (this.#told === this.#task) return;
    this.#told = this.#task;
    this.#guarded("Telling of a change failed", () => this.#ports.changed(this));
  }

  /** The store cannot take it: requests are told, reports are kept. @returns what is to be tried again; nothing when the error is a bug or the driver goes down */
  async #hold(
    letters: readonly Letter[],
    { drafted, error }: { readonly drafted: Drafted; readonly error: unknown },
  ): Promise<readonly Letter[]> {
    this.#ports.log.error({ task_id: this.taskId, ...factsOf(error) }, "An append failed");
    if (isPassing(error) && (await this.#tookEffect(drafted))) return this.#conclude(letters, drafted);
    const passing = isPassing(error) && !this.#ending.signal.aborted ? error : null;
    const kept = passing === null ? [] : letters.filter(({ message }) => message.kind === "report");
    for (const letter of letters) if (!kept.includes(letter)) this.#fail(letter, error);
    this.#refusing = kept.length === 0 ? null : passing;
    if (kept.length === 0) return kept;
    for (const letter of this.#mailbox.takeOut(({ kind }) => kind === "request")) letter.fail(error);
    const { clock } = this.#ports;
    await clock.sleepUntil(clock.now() + storageRetryMs, this.#ending.signal).catch(() => undefined);
    if (!(await this.#tookEffect(drafted))) return kept;
    return this.#conclude(letters, drafted).filter((letter) => kept.includes(letter));
  }

  #tookEffect(drafted: Drafted): Promise<boolean> {
    return tookEffect(this.#ports.store, { taskId: this.taskId, task: this.#task }, drafted);
  }

  #fail(letter: Letter, error: unknown): void {
    this.#losses.note(letter.message);
    letter.fail(error);
  }

  #reconcile(): void {
    const task = this.#task;
    if (task === null) return;
    this.#guarded("Effects could not be reconciled", () =>
      this.#runner.reconcile(task, ({ kind }) => {
        if (this.#ending.signal.aborted) return false;
        return this.#isAdmitted === true || kind === "wait" || kind === "undo";
      }),
    );
  }

  /** A bug beside the mailbox is told and does not stop it: what was appended must still be answered. */
  #guarded(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#ports.log.error({ task_id: this.taskId, ...factsOf(error) }, what);
    }
  }
}
