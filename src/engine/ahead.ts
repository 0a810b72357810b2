/**
 * Ahead of the log: messages are drafted as they come, on the state that what came before them leads to, and what its sender
 * does not need to be durable is accepted there and then. Nothing here is true until it is appended: who shows it to anyone,
 * or changes the world on the strength of it, waits for that.
 */

import { hasCaps } from "../domain/reservation.ts";
import { startedAs } from "../domain/spending.ts";
import type { Task } from "../domain/task.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { Clock } from "../ports/runtime.ts";
import { isCapped } from "./account-charges.ts";
import { Batch, type Drafted, draftOf, type Fate, type Message } from "./batch.ts";
import { chargedToday } from "./charged-today.ts";
import type { Letter } from "./letters.ts";
import type { Losses } from "./losses.ts";
import type { Urgency } from "./mailbox.ts";

export interface AheadHost {
  readonly taskId: string;
  readonly ledger: Ledger;
  readonly clock: Pick<Clock, "now">;
  readonly losses: Losses;
  /** Effects in flight, waits and those named not counted. */
  readonly inFlight: (ended: ReadonlySet<string>) => number;
  readonly redact: <T>(value: T) => T;
}

/** What the next message is drafted on. */
interface Base {
  readonly task: Task | null;
  /** Effects that end with what is being written. */
  readonly ended: ReadonlySet<string>;
  /** What is being written holds something that must be durable before anything is accepted on top of it. */
  readonly isBarred: boolean;
}

interface Entry {
  readonly letter: Letter;
  readonly fate: Fate;
}

const none: ReadonlySet<string> = new Set();

export class Ahead {
  readonly #host: AheadHost;
  /** Null while messages must wait to be drafted until their turn comes. */
  #base: Base | null;
  #batch: Batch | null = null;
  #entries: Entry[] = [];
  /** Of `#entries`, how many were looked at for acceptance. */
  #passed = 0;
  #accepted: Task | null;

  constructor(task: Task | null, host: AheadHost) {
    this.#host = host;
    this.#base = { task, ended: none, isBarred: false };
    this.#accepted = task;
  }

  /** The state that work may go on from: what is durable, and what was accepted since. */
  get accepted(): Task | null {
    return this.#accepted;
  }

  /** Drafts a message and accepts it, where both can be done now; else it waits for its turn. @returns how long it may wait */
  see(letter: Letter): Urgency {
    const { message } = letter;
    const fate = this.#draftNow(letter);
    this.#accept();
    if (message.kind === "request" || message.pace !== "soon") return "now";
    return message.report.type === "StepEnded" || (fate !== null && mayGoOn(message, fate)) ? "soon" : "now";
  }

  #draftNow(letter: Letter): Fate | null {
    const base = this.#base;
    if (base === null) return null;
    const batch = this.#batch ?? this.#begun(base);
    // What stands in the ledger is asked when the turn comes.
    const isTurnWaitedFor = isCapped(base.task?.brief.account) || !batch.hasRoomFor(letter.message);
    if (isTurnWaitedFor || this.#host.losses.against(letter.message) !== null) {
      this.close();
      return null;
    }
    const fate = batch.take(letter.message, this.#host.clock.now());
    this.#batch = batch;
    this.#entries.push({ letter, fate });
    return fate;
  }

  /** Messages wait for their turn from now on, those in the draft among them. */
  close(): void {
    this.#base = null;
    this.#drop();
  }

  /** @returns the draft of exactly these letters; null when there is none */
  drafted(letters: readonly Letter[]): Drafted | null {
    const isTheirs =
      this.#entries.length === letters.length && this.#entries.every(({ letter }, index) => letters[index] === letter);
    return isTheirs && this.#batch !== null ? this.#batch.drafted() : null;
  }

  /** Drafts letters when their turn has come. */
  async draft(
    letters: readonly Letter[],
    task: Task | null,
  ): Promise<{ readonly drafted: Drafted; readonly error: unknown }> {
    const { clock, inFlight, ledger, redact, taskId } = this.#host;
    const standing = { taskId, task, inFlight, redact };
    const messages = letters.map(({ message }) => message);
    const now = clock.now();
    const charged = await chargedToday(ledger, { task, messages, now });
    if (!charged.ok) return { drafted: draftOf([], standing, now), error: charged.error };
    return { drafted: draftOf(messages, { ...standing, ledger: charged.value }, now), error: null };
  }

  /** All that was posted is in a draft that is being written: what comes now stands on it. */
  writing(letters: readonly Letter[], { task, ended }: Pick<Drafted, "task" | "ended">): void {
    this.#drop();
    this.#base = { task, ended, isBarred: letters.some(({ message }) => message.kind === "request") };
  }

  /** What was being written is durable, and leads to this state. */
  settled(task: Task | null): void {
    if (this.#base?.task !== task) this.close();
    else this.#base = { task, ended: none, isBarred: false };
    if (this.#passed === 0) this.#accepted = task;
    this.#accept();
  }

  #begun({ task, ended }: Base): Batch {
    const { inFlight, redact, taskId } = this.#host;
    const isLeft = (more: ReadonlySet<string>) => inFlight(ended.size === 0 ? more : new Set([...ended, ...more]));
    return new Batch({ taskId, task, redact, inFlight: isLeft });
  }

  #drop(): void {
    this.#batch = null;
    this.#entries = [];
    this.#passed = 0;
  }

  #accept(): void {
    if (this.#base === null || this.#base.isBarred) return;
    for (const { letter, fate } of this.#entries.slice(this.#passed)) {
      // A request is refused when the store fails, and reports are tried again: nothing may rest on it before.
      if (fate.kind !== "answer" || letter.message.kind === "request") return;
      this.#passed += 1;
      this.#accepted = fate.answer.task ?? this.#accepted;
      if (mayGoOn(letter.message, fate)) letter.answer(fate.answer);
    }
  }
}

/**
 * May its sender go on before it is durable? The end of a step is not answered early: nobody waits for it, and whether it could
 * be recorded is not known yet. Nor is a refusal, which might not hold.
 */
function mayGoOn(message: Message, fate: Fate): boolean {
  if (message.kind === "request" || message.pace !== "soon" || fate.kind !== "answer") return false;
  const { report } = message;
  const { events, task } = fate.answer;
  if (report.type !== "StepStarted") return report.type === "Started";
  // What a cap was charged must be known after a crash, or it would be spent twice. @see DECISIONS 36
  return task !== undefined && !hasCaps(task.brief) && startedAs(report, events) !== undefined;
}
