/**
 * A copy of a database as of one moment, while it is in use: the file by SQLite itself, the blob files that it names beside
 * it. Blobs first and once more behind, so that none is missed that came or went meanwhile.
 */
import { closeSync, existsSync, fsyncSync, openSync, statSync } from "node:fs";
import { chmod, copyFile, mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import BetterSqlite3, { type Database } from "better-sqlite3";
import { LoomError } from "../lib/errors.ts";
import { createNameReader } from "./blob-names.ts";
import { blobFilesAt } from "./blob-store.fs.ts";
import { blobFolderOf } from "./database.ts";
import { codeOf } from "./failures.ts";
import { migrations, versionOf } from "./migrations.ts";

export interface BackupPlaces {
  readonly path: string;
  readonly to: string;
}

/** @throws LoomError wrong_state: something stands there, or the schema is an older one */
export async function backUp(
  connection: Database,
  { path, to }: BackupPlaces,
): Promise<{ readonly bytes: number; readonly blobFiles: number }> {
  const target = resolve(to);
  requireNewest(connection, path);
  if (existsSync(target)) {
    throw new LoomError("wrong_state", `There is something at "${target}" already`, {
      hint: "A backup takes the place of nothing: name another file, or move that one away",
    });
  }
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const draft = `${target}.partial`;
  const isNamed = createNameReader(connection);
  try {
    await rm(draft, { force: true });
    await copyBlobs(path, target, isNamed);
    connection.prepare("VACUUM INTO ?").run(draft);
    await chmod(draft, 0o600);
    const blobFiles = await copyNamedBy(draft, path, target);
    sync(draft);
    await rename(draft, target);
    sync(dirname(target));
    return { bytes: statSync(target).size, blobFiles };
  } finally {
    await rm(draft, { force: true });
  }
}

function requireNewest(connection: Database, path: string): void {
  const found = versionOf(connection);
  if (found === migrations.length) return;
  throw new LoomError(
    "wrong_state",
    `The database "${path}" has schema version ${found}, this Loom's is ${migrations.length}`,
    {
      hint: "Copy the file and the folder blobs beside it while no Loom runs, or run `loom db migrate` first",
    },
  );
}

/** @returns how many blob files the copy names and has */
async function copyNamedBy(draft: string, path: string, target: string): Promise<number> {
  using stack = new DisposableStack();
  const copy = stack.adopt(new BetterSqlite3(draft, { readonly: true }), (opened) => opened.close());
  const isNamed = createNameReader(copy);
  await copyBlobs(path, target, isNamed);
  return (await blobFilesAt(blobFolderOf(target))).filter(({ digest }) => isNamed(digest)).length;
}

async function copyBlobs(path: string, target: string, isNamed: (digest: string) => boolean): Promise<void> {
  const folder = blobFolderOf(target);
  for (const file of await blobFilesAt(blobFolderOf(path))) {
    if (!isNamed(file.digest)) continue;
    const copied = join(folder, basename(dirname(file.path)), basename(file.path));
    if (statSync(copied, { throwIfNoEntry: false })?.size === statSync(file.path, { throwIfNoEntry: false })?.size)
      continue;
    await mkdir(dirname(copied), { recursive: true, mode: 0o700 });
    await copyWhole(file.path, copied);
  }
}

async function copyWhole(from: string, to: string): Promise<void> {
  const draft = `${to}.partial`;
  try {
    await copyFile(from, draft);
  } catch (error) {
    // Collected since we looked: nothing names it any more.
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  sync(draft);
  await rename(draft, to);
}

function sync(path: string): void {
  const opened = openSync(path, "r");
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}
