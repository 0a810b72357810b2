/** A file that is kept in order by hand: tasks as they are, the clock in the test's hand, rounds when it says so. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Event } from "../../src/domain/event.ts";
import type { Blob } from "../../src/ports/event-store.ts";
import { RecentBlobs } from "../../src/storage/blob-names.ts";
import { openDatabase, type StorageDatabase } from "../../src/storage/database.ts";
import { createSqliteEventStore } from "../../src/storage/event-store.sqlite.ts";
import { Maintenance } from "../../src/storage/maintenance.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { createWriter } from "../../src/storage/writer.sqlite.ts";
import { startWriterThread } from "../../src/storage/writer-thread.ts";
import { batch, notes, type Parts, startedAt, step } from "../contracts/batches.ts";
import { StepClock } from "../support/clock.ts";
import { created } from "../support/happenings.ts";
import { temporaryFolder } from "./temporary.ts";

export const dayMs = 24 * 60 * 60 * 1000;
export const retentionDays = 30;

export interface Maintained extends AsyncDisposable {
  readonly path: string;
  readonly database: StorageDatabase;
  readonly storage: Storage;
  readonly clock: StepClock;
  readonly maintenance: Maintenance;
  readonly said: string[];
  count(table: string): number;
  files(): string[];
}

export function openMaintained({
  retentionMs = retentionDays * dayMs,
  threaded = false,
}: {
  readonly retentionMs?: number | null;
  readonly threaded?: boolean;
} = {}): Maintained {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder());
  const path = join(folder.path, "loom.db");
  const database = stack.use(openDatabase(path, { ballastBytes: 4096 }));
  const clock = new StepClock(undefined, startedAt + 1000);
  const recent = new RecentBlobs();
  const writer = threaded ? stack.use(startWriterThread(database)) : createWriter(database);
  const storage = createSqliteEventStore(database, { clock, writer, recent });
  const said: string[] = [];
  const write = (_facts: unknown, message: string): void => void said.push(message);
  const log = { debug: write, info: write, warn: write, error: write };
  const ports = { database, store: storage, writer, recent, clock, log };
  const maintenance = stack.use(new Maintenance(ports, { retentionMs }));
  const files = (): string[] =>
    readdirSync(folder.path).includes("blobs")
      ? readdirSync(database.blobFolder, { recursive: true, encoding: "utf8" }).filter((name) =>
          /[0-9a-f]{64}$/.test(name),
        )
      : [];
  const count = (table: string): number =>
    Number(database.connection.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
  return {
    path,
    database,
    storage,
    clock,
    maintenance,
    said,
    count,
    files,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A step that names blobs, as one that changes files does. */
export function naming(name: string, blobs: readonly Blob[]) {
  return step(name, { started: { changes: blobs.map(({ digest }) => ({ digest })) } });
}

export const closing: Event = { type: "task_cancelled", completed: 0, total: 0, reason: "enough" };

/** A whole task: its beginning, some notes, and its end where it has one. */
export async function addTask(
  storage: Storage,
  taskId: string,
  { closed = true, count = 3, ...parts }: Partial<Parts> & { readonly closed?: boolean; readonly count?: number } = {},
): Promise<void> {
  const events = [created(), ...notes(count), ...(closed ? [closing] : [])];
  const row = { open: !closed, status: closed ? "cancelled" : "executing", ...parts.row };
  const result = await storage.append(batch({ ...parts, taskId, events, row }));
  if (result.kind !== "appended") throw new Error(`${taskId}: ${result.kind}`);
}

export function pragma({ database }: Pick<Maintained, "database">, name: string): number {
  return Number(database.connection.pragma(name, { simple: true }));
}
