/**
 * Keeps the write-ahead log short. SQLite copies it into the file by itself, but starts it anew only when no reader stands
 * in it at that very moment; when it has grown all the same, the writer waits a little for that moment.
 */
import { statSync } from "node:fs";
import { busyTimeoutMs, type StorageDatabase } from "./database.ts";

/** Far above what SQLite's own checkpoints let it grow to, far below the 64 MiB that it may have. */
const walBytesMax = 24 * 1024 * 1024;
/** How much further it grows before this is tried again, when a reader that stays was in the way. */
const walStepBytes = 8 * 1024 * 1024;
/** Readers on the main thread are done in less; one of another program is not waited for. */
const readersMs = 50;

/** @returns to be called by the writer after each commit */
export function createWalBound({ connection, path }: Pick<StorageDatabase, "connection" | "path">): () => void {
  let bytesMax = walBytesMax;
  return () => {
    const size = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (size < bytesMax) return;
    connection.pragma(`busy_timeout = ${readersMs}`);
    const wasBusy = connection.pragma("wal_checkpoint(TRUNCATE)", { simple: true }) !== 0;
    connection.pragma(`busy_timeout = ${busyTimeoutMs}`);
    bytesMax = wasBusy ? size + walStepBytes : walBytesMax;
  };
}
