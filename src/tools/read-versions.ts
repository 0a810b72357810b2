/**
 * What files held when a subtask read or wrote them, and how often its edits of them were refused: kept in memory beside
 * what it has seen, as long as its loop runs. After a restart nothing is known, and refusals say less.
 */
import type { SeenFiles } from "../ports/tool.ts";

const versionBytesMax = 512 * 1024;
const allBytesMax = 8 * 1024 * 1024;
const versionsMax = 64;

export interface ReadVersion {
  readonly path: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

interface Memory {
  /** Oldest first. */
  versions: ReadVersion[];
  /** Path → the steps whose edits were refused; a call may be prepared more than once. */
  readonly refused: Map<string, Set<string>>;
}

const memories = new WeakMap<SeenFiles, Memory>();

function memoryOf(seen: SeenFiles): Memory {
  const known = memories.get(seen) ?? { versions: [], refused: new Map() };
  memories.set(seen, known);
  return known;
}

export function rememberVersion(seen: SeenFiles, { path, digest, bytes }: ReadVersion): void {
  if (bytes.length > versionBytesMax) return;
  const memory = memoryOf(seen);
  const others = memory.versions.filter((known) => known.path !== path || known.digest !== digest);
  const versions = [...others, { path, digest, bytes }];
  let total = versions.reduce((sum, known) => sum + known.bytes.length, 0);
  while (total > allBytesMax || versions.length > versionsMax) total -= versions.shift()?.bytes.length ?? 0;
  memory.versions = versions;
}

/** The versions of a path that were read or written, the latest first. */
export function versionsOf(seen: SeenFiles, path: string): readonly ReadVersion[] {
  return memoryOf(seen)
    .versions.filter((known) => known.path === path)
    .toReversed();
}

/** @returns how many calls' edits of this path were refused since the last that was made, this one counted */
export function countRefusal(seen: SeenFiles, path: string, step: string): number {
  const { refused } = memoryOf(seen);
  const steps = refused.get(path) ?? new Set();
  refused.set(path, steps.add(step));
  return steps.size;
}

export function forgetRefusals(seen: SeenFiles, path: string): void {
  memoryOf(seen).refused.delete(path);
}
