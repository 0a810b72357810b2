/**
 * The stretch of a file that shares most lines with a block, and how many the next best shares. Lines vote for the place
 * they would give the block; only where enough of them agree is a closer look taken.
 */
import type { Fit, LineFit } from "./alignment.ts";
import { commentMark, declaredName, likeness } from "./likeness.ts";
import { type Shared, sharedCodes } from "./line-difference.ts";
import type { Block, LineIndex } from "./line-index.ts";
import { furtherLinesMax } from "./placing.ts";

export interface Resemblance {
  readonly fits: readonly Fit[];
  /** Lines of the block that are equal here, and at the place that comes next. */
  readonly equal: number;
  readonly equalElsewhere: number;
  /** The stretch, as places among the lines that are not blank. */
  readonly from: number;
  readonly to: number;
}

/** A line that stands at more places than this says nothing about which. */
const placesMax = 64;
const looksMax = 8;
const blockLinesMax = 1500;
const alikeMin = 0.5;

/** @returns null where no line is equal, or all stand everywhere */
export function resemblanceOf(index: LineIndex, block: Block): Resemblance | null {
  if (block.codes.length === 0 || block.codes.length > blockLinesMax) return null;
  const best = bestStretch({ index, block, leave: null, atLeast: 1 });
  if (best === null) return null;
  const [early, late] = best;
  const span = { from: early[0]?.[1] ?? 0, to: (early.at(-1)?.[1] ?? 0) + 1 };
  const next = bestStretch({ index, block, leave: span, atLeast: 1 });
  return {
    ...span,
    fits: [fitOf(index, block, early), fitOf(index, block, late)],
    equal: early.length,
    equalElsewhere: next?.[0].length ?? 0,
  };
}

interface Looking {
  readonly index: LineIndex;
  readonly block: Block;
  /** A stretch whose lines do not count. */
  readonly leave: { readonly from: number; readonly to: number } | null;
  readonly atLeast: number;
}

/** Reads the lines early and late: of equal ones either may be the one meant. */
type Readings = readonly [readonly Shared[], readonly Shared[]];

function bestStretch(looking: Looking): Readings | null {
  const { index, block, atLeast } = looking;
  const slack = furtherLinesMax(block.codes.length) + Math.ceil(block.codes.length / 4);
  const { votes, unheard } = votesOf(looking);
  let best: Readings | null = null;
  for (let looks = 0; looks < looksMax; looks += 1) {
    const { start, sum } = mostVotes(votes, slack);
    const most = Math.max(best?.[0].length ?? 0, atLeast - 1);
    if (sum === 0 || sum + unheard <= most) break;
    const from = Math.max(start - block.codes.length, 0);
    const to = Math.min(start + slack, index.codes.length);
    const readings = sharedIn(looking, { from, to });
    if (readings[0].length > most) best = readings;
    votes.fill(0, start, start + slack + 1);
  }
  return best;
}

/** At `place - nth + lines of the block`: how many lines would have the block begin there. */
function votesOf({ index, block, leave }: Looking): { readonly votes: Int32Array; readonly unheard: number } {
  const votes = new Int32Array(index.codes.length + block.codes.length + 1);
  let unheard = 0;
  for (const [nth, code] of block.codes.entries()) {
    const places = index.places(code);
    if (places.length > placesMax) unheard += 1;
    else
      for (const place of places) {
        if (leave !== null && place >= leave.from && place < leave.to) continue;
        const at = place - nth + block.codes.length;
        votes[at] = (votes[at] ?? 0) + 1;
      }
  }
  return { votes, unheard };
}

function mostVotes(votes: Int32Array, slack: number): { readonly start: number; readonly sum: number } {
  let [sum, start, most] = [0, 0, 0];
  for (let at = 0; at < votes.length; at += 1) {
    sum += votes[at] ?? 0;
    if (at > slack) sum -= votes[at - slack - 1] ?? 0;
    if (sum > most) [most, start] = [sum, Math.max(at - slack, 0)];
  }
  return { start, sum: most };
}

