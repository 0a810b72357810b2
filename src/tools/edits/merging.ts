/**
 * A three-way merge by line: what a model read, what it wants, what the file has. Kept lines keep the file's bytes; a line
 * that the model did not know of stays, and where it stands in the way of a change the merge is refused.
 */
import { err, ok, type Result } from "../../lib/result.ts";
import { alignmentOf, type Fit, type Leaning } from "./alignment.ts";
import { contextBreach } from "./context.ts";
import { type Change, editScriptOf } from "./edit-script.ts";
import { isElision } from "./elision.ts";
import type { LineEnd, Splice } from "./file-text.ts";
import { type FreshLine, freshLines, type Placed } from "./fresh-lines.ts";
import { likeness } from "./likeness.ts";
import type { Block, LineIndex } from "./line-index.ts";
import { indentOf, normalised } from "./normalised-lines.ts";
import type { Refusal } from "./refusals.ts";

export interface Merging {
  readonly index: LineIndex;
  readonly block: Block;
  readonly fresh: readonly string[];
  /** Ways to read the place; all must come to the same text. */
  readonly fits: readonly Fit[];
}

export function merged(merging: Merging): Result<Splice, Refusal> {
  let first: Splice | undefined;
  for (const fit of steadiest(merging)) {
    for (const leaning of ["early", "late"] as const) {
      const splice = mergedAt(merging, fit, leaning);
      if (!splice.ok) return splice;
      first ??= splice.value;
      if (!isSame(merging.index.file.lines, first, splice.value))
        return err({ kind: "unclear", ...linesOfSplice(first) });
    }
  }
  return first === undefined ? err({ kind: "nowhere" }) : ok(first);
}

/** Of ways to read a place, those in which indentations differ in the fewest ways: brackets find their own. */
function steadiest({ index, block, fits }: Merging): readonly Fit[] {
  const ways = fits.map(({ places }) => {
    const pairs = places.flatMap((place, nth) => {
      const [own, other] = [block.lines[block.at[nth] ?? 0] ?? "", index.file.lines[index.at[place] ?? -1] ?? ""];
      return place === -1 ? [] : [`${indentOf(own)}|${indentOf(other)}`];
    });
    return new Set(pairs).size;
  });
  const fewest = ways.reduce((least, count) => Math.min(least, count), Number.POSITIVE_INFINITY);
  return fits.filter((_, nth) => ways[nth] === fewest);
}

function mergedAt({ index, block, fresh }: Merging, fit: Fit, leaning: Leaning): Result<Splice, Refusal> {
  const alignment = alignmentOf(index, block, fit, leaning);
  const script = editScriptOf(block.lines, fresh, { file: index.file.lines, alignment, leaning });
  if (script.isUnclear) return err({ kind: "indentation", text: fresh[0] ?? "" });
  const placed = { index, block, fresh, alignment, script };
  const breach = contextBreach(placed);
  if (breach !== null) return err(breach);
  return new Merge(placed).splice();
}

/** Whether the same file comes of both, though one may reach further. */
function isSame(lines: readonly string[], one: Splice, other: Splice): boolean {
  const [start, end] = [Math.min(one.start, other.start), Math.max(one.end, other.end)];
  const whole = (splice: Splice) => [
    ...lines.slice(start, splice.start),
    ...splice.lines,
    ...lines.slice(splice.end, end),
  ];
  const [left, right] = [whole(one), whole(other)];
  return left.length === right.length && left.every((line, nth) => line === right[nth]);
}

function linesOfSplice({ start, end }: Splice): { readonly from: number; readonly to: number } {
  return { from: start + 1, to: end };
}

class Merge {
  readonly #placed: Placed;
  readonly #line: FreshLine;
  readonly #lines: string[] = [];
  readonly #ends: (LineEnd | "")[] = [];
  /** The next line of the file that is neither kept nor gone yet. */
  #next: number;
  #refusal: Refusal | null = null;

  constructor(placed: Placed) {
    this.#placed = placed;
    this.#line = freshLines(placed);
    this.#next = placed.alignment.start;
  }

