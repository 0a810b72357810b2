/** What a write, a delete or a move would change, with the bytes that stood there. Reads only; `applying.ts` does it. */
import { basename, dirname, join, relative as relativeTo, resolve } from "node:path";
import { type FileChange, type FileState, sameState } from "../domain/change.ts";
import type { Blob } from "../ports/event-store.ts";
import type { ChangeMade } from "../ports/workspace.ts";
import { isGitInternal, isInside } from "./confinement.ts";
import { notFound, pathRefused } from "./failures.ts";
import { namesIn } from "./listing.ts";
import { digestOf, type Found, lookAt } from "./standing.ts";

/** Content up to this size is kept, so that it can be put back; larger files are left to the shell. */
const keptBytesMax = 64 * 1024 * 1024;
/** A moved folder is recorded entry by entry. */
const movedEntriesMax = 200;

/** Permission bits of what is made new, the process's umask taken off. */
export interface NewModes {
  readonly file: number;
  readonly folder: number;
}

/** All paths are places as confinement returns them. */
export async function planWrite(
  root: string,
  path: string,
  { bytes, modes }: { bytes: Uint8Array; modes: NewModes },
): Promise<ChangeMade> {
  refuseProtected(path);
  if (bytes.length > keptBytesMax)
    throw pathRefused(path, `${bytes.length} bytes are more than the ${keptBytesMax} that can be written at once`);
  const found = await kept(root, path);
  const before = found.state;
  if (before.kind === "folder") throw pathRefused(path, "it is a folder", "Give the path of a file");
  const after: FileState = {
    kind: "file",
    digest: digestOf(bytes),
    mode: before.kind === "file" ? before.mode : modes.file,
    bytes: bytes.length,
  };
  if (sameState(before, after)) return { changes: [], blobs: [] };
  return {
    changes: [{ path, before, after }, ...(await missingParents(root, path, modes))],
    blobs: distinct([...blobOf(found), { digest: after.digest, bytes }]),
  };
}

export async function planDelete(root: string, path: string): Promise<ChangeMade> {
  refuseProtected(path);
  const found = await kept(root, path);
  if (found.state.kind === "absent") throw notFound(path);
  if (found.state.kind === "folder" && (await namesIn(root, path)).length > 0) {
    throw pathRefused(path, "Directory not empty. Remove contents first.");
  }
  return { changes: [{ path, before: found.state, after: { kind: "absent" } }], blobs: blobOf(found) };
}

export async function planMove(
  root: string,
  source: string,
  { destination, modes }: { destination: string; modes: NewModes },
): Promise<ChangeMade> {
  refuseProtected(source);
  refuseProtected(destination);
  const found = await kept(root, source);
  if (found.state.kind === "absent") throw notFound(source);
  if (isInside(source, destination)) throw pathRefused(destination, `it is ${source} itself, or lies inside it`);
  if ((await lookAt(root, destination)).state.kind !== "absent") {
    throw pathRefused(destination, "Destination already exists", "Delete it first, or choose another name");
  }
  const moved = await everythingAt(root, source, found);
  for (const { path, state } of moved) refuseLeavingAfterMove(root, { path, state, source, destination });
  const pairs = moved.flatMap(({ path, state }) => pairOf(path, join(destination, path.slice(source.length)), state));
  return {
    changes: [...pairs, ...(await missingParents(root, destination, modes))],
    blobs: distinct(moved.flatMap(blobOf)),
  };
}

/** The folders that must be made before something can stand at `path`, as changes. */
async function missingParents(root: string, path: string, modes: NewModes): Promise<FileChange[]> {
  const missing: FileChange[] = [];
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
    const { kind } = (await lookAt(root, folder)).state;
    if (kind === "folder") break;
    if (kind !== "absent") throw pathRefused(path, `${folder} is not a folder`);
    missing.unshift({ path: folder, before: { kind: "absent" }, after: { kind: "folder", mode: modes.folder } });
  }
  return missing;
}

export function refuseProtected(path: string): void {
  if (path === ".") throw pathRefused(path, "the root of the workspace itself cannot be changed");
  if (isGitInternal(path)) throw pathRefused(path, "it belongs to git", "git_command changes a repository");
}

async function kept(root: string, path: string): Promise<Found> {
  const found = await lookAt(root, path, keptBytesMax);
  if (found.state.kind === "file" && found.bytes === undefined) {
    throw pathRefused(
      path,
      `it has ${found.state.bytes} bytes; over ${keptBytesMax} its content cannot be kept for undo`,
      "Change it with shell_execute",
    );
  }
  return found;
}

function pairOf(path: string, destination: string, state: FileState): FileChange[] {
  return [
    { path, before: state, after: { kind: "absent" }, moved_to: destination },
    { path: destination, before: { kind: "absent" }, after: state, moved_from: path },
  ];
}

interface Placed extends Found {
  readonly path: string;
}

async function everythingAt(root: string, source: string, top: Found): Promise<Placed[]> {
  const everything: Placed[] = [{ path: source, ...top }];
  let bytes = top.bytes?.length ?? 0;
  // The list grows while it is walked: folders append what they hold.
  for (const { path, state } of everything) {
    if (state.kind !== "folder") continue;
    for (const name of await namesIn(root, path)) {
      const below = join(path, name);
      refuseProtected(below);
      const found = await kept(root, below);
      everything.push({ path: below, ...found });
      bytes += found.bytes?.length ?? 0;
      if (everything.length > movedEntriesMax || bytes > keptBytesMax) {
        throw pathRefused(
          source,
          `it holds more than ${movedEntriesMax} entries or ${keptBytesMax} bytes`,
          "Move it with shell_execute",
        );
      }
    }
  }
  return everything;
}

/** A relative link points elsewhere once it stands elsewhere. */
function refuseLeavingAfterMove(
  root: string,
  move: { path: string; state: FileState; source: string; destination: string },
): void {
  if (move.state.kind !== "link") return;
  const place = join(root, move.destination, relativeTo(move.source, move.path));
  if (!isInside(root, resolve(dirname(place), move.state.target))) {
    throw pathRefused(move.destination, `the link ${basename(move.path)} would lead out of the workspace from there`);
  }
}

function blobOf({ state, bytes }: Found): Blob[] {
  return state.kind === "file" && bytes !== undefined ? [{ digest: state.digest, bytes }] : [];
}

function distinct(blobs: readonly Blob[]): Blob[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}
