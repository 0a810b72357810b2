/**
 * The workspace of a task: the one way to its files. Every path is resolved through symlinks and confined; every change
 * is atomic and answers with what stood there before. Also diffs and undo, which read what changes recorded.
 */
import type { FileChange, FileState, RecordedChange } from "../domain/change.ts";
import type { UndoOutcome } from "../domain/event.ts";
import type { Blob } from "./event-store.ts";

export interface Entry {
  /** Relative to the workspace, with `/`. */
  readonly path: string;
  readonly kind: "file" | "folder" | "link";
  readonly bytes: number;
}

/** A change that was made, and the bytes it names: `blobs` holds content of `before` and `after` where they are files. */
export interface ChangeMade {
  readonly changes: readonly FileChange[];
  readonly blobs: readonly Blob[];
}

export interface Workspace {
  /** Absolute, with every symlink resolved. */
  readonly root: string;

  /**
   * @param path as a model wrote it: relative, absolute, with `~`, `..`, the workspace's own name in front …
   * @returns the path relative to the root (`.` for the root itself), with no symlink left in it but a last one that stays inside
   * @throws LoomError path_refused: outside, NUL, too long, through a link that leaves, or not a path at all
   */
  resolve(path: string): Promise<string>;

  /** As `resolve`, and a last link is seen through: the place of the file that a read or a write means. */
  place(path: string): Promise<string>;

  state(path: string): Promise<FileState>;
  /** State and content of one moment; no bytes of what is no file or is over `maxBytes`. */
  look(path: string, maxBytes: number): Promise<{ readonly state: FileState; readonly bytes?: Uint8Array }>;
  /** @throws LoomError not_found, path_refused (a folder, a device, over `maxBytes`) */
  read(path: string, maxBytes: number): Promise<Uint8Array>;
  /** The tree below `path`, folders first, by name; hidden bulk (`.git`, `node_modules`, caches) left out. Links are listed, never followed. */
  list(path: string, options: { readonly depth: number; readonly limit: number }): Promise<Entry[]>;

  /**
   * What a write, a delete or a move would change, with pre-images, without doing it. `path_refused` where it may not.
   * The result is handed to `apply`, and is what the journal keeps so that an interrupted step can be judged.
   */
  planWrite(path: string, bytes: Uint8Array): Promise<ChangeMade>;
  planDelete(path: string): Promise<ChangeMade>;
  planMove(source: string, destination: string): Promise<ChangeMade>;

  /**
   * Does what was planned, if the paths still stand as `before` says: by a temporary file and a rename, parents made, mode kept.
   *
   * @throws LoomError wrong_state naming the first path that has changed in between; then nothing was done
   */
  apply(planned: ChangeMade): Promise<void>;

  /** For a planned change that may or may not have been made: `before`, `after`, or `neither`. */
  standing(changes: readonly FileChange[]): Promise<"before" | "after" | "neither">;
}

export interface Workspaces {
  /** @throws LoomError workspace_unusable when the folder is not there, is no folder, or cannot be read */
  open(root: string): Promise<Workspace>;
  /** A fresh folder under the scratch folder. @returns its absolute path */
  createScratch(name: string): Promise<string>;
  /** A workspace of its own under the scratch folder that holds these files, and is gone when it is disposed of. */
  createCopy(files: ReadonlyMap<string, Uint8Array>): Promise<Workspace & AsyncDisposable>;
}

export interface UndoResult {
  readonly outcome: UndoOutcome;
  /** The undo as changes of its own, so that it can be shown and undone. */
  readonly changes: readonly FileChange[];
  readonly undoneIds: readonly string[];
  /** Content that goes, or comes of a merge, and is not kept yet; of a preview: what must be kept before it is done. */
  readonly blobs: readonly Blob[];
  /** Those of the changes, also of a preview, that keep what others wrote elsewhere in a text. */
  readonly merges: readonly FileChange[];
}

export interface Changes {
  /** Unified diff of the net effect of `changes`, at most `maxBytes`; binary files are named only. */
  diff(changes: readonly FileChange[], maxBytes: number): Promise<string>;
  /** As `diff`, of a change that was planned and not made: what it names need not be kept yet. */
  foreseen(planned: ChangeMade, maxBytes: number): Promise<string>;
  /**
   * Puts back what stood before `selected`, where it still stands as they left it. In a text that someone changed elsewhere
   * only the lines of `selected` are put back; where the lines meet, it is named and left as it is.
   *
   * @param subtask whose changes alone are meant: what a command of another one may have made is named and left
   * @param all every recorded change of the task, oldest first: a later change by another subtask is a conflict too
   * @param preview say what would happen, change nothing
   */
  undo(
    workspace: Workspace,
    request: {
      readonly selected: readonly RecordedChange[];
      readonly all: readonly RecordedChange[];
      readonly preview: boolean;
      readonly subtask?: string;
    },
  ): Promise<UndoResult>;
}

/** Whether a text reads as what its name says it is. @see DECISIONS 15 */
export interface Syntax {
  /** @returns null where there is no parser for this path; `detail` says where it broke, empty when it parsed */
  check(path: string, bytes: Uint8Array): Promise<{ readonly parsed: boolean; readonly detail: string } | null>;
}

/** Hunks of a unified diff of two texts under `path`, headers included; empty when they are the same. Never throws. */
export type TextDiff = (path: string, before: string, after: string) => string;