  splice(): Result<Splice, Refusal> {
    const { alignment, script } = this.#placed;
    for (const change of script.changes) {
      this.#keepUntil(this.#lastBefore(change.from) + 1);
      this.#change(change);
      if (this.#refusal !== null) return err(this.#refusal);
    }
    this.#keepUntil(alignment.end);
    return ok({ start: alignment.start, end: alignment.end, lines: this.#lines, ends: this.#ends });
  }

  /** The file's line that stands for the last line before this one that has any. */
  #lastBefore(line: number): number {
    const { places, start } = this.#placed.alignment;
    for (let at = line - 1; at >= 0; at -= 1) if (places[at] !== -1) return places[at] ?? -1;
    return start - 1;
  }

  #firstFrom(line: number): number {
    const { places, end } = this.#placed.alignment;
    for (let at = line; at < places.length; at += 1) if (places[at] !== -1) return places[at] ?? -1;
    return end;
  }

  #keepUntil(end: number): void {
    for (; this.#next < end; this.#next += 1) this.#keep(this.#next);
  }

  #keep(place: number): void {
    const { file } = this.#placed.index;
    this.#lines.push(file.lines[place] ?? "");
    this.#ends.push(file.ends[place] ?? "");
  }

  #change(change: Change): void {
    const { alignment } = this.#placed;
    const gone = Array.from(alignment.places.slice(change.from, change.to)).filter((place) => place !== -1);
    const [first, last] = [gone[0], gone.at(-1)];
    const behind = this.#firstFrom(change.to);
    if (first === undefined || last === undefined) {
      const further = range(this.#next, behind);
      if (change.freshTo > change.freshFrom) this.#write(change, further);
      return;
    }
    const edges = openEdges(this.#placed, change);
    const before = range(this.#next, first);
    const inside = range(first, last + 1).filter((place) => !gone.includes(place));
    const after = range(last + 1, behind);
    const further = [...(edges.before ? before : []), ...inside, ...(edges.after ? after : [])];
    if (!edges.before) this.#keepUntil(first);
    const written = this.#write(change, further);
    this.#next = Math.max(last, edges.after ? (written.at(-1) ?? last) : last) + 1;
  }

  /**
   * Writes the new lines of a change. Lines of the file that the old text lacks stand among them only where the new text
   * brings them.
   *
   * @returns places of the file's lines that were written so
   */
  #write(change: Change, further: readonly number[]): readonly number[] {
    const { fresh, index } = this.#placed;
    const waiting = [...further];
    for (let line = change.freshFrom; line < change.freshTo; line += 1) {
      const text = fresh[line] ?? "";
      const [place] = waiting;
      if (place !== undefined && normalised(index.file.lines[place] ?? "") === normalised(text)) {
        this.#keep(place);
        waiting.shift();
      } else this.#writeLine(line, change);
    }
    const [place] = waiting;
    if (place !== undefined)
      this.#refusal ??= { kind: "in-the-way", line: place + 1, text: index.file.lines[place] ?? "" };
    if (further.length > 0) this.#next = Math.max(this.#next, (further.at(-1) ?? 0) + 1);
    return further;
  }

  #writeLine(line: number, change: Change): void {
    const { fresh, index } = this.#placed;
    const text = fresh[line] ?? "";
    if (isElision(text) && !index.has(normalised(text))) this.#refusal ??= { kind: "elision", text };
    const written = this.#line(line, change);
    if (written === null) this.#refusal ??= { kind: "indentation", text };
    this.#lines.push(written ?? "");
    const source = change.moved.get(line);
    const place = source === undefined ? -1 : (this.#placed.alignment.places[source] ?? -1);
    this.#ends.push(place === -1 ? "" : (index.file.ends[place] ?? ""));
  }
}

/**
 * Where more lines come than go, some are inserted: at an edge of what goes, unless the lines there stand for each other.
 * Where there are not more, what is new stands for what goes, and lines beside it are not concerned.
 */
function openEdges(
  { block, fresh }: Placed,
  { from, to, freshFrom, freshTo }: Change,
): { readonly before: boolean; readonly after: boolean } {
  if (freshTo - freshFrom <= to - from) return { before: false, after: false };
  const stands = (old: string | undefined, other: string | undefined) =>
    likeness(normalised(old ?? ""), normalised(other ?? "")) >= 0.5;
  return {
    before: !stands(block.lines[from], fresh[freshFrom]),
    after: !stands(block.lines[to - 1], fresh[freshTo - 1]),
  };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(to - from, 0) }, (_, nth) => from + nth);
}
