/** Commits a group of batches in one transaction of SQLite, each with a fate of its own. */
import { LoomError, messageOf } from "../lib/errors.ts";
import { err, ok } from "../lib/result.ts";
import type { Append } from "../ports/event-store.ts";
import type { Log } from "../ports/runtime.ts";
import { createBatchWriter } from "./batch-writer.sqlite.ts";
import type { StorageDatabase } from "./database.ts";
import { isStorageFull, storageFailure } from "./failures.ts";
import type { Fate } from "./group-commit.ts";

/** Together if that works, else each alone, so that only those fail that cannot be written. */
export function createCommit(
  database: StorageDatabase,
  log: Log | undefined,
): (batches: readonly Append[]) => readonly Fate[] {
  const transact = createTransaction(database);
  const attempt = (batches: readonly Append[]): readonly Fate[] => {
    try {
      return transact(batches);
    } catch (error) {
      const [first, second] = batches;
      if (first !== undefined && second === undefined) return [err(storageFailure(`append to ${first.taskId}`, error))];
      return batches.flatMap((batch) => attempt([batch]));
    }
  };
  return (batches) => {
    try {
      return transact(batches);
    } catch (error) {
      log?.error({ error: messageOf(error), batches: batches.length }, "A commit failed");
      if (isStorageFull(error) && database.ballast.release()) {
        log?.warn(
          { path: database.path },
          "The disk is full: the ballast was let go, so that running steps can be recorded",
        );
      }
      return attempt(batches);
    }
  };
}

/** @returns writes all batches in one transaction; throws when it, not one batch, failed, and then kept nothing */
function createTransaction(database: StorageDatabase): (batches: readonly Append[]) => readonly Fate[] {
  const { connection } = database;
  const write = createBatchWriter(database);
  const begin = connection.prepare("BEGIN IMMEDIATE");
  const commit = connection.prepare("COMMIT");
  const rollback = connection.prepare("ROLLBACK");
  const save = connection.prepare("SAVEPOINT batch");
  const restore = connection.prepare("ROLLBACK TO batch");
  const release = connection.prepare("RELEASE batch");

  const writeApart = (batch: Append): Fate => {
    save.run();
    try {
      return ok(write(batch));
    } catch (error) {
      const failure = storageFailure(`append to ${batch.taskId}`, error);
      // A failure of the disk may have undone the other batches too: none of them is to be told that it is kept.
      if (failure instanceof LoomError || !connection.inTransaction) throw error;
      restore.run();
      return err(failure);
    } finally {
      if (connection.inTransaction) release.run();
    }
  };
  return (batches) => {
    begin.run();
    try {
      const fates = batches.map(writeApart);
      commit.run();
      return fates;
    } catch (error) {
      if (connection.inTransaction) rollback.run();
      throw error;
    }
  };
}
