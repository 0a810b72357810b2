/**
 * All that writes to the database, as a table of jobs: one connection does them, here or in a thread of its own. A job
 * returns its failures, since what is thrown loses its class on the way between threads.
 */
import type { Append } from "../ports/event-store.ts";
import type { Log } from "../ports/runtime.ts";
import { createCommit } from "./committing.sqlite.ts";
import type { StorageDatabase } from "./database.ts";
import type { Fate } from "./group-commit.ts";
import { createSettler, type Settled } from "./outbox.sqlite.ts";

export interface Jobs {
  /** One fate a batch, in their order. */
  commit(batches: readonly Append[]): readonly Fate[];
  /** @returns what went wrong, or null */
  settle(settled: Settled): Error | null;
}

export type Job = keyof Jobs;

/** The same jobs for who asks: done at once, or answered by another thread. */
export type Writer = {
  readonly [J in Job]: (...args: Parameters<Jobs[J]>) => ReturnType<Jobs[J]> | Promise<ReturnType<Jobs[J]>>;
};

export function createWriter(database: StorageDatabase, log?: Log): Jobs {
  return { commit: createCommit(database, log), settle: createSettler(database.connection) };
}
