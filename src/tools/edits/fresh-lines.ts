/** A model's new lines as they belong into the file: its indentation, and plain signs where the model's drifted from it. */
import type { Alignment } from "./alignment.ts";
import type { Change, EditScript } from "./edit-script.ts";
import { type IndentPair, indentMap, smallestStep } from "./indentation.ts";
import type { Block, LineIndex } from "./line-index.ts";
import {
  contentOf,
  indentOf,
  isBlank,
  type SignKind,
  signCount,
  signKinds,
  withoutSigns,
  withoutTrailing,
  withSingleBlanks,
} from "./normalised-lines.ts";

export interface Placed {
  readonly index: LineIndex;
  readonly block: Block;
  readonly fresh: readonly string[];
  readonly alignment: Alignment;
  readonly script: EditScript;
}

/** @returns the line to be written for a new line of a change; null where nothing says how far it is indented */
export type FreshLine = (line: number, change: Change) => string | null;

export function freshLines(placed: Placed): FreshLine {
  const { index, fresh, alignment } = placed;
  const drift = driftOf(placed);
  const plain = fresh.map((line) => drift.plain(line));
  const map = mapOf(placed, plain);
  return (line, change) => {
    const text = plain[line] ?? "";
    if (isBlank(text)) return "";
    const indent = map(line, change);
    const source = change.moved.get(line);
    const place = source === undefined ? -1 : (alignment.places[source] ?? -1);
    const content = place === -1 ? withoutIndent(text) : withoutIndent(index.file.lines[place] ?? "");
    return indent === null ? null : indent + content;
  };
}

function withoutIndent(line: string): string {
  return line.slice(indentOf(line).length);
}

interface Drift {
  readonly plain: (line: string) => string;
}

/** The kinds of signs and blanks in which the old text differs from the file; no other is touched. */
function driftOf({ index, block, alignment }: Placed): Drift {
  const kinds = new Set<SignKind>();
  let [trailing, runs] = [false, false];
  for (const [own, other] of equalPairs(index, block, alignment)) {
    for (const kind of signKinds) if (signCount(own, kind) > signCount(other, kind)) kinds.add(kind);
    trailing ||= withoutTrailing(own) !== own && withoutTrailing(other) === other;
    runs ||= runsIn(own) > runsIn(other);
  }
  trailing ||= alignment.places.some((place, line) => {
    const isFilled = (block.lines[line] ?? "") !== "";
    return place !== -1 && isFilled && isBlank(block.lines[line] ?? "") && index.file.lines[place] === "";
  });
  return {
    plain: (line) => {
      const plain = kinds.size === 0 ? line : withoutSigns(line, kinds);
      const indent = indentOf(plain);
      const content = plain.slice(indent.length);
      const single = runs ? withSingleBlanks(withoutTrailing(content)) + trailingOf(content) : content;
      return trailing ? withoutTrailing(indent + single) : indent + single;
    },
  };
}

function runsIn(line: string): number {
  return contentOf(line).match(/[ \t]{2,}|\t/g)?.length ?? 0;
}

function trailingOf(line: string): string {
  return line.slice(withoutTrailing(line).length);
}

function* equalPairs(index: LineIndex, block: Block, { places, fits }: Alignment): Iterable<[string, string]> {
  for (const line of block.at) {
    if (fits[line] === "equal") yield [block.lines[line] ?? "", index.file.lines[places[line] ?? 0] ?? ""];
  }
}

type MapOfLines = (line: number, change: Change) => string | null;

function mapOf(placed: Placed, plain: readonly string[]): MapOfLines {
  const { index, block, alignment, script } = placed;
  const pairs = [...equalPairs(index, block, alignment)].map(
    ([own, other]): IndentPair => ({ from: withoutSigns(indentOf(own), ["blanks"]), to: indentOf(other) }),
  );
  const [first, ...others] = pairs;
  const surroundings = {
    fileUnit: () => index.indentUnit(),
    ownUnit: () => smallestStep([...block.lines, ...plain].filter((line) => !isBlank(line)).map(indentOf)),
  };
  const firstAlone = first !== undefined && isAlone(first, indentMap(others, surroundings), others);
  const mapped = indentMap(firstAlone ? others : pairs, surroundings);
  const firstFresh = plain.findIndex((line) => !isBlank(line));
  return (line, change) => {
    const indent = indentOf(plain[line] ?? "");
    if (firstAlone && line === firstFresh && indent === "") return indentOfMoved(placed, line, change) ?? first.to;
    return script.standsAsFile ? indent : (ofReplaced(placed, plain, line, change) ?? mapped(indent));
  };
}

/** The first line lost its indentation where the others, or all there are, stand otherwise. */
function isAlone(
  first: IndentPair,
  ofOthers: (indent: string) => string | null,
  others: readonly IndentPair[],
): boolean {
  return first.from === "" && first.to !== "" && others.length > 0 && ofOthers("") !== first.to;
}

/** The file's own, for a line whose content the old text has too. */
function indentOfMoved({ index, alignment }: Placed, line: number, { moved }: Change): string | null {
  const source = moved.get(line);
  const place = source === undefined ? -1 : (alignment.places[source] ?? -1);
  return place === -1 ? null : indentOf(index.file.lines[place] ?? "");
}

/** One line for one, indented alike: it stands where the other stood. */
function ofReplaced(
  { index, block, alignment }: Placed,
  plain: readonly string[],
  line: number,
  change: Change,
): string | null {
  if (change.to - change.from !== 1 || change.freshTo - change.freshFrom !== 1) return null;
  const place = alignment.places[change.from] ?? -1;
  const isAlike = withoutSigns(indentOf(block.lines[change.from] ?? ""), ["blanks"]) === indentOf(plain[line] ?? "");
  return place !== -1 && isAlike ? indentOf(index.file.lines[place] ?? "") : null;
}
