/**
 * The effects in flight of one task: starts what is wanted, stops what is not, and brings each end to the mailbox. An effect
 * leaves the flight only when its end has been folded, one that was stopped only after its executor has settled.
 */

import { type Effect, type EffectKind, journalScopeOf } from "../domain/effect.ts";
import { effects } from "../domain/effects.ts";
import type { Event } from "../domain/event.ts";
import type { Report } from "../domain/report.ts";
import type { Task } from "../domain/task.ts";
import type { Held } from "../domain/view.ts";
import { messageOf } from "../lib/errors.ts";
import type { EventStore, StepRow } from "../ports/event-store.ts";
import type { Execution, Executors } from "../ports/executor.ts";
import type { Token } from "../ports/feed.ts";
import type { Clock, Log } from "../ports/runtime.ts";
import { type EndReport, endingOf, failure, nothingSaid } from "./endings.ts";
import { factsOf, isPassing, storageRetryMs } from "./faults.ts";
import { InFlight } from "./flight.ts";
import { AttemptJournal, type Kept } from "./journal.ts";
import { startable } from "./slots.ts";

export interface RunnerPorts {
  readonly store: EventStore;
  readonly executors: Executors;
  readonly clock: Clock;
  readonly log: Log;
  readonly token: (taskId: string, token: Token) => void;
}

/** What the runner asks of the driver that it runs for. */
export interface Host {
  readonly taskId: string;
  /** The task as of the last report that was accepted. */
  readonly task: () => Task;
  /** Nothing starts any more, and what fails now is for the next life. */
  readonly isEnding: () => boolean;
  /** Brings a report to the mailbox; with `ends`, the effect leaves the flight when it is folded. */
  readonly post: (report: Report, kept: Kept & { readonly ends?: string }) => Promise<readonly Event[]>;
  readonly reconcile: () => void;
}

export class Runner {
  readonly #host: Host;
  readonly #ports: RunnerPorts;
  readonly #flight = new Map<string, InFlight>();
  /** Effects whose end could not be taken in, and why. They are not started again in this life. */
  readonly #barred = new Map<string, string>();

  constructor(host: Host, ports: RunnerPorts) {
    this.#host = host;
    this.#ports = ports;
  }

  get size(): number {
    return this.#flight.size;
  }

  /** A bug of the rules or of the store stands in the way of an effect: someone has to look. */
  get held(): Held | null {
    const [first] = this.#barred;
    return first === undefined ? null : { kind: "operator", id: first[0], reason: first[1] };
  }

  /** Effects in flight, waits and those named not counted. */
  count(ended: ReadonlySet<string>): number {
    return this.#busy().filter(({ effect }) => !ended.has(effect.key)).length;
  }

