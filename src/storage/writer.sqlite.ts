/**
 * All that writes to the database, as a table of jobs: one connection does them, here or in a thread of its own. A job
 * returns its failures, since what is thrown loses its class on the way between threads.
 */
import type { Result } from "../lib/result.ts";
import type { Append } from "../ports/event-store.ts";
import type { Log } from "../ports/runtime.ts";
import { type AccessJobs, createAccessJobs } from "./access.sqlite.ts";
import { type Chore, createChores } from "./chores.sqlite.ts";
import { createCommit } from "./committing.sqlite.ts";
import type { StorageDatabase } from "./database.ts";
import type { Fate } from "./group-commit.ts";
import { createDeliveryJobs, type DeliveryJobs } from "./outbox.sqlite.ts";
import { createProfileJobs, type ProfileJobs } from "./profiles.sqlite.ts";
import { createWalBound } from "./wal.ts";

export interface Jobs extends DeliveryJobs, AccessJobs, ProfileJobs {
  /** One fate a batch, in their order. */
  commit(batches: readonly Append[]): readonly Fate[];
  /** A piece of keeping the file in order. @returns how much was done */
  chore(chore: Chore): Result<number, Error>;
}

export type Job = keyof Jobs;

/** The same jobs for who asks: done at once, or answered by another thread. */
export type Writer = {
  readonly [J in Job]: (...args: Parameters<Jobs[J]>) => ReturnType<Jobs[J]> | Promise<ReturnType<Jobs[J]>>;
};

export function createWriter(database: StorageDatabase, log?: Log): Jobs {
  const commit = createCommit(database, log);
  const chore = createChores(database);
  const boundWal = createWalBound(database);
  return {
    commit: (batches) => {
      const fates = commit(batches);
      boundWal();
      return fates;
    },
    chore: (given) => {
      const outcome = chore(given);
      boundWal();
      return outcome;
    },
    ...createDeliveryJobs(database.connection),
    ...createAccessJobs(database.connection),
    ...createProfileJobs(database.connection),
  };
}
