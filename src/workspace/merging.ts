/** Three-way merge of texts, line by line. Where both sides changed the same place, or places that touch, there is none. */
import { diffArrays } from "diff";

/** A text that differs from its base in more lines than this is another text. */
const editLinesMax = 4000;
const diffMsMax = 500;

/** Lines `start` to `end` of the base, replaced by `lines`. */
interface Hunk {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

/** @returns `theirs` with what leads from `base` to `ours` done to it; null where the two meet */
export function mergedText(base: string, ours: string, theirs: string): string | null {
  if (base === theirs || ours === theirs) return ours;
  const lines = linesOf(base);
  const [mine, other] = [hunksOf(lines, linesOf(ours)), hunksOf(lines, linesOf(theirs))];
  if (mine === null || other === null) return null;
  const hunks = joined(mine, other);
  if (hunks === null) return null;
  const merged: string[] = [];
  let at = 0;
  for (const { start, end, lines: fresh } of hunks) {
    merged.push(lines.slice(at, start).join(""), ...fresh);
    at = end;
  }
  return merged.join("") + lines.slice(at).join("");
}

/** With their line ends, so that those are merged as well. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+/g) ?? [];
}

function hunksOf(base: string[], changed: string[]): Hunk[] | null {
  const parts = diffArrays(base, changed, { maxEditLength: editLinesMax, timeout: diffMsMax });
  if (parts === undefined) return null;
  const hunks: Hunk[] = [];
  let at = 0;
  let open: { start: number; end: number; lines: string[] } | null = null;
  for (const { added, removed, value } of parts) {
    if (!added && !removed) {
      open = null;
      at += value.length;
      continue;
    }
    if (open === null) {
      open = { start: at, end: at, lines: [] };
      hunks.push(open);
    }
    if (added) open.lines.push(...value);
    else open.end = at += value.length;
  }
  return hunks;
}

/** @returns the hunks of both sides in their order; null where two of them overlap or touch and are not the same */
function joined(mine: readonly Hunk[], other: readonly Hunk[]): Hunk[] | null {
  const all = [...mine, ...other].toSorted((a, b) => a.start - b.start || a.end - b.end);
  const kept: Hunk[] = [];
  for (const hunk of all) {
    const last = kept.at(-1);
    if (last === undefined || last.end < hunk.start) kept.push(hunk);
    else if (!isSame(last, hunk)) return null;
  }
  return kept;
}

function isSame(a: Hunk, b: Hunk): boolean {
  if (a.start !== b.start || a.end !== b.end || a.lines.length !== b.lines.length) return false;
  return a.lines.every((line, index) => line === b.lines[index]);
}