  /** @param mayStart which of the wanted effects may start now; what runs and is not wanted is stopped in any case */
  reconcile(task: Task, mayStart: (effect: Effect) => boolean): void {
    const wanted = effects(task);
    const modes = new Map(wanted.map(({ key, mode }) => [key, mode]));
    for (const entry of this.#flight.values()) {
      const mode = modes.get(entry.effect.key);
      if (mode === undefined) entry.abort();
      else if (mode === "yield") entry.yield();
    }
    const eligible = wanted.filter((effect) => mayStart(effect) && !this.#barred.has(effect.key));
    const slotsMax = task.brief.rules.max_parallel_subtasks;
    for (const effect of startable(eligible, [...this.#flight.values()], slotsMax)) {
      const entry = new InFlight(effect);
      this.#flight.set(effect.key, entry);
      entry.settled = this.#run(entry);
    }
  }

  /** The end of an effect is folded: it is in flight no more. */
  ended(key: string): void {
    this.#flight.delete(key);
  }

  interruptAll(): void {
    for (const entry of this.#flight.values()) entry.interrupt();
  }

  /** Asks for the next step boundary; waits have none and end at once. */
  yieldAll(): void {
    for (const entry of this.#flight.values()) {
      if (entry.effect.kind === "wait") entry.abort();
      else entry.yield();
    }
  }

  abortAll(): void {
    for (const entry of this.#flight.values()) entry.abort();
  }

  /** Resolves when what is in flight now has settled. */
  async settled(): Promise<void> {
    await Promise.all([...this.#flight.values()].map((entry) => entry.settled));
  }

  /** Resolves when what was aborted until now has settled. */
  async stopped(): Promise<void> {
    const stopping = [...this.#flight.values()].filter((entry) => entry.stopping);
    await Promise.all(stopping.map((entry) => entry.settled));
  }

  /** Resolves when one of what is in flight has settled; null when nothing but waits is. */
  nextSettled(): Promise<void> | null {
    const busy = this.#busy();
    return busy.length === 0 ? null : Promise.race(busy.map((entry) => entry.settled));
  }

  keys(): readonly string[] {
    return [...this.#flight.keys()];
  }

  #busy(): InFlight[] {
    return [...this.#flight.values()].filter(({ effect }) => effect.kind !== "wait");
  }

  async #run(entry: InFlight): Promise<void> {
    const { key, kind } = entry.effect;
    let trouble = await this.#end(key, await this.#execute(entry));
    if (trouble !== null && kind !== "wait" && !this.#host.isEnding())
      trouble = await this.#end(key, failure(key, trouble));
    if (trouble === null) return;
    this.#flight.delete(key);
    const facts = { task_id: this.#host.taskId, effect: key, ...factsOf(trouble) };
    if (this.#host.isEnding()) return this.#ports.log.warn(facts, "The end of an effect is left to the next life");
    this.#ports.log.error(facts, "An effect could not be ended");
    this.#barred.set(key, messageOf(trouble));
    this.#host.reconcile();
  }

  /** @returns null, or why the report could not be recorded */
  async #end(key: string, report: EndReport): Promise<Error | null> {
    try {
      await this.#host.post(report, { ends: key });
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(messageOf(error));
    }
  }

  async #execute(entry: InFlight): Promise<EndReport> {
    const { effect, stop } = entry;
    try {
      if (effect.kind === "wait") {
        await this.#ports.clock.sleepUntil(effect.until, stop.aborted);
        return { type: "TimeReached", key: effect.key };
      }
      const said = await this.#host.post({ type: "Started", key: effect.key }, { pace: "soon" });
      stop.aborted.throwIfAborted();
      // What begins only now, and says so, has no steps behind it.
      const recorded = said.length > 0 ? [] : await this.#recorded(journalScopeOf(effect), stop.aborted);
      return endingOf(entry, await this.#executor(effect.kind)(this.#execution(entry, recorded)));
    } catch (error) {
      if (entry.stopping || this.#host.isEnding()) return nothingSaid(effect.key);
      const facts = { task_id: this.#host.taskId, effect: effect.key, ...factsOf(error) };
      this.#ports.log.error(facts, "An executor threw");
      return failure(effect.key, error);
    }
  }

  /** Nothing is said of steps that are cut short because Loom goes down: the next life finds them as they stood. */
  #postOf(post: Host["post"]): Host["post"] {
    return async (report, kept) => {
      const isCut = report.type === "StepEnded" && kept.steps === undefined;
      return isCut && this.#host.isEnding() ? [] : await post(report, kept);
    };
  }

  #executor(kind: Exclude<EffectKind, "wait">): (execution: Execution) => Promise<Report> {
    // Each executor is only ever given an effect of its own kind; the table's key says so, the compiler cannot.
    return this.#ports.executors[kind] as (execution: Execution) => Promise<Report>;
  }

  #execution(entry: InFlight, recorded: readonly StepRow[]): Execution {
    const { effect, stop } = entry;
    const { taskId, task, post } = this.#host;
    const scope = journalScopeOf(effect);
    return {
      effect,
      task: task(),
      current: task,
      journal: new AttemptJournal({ key: effect.key, scope }, recorded, this.#postOf(post)),
      inbox: {
        instructions: () => (effect.kind === "work" ? laterInstructions(task(), effect.subtaskId) : []),
        interrupted: () => entry.interrupted(),
      },
      stop,
      token: (token, from) => this.#ports.token(taskId, { token, ...from }),
    };
  }

  /** A store that cannot be read now costs no attempt. */
  async #recorded(scope: string, signal: AbortSignal): Promise<readonly StepRow[]> {
    const { store, clock } = this.#ports;
    for (;;) {
      try {
        return await store.steps(this.#host.taskId, scope);
      } catch (error) {
        if (!isPassing(error)) throw error;
        await clock.sleepUntil(clock.now() + storageRetryMs, signal);
      }
    }
  }
}

/** What came after the attempt began and is meant for it; what came before stands in its first prompt. */
function laterInstructions(task: Task, subtaskId: string): Task["instructions"] {
  const since = task.subtasks.get(subtaskId)?.startedSeq ?? 0;
  return task.instructions.filter((instruction) => instruction.seq > since && instruction.mode !== "queue");
}
