/** What stands at a place in the workspace: its state by digest, and its bytes where they are wanted. Never follows a link. */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { type FileChange, type FileState, sameState } from "../domain/change.ts";
import { errnoOf, failureOf, isMissing, pathRefused } from "./failures.ts";
import { OpenFolder } from "./open-folder.ts";

export const modeBits = 0o7777;
/** `O_NONBLOCK`: a pipe that someone puts in a file's place must not make us wait for its other end. */
const fileFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Read in one go; what is larger is read piece by piece, and others have their turn in between. */
const chunkBytes = 256 * 1024;

export interface Found {
  readonly state: FileState;
  /** Of a file of at most `keepBytesMax`. */
  readonly bytes?: Uint8Array;
}

const absent: Found = { state: { kind: "absent" } };

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/**
 * @param relative as confinement returns it
 * @param keepBytesMax content of larger files is hashed only
 */
export async function lookAt(root: string, relative: string, keepBytesMax = 0): Promise<Found> {
  try {
    using folder = OpenFolder.open(root, dirname(relative));
    return await lookIn(folder.at(relative === "." ? "." : basename(relative)), relative, keepBytesMax);
  } catch (error) {
    // A parent that is a file, or a link by now: nothing of ours stands below it.
    if (isMissing(error) || ["ENOTDIR", "ELOOP"].includes(errnoOf(error) ?? "")) return absent;
    throw failureOf(error, "look at", relative);
  }
}

/** @returns where a symbolic link at a place leads, null where there is none */
export function linkAt(root: string, relative: string): string | null {
  try {
    using folder = OpenFolder.open(root, dirname(relative));
    const place = folder.at(relative === "." ? "." : basename(relative));
    return lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(place) : null;
  } catch (error) {
    if (isMissing(error) || ["ENOTDIR", "ELOOP"].includes(errnoOf(error) ?? "")) return null;
    throw failureOf(error, "look at", relative);
  }
}

/**
 * @param place an entry of an open folder
 * @param relative for messages
 */
export async function lookIn(place: string, relative: string, keepBytesMax: number): Promise<Found> {
  const found = lstatSync(place);
  if (found.isSymbolicLink()) return { state: { kind: "link", target: readlinkSync(place) } };
  if (found.isDirectory()) return { state: { kind: "folder", mode: found.mode & modeBits } };
  if (!found.isFile()) throw pathRefused(relative, "it is neither a file nor a folder");
  if (found.size < chunkBytes) {
    const small = smallContent(place, keepBytesMax);
    if (small !== null) return small;
  }
  await using file = await open(place, fileFlags);
  const { mode, size } = await file.stat();
  return await contentOf(file, { mode: mode & modeBits, size, keep: size <= keepBytesMax });
}

/** @returns null when it has grown in the meantime */
function smallContent(place: string, keepBytesMax: number): Found | null {
  const descriptor = openSync(place, fileFlags);
  try {
    const { mode, size } = fstatSync(descriptor);
    const buffer = Buffer.allocUnsafeSlow(Math.min(size + 1, chunkBytes));
    let length = 0;
    for (let count = -1; count !== 0 && length < buffer.length; length += count) {
      count = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
    if (length === buffer.length) return null;
    const bytes = buffer.subarray(0, length);
    const state: FileState = { kind: "file", digest: digestOf(bytes), mode: mode & modeBits, bytes: length };
    return size <= keepBytesMax ? { state, bytes } : { state };
  } finally {
    closeSync(descriptor);
  }
}

interface Reading {
  readonly mode: number;
  /** As the file system says; what is read is what counts. */
  readonly size: number;
  readonly keep: boolean;
}

async function contentOf(file: FileHandle, { mode, size, keep }: Reading): Promise<Found> {
  const hash = createHash("sha256");
  const kept: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    // One byte more than is left: a file that has its full length ends with the second read.
    const wanted = Math.min(Math.max(size - bytes, 0) + 1, chunkBytes);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, null);
    if (bytesRead === 0) break;
    const chunk = buffer.subarray(0, bytesRead);
    hash.update(chunk);
    bytes += bytesRead;
    if (keep) kept.push(chunk);
  }
  const state: FileState = { kind: "file", digest: `sha256:${hash.digest("hex")}`, mode, bytes };
  return keep ? { state, bytes: Buffer.concat(kept, bytes) } : { state };
}

/** @see Workspace.standing */
export async function standingOf(
  root: string,
  changes: readonly FileChange[],
): Promise<"before" | "after" | "neither"> {
  const stands = await Promise.all(
    essential(changes).map(async ({ path, before, after }) => {
      const found = await lookAt(root, path).catch(() => null);
      return {
        before: found !== null && sameState(found.state, before),
        after: found !== null && sameState(found.state, after),
      };
    }),
  );
  if (stands.every(({ before }) => before)) return "before";
  return stands.every(({ after }) => after) ? "after" : "neither";
}

/** Folders made on the way say nothing of whether the change itself was made: another change may need them as well. */
function essential(changes: readonly FileChange[]): readonly FileChange[] {
  const others = changes.filter((change) => !makesFolder(change));
  return others.length > 0 ? others : changes;
}

export function makesFolder({ before, after }: FileChange): boolean {
  return before.kind === "absent" && after.kind === "folder";
}
