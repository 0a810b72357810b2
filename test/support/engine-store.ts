/** The event store in memory with trouble on request: refused appends, appends in doubt, held ones. Knows when nothing is under way. */
import type { TaskEvent } from "../../src/domain/event.ts";
import type { Append, AppendResult, EventStore } from "../../src/ports/event-store.ts";
import { createMemoryEventStore } from "../../src/storage/event-store.memory.ts";
import { turn } from "./clock.ts";

export interface Trouble {
  readonly error: Error;
  /** The append is kept all the same: its caller does not know. */
  readonly kept?: boolean;
}

type Waiting = PromiseWithResolvers<void>;

export class TestStore implements EventStore {
  readonly inner = createMemoryEventStore();
  /** Every append that was tried, in order. */
  readonly tried: Append[] = [];
  /** Asked before each append; what it returns becomes of it. */
  trouble: (append: Append, nth: number) => Trouble | null = () => null;
  /** What reading steps meets; null when all is well. */
  stepsTrouble: Error | null = null;
  /** What the next reading of a log meets, once. */
  readTrouble: Error | null = null;
  /** Every append is said to conflict with one that nobody made. */
  conflicts = false;
  #underWay = 0;
  #gate: Waiting | null = null;

  readonly readAll: EventStore["readAll"] = (range) => this.inner.readAll(range);
  readonly lastGlobal: EventStore["lastGlobal"] = () => this.inner.lastGlobal();
  readonly row: EventStore["row"] = (taskId) => this.inner.row(taskId);
  readonly rows: EventStore["rows"] = (query) => this.inner.rows(query);
  readonly remains: EventStore["remains"] = (taskId) => this.inner.remains(taskId);
  readonly openTasks: EventStore["openTasks"] = () => this.inner.openTasks();
  readonly scopes: EventStore["scopes"] = (taskId, prefix) => this.inner.scopes(taskId, prefix);
  readonly idempotency: EventStore["idempotency"] = (key) => this.inner.idempotency(key);
  readonly onCommit: EventStore["onCommit"] = (listener) => this.inner.onCommit(listener);

  append(batch: Append): Promise<AppendResult> {
    this.tried.push(batch);
    return this.#counted(async () => {
      await this.#gate?.promise;
      const trouble = this.trouble(batch, this.tried.length);
      if (trouble !== null && trouble.kept !== true) throw trouble.error;
      if (this.conflicts) return { kind: "conflict", seq: batch.expectedSeq };
      const result = await this.inner.append(batch);
      if (trouble !== null) throw trouble.error;
      return result;
    });
  }

  read(taskId: string, range: { readonly after: number; readonly limit: number }): Promise<TaskEvent[]> {
    const trouble = this.readTrouble;
    this.readTrouble = null;
    if (trouble !== null) return Promise.reject(trouble);
    return this.#counted(() => this.inner.read(taskId, range));
  }

  steps(taskId: string, scope: string): ReturnType<EventStore["steps"]> {
    if (this.stepsTrouble !== null) return Promise.reject(this.stepsTrouble);
    return this.#counted(() => this.inner.steps(taskId, scope));
  }

  async log(taskId: string): Promise<TaskEvent[]> {
    return await this.inner.read(taskId, { after: 0, limit: 1_000_000 });
  }

  async types(taskId: string): Promise<string[]> {
    return (await this.log(taskId)).map(({ type }) => type);
  }

  /** Holds all appends until the returned function is called. */
  hold(): () => void {
    const gate = Promise.withResolvers<void>();
    this.#gate = gate;
    return () => {
      this.#gate = null;
      gate.resolve();
    };
  }

  /** Resolves when nothing is under way here and nothing new was begun for some turns. */
  async quiet(): Promise<void> {
    for (let calm = 0; calm < 3; calm = this.#underWay === 0 || this.#gate !== null ? calm + 1 : 0) await turn();
  }

  async #counted<T>(act: () => Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      return await act();
    } finally {
      this.#underWay -= 1;
    }
  }
}
