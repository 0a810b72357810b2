/**
 * The event store in SQLite. What writes is given from outside: the thread at hand, or one of its own, so that no commit
 * holds up the event loop. How a batch becomes rows, and how rows are read, is known to the files beside it.
 */
import type { Append } from "../ports/event-store.ts";
import { createKeyReader } from "./batch-writer.sqlite.ts";
import type { RecentBlobs } from "./blob-names.ts";
import { createBlobStore } from "./blob-store.fs.ts";
import type { StorageDatabase } from "./database.ts";
import { guarded } from "./failures.ts";
import { GroupCommit } from "./group-commit.ts";
import { createSqliteMemory } from "./knowledge.sqlite.ts";
import { createLedgerReader } from "./ledger.sqlite.ts";
import { createLogReader, createRowReader, createStepReader } from "./log-reader.sqlite.ts";
import { createOutboxReader } from "./outbox.sqlite.ts";
import type { Storage, StorageOptions } from "./storage.ts";
import { createWriter, type Writer } from "./writer.sqlite.ts";

export interface SqliteOptions extends StorageOptions {
  /** Without one, writes are made here and now. */
  readonly writer?: Writer;
  /** Told of each blob that is written or read; who collects blobs asks it. */
  readonly recent?: RecentBlobs;
}

/** Everything that one file holds. It stays usable after any failure; database and writer are closed by who opened them. */
export function createSqliteEventStore(database: StorageDatabase, options: SqliteOptions): Storage {
  const { clock, log, writer = createWriter(database, log), recent } = options;
  const blobs = createBlobStore(database, recent);
  const prepare = (batch: Append): Promise<void> | null => blobs.prepare(batch.blobs ?? []);
  const group = new GroupCommit({ prepare, commit: (batches) => writer.commit(batches) }, log);
  const findKey = createKeyReader(database);
  return {
    append: (batch) => group.append(batch),
    onCommit: (listener) => group.onCommit(listener),
    onOwed: (listener) => group.onOwed(listener),
    ...createLogReader(database),
    ...createRowReader(database),
    ...createStepReader(database),
    ...createLedgerReader(database.connection),
    idempotency: async (key) => guarded("read an idempotency key", () => findKey(key, clock.now())),
    get: (digest) => blobs.get(digest),
    ...createOutboxReader(database.connection),
    settle: async (deliveryId, outcome) => throwAny(await writer.settle({ deliveryId, ...outcome })),
    redeliver: async (deliveryId, now, kept) => {
      throwAny(await writer.redeliver({ deliveryId, now, kept }));
      group.tellOwed();
    },
    markTold: async (deliveryId) => throwAny(await writer.markTold(deliveryId)),
    ...createSqliteMemory(database.connection),
  };
}

function throwAny(failure: Error | null): void {
  if (failure !== null) throw failure;
}
