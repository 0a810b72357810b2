/** Files of a workspace that is small enough to be copied, as they stand and as they stood before some changes. */
import type { FileChange } from "../../../domain/change.ts";
import { LoomError } from "../../../lib/errors.ts";
import type { BlobStore } from "../../../ports/blob-store.ts";
import type { Workspace } from "../../../ports/workspace.ts";

const depth = 12;
const filesMax = 100;
const bytesMax = 256 * 1024;

export type Files = ReadonlyMap<string, Uint8Array>;

/** @returns null where there are too many, too long ones, or anything else than files and folders */
export async function filesOf(workspace: Pick<Workspace, "list" | "read">): Promise<Files | null> {
  const entries = await workspace.list(".", { depth, limit: filesMax + 1 });
  const sizes = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  if (entries.length > filesMax || sizes > bytesMax || entries.some(({ kind }) => kind === "link")) return null;
  const files = new Map<string, Uint8Array>();
  for (const { path, kind } of entries) {
    if (kind !== "file") continue;
    const bytes = await readIn(workspace, path);
    if (bytes === null) return null;
    files.set(path, bytes);
  }
  return files;
}

async function readIn(workspace: Pick<Workspace, "read">, path: string): Promise<Uint8Array | null> {
  try {
    return await workspace.read(path, bytesMax);
  } catch (error) {
    if (error instanceof LoomError) return null;
    throw error;
  }
}

/** @returns null where what stood there was neither a file nor a folder, or was not kept */
export async function filesBefore(
  now: Files,
  net: readonly FileChange[],
  blobs: Pick<BlobStore, "get">,
): Promise<Files | null> {
  const files = new Map(now);
  for (const { path, before, after } of net) {
    if (before.kind === "link" || after.kind === "link") return null;
    files.delete(path);
    if (before.kind !== "file") continue;
    const bytes = await blobs.get(before.digest);
    if (bytes === null) return null;
    files.set(path, bytes);
  }
  return files;
}