function sharedIn({ index, block, leave }: Looking, { from, to }: { from: number; to: number }): Readings {
  const lines = index.codes.slice(from, to).map((code, nth) => {
    const isLeft = leave !== null && from + nth >= leave.from && from + nth < leave.to;
    return isLeft ? -2 : code;
  });
  const early = sharedCodes(block.codes, lines);
  const late = sharedCodes(block.codes.toReversed(), lines.toReversed()).map(
    ([left, right]): Shared => [block.codes.length - 1 - left, lines.length - 1 - right],
  );
  const placed = (shared: readonly Shared[]) =>
    drawnTogether(
      index,
      shared.map(([left, right]): Shared => [left, right + from]),
    );
  return [placed(early), placed(late.toReversed())];
}

/** Each line as near as can be to the rarest one: a bracket that stands everywhere belongs to its neighbours. */
function drawnTogether(index: LineIndex, shared: readonly Shared[]): readonly Shared[] {
  const pairs = [...shared];
  const rarity = pairs.map(([, place]) => index.places(index.codes[place] ?? -1).length);
  const centre = rarity.indexOf(rarity.reduce((least, count) => Math.min(least, count), Number.POSITIVE_INFINITY));
  const draw = (nth: number, step: 1 | -1) => {
    const [line, place] = pairs[nth] ?? [0, 0];
    let nearest = (pairs[nth + step]?.[1] ?? 0) - step;
    while (nearest !== place && index.codes[nearest] !== index.codes[place]) nearest -= step;
    pairs[nth] = [line, nearest];
  };
  for (let nth = centre - 1; nth >= 0; nth -= 1) draw(nth, 1);
  for (let nth = centre + 1; nth < pairs.length; nth += 1) draw(nth, -1);
  return pairs;
}

/** Lines between equal ones stand for each other in their order, where they are alike. */
function fitOf(index: LineIndex, block: Block, shared: readonly Shared[]): Fit {
  const places: number[] = Array.from(block.codes, () => -1);
  const fits: LineFit[] = block.at.map(() => "absent");
  for (const [nth, place] of shared) {
    places[nth] = place;
    fits[nth] = "equal";
  }
  const [first, last] = [shared[0] ?? [0, 0], shared.at(-1) ?? [0, 0]];
  const behind = block.codes.length - 1 - last[0];
  const bounds: Shared[] = [
    [-1, Math.max(first[1] - first[0] - 1, -1)],
    ...shared,
    [block.codes.length, Math.min(last[1] + behind + 1, index.codes.length)],
  ];
  for (const [nth, [line, place]] of bounds.slice(1).entries()) {
    const [lineBefore, placeBefore] = bounds[nth] ?? [-1, -1];
    for (const [own, other] of alikeBetween({ index, block }, [lineBefore, line], [placeBefore, place])) {
      places[own] = other;
      fits[own] = "alike";
    }
  }
  return { places, fits };
}

function alikeBetween(
  { index, block }: Pick<Looking, "index" | "block">,
  [lineBefore, line]: Shared,
  [placeBefore, place]: Shared,
): readonly Shared[] {
  const pairs: Shared[] = [];
  let from = placeBefore + 1;
  for (let own = lineBefore + 1; own < line; own += 1) {
    let best = { place: -1, likeness: alikeMin };
    for (let other = from; other < Math.min(place, from + looksMax); other += 1) {
      const alike = standsFor(block.texts[own] ?? "", index.texts[other] ?? "");
      if (alike > best.likeness) best = { place: other, likeness: alike };
    }
    if (best.place === -1) continue;
    pairs.push([own, best.place]);
    from = best.place + 1;
  }
  return pairs;
}

/** A comment for a comment, code for code; and what declares another name is another thing. */
function standsFor(one: string, other: string): number {
  if (commentMark(one) !== commentMark(other)) return 0;
  if (declaredName(one) !== declaredName(other)) return 0;
  return likeness(one, other);
}
