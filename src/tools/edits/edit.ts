/**
 * One edit of a file's text, by the rules of docs/adr/0013: the first that finds a place decides, one that finds several
 * refuses, and what none finds is refused with what comes nearest. Pure: bytes and files are the tool's business.
 */

import { isElision } from "./elision.ts";
import { exactlyEdited, exactPlaces, lineNumbers } from "./exact.ts";
import { type FileText, joined, linesOf, spliced, withoutEnds } from "./file-text.ts";
import { sharedLines } from "./line-difference.ts";
import { type Block, LineIndex } from "./line-index.ts";
import { merged } from "./merging.ts";
import { nearestOf } from "./nearest.ts";
import { furtherLinesMax, placeOf } from "./placing.ts";
import { type Reading, readingsOf } from "./readings.ts";
import type { Refusal } from "./refusals.ts";
import { type Resemblance, resemblanceOf } from "./resemblance.ts";

export interface Edit {
  readonly old: string;
  readonly fresh: string;
  readonly replaceAll: boolean;
}

export type EditOutcome =
  | {
      readonly kind: "edited";
      readonly file: FileText;
      readonly places: number;
      readonly how: "exact" | "lines" | "context";
    }
  | { readonly kind: "unchanged" }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Larger files are edited where the exact text stands, and nothing else is looked for. */
const comparedLinesMax = 200_000;
const comparedCharsMax = 8 * 1024 * 1024;
const equalShareMin = 0.75;
const elsewhereShareMax = 0.65;

export function edited(file: FileText, edit: Edit): EditOutcome {
  const [old, fresh] = [withoutEnds(edit.old), withoutEnds(edit.fresh)];
  if (old === "") return refused({ kind: "empty" });
  if (old === fresh) return { kind: "unchanged" };
  if (!old.isWellFormed() || !fresh.isWellFormed()) return refused({ kind: "half-sign" });
  if (file.encoding !== "utf8" && !isAscii(old + fresh)) return refused({ kind: "not-utf8" });
  return new Editing(file, edit.replaceAll).outcome(readingsOf(old, fresh));
}

function refused(refusal: Refusal): EditOutcome {
  return { kind: "refused", refusal };
}

function isAscii(text: string): boolean {
  return !/\P{ASCII}/u.test(text);
}

class Editing {
  readonly #file: FileText;
  readonly #text: string;
  readonly #isCompared: boolean;
  readonly #replaceAll: boolean;
  #known: LineIndex | undefined;

  constructor(file: FileText, replaceAll: boolean) {
    this.#file = file;
    this.#text = joined(file);
    this.#isCompared = file.lines.length <= comparedLinesMax && this.#text.length <= comparedCharsMax;
    this.#replaceAll = replaceAll;
  }

  outcome(readings: readonly Reading[]): EditOutcome {
    for (const reading of readings) {
      const outcome = this.#exact(reading) ?? (this.#isCompared ? this.#byLines(reading) : null);
      if (outcome !== null) return outcome;
    }
    if (!this.#isCompared) return refused({ kind: "nowhere" });
    const blocks = readings.map((reading) => ({ reading, block: this.#index().block(linesOf(reading.old)) }));
    const found = blocks.map(({ reading, block }) => ({ reading, block, like: resemblanceOf(this.#index(), block) }));
    for (const { reading, block, like } of found) {
      if (like !== null && isPlace(block, like))
        return this.#merged(reading, { block, fits: like.fits, how: "context" });
    }
    const nearest = nearestOf(this.#index(), found);
    return refused({ kind: "nowhere", ...(nearest === null ? {} : { nearest }) });
  }

  #index(): LineIndex {
    this.#known ??= new LineIndex(this.#file);
    return this.#known;
  }

  #exact({ old, fresh }: Reading): EditOutcome | null {
    const places = exactPlaces(this.#text, old);
    if (places.length === 0) return null;
    if (places.length > 1 && !this.#replaceAll)
      return refused({ kind: "several", lines: lineNumbers(this.#text, places), isExact: true });
    const elision = this.#elision(old, fresh);
    if (elision !== undefined) return refused({ kind: "elision", text: elision });
    const file = exactlyEdited(this.#file, this.#text, { old, fresh, places });
    return this.#changed({ kind: "edited", file, places: countApart(places, old.length), how: "exact" });
  }

  #elision(old: string, fresh: string): string | undefined {
    const [lines, freshLines] = [linesOf(old), linesOf(fresh)];
    if (!freshLines.some(isElision)) return undefined;
    const kept = new Set(sharedLines(lines, freshLines).map(([, right]) => right));
    return freshLines.find((line, nth) => !kept.has(nth) && isElision(line) && !this.#file.lines.includes(line));
  }

  #byLines(reading: Reading): EditOutcome | null {
    const block = this.#index().block(linesOf(reading.old));
    const placing = placeOf(this.#index(), block);
    if (placing === null) return null;
    if (placing.kind === "one") return this.#merged(reading, { block, fits: placing.fits, how: "lines" });
    const lines = placing.places.map((place) => (this.#index().at[place] ?? 0) + 1);
    return refused({ kind: "several", lines, isExact: false });
  }

  #merged(
    reading: Reading,
    at: { readonly block: Block; readonly fits: Resemblance["fits"]; readonly how: "lines" | "context" },
  ): EditOutcome {
    const splice = merged({ index: this.#index(), fresh: linesOf(reading.fresh), block: at.block, fits: at.fits });
    if (!splice.ok) return refused(splice.error);
    const file = spliced(this.#file, [splice.value]);
    return this.#changed({ kind: "edited", file, places: 1, how: at.how });
  }

  #changed(outcome: EditOutcome & { readonly kind: "edited" }): EditOutcome {
    const { lines, ends } = outcome.file;
    const isSame =
      lines.length === this.#file.lines.length &&
      lines.every((line, nth) => line === this.#file.lines[nth] && ends[nth] === this.#file.ends[nth]);
    return isSame ? { kind: "unchanged" } : outcome;
  }
}

function countApart(places: readonly number[], length: number): number {
  let [count, end] = [0, 0];
  for (const place of places) {
    if (place < end) continue;
    count += 1;
    end = place + length;
  }
  return count;
}

/** Enough lines are there, few others between them, and no other place comes near. */
function isPlace(block: Block, { equal, equalElsewhere, from, to, fits }: Resemblance): boolean {
  const standing = fits[0]?.places.filter((place) => place >= from && place < to).length ?? 0;
  return (
    equal >= equalShareMin * block.codes.length &&
    equalElsewhere <= elsewhereShareMax * equal &&
    to - from - standing <= furtherLinesMax(block.codes.length)
  );
}
