/** A folder for one test, gone when it ends; a storage on a real file in one; and what an action threw. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LoomError } from "../../src/lib/errors.ts";
import { openDatabase, type StorageDatabase } from "../../src/storage/database.ts";
import { createSqliteEventStore } from "../../src/storage/event-store.sqlite.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { startWriterThread } from "../../src/storage/writer-thread.ts";
import { startedAt } from "../contracts/batches.ts";
import type { OpenedStorage } from "../contracts/opened-storage.ts";

/** In memory where the system has such a place: a suite that opens a hundred databases would wait for the disk all the time. */
const fastFolder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

export function temporaryFolder(parent: string = fastFolder): TemporaryFolder {
  const path = mkdtempSync(join(parent, "loom-storage-"));
  // A thread that is just opening its database may put a file there in that very moment.
  const gone = { recursive: true, force: true, maxRetries: 10, retryDelay: 20 };
  return { path, [Symbol.dispose]: () => rmSync(path, gone) };
}

export interface OpenedFile extends Disposable {
  readonly database: StorageDatabase;
  readonly storage: Storage;
}

export function openFile(path: string, now: () => number = () => startedAt): OpenedFile {
  const database = openDatabase(path, { ballastBytes: 4096 });
  return {
    database,
    storage: createSqliteEventStore(database, { clock: { now } }),
    [Symbol.dispose]: () => database[Symbol.dispose](),
  };
}

export function openTemporaryStorage(): OpenedStorage {
  return temporaryStorage((database, now) => createSqliteEventStore(database, { clock: { now } }));
}

/** The same, written by a thread of its own; closing it does not wait for that thread, which has nothing left to do. */
export function openThreadedStorage(): OpenedStorage {
  return temporaryStorage((database, now) =>
    createSqliteEventStore(database, { clock: { now }, writer: startWriterThread(database) }),
  );
}

function temporaryStorage(create: (database: StorageDatabase, now: () => number) => Storage): OpenedStorage {
  const folder = temporaryFolder();
  const database = openDatabase(join(folder.path, "loom.db"), { ballastBytes: 4096 });
  let now = startedAt;
  return {
    storage: create(database, () => now),
    setNow: (next) => {
      now = next;
    },
    [Symbol.dispose]() {
      database[Symbol.dispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** @returns the LoomError that `action` ends with */
export async function failureOf(action: () => unknown): Promise<LoomError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof LoomError) return error;
    throw error;
  }
  throw new Error("Nothing was thrown");
}
