/** The tree below a folder, as a model or a person wants to see it: folders first, by name, without the hidden bulk. */
import { type Dirent, lstatSync, opendirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { bulkFolders } from "../domain/change.ts";
import type { Entry } from "../ports/workspace.ts";
import { failureOf } from "./failures.ts";
import { OpenFolder } from "./open-folder.ts";

export interface ListOptions {
  readonly depth: number;
  readonly limit: number;
}

/** @param path as confinement returns it */
export async function listTree(root: string, path: string, options: ListOptions): Promise<Entry[]> {
  const entries: Entry[] = [];
  try {
    await listFolder({ root, entries, limit: options.limit }, path, options.depth);
  } catch (error) {
    throw failureOf(error, "list", path);
  }
  return entries;
}

/** All names in one folder, hidden ones too. @param path as confinement returns it */
export async function namesIn(root: string, path: string): Promise<string[]> {
  using folder = OpenFolder.open(root, path);
  return await readdir(folder.at("."));
}

interface Listing {
  readonly root: string;
  readonly entries: Entry[];
  readonly limit: number;
}

async function listFolder(listing: Listing, path: string, depth: number): Promise<void> {
  for (const [entry, name] of await entriesOf(listing.root, path)) {
    if (listing.entries.length >= listing.limit) return;
    const below = path === "." ? name : join(path, name);
    listing.entries.push({ ...entry, path: below });
    if (entry.kind !== "folder" || depth <= 1) continue;
    // A folder that went away or may not be read is still listed, as empty.
    await listFolder(listing, below, depth - 1).catch(() => undefined);
  }
}

type Listed = readonly [entry: Omit<Entry, "path">, name: string];

async function entriesOf(root: string, path: string): Promise<Listed[]> {
  using folder = OpenFolder.open(root, path);
  const found = await allIn(folder.at("."));
  const shown = found.filter(({ name }) => name !== ".git" && !bulkFolders.has(name)).toSorted(foldersFirst);
  return shown.map((entry) => entryOf(folder, entry)).filter((entry) => entry !== null);
}

const atOnceMax = 256;

/** A small folder is read without giving way, of a large one its beginning. @see ADR 8 */
async function allIn(place: string): Promise<Dirent[]> {
  const found: Dirent[] = [];
  const folder = opendirSync(place, { bufferSize: atOnceMax });
  try {
    for (let entry = folder.readSync(); entry !== null; ) {
      found.push(entry);
      entry = found.length < atOnceMax ? folder.readSync() : await folder.read();
    }
  } finally {
    folder.closeSync();
  }
  return found;
}

/** Looks without giving way: to ask the thread pool for each file takes longer than the look. @see ADR 8 */
function entryOf(folder: OpenFolder, entry: Dirent): Listed | null {
  const kind = kindOf(entry);
  if (kind === null) return null;
  if (kind !== "file") return [{ kind, bytes: 0 }, entry.name];
  const bytes = sizeAt(folder.at(entry.name));
  return bytes === null ? null : [{ kind, bytes }, entry.name];
}

function sizeAt(place: string): number | null {
  try {
    return lstatSync(place).size;
  } catch {
    return null;
  }
}

function kindOf(entry: Dirent): Entry["kind"] | null {
  if (entry.isSymbolicLink()) return "link";
  if (entry.isDirectory()) return "folder";
  return entry.isFile() ? "file" : null;
}

function foldersFirst(a: Dirent, b: Dirent): number {
  const rank = Number(b.isDirectory()) - Number(a.isDirectory());
  if (rank !== 0) return rank;
  return a.name < b.name ? -1 : 1;
}
