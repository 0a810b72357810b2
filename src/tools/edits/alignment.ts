/** Which line of a block stands for which line of the file. Both sides ascend; blank lines find theirs between the others. */

import type { Block, LineIndex } from "./line-index.ts";
import { isBlank } from "./normalised-lines.ts";

/** `equal` but for harmless differences; `comment`: in other words; `alike`: remembered wrong; `absent`: not in the file. */
export type LineFit = "equal" | "comment" | "alike" | "absent";

export interface Alignment {
  /** The lines of the file that the block stands for, blank ones at its ends included. */
  readonly start: number;
  readonly end: number;
  /** For each line of the block its line of the file, or -1. */
  readonly places: Int32Array;
  readonly fits: readonly LineFit[];
}

/** For each line of a block that is not blank, its place among the file's, or -1. */
export interface Fit {
  readonly places: readonly number[];
  readonly fits: readonly LineFit[];
}

/** Blank lines are all the same: of more on one side than on the other, the first or the last may be the ones meant. */
export type Leaning = "early" | "late";

export function alignmentOf(index: LineIndex, block: Block, fit: Fit, leaning: Leaning): Alignment {
  const places = new Int32Array(block.lines.length).fill(-1);
  const fits: LineFit[] = block.lines.map(() => "absent");
  for (const [nth, line] of block.at.entries()) {
    const place = fit.places[nth] ?? -1;
    places[line] = place === -1 ? -1 : (index.at[place] ?? -1);
    fits[line] = fit.fits[nth] ?? "absent";
  }
  const aligned = { index, block, places, fits };
  const found = places.filter((place) => place !== -1);
  const [first, last] = [found[0] ?? 0, found.at(-1) ?? 0];
  pairBetween(aligned, leaning);
  const start = pairOutwards(aligned, { from: places.indexOf(first) - 1, place: first - 1, step: -1 });
  const end = pairOutwards(aligned, { from: places.indexOf(last) + 1, place: last + 1, step: 1 });
  return { start: start + 1, end, places, fits };
}

interface Aligning {
  readonly index: LineIndex;
  readonly block: Block;
  readonly places: Int32Array;
  readonly fits: LineFit[];
}

function pairBetween({ index, block, places, fits }: Aligning, leaning: Leaning): void {
  let before = -1;
  for (let line = 0; line < places.length; line += 1) {
    if (places[line] === -1) continue;
    if (before !== -1 && line - before > 1) {
      const own = blanksIn(block.lines, before + 1, line);
      const others = blanksIn(index.file.lines, (places[before] ?? 0) + 1, places[line] ?? 0);
      const count = Math.min(own.length, others.length);
      const skip = (blanks: readonly number[]) => (leaning === "early" ? 0 : blanks.length - count);
      for (let nth = 0; nth < count; nth += 1) {
        const blank = own[skip(own) + nth] ?? 0;
        places[blank] = others[skip(others) + nth] ?? -1;
        fits[blank] = "equal";
      }
    }
    before = line;
  }
}

function blanksIn(lines: readonly string[], from: number, to: number): number[] {
  const blanks: number[] = [];
  for (let at = from; at < to; at += 1) if (isBlank(lines[at] ?? "")) blanks.push(at);
  return blanks;
}

/** Blank lines at an end of the block find those that stand next to its place. @returns the first place behind them */
function pairOutwards(
  { index, block, places, fits }: Aligning,
  { from, place, step }: { readonly from: number; readonly place: number; readonly step: 1 | -1 },
): number {
  let at = place;
  for (let line = from; line >= 0 && line < places.length; line += step) {
    const isHere = isBlank(block.lines[line] ?? "") && at >= 0 && at < index.file.lines.length;
    if (!isHere || !isBlank(index.file.lines[at] ?? "")) break;
    places[line] = at;
    fits[line] = "equal";
    at += step;
  }
  return at;
}
