/** A file with everything that works on it: the store, the thread that writes, and what keeps it in order. Disposed as one. */
import type { Audit, Keys } from "../ports/access.ts";
import type { Profiles } from "../ports/profiles.ts";
import type { Clock, Log } from "../ports/runtime.ts";
import { createAccess } from "./access.sqlite.ts";
import { RecentBlobs } from "./blob-names.ts";
import { openDatabase } from "./database.ts";
import { createSqliteEventStore } from "./event-store.sqlite.ts";
import { Maintenance } from "./maintenance.ts";
import { createProfiles } from "./profiles.sqlite.ts";
import type { Storage } from "./storage.ts";
import { startWriterThread } from "./writer-thread.ts";

const dayMs = 24 * 60 * 60 * 1000;

export interface OpenedStorage extends AsyncDisposable {
  readonly store: Storage;
  /** Not started yet. */
  readonly maintenance: Maintenance;
  readonly keys: Keys;
  readonly audit: Audit;
  readonly profiles: Profiles;
}

export interface OpeningOptions {
  readonly clock: Clock;
  readonly log?: Log;
  /** How long closed tasks are kept; 0: for ever. */
  readonly retentionDays: number;
}

/** @throws LoomError as `openDatabase` does */
export function openStorage(path: string, { clock, log, retentionDays }: OpeningOptions): OpenedStorage {
  const stack = new AsyncDisposableStack();
  const database = stack.use(openDatabase(path));
  if (database.lastStop === "unclean") {
    log?.warn(
      { path: database.path },
      "Loom did not stop in good order the last time; the database was checked and is sound",
    );
  }
  const shared = { clock, ...(log === undefined ? {} : { log }) };
  const recent = new RecentBlobs();
  const writer = stack.use(startWriterThread(database, log));
  const store = createSqliteEventStore(database, { ...shared, writer, recent });
  const retentionMs = retentionDays === 0 ? null : retentionDays * dayMs;
  const maintenance = stack.use(new Maintenance({ ...shared, database, store, writer, recent }, { retentionMs }));
  const access = createAccess(database.connection, writer);
  const profiles = createProfiles(database.connection, writer);
  return { store, maintenance, profiles, ...access, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
