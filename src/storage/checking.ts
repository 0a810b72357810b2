/** Everything that can be wrong with a file: its pages, its references, its logs, and blobs that do not bear their names. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Database } from "better-sqlite3";
import { blobFilesAt } from "./blob-store.fs.ts";
import { migrations, versionOf } from "./migrations.ts";

const faultsMax = 20;

/** @returns one sentence a fault, the first few of each kind */
export async function faultsOf(connection: Database, blobFolder: string): Promise<readonly string[]> {
  const pages = pageFaults(connection);
  // With broken pages nothing else that is read means anything.
  if (pages.length > 0) return pages;
  const logs = versionOf(connection) === migrations.length ? logFaults(connection) : [];
  return [...referenceFaults(connection), ...logs, ...rowFaults(connection), ...(await fileFaults(blobFolder))];
}

function pageFaults(connection: Database): string[] {
  const found = connection.pragma(`integrity_check(${faultsMax})`) as readonly { readonly integrity_check: string }[];
  return found.map((row) => row.integrity_check).filter((line) => line !== "ok");
}

function referenceFaults(connection: Database): string[] {
  const found = connection.pragma("foreign_key_check") as readonly {
    readonly table: string;
    readonly rowid: number;
  }[];
  return found.slice(0, faultsMax).map(({ table, rowid }) => `Row ${rowid} of table ${table} belongs to no task`);
}

/** Logs count 1, 2, 3 … up to what their row says. */
function logFaults(connection: Database): string[] {
  const broken = connection.prepare<[], { readonly id: string; readonly expected: number; readonly found: number }>(
    `SELECT task.task_id AS id, last_seq AS expected, count(event.g) AS found FROM task LEFT JOIN event USING (task_id)
     WHERE log_state = 0 GROUP BY task.task_id HAVING found <> last_seq OR coalesce(max(seq), 0) <> last_seq LIMIT ${faultsMax}`,
  );
  return broken.all().map(({ id, expected, found }) => `The log of ${id} has ${found} events of ${expected}`);
}

function rowFaults(connection: Database): string[] {
  const all = connection.prepare<[], { readonly digest: string; readonly bytes: Buffer }>(
    "SELECT digest, bytes FROM blob",
  );
  const faults: string[] = [];
  for (const { digest, bytes } of all.iterate()) {
    if (faults.length < faultsMax && digest !== digestOf(bytes))
      faults.push(`The content of blob ${digest} does not bear its name`);
  }
  return faults;
}

async function fileFaults(blobFolder: string): Promise<string[]> {
  const faults: string[] = [];
  for (const { digest, path } of await blobFilesAt(blobFolder)) {
    if (faults.length < faultsMax && digest !== digestOf(await readFile(path)))
      faults.push(`The content of the blob file "${path}" does not bear its name`);
  }
  return faults;
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
