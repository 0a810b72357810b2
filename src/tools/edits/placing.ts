/** Where a block stands in a file: lines equal but for harmless differences, comments in other words, lines it lacks. */
import type { Fit, LineFit } from "./alignment.ts";
import { commentMark, likeness } from "./likeness.ts";
import type { Block, LineIndex } from "./line-index.ts";
import { withoutTrailing, wordSigns } from "./normalised-lines.ts";

/** `fits` are ways to read one place; where they would write different texts, there is no right one. */
export type Placing =
  | { readonly kind: "one"; readonly fits: readonly Fit[] }
  /** Places among the lines that are not blank. */
  | { readonly kind: "several"; readonly places: readonly number[] };

const wordSignsMin = 4;
const codeLinesMin = 2;
const commentShare = 0.25;
const commentLikenessMin = 0.3;
const linesMinWithFurther = 4;
const furtherShare = 0.2;
/** Comparisons that one search may take; only files of lines that are all the same come near it. */
const comparisonsMax = 2_000_000;
const closeLooksMax = 200_000;
/** Comparing two comments takes as long as this many lines. */
const likenessCost = 500;

/** @returns null where no rule finds a place */
export function placeOf(index: LineIndex, block: Block): Placing | null {
  if (!saysSomething(block)) return null;
  return placeOfEqualLines(index, block) ?? placeWithFreeComments(index, block) ?? placeWithFurtherLines(index, block);
}

export function furtherLinesMax(lines: number): number {
  return Math.max(1, Math.floor(furtherShare * lines));
}

function saysSomething(block: Block): boolean {
  let signs = 0;
  for (const text of block.texts) {
    signs += wordSigns(text, wordSignsMin);
    if (signs >= wordSignsMin) return true;
  }
  return false;
}

function placeOfEqualLines(index: LineIndex, block: Block): Placing | null {
  const places = occurrences(index.codes, block.codes);
  if (places.length <= 1) return oneOf(places, (place) => consecutive(block, place));
  if (places.length * block.lines.length > closeLooksMax) return { kind: "several", places };
  const exact = places.filter((place) => differsInTrailingBlanksOnly(index, block, place));
  return exact.length === 1 ? oneOf(exact, (place) => consecutive(block, place)) : { kind: "several", places };
}

function oneOf(places: readonly number[], fitAt: (place: number) => Fit): Placing | null {
  const [place] = places;
  return place === undefined ? null : { kind: "one", fits: [fitAt(place)] };
}

function consecutive(block: Block, place: number): Fit {
  return { places: block.at.map((_, nth) => place + nth), fits: block.at.map(() => "equal") };
}

/** Knuth, Morris and Pratt's search: linear also where all lines are the same. */
function occurrences(lines: Int32Array, wanted: Int32Array): number[] {
  if (wanted.includes(-1) || wanted.length === 0) return [];
  const fallback = new Int32Array(wanted.length);
  const grown = (length: number, code: number | undefined): number => {
    let known = length;
    while (known > 0 && (known === wanted.length || code !== wanted[known])) known = fallback[known - 1] ?? 0;
    return code === wanted[known] ? known + 1 : known;
  };
  for (let at = 1, length = 0; at < wanted.length; at += 1) {
    length = grown(length, wanted[at]);
    fallback[at] = length;
  }
  const places: number[] = [];
  let length = 0;
  for (const [at, code] of lines.entries()) {
    length = grown(length, code);
    if (length === wanted.length) places.push(at - wanted.length + 1);
  }
  return places;
}

function differsInTrailingBlanksOnly(index: LineIndex, block: Block, place: number): boolean {
  const [first, last] = [block.at[0] ?? 0, block.at.at(-1) ?? 0];
  const start = (index.at[place] ?? 0) - first;
  if ((index.at[place + block.at.length - 1] ?? 0) - start !== last) return false;
  return block.lines
    .slice(first, last + 1)
    .every((line, nth) => withoutTrailing(line) === withoutTrailing(index.file.lines[start + first + nth] ?? ""));
}

