/**
 * The world that a simulated Loom lives in: luck by seed, time that steps, a disk that outlives crashes, side effects that
 * are counted. A life is one process; when it dies, nothing of it does anything any more.
 */
import type { Effect } from "../../src/domain/effect.ts";
import type { TaskEvent } from "../../src/domain/event.ts";
import { LoomError } from "../../src/lib/errors.ts";
import type { Append, AppendResult, EventStore } from "../../src/ports/event-store.ts";
import type { Stop } from "../../src/ports/executor.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import type { Clock } from "../../src/ports/runtime.ts";
import { createMemoryEventStore } from "../../src/storage/event-store.memory.ts";
import { StepClock, turn } from "./clock.ts";

/**
 * What happens to Loom at an append. It dies `before` anything of it is kept, or `after`, when its caller does not know yet;
 * the store has `refused` it, or leaves it in `doubt`; Loom is asked to go down in order (`drain`).
 */
export interface Blow {
  /** So many appends after the one before. */
  readonly after: number;
  readonly kind: "before" | "after" | "refused" | "doubt" | "drain";
}

/** Never resolves: what a process that died would have done next. */
function nothingMore<T>(): Promise<T> {
  return new Promise(() => undefined);
}

export interface Running {
  readonly effect: Effect;
  readonly stop: Stop;
}

export class Life {
  /** Effects that run, by key, each with what stops it. */
  readonly running = new Map<string, Running>();
  readonly death: Promise<void>;
  readonly #die: () => void;
  #isDead = false;
  #underWay = 0;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.death = promise;
    this.#die = resolve;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  get isBusy(): boolean {
    return this.#underWay > 0 && !this.#isDead;
  }

  die(): void {
    this.#isDead = true;
    this.#die();
  }

  /** Goes on only while this life lasts. */
  async within<T>(act: () => Promise<T>): Promise<T> {
    if (this.#isDead) return await nothingMore();
    this.#underWay += 1;
    try {
      const result = await act();
      return this.#isDead ? await nothingMore<T>() : result;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Resolves with the result, or with null when this life ended first. */
  async outcome<T>(work: Promise<T>): Promise<T | null> {
    return await Promise.race([work, this.death.then(() => null)]);
  }
}

export class World {
  readonly store = createMemoryEventStore();
  readonly clock = new StepClock(() => this.quiet());
  /** How often each side effect took place. */
  readonly effects = new Map<string, number>();
  /** What must not have happened, in words. */
  readonly breaches: string[] = [];
  /** Told of every append that was kept. */
  onAppend: () => void = () => undefined;
  life = new Life();
  /** Told when Loom is to go down in order. */
  onDrain: () => void = () => undefined;
  /** How many there were. */
  blows = 0;
  readonly #seed: number;
  readonly #blows: Blow[];
  #sinceBlow = 0;
  #recoveries = 0;

  constructor(seed: number, blows: readonly Blow[]) {
    this.#seed = seed;
    this.#blows = [...blows];
  }

  /** @returns a number in [0, 1), the same for the same question in every life and order */
  luck(...question: readonly (string | number)[]): number {
    let hash = 2166136261 ^ this.#seed;
    for (const char of question.join("/")) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619);
    hash = Math.imul(hash ^ (hash >>> 15), 2246822507);
    hash = Math.imul(hash ^ (hash >>> 13), 3266489909);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
  }

  /** Resolves when only time can make anything happen. */
  async quiet(): Promise<void> {
    for (let calm = 0; calm < 3; calm = this.life.isBusy ? 0 : calm + 1) await turn();
  }

  /** The store and the clock as one life has them. */
  portsOf(life: Life): { readonly store: EventStore; readonly ledger: Ledger; readonly clock: Clock } {
    const { store, clock } = this;
    return {
      store: {
        ...store,
        append: (batch) => life.within(() => this.#append(life, batch)),
        read: (taskId, range) => life.within(() => store.read(taskId, range)),
        steps: (taskId, scope) => life.within(() => store.steps(taskId, scope)),
        remains: (taskId) => life.within(() => store.remains(taskId)),
        openTasks: () => life.within(() => store.openTasks()),
      },
      ledger: { charged: (account, day) => life.within(() => store.charged(account, day)) },
      clock: {
        now: () => clock.now(),
        sleepUntil: async (until, signal) => {
          await clock.sleepUntil(until, signal);
          if (life.isDead) await nothingMore();
        },
      },
    };
  }

  /** A side effect takes place. */
  happen(life: Life, what: string): void {
    if (!life.isDead) this.effects.set(what, (this.effects.get(what) ?? 0) + 1);
  }

  async log(taskId: string): Promise<TaskEvent[]> {
    return await this.store.read(taskId, { after: 0, limit: 1_000_000 });
  }

  async #append(life: Life, batch: Append): Promise<AppendResult> {
    const blow = this.#strike(batch.events)?.kind;
    if (blow === "before") return await this.#kill(life);
    if (blow === "refused") throw new LoomError("storage_full", "The disk is full");
    const result = await this.store.append(batch);
    this.#observe(batch.events);
    if (blow === "after") return await this.#kill(life);
    if (blow === "doubt") throw new LoomError("storage_failed", "Nobody knows");
    if (blow === "drain") this.onDrain();
    this.onAppend();
    return result;
  }

  /** A third death in a row without a step would fail the task by rule: luck has mercy before. */
  #strike(events: readonly TaskEvent[]): Blow | null {
    const [next] = this.#blows;
    this.#sinceBlow += 1;
    const recoveries = this.#recoveries + events.filter(({ type }) => type === "task_recovered").length;
    if (next === undefined || this.#sinceBlow < next.after || recoveries >= 2) return null;
    this.#blows.shift();
    this.#sinceBlow = 0;
    this.blows += 1;
    return next;
  }

  /** Whoever was answered already may still hear of it. */
  async #kill(life: Life): Promise<AppendResult> {
    await turn();
    life.die();
    return await nothingMore();
  }

  #observe(events: readonly TaskEvent[]): void {
    for (const event of events) {
      if (event.type === "task_recovered") this.#recoveries += 1;
      const isStep =
        event.type === "tool_call_completed" || (event.type === "model_invocation" && event.phase === "done");
      if (isStep) this.#recoveries = 0;
    }
  }
}
