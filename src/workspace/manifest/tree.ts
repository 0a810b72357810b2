/** What is known of a tree: each entry as it stood when it was last looked at, and what of it is left out, with the reason. */
import { type FileState, sameState } from "../../domain/change.ts";

export interface Limits {
  /** Entries of all kinds. */
  readonly maxFiles: number;
  /** Of all files together. */
  readonly maxBytes: number;
}

/** What the file system says of a file without its content being read. */
export interface FileStat {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
}

export interface Known {
  readonly state: FileState;
  /** Null for what has been told and not looked at yet. */
  readonly stat: FileStat | null;
  /** Changed so shortly before it was looked at that a later change might carry the same time. */
  readonly racy: boolean;
}

/** What a look found that was not known. */
export interface Delta {
  readonly path: string;
  readonly before: FileState;
  readonly after: FileState;
  /** Of the file that stood there, and of the one that stands there now. */
  readonly inoBefore?: number;
  readonly inoAfter?: number;
}

export class Tree {
  readonly known = new Map<string, Known>();
  /** Files that are left out, and folders whose content is, with the reason. */
  readonly gaps = new Map<string, string>();
  /** Folders in which what is not known yet is left out. */
  readonly full = new Map<string, string>();
  /** What is kept track of, but cannot be put back. */
  readonly notes = new Map<string, string>();

  /** @returns null when nothing is left out */
  get lack(): string | null {
    const reasons = [...this.gaps, ...this.full, ...this.notes].map(([path, why]) => `${path}: ${why}`);
    if (reasons.length === 0) return null;
    const more = reasons.length > 3 ? `; and ${reasons.length - 3} more` : "";
    return `${reasons.slice(0, 3).join("; ").slice(0, 800)}${more}`;
  }
}

export function isSameStat(a: FileStat, b: FileStat): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino;
}

/** A folder that was told of and not looked at yet may have stood there before, with a mode of its own. */
export function isAsKnown(known: Known | undefined, state: FileState): boolean {
  if (known === undefined) return false;
  const isTold = known.stat === null && known.state.kind === "folder" && state.kind === "folder";
  return isTold || sameState(known.state, state);
}