/** The rarest line of code says where to look. */
function placeWithFreeComments(index: LineIndex, block: Block): Placing | null {
  const marks = block.texts.map(commentMark);
  const code = block.codes.length - marks.filter((mark) => mark !== null).length;
  const freeMax = Math.floor(block.codes.length * commentShare);
  if (code < codeLinesMin || freeMax === 0 || code === block.codes.length) return null;
  const anchor = rarest(index, block, marks);
  if (anchor === null) return null;
  const found: { place: number; fits: LineFit[] }[] = [];
  let comparisons = 0;
  for (const anchorPlace of index.places(block.codes[anchor] ?? -1)) {
    const fits = commentFits(index, { block, marks, place: anchorPlace - anchor, freeMax });
    comparisons += 1 + (fits?.length ?? 0) + likenessCost * (fits?.filter((fit) => fit === "comment").length ?? 0);
    if (comparisons > comparisonsMax) return null;
    if (fits?.length === block.codes.length) found.push({ place: anchorPlace - anchor, fits });
  }
  if (found.length > 1) return { kind: "several", places: found.map(({ place }) => place) };
  return oneOf(
    found.map(({ place }) => place),
    (place) => ({ ...consecutive(block, place), fits: found[0]?.fits ?? [] }),
  );
}

function rarest(index: LineIndex, block: Block, marks: readonly (string | null)[]): number | null {
  let [best, fewest] = [null as number | null, Number.POSITIVE_INFINITY];
  for (const [nth, code] of block.codes.entries()) {
    if (marks[nth] !== null) continue;
    const count = index.places(code).length;
    if (count < fewest) [best, fewest] = [nth, count];
  }
  return fewest === 0 ? null : best;
}

/** @returns as many fits as lines were compared before one stood against it */
function commentFits(
  index: LineIndex,
  at: {
    readonly block: Block;
    readonly marks: readonly (string | null)[];
    readonly place: number;
    readonly freeMax: number;
  },
): LineFit[] | null {
  const { block, marks, place, freeMax } = at;
  if (place < 0 || place + block.codes.length > index.codes.length) return null;
  const fits: LineFit[] = [];
  let free = 0;
  for (const [nth, code] of block.codes.entries()) {
    if (index.codes[place + nth] === code) {
      fits.push("equal");
      continue;
    }
    free += 1;
    const [mark, own, other] = [marks[nth], block.texts[nth] ?? "", index.texts[place + nth] ?? ""];
    if (free > freeMax || mark === null || mark !== commentMark(other)) break;
    if (likeness(own, other) < commentLikenessMin) break;
    fits.push("comment");
  }
  return fits;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function placeWithFurtherLines(index: LineIndex, block: Block): Placing | null {
  const { codes } = block;
  if (codes.length < linesMinWithFurther || codes.includes(-1)) return null;
  const spanMax = codes.length + furtherLinesMax(codes.length);
  const spans: Span[] = [];
  let comparisons = 0;
  for (const from of index.places(codes[0] ?? -1)) {
    const limit = Math.min(from + spanMax, index.codes.length);
    const { to, compared } = earliest(index.codes, codes, { from, to: limit });
    comparisons += compared;
    if (comparisons > comparisonsMax) return null;
    if (to !== null) spans.push({ from, to });
  }
  const tightest = tightestOf(spans);
  if (tightest.length > 1) return { kind: "several", places: tightest.map(({ from }) => from) };
  const [span] = tightest;
  return span === undefined
    ? null
    : { kind: "one", fits: [fitIn(index, block, span), fitIn(index, block, span, true)] };
}

function earliest(
  lines: Int32Array,
  wanted: Int32Array,
  { from, to }: Span,
): { readonly to: number | null; readonly compared: number } {
  let nth = 0;
  let at = from;
  for (; at < to && nth < wanted.length; at += 1) if (lines[at] === wanted[nth]) nth += 1;
  return { to: nth === wanted.length ? at : null, compared: at - from };
}

/** Of spans that overlap the shortest; equally short ones all, since nothing says which is meant. */
function tightestOf(spans: readonly Span[]): readonly Span[] {
  const groups: Span[][] = [];
  let end = 0;
  for (const span of spans) {
    const group = groups.at(-1);
    if (group === undefined || span.from >= end) groups.push([span]);
    else group.push(span);
    end = Math.max(span.to, span.from >= end ? 0 : end);
  }
  return groups.flatMap((group) => {
    const shortest = group.reduce((least, { from, to }) => Math.min(least, to - from), Number.POSITIVE_INFINITY);
    return group.filter(({ from, to }) => to - from === shortest);
  });
}

function fitIn(index: LineIndex, block: Block, { from, to }: Span, isLate = false): Fit {
  const places: number[] = Array.from(block.codes, () => -1);
  const step = isLate ? -1 : 1;
  let at = isLate ? to - 1 : from;
  for (let nth = isLate ? block.codes.length - 1 : 0; nth >= 0 && nth < block.codes.length; nth += step) {
    while (at >= from && at < to && index.codes[at] !== block.codes[nth]) at += step;
    places[nth] = at;
    at += step;
  }
  return { places, fits: block.at.map(() => "equal") };
}
