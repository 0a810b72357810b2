/**
 * Collects blobs that no task names any more: rows by the writer, which looks again; files here. What was written or read
 * of late stays, since its name may be on the way.
 */
import { unlinkSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../ports/runtime.ts";
import { isDigest } from "./batch.ts";
import { createNameReader, type RecentBlobs } from "./blob-names.ts";
import type { Chore } from "./chores.sqlite.ts";
import type { StorageDatabase } from "./database.ts";
import { codeOf, guarded, storageFailure } from "./failures.ts";

/** Digests looked at in one turn of the event loop. */
const pageDigests = 500;

export interface CollectionPorts {
  readonly database: StorageDatabase;
  readonly recent: RecentBlobs;
  /** Has the writer do it. @returns the amount */
  readonly work: (chore: Chore) => Promise<number>;
  readonly log?: Log | undefined;
}

export interface Collected {
  readonly rows: number;
  readonly files: number;
}

/** One round over all blobs; ends early when `signal` fires. */
export async function collectBlobs(ports: CollectionPorts, signal: AbortSignal): Promise<Collected> {
  const rows = await collectRows(ports, signal);
  const files = await collectFiles(ports, signal);
  return { rows, files };
}

async function collectRows({ database, recent, work }: CollectionPorts, signal: AbortSignal): Promise<number> {
  // The index of the digests alone: no content is read.
  const page = database.connection.prepare<[string, number], string>(
    "SELECT digest FROM blob WHERE digest > ? ORDER BY digest LIMIT ?",
  );
  page.pluck();
  const isNamed = createNameReader(database.connection);
  let removed = 0;
  for (let after = ""; !signal.aborted; ) {
    const digests = guarded("look for blobs", () => page.all(after, pageDigests));
    const unnamed = digests.filter((digest) => !(recent.has(digest) || isNamed(digest)));
    if (unnamed.length > 0) removed += await work({ kind: "drop_blobs", digests: unnamed });
    const last = digests.at(-1);
    if (last === undefined || digests.length < pageDigests) break;
    after = last;
    await new Promise(setImmediate);
  }
  return removed;
}

async function collectFiles({ database, recent, log }: CollectionPorts, signal: AbortSignal): Promise<number> {
  const isNamed = createNameReader(database.connection);
  let removed = 0;
  for (const folder of await namesIn(database.blobFolder)) {
    if (signal.aborted) break;
    if (!/^[0-9a-f]{2}$/.test(folder)) continue;
    for (const name of await namesIn(join(database.blobFolder, folder))) {
      const digest = `sha256:${name}`;
      // From the look to the removal in one breath: whoever writes or reads this blob says so before anything else.
      if (!isDigest(digest) || recent.has(digest) || isNamed(digest)) continue;
      if (removeFile(join(database.blobFolder, folder, name), log)) removed += 1;
    }
  }
  return removed;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return [];
    throw storageFailure(`look for blobs in "${folder}"`, error);
  }
}

function removeFile(path: string, log: Log | undefined): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    log?.warn({ path, error: String(error) }, "A blob that nothing names could not be removed");
    return false;
  }
}
