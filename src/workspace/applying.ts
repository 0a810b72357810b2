/** Does what was planned: each path by a temporary file and a rename, in an order in which every step finds its ground. */
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fsync,
  openSync,
  renameSync,
  unlinkSync,
  writeFile,
  writeFileSync,
} from "node:fs";
import { chmod, chown, lstat, mkdir, rename, rmdir, symlink, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";
import { type FileChange, sameState } from "../domain/change.ts";
import { LoomError } from "../lib/errors.ts";
import { unreachable } from "../lib/result.ts";
import type { ChangeMade } from "../ports/workspace.ts";
import { isInside } from "./confinement.ts";
import { errnoOf, failureOf, isMissing } from "./failures.ts";
import { OpenFolder } from "./open-folder.ts";
import { refuseProtected } from "./planning.ts";
import { lookAt, makesFolder, modeBits } from "./standing.ts";

type Blobs = ReadonlyMap<string, Uint8Array>;
const written = promisify(writeFile);
const synced = promisify(fsync);
/** The kernel takes as much faster than the thread pool is asked. */
const atOnceMax = 256 * 1024;
const newFileFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** @see Workspace.apply */
export async function applyChanges(root: string, planned: ChangeMade): Promise<void> {
  const blobs: Blobs = new Map(planned.blobs.map(({ digest, bytes }) => [digest, bytes]));
  for (const change of planned.changes) await refuseUnlessAsPlanned(root, change, blobs);
  const { moves, single } = sorted(planned.changes);
  const made: string[] = [];
  try {
    for (const change of single) {
      await put(root, change, blobs);
      if (makesFolder(change)) made.unshift(change.path);
    }
    for (const move of moves) await moveEntry(root, move);
  } catch (error) {
    // What was made on the way to a change that failed is taken back; a folder that is in use by now stays.
    for (const path of made) await removeAt(root, path, "folder").catch(() => undefined);
    throw error;
  }
}

async function refuseUnlessAsPlanned(root: string, change: FileChange, blobs: Blobs): Promise<void> {
  const { path, before, after } = change;
  refuseProtected(path);
  const { state } = await lookAt(root, path);
  const alreadyMade = makesFolder(change) && state.kind === "folder";
  if (!sameState(state, before) && !alreadyMade) {
    throw new LoomError("wrong_state", `"${path}" has changed since this was planned`, { hint: "Read it again" });
  }
  if (after.kind === "file" && !blobs.has(after.digest))
    throw new Error(`The plan names ${path} but not its content ${after.digest}`);
}

interface Move {
  readonly source: string;
  readonly destination: string;
}

/** One rename moves a folder with all it holds; the rest is removals, deepest first, then what shall stand, parents first. */
function sorted(changes: readonly FileChange[]): {
  readonly moves: readonly Move[];
  readonly single: readonly FileChange[];
} {
  const pairs = changes.flatMap(({ path, moved_to }) =>
    moved_to === undefined ? [] : [{ source: path, destination: moved_to }],
  );
  const moves = pairs.filter(
    ({ source }) => !pairs.some((other) => other.source !== source && isInside(other.source, source)),
  );
  const single = changes.filter(({ moved_to, moved_from }) => moved_to === undefined && moved_from === undefined);
  const removals = single.filter(({ after }) => after.kind === "absent").toSorted((a, b) => depthOf(b) - depthOf(a));
  const others = single.filter(({ after }) => after.kind !== "absent").toSorted((a, b) => depthOf(a) - depthOf(b));
  return { moves, single: [...removals, ...others] };
}

function depthOf({ path }: FileChange): number {
  return path.split("/").length;
}

async function put(root: string, { path, before, after }: FileChange, blobs: Blobs): Promise<void> {
  switch (after.kind) {
    case "absent":
      return await removeAt(root, path, before.kind);
    case "folder":
      if (before.kind === "file" || before.kind === "link") await removeAt(root, path, before.kind);
      return await inFolderOf(root, path, async (place) => {
        if (before.kind === "folder") setFolderMode(place, after.mode);
        else await makeFolder(place, after.mode);
      });
    case "link":
      if (before.kind === "folder") await removeAt(root, path, "folder");
      return await replace(root, path, async (temporary) => await symlink(after.target, temporary));
    case "file":
      if (before.kind === "folder") await removeAt(root, path, "folder");
      return await replace(root, path, async (temporary, place) => {
        await writeNew(temporary, blobs.get(after.digest) ?? new Uint8Array(), after.mode);
        if (before.kind === "file") await keepOwner(place, temporary);
      });
    default:
      return unreachable(after);
  }
}

async function removeAt(root: string, path: string, kind: FileChange["before"]["kind"]): Promise<void> {
  await inFolderOf(root, path, async (place) => {
    if (kind === "folder") await rmdir(place);
    else if (kind !== "absent") await unlink(place);
  });
}

/** Through a descriptor, since `chmod` follows a link that someone puts there. */
function setFolderMode(place: string, mode: number): void {
  const descriptor = openSync(place, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    fchmodSync(descriptor, mode);
  } finally {
    closeSync(descriptor);
  }
}

async function makeFolder(place: string, mode: number): Promise<void> {
  try {
    await mkdir(place);
  } catch (error) {
    if (errnoOf(error) === "EEXIST" && (await lstat(place)).isDirectory()) return;
    throw error;
  }
  await chmod(place, mode);
}

/** Makes the new entry beside the old one, then puts it in its place at once. */
async function replace(
  root: string,
  path: string,
  make: (temporary: string, place: string) => Promise<void>,
): Promise<void> {
  await inFolderOf(root, path, async (place, folder) => {
    // Named by the path, so that the same change, done again after a crash, clears what the first try left.
    const temporary = folder.at(`.loom-${createHash("sha256").update(path).digest("hex").slice(0, 24)}.tmp`);
    unlinkIfThere(temporary);
    try {
      await make(temporary, place);
      renameSync(temporary, place);
    } catch (error) {
      unlinkIfThere(temporary);
      throw error;
    }
  });
}

/** Gives way where the disk is waited for, and only there. @see ADR 8 */
async function writeNew(place: string, bytes: Uint8Array, mode: number): Promise<void> {
  const descriptor = openSync(place, newFileFlags, 0o600);
  try {
    if (bytes.byteLength > atOnceMax) await written(descriptor, bytes);
    else writeFileSync(descriptor, bytes);
    fchmodSync(descriptor, mode);
    await synced(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Loom in a container often runs as root on someone else's files: they stay that person's, where we may say so. */
async function keepOwner(place: string, temporary: string): Promise<void> {
  const [old, fresh] = await Promise.all([lstat(place), lstat(temporary)]);
  if (old.uid === fresh.uid && old.gid === fresh.gid) return;
  await chown(temporary, old.uid, old.gid).catch(() => undefined);
  // A change of owner takes the set-id bits off.
  await chmod(temporary, fresh.mode & modeBits);
}

async function moveEntry(root: string, { source, destination }: Move): Promise<void> {
  await inFolderOf(root, source, async (from) => {
    await inFolderOf(root, destination, async (to) => await rename(from, to));
  });
}

async function inFolderOf(
  root: string,
  path: string,
  use: (place: string, folder: OpenFolder) => Promise<void>,
): Promise<void> {
  try {
    using folder = OpenFolder.open(root, dirname(path), "make");
    await use(folder.at(basename(path)), folder);
  } catch (error) {
    throw failureOf(error, "change", path);
  }
}

function unlinkIfThere(place: string): void {
  try {
    unlinkSync(place);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
