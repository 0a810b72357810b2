/** Tells which of a command's changes were renames: the same file, by its number, with the same content under another name. */
import { type FileChange, sameState } from "../../domain/change.ts";
import type { Delta } from "./tree.ts";

export function changesFrom(deltas: readonly Delta[]): FileChange[] {
  const gone = new Map<number, Delta | null>();
  for (const delta of deltas) {
    if (delta.after.kind !== "absent" || delta.inoBefore === undefined) continue;
    // Two names of one file went: nobody can say which of them lives on.
    gone.set(delta.inoBefore, gone.has(delta.inoBefore) ? null : delta);
  }
  const sources = new Map<string, string>();
  const destinations = new Map<string, string>();
  for (const { path, after, inoAfter } of deltas) {
    const source = inoAfter === undefined ? undefined : gone.get(inoAfter);
    if (source == null || destinations.has(source.path) || !sameState(source.before, after)) continue;
    sources.set(path, source.path);
    destinations.set(source.path, path);
  }
  return deltas.map(({ path, before, after }) => {
    const [from, to] = [sources.get(path), destinations.get(path)];
    return {
      path,
      before,
      after,
      ...(to === undefined ? {} : { moved_to: to }),
      ...(from === undefined ? {} : { moved_from: from }),
    };
  });
}
