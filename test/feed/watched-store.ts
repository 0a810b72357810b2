/** A store in memory that counts its reads, makes them slow, or lets them fail. */
import { setImmediate } from "node:timers/promises";
import type { EventStore } from "../../src/ports/event-store.ts";
import { createMemoryEventStore } from "../../src/storage/event-store.memory.ts";
import { batch, notes } from "../contracts/batches.ts";

export class WatchedStore {
  readonly store: EventStore;
  readonly #heads = new Map<string, number>();
  reads = 0;
  /** Turns of the event loop that a read takes: commits come in while it runs. */
  readTurns = 0;
  isBroken = false;

  constructor() {
    const inner = createMemoryEventStore();
    this.store = {
      ...inner,
      read: async (...args) => await this.#watch(() => inner.read(...args)),
      readAll: async (...args) => await this.#watch(() => inner.readAll(...args)),
    };
  }

  async #watch<R>(read: () => Promise<R>): Promise<R> {
    this.reads += 1;
    if (this.isBroken) throw new Error("broken disk");
    for (let turn = 0; turn < this.readTurns; turn += 1) await setImmediate();
    return await read();
  }

  async append(taskId: string, count: number): Promise<void> {
    const after = this.#heads.get(taskId) ?? 0;
    this.#heads.set(taskId, after + count);
    await this.store.append(batch({ taskId, after, events: notes(count, after + 1) }));
  }
}
