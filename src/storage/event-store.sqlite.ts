/**
 * The event store in SQLite: commits groups of batches in one transaction. How a batch becomes rows, and how rows are
 * read, is known to the files beside it, which are joined here.
 */
import { LoomError, messageOf } from "../lib/errors.ts";
import { err, ok } from "../lib/result.ts";
import type { Append } from "../ports/event-store.ts";
import type { Log } from "../ports/runtime.ts";
import { createBatchWriter, createKeyReader } from "./batch-writer.sqlite.ts";
import { createBlobStore } from "./blob-store.fs.ts";
import type { StorageDatabase } from "./database.ts";
import { guarded, isStorageFull, storageFailure } from "./failures.ts";
import { type Fate, GroupCommit } from "./group-commit.ts";
import { createSqliteMemory } from "./knowledge.sqlite.ts";
import { createLogReader, createRowReader, createStepReader } from "./log-reader.sqlite.ts";
import { createSqliteOutbox } from "./outbox.sqlite.ts";
import type { Storage, StorageOptions } from "./storage.ts";

/** Everything that one file holds. It stays usable after any failure; the database is closed by who opened it. */
export function createSqliteEventStore(database: StorageDatabase, { clock, log }: StorageOptions): Storage {
  const blobs = createBlobStore(database);
  const commit = createCommit(database, log);
  const group = new GroupCommit({ prepare: (batch) => blobs.prepare(batch.blobs ?? []), commit }, log);
  const findKey = createKeyReader(database);
  return {
    append: (batch) => group.append(batch),
    onCommit: (listener) => group.onCommit(listener),
    onOwed: (listener) => group.onOwed(listener),
    ...createLogReader(database),
    ...createRowReader(database),
    ...createStepReader(database),
    idempotency: async (key) => guarded("read an idempotency key", () => findKey(key, clock.now())),
    get: (digest) => blobs.get(digest),
    ...createSqliteOutbox(database.connection),
    ...createSqliteMemory(database.connection),
  };
}

/** Together if that works, else each alone, so that only those fail that cannot be written. */
function createCommit(
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
