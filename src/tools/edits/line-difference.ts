/** Which lines two texts share, in order. Bounded: where a closer look takes too long, only lines that occur once in both count. */

/** Index of a line on the left and of the same line on the right. */
export type Shared = readonly [left: number, right: number];

const cellsMax = 1_000_000;

interface Stretch {
  readonly left: readonly [number, number];
  readonly right: readonly [number, number];
}

/** @returns pairs of equal lines, ascending on both sides */
export function sharedLines(left: readonly string[], right: readonly string[]): readonly Shared[] {
  const known = new Map<string, number>();
  const codes = (lines: readonly string[]) =>
    Int32Array.from(lines, (line) => {
      const code = known.get(line) ?? known.size;
      known.set(line, code);
      return code;
    });
  return sharedCodes(codes(left), codes(right));
}

export function sharedCodes(left: Int32Array, right: Int32Array): readonly Shared[] {
  const shared: Shared[] = [];
  const open: Stretch[] = [{ left: [0, left.length], right: [0, right.length] }];
  for (let stretch = open.pop(); stretch !== undefined; stretch = open.pop()) {
    const inner = withoutEqualEnds(left, right, stretch, shared);
    const [lines, others] = [inner.left[1] - inner.left[0], inner.right[1] - inner.right[0]];
    if (lines === 0 || others === 0) continue;
    if (lines * others <= cellsMax) longest(left, right, inner, shared);
    else open.push(...split(left, right, inner, shared));
  }
  return shared.toSorted(([one], [other]) => one - other);
}

function withoutEqualEnds(left: Int32Array, right: Int32Array, stretch: Stretch, shared: Shared[]): Stretch {
  let [from, to] = stretch.left;
  let [otherFrom, otherTo] = stretch.right;
  while (from < to && otherFrom < otherTo && left[from] === right[otherFrom]) {
    shared.push([from, otherFrom]);
    from += 1;
    otherFrom += 1;
  }
  while (from < to && otherFrom < otherTo && left[to - 1] === right[otherTo - 1]) {
    to -= 1;
    otherTo -= 1;
    shared.push([to, otherTo]);
  }
  return { left: [from, to], right: [otherFrom, otherTo] };
}

/** The longest common subsequence, by the table of all lengths. */
function longest(left: Int32Array, right: Int32Array, { left: [from, to], right: range }: Stretch, shared: Shared[]) {
  const [otherFrom, otherTo] = range;
  const width = otherTo - otherFrom + 1;
  const table = new Uint16Array((to - from + 1) * width);
  const at = (row: number, column: number) => table[row * width + column] ?? 0;
  for (let row = to - from - 1; row >= 0; row -= 1) {
    const code = left[from + row];
    for (let column = width - 2; column >= 0; column -= 1) {
      table[row * width + column] =
        code === right[otherFrom + column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  let [row, column] = [0, 0];
  while (row < to - from && column < width - 1) {
    if (left[from + row] === right[otherFrom + column]) {
      shared.push([from + row, otherFrom + column]);
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) row += 1;
    else column += 1;
  }
}

/** Cut at lines that occur once on each side and stand in the same order there. */
function split(left: Int32Array, right: Int32Array, stretch: Stretch, shared: Shared[]): Stretch[] {
  const places = onceIn(right, stretch.right);
  const pairs = [...onceIn(left, stretch.left)]
    .flatMap(([code, at]): Shared[] => {
      const other = places.get(code);
      return other === undefined ? [] : [[at, other]];
    })
    .toSorted(([one], [other]) => one - other);
  const anchors = ascending(pairs);
  if (anchors.length === 0) return [];
  shared.push(...anchors);
  const bounds: Shared[] = [...anchors, [stretch.left[1], stretch.right[1]]];
  let [from, otherFrom] = [stretch.left[0], stretch.right[0]];
  return bounds.map(([to, otherTo]) => {
    const part: Stretch = { left: [from, to], right: [otherFrom, otherTo] };
    [from, otherFrom] = [to + 1, otherTo + 1];
    return part;
  });
}

function onceIn(codes: Int32Array, [from, to]: readonly [number, number]): Map<number, number> {
  const places = new Map<number, number>();
  const repeated = new Set<number>();
  for (let at = from; at < to; at += 1) {
    const code = codes[at] ?? -1;
    if (places.has(code)) repeated.add(code);
    places.set(code, at);
  }
  for (const code of repeated) places.delete(code);
  return places;
}

/** @returns how many at the start are below; they are in order */
function countBelow(tails: readonly number[], isBelow: (tail: number) => boolean): number {
  let [low, high] = [0, tails.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBelow(tails[middle] ?? 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The longest run of pairs whose right sides ascend too. */
function ascending(pairs: readonly Shared[]): Shared[] {
  const tails: number[] = [];
  const before = new Int32Array(pairs.length).fill(-1);
  for (const [index, [, right]] of pairs.entries()) {
    const low = countBelow(tails, (tail) => (pairs[tail]?.[1] ?? 0) < right);
    before[index] = low === 0 ? -1 : (tails[low - 1] ?? -1);
    tails[low] = index;
  }
  const run: Shared[] = [];
  for (let at = tails.at(-1) ?? -1; at !== -1; at = before[at] ?? -1) {
    const pair = pairs[at];
    if (pair !== undefined) run.push(pair);
  }
  return run.toReversed();
}
