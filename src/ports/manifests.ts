/** Manifests: what stood in a workspace before a command ran, so that what it did to files can be told, shown and undone. */
import type { FileChange } from "../domain/change.ts";
import type { Blob } from "./event-store.ts";

export interface CommandAt {
  readonly taskId: string;
  /** Of the workspace, as `Workspace` says it. */
  readonly root: string;
  readonly subtaskId: string;
  /** Names this run of a command; the same when it is asked about after a crash. */
  readonly marker: string;
  /** May a command of this subtask that a crash interrupted still be asked about? */
  readonly isUnderWay: (subtaskId: string) => boolean;
}

/** What a command did to the files of its workspace, `.git` left out. */
export interface CommandChanges {
  /** One a path, by path. A file that was renamed is two, as with a move. */
  readonly changes: readonly FileChange[];
  /** What stood there before, and of what stands there now as much as a diff needs. */
  readonly blobs: readonly Blob[];
  /** Other subtasks whose commands ran at the same time: any of the changes may be theirs. Told once, by whoever ends first. */
  readonly sharedWith: readonly string[];
  /** Why not all that it may have changed can be put back; null when all can. */
  readonly partial: string | null;
}

export interface Watch {
  /** Once, after the command and all that it started are gone. */
  ended(): Promise<CommandChanges>;
  /** Once, when it was not run after all. */
  dropped(): Promise<void>;
}

export interface Manifests {
  /** Takes stock before a command: what it will need to be undone is on the disk when this resolves. */
  watch(at: CommandAt): Promise<Watch>;
  /** What has changed since stock was taken for a command that a crash interrupted; nothing where there is no record of it. */
  interrupted(at: CommandAt): Promise<CommandChanges>;
  /** @returns why not all that a command in this workspace may change could be put back; null when all could */
  lack(at: Pick<CommandAt, "taskId" | "root">): Promise<string | null>;
}
