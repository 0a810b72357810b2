/**
 * Blobs by content address: small ones in the database, in the transaction of their event; large ones as files, on the disk
 * before that transaction begins. A crash in between leaves a file that nothing names, never a name without its file.
 */
import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LoomError } from "../lib/errors.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import type { Blob } from "../ports/event-store.ts";
import { isDigest } from "./batch.ts";
import { RecentBlobs } from "./blob-names.ts";
import type { StorageDatabase } from "./database.ts";
import { codeOf, guarded, storageFailure } from "./failures.ts";

/** From here on a blob is a file. @see ARCHITECTURE section 1 */
const fileBytesMin = 64 * 1024;

export interface BlobFiles {
  /** Writes the large ones durably. @returns null when there is none */
  prepare(blobs: readonly Blob[]): Promise<void> | null;
}

export function isLarge(blob: Blob): boolean {
  return blob.bytes.byteLength >= fileBytesMin;
}

/** @returns writes one small blob, in the transaction that is open */
export function createBlobWriter({ connection }: StorageDatabase): (blob: Blob) => void {
  const insert = connection.prepare("INSERT INTO blob (digest, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING");
  return ({ digest, bytes }) => void insert.run(digest, bytes);
}

export function createBlobStore(database: StorageDatabase, recent = new RecentBlobs()): BlobStore & BlobFiles {
  const select = database.connection.prepare<[string], { readonly bytes: Buffer }>(
    "SELECT bytes FROM blob WHERE digest = ?",
  );
  return {
    prepare(blobs) {
      for (const { digest } of blobs) recent.add(digest);
      const large = blobs.filter(isLarge);
      return large.length === 0 ? null : writeAll(database, large);
    },
    async get(digest) {
      if (!isDigest(digest)) return null;
      recent.add(digest);
      const row = guarded("read a blob", () => select.get(digest));
      if (row !== undefined) return new Uint8Array(row.bytes);
      return await readBlobFile(pathOf(database.blobFolder, digest), digest);
    },
  };
}

async function writeAll(database: StorageDatabase, blobs: readonly Blob[]): Promise<void> {
  try {
    await writeFiles(database, blobs);
  } catch (error) {
    if (codeOf(error) !== "ENOSPC" || !database.ballast.release()) throw storageFailure("write a blob", error);
    await writeFiles(database, blobs).catch((again: unknown) => {
      throw storageFailure("write a blob", again);
    });
  }
}

async function writeFiles({ blobFolder, draftFolder }: StorageDatabase, blobs: readonly Blob[]): Promise<void> {
  await mkdir(draftFolder, { recursive: true, mode: 0o700 });
  for (const { digest, bytes } of blobs) {
    const path = pathOf(blobFolder, digest);
    const created = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    if (!(await hasSize(path, bytes.byteLength))) await writeDurably(path, join(draftFolder, randomUUID()), bytes);
    // Also where the file was there: the process that renamed it may have died before it got here.
    await syncFolder(dirname(path));
    if (created !== undefined) await syncFolder(blobFolder);
  }
}

async function writeDurably(path: string, draft: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeDraft(draft, bytes);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function writeDraft(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  await file.writeFile(bytes);
  await file.sync();
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}

async function hasSize(path: string, bytes: number): Promise<boolean> {
  await using file = await openIfThere(path);
  return file !== null && (await file.stat()).size === bytes;
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

async function readBlobFile(path: string, digest: string): Promise<Uint8Array | null> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return null;
    throw storageFailure("read a blob", error);
  });
  if (bytes === null) return null;
  if (`sha256:${createHash("sha256").update(bytes).digest("hex")}` !== digest) {
    throw new LoomError("storage_failed", `The blob file "${path}" is damaged: its content does not bear its name`, {
      hint: "Put it back from a backup; what needs it cannot be undone or shown without it",
    });
  }
  return new Uint8Array(bytes);
}

/** Every blob that is a file; what else lies there is left out. */
export async function blobFilesAt(
  folder: string,
): Promise<readonly { readonly digest: string; readonly path: string }[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  });
  return found
    .map((entry) => ({ entry, digest: `sha256:${entry.name}`, path: join(entry.parentPath, entry.name) }))
    .filter(({ entry, digest, path }) => entry.isFile() && isDigest(digest) && path === pathOf(folder, digest))
    .map(({ digest, path }) => ({ digest, path }));
}

function pathOf(folder: string, digest: string): string {
  const hex = digest.slice("sha256:".length);
  return join(folder, hex.slice(0, 2), hex);
}
