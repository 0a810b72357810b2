/** Changes to files: what was there before and after, by digest, so that they can be shown and undone. */
import { z } from "zod";
import { unreachable } from "../lib/result.ts";
import { Digest } from "./ids.ts";

/** What stood at a path: nothing, a file by its content and permission bits, a link, or a folder. */
export const FileState = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("absent") }),
  z.strictObject({ kind: z.literal("file"), digest: Digest, mode: z.int().min(0).max(0o7777), bytes: z.int().min(0) }),
  z.strictObject({ kind: z.literal("link"), target: z.string().max(4096) }),
  z.strictObject({ kind: z.literal("folder"), mode: z.int().min(0).max(0o7777) }),
]);
export type FileState = z.infer<typeof FileState>;

/** One path, from one state to another. A move is two changes that share `moved_to` / `moved_from`. */
export const FileChange = z.strictObject({
  path: z.string().min(1).max(4096),
  before: FileState,
  after: FileState,
  moved_to: z.string().max(4096).optional(),
  moved_from: z.string().max(4096).optional(),
  /** By an undo that took out its part of a text and kept what others wrote elsewhere in it. */
  merged: z.literal(true).optional(),
});
export type FileChange = z.infer<typeof FileChange>;

/** A change as the log keeps it: by whom, in which step. `change_id` is unique within the task. */
export interface RecordedChange extends FileChange {
  readonly changeId: string;
  readonly subtaskId: string;
  readonly seq: number;
  readonly undone: boolean;
  /** Subtasks whose commands ran at the same time: theirs, or its own, nobody can tell. */
  readonly sharedWith?: readonly string[];
}

export type Operation = "created" | "modified" | "deleted" | "renamed";

export function operationOf(change: FileChange): Operation {
  if (change.moved_to !== undefined || change.moved_from !== undefined) return "renamed";
  if (change.before.kind === "absent") return "created";
  return change.after.kind === "absent" ? "deleted" : "modified";
}

export function sameState(a: FileState, b: FileState): boolean {
  switch (a.kind) {
    case "absent":
      return b.kind === "absent";
    case "file":
      return b.kind === "file" && a.digest === b.digest && a.mode === b.mode;
    case "link":
      return b.kind === "link" && a.target === b.target;
    case "folder":
      return b.kind === "folder" && a.mode === b.mode;
    default:
      return unreachable(a);
  }
}

/** The net effect of many changes, per path: first `before`, last `after`; paths that ended as they began are left out. */
export function netChanges(changes: readonly FileChange[]): FileChange[] {
  const net = new Map<string, FileChange>();
  for (const { path, before, after } of changes) {
    const known = net.get(path);
    net.set(path, { path, before: known?.before ?? before, after });
  }
  return [...net.values()].filter((change) => !sameState(change.before, change.after));
}

/** Folders that tools fill and nobody writes: large, made again at will. `.git` is not among the things that undo knows of. */
export const bulkFolders: ReadonlySet<string> = new Set([
  "node_modules",
  "__pycache__",
  ".venv",
  "venv",
  ".tox",
  ".mypy_cache",
  ".pytest_cache",
  ".ruff_cache",
]);

/** Does it lie in, or is it, a folder that tools fill? */
export function isBulk(path: string): boolean {
  return path.split("/").some((name) => bulkFolders.has(name));
}
