/** From the indentation a model wrote to the one a file has, read off lines that stand in both. What nothing shows is not guessed. */

export interface IndentPair {
  /** Of the line in the model's text, and of the same line in the file. */
  readonly from: string;
  readonly to: string;
}

export interface IndentSurroundings {
  /** Blanks that one level takes in the file, and in the model's texts; null where nothing shows it. */
  readonly fileUnit: () => number | null;
  readonly ownUnit: () => number | null;
}

type Kind = "spaces" | "tabs";

interface Level {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

const tabWidths: readonly number[] = [2, 3, 4, 8];
const levelsMax = 24;
const clearMajority = 0.75;

/** @returns what a new line's indentation becomes, null where nothing says it */
export function indentMap(
  pairs: readonly IndentPair[],
  surroundings: IndentSurroundings,
): (indent: string) => string | null {
  const levels = new Map<string, Map<string, number>>();
  for (const { from, to } of pairs) {
    const known = levels.get(from) ?? new Map<string, number>();
    levels.set(from, known.set(to, (known.get(to) ?? 0) + 1));
  }
  // Lines that are not indented on either side stand so whatever a level is.
  const telling = pairs.filter(({ from, to }) => from !== "" || to !== "");
  const mostlySame = telling.filter(({ from, to }) => from === to).length >= clearMajority * telling.length;
  const mapped = (indent: string): string | null => {
    const known = levels.get(indent);
    if (known?.size === 1) return [...known.keys()][0] ?? null;
    if (mostlySame && (known === undefined || known.has(indent))) return indent;
    if (known !== undefined) return null;
    return calculated(indent, pairs, surroundings) ?? inParts(indent, mapped);
  };
  return mapped;
}

/** Tabs first and blanks behind them: the blanks align, and go with the tabs. */
function inParts(indent: string, mapped: (indent: string) => string | null): string | null {
  const tabs = /^\t+(?= +$)/.exec(indent)?.[0];
  if (tabs === undefined) return null;
  const start = mapped(tabs);
  return start === tabs ? indent : null;
}

function calculated(indent: string, pairs: readonly IndentPair[], surroundings: IndentSurroundings): string | null {
  const wanted = measure(indent);
  if (wanted === null) return null;
  const fromKind = onlyKind([indent, ...pairs.map(({ from }) => from)]);
  const toKind = onlyKind(pairs.map(({ to }) => to));
  if (fromKind === "mixed" || toKind === "mixed") return null;
  const levels = levelsOf(pairs);
  const [first, ...others] = levels;
  if (first === undefined) return null;
  const kinds = { from: fromKind ?? "spaces", to: toKind ?? fromKind ?? "spaces" };
  // One level that stands at several in the file was flattened: nothing shows where a deeper one belongs.
  const oneLevel = others.length === 0 ? fromOneLevel(first, { wanted, kinds, surroundings }) : null;
  const width = others.some(({ from }) => from !== first.from) ? alongLine(levels, wanted) : oneLevel;
  if (width === null || width < 0 || !Number.isInteger(width)) return null;
  return (kinds.to === "tabs" ? "\t" : " ").repeat(width);
}

function levelsOf(pairs: readonly IndentPair[]): Level[] {
  const levels = new Map<string, Level>();
  for (const pair of pairs) {
    const [from, to] = [measure(pair.from), measure(pair.to)];
    if (from === null || to === null) continue;
    const key = `${from}:${to}`;
    levels.set(key, { from, to, weight: (levels.get(key)?.weight ?? 0) + 1 });
  }
  return [...levels.values()].toSorted((one, other) => other.weight - one.weight).slice(0, levelsMax);
}

/** On the straight line through two known levels that most lines lie on; null where two lines are as good and differ. */
function alongLine(levels: readonly Level[], wanted: number): number | null {
  let best = { weight: 0, width: null as number | null };
  for (const [one, other] of levels.flatMap((level, at) =>
    levels.slice(at + 1).map((next) => [level, next] as const),
  )) {
    const slope = (other.to - one.to) / (other.from - one.from);
    if (one.from === other.from || slope <= 0) continue;
    const on = (from: number) => one.to + slope * (from - one.from);
    const weight = weightOn(levels, on);
    const width = rounded(on(wanted));
    if (weight > best.weight) best = { weight, width };
    else if (weight === best.weight && width !== best.width) best = { weight, width: null };
  }
  return best.width;
}

function weightOn(levels: readonly Level[], on: (from: number) => number): number {
  return levels.reduce((sum, { from, to, weight }) => (Math.abs(on(from) - to) < 1e-9 ? sum + weight : sum), 0);
}

interface OneLevel {
  readonly wanted: number;
  readonly kinds: { readonly from: Kind; readonly to: Kind };
  readonly surroundings: IndentSurroundings;
}

/** One known level shows a tab's width, or a shift; a shift only where both texts step by the same unit. */
function fromOneLevel({ from, to }: Level, { wanted, kinds, surroundings }: OneLevel): number | null {
  if (kinds.from !== kinds.to) return acrossKinds({ from, to, wanted, kinds, surroundings });
  if (kinds.from === "tabs") return wanted + to - from;
  const [unit, own] = [surroundings.fileUnit(), surroundings.ownUnit()];
  return unit !== null && unit === own && (wanted - from) % unit === 0 ? wanted + to - from : null;
}

function acrossKinds(level: OneLevel & { readonly from: number; readonly to: number }): number | null {
  const { from, to, wanted, kinds, surroundings } = level;
  if (from > 0 && to > 0) {
    const width = kinds.to === "tabs" ? from / to : to / from;
    if (!tabWidths.includes(width)) return null;
    return kinds.to === "tabs" ? rounded(wanted / width) : wanted * width;
  }
  const unit = kinds.to === "tabs" ? surroundings.ownUnit() : surroundings.fileUnit();
  if (unit === null || !tabWidths.includes(unit)) return null;
  const steps = kinds.to === "tabs" ? (wanted - from) / unit : (wanted - from) * unit;
  return rounded(to + steps);
}

function rounded(width: number): number | null {
  const whole = Math.round(width);
  return Math.abs(whole - width) < 1e-9 ? whole : null;
}

function onlyKind(indents: readonly string[]): Kind | null | "mixed" {
  let kind: Kind | null = null;
  for (const indent of indents) {
    if (indent === "" || measure(indent) === null) continue;
    const own = indent.startsWith("\t") ? "tabs" : "spaces";
    if (kind !== null && kind !== own) return "mixed";
    kind = own;
  }
  return kind;
}

/** @returns how many blanks or tabs; null for both at once */
function measure(indent: string): number | null {
  return /^(?: *|\t*)$/.test(indent) ? indent.length : null;
}

/** @returns by how many blanks lines step in most often; null where they step by tabs, or never */
export function unitOf(indents: Iterable<string>): number | null {
  const steps = new Map<number, number>();
  let last = 0;
  for (const indent of indents) {
    if (indent.includes("\t")) {
      last = 0;
      continue;
    }
    const step = indent.length - last;
    last = indent.length;
    if (step > 1 && step <= 8) steps.set(step, (steps.get(step) ?? 0) + 1);
  }
  let [best, count] = [null as number | null, 0];
  for (const [step, times] of steps) if (times > count) [best, count] = [step, times];
  return best;
}

/** @returns the smallest difference of two indentations: all that a short text shows of its unit */
export function smallestStep(indents: Iterable<string>): number | null {
  const widths = [...new Set([...indents].filter((indent) => !indent.includes("\t")).map(({ length }) => length))];
  const sorted = widths.toSorted((one, other) => one - other);
  const steps = sorted.slice(1).map((width, index) => width - (sorted[index] ?? 0));
  return steps.length === 0 ? null : Math.min(...steps);
}
