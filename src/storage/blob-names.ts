/**
 * Which task names which blobs: every digest in its events and steps. A digest that is no blob's counts too, since a name
 * too many keeps a blob and a name too few would lose one.
 */
import type { Database } from "better-sqlite3";

const digests = /sha256:[0-9a-f]{64}/g;

/** @returns keeps the names that a text holds, in the transaction that is open */
export function createNameWriter(connection: Database): (taskId: string, text: string) => void {
  const insert = connection.prepare("INSERT INTO blob_name (digest, task_id) VALUES (?, ?) ON CONFLICT DO NOTHING");
  return (taskId, text) => {
    // Most texts hold none, and this is by far the fastest way to know.
    if (!text.includes("sha256:")) return;
    for (const [digest] of text.matchAll(digests)) insert.run(digest, taskId);
  };
}

/** @returns does any task name this blob? */
export function createNameReader(connection: Database): (digest: string) => boolean {
  const find = connection.prepare<[string]>("SELECT 1 FROM blob_name WHERE digest = ? LIMIT 1");
  return (digest) => find.get(digest) !== undefined;
}

/**
 * Blobs that were written or read of late, in this turn or the one before. Who holds one may be about to name it, and its
 * content would not be written again, so it is not collected.
 */
export class RecentBlobs {
  #now = new Set<string>();
  #before = new Set<string>();

  add(digest: string): void {
    this.#now.add(digest);
  }

  has(digest: string): boolean {
    return this.#now.has(digest) || this.#before.has(digest);
  }

  /** What was recent in the turn before is so no more. */
  turn(): void {
    this.#before = this.#now;
    this.#now = new Set();
  }
}
