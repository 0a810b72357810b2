/** What a model's pair of texts asks for, line by line: which lines it keeps, and which stretches it replaces by which. */
import type { Alignment, Leaning } from "./alignment.ts";
import { type Shared, sharedLines } from "./line-difference.ts";
import { contentOf, indentOf, isBlank, withoutTrailing } from "./normalised-lines.ts";

/** Lines `[from, to)` of the old text become `[freshFrom, freshTo)` of the new one; either may be empty, not both. */
export interface Change {
  readonly from: number;
  readonly to: number;
  readonly freshFrom: number;
  readonly freshTo: number;
  /** Lines whose content stays and whose indentation changes: new line → old line. */
  readonly moved: ReadonlyMap<number, number>;
}

export interface EditScript {
  readonly changes: readonly Change[];
  /** The new text stands as the file does where the old one did not: nothing in it moves. */
  readonly standsAsFile: boolean;
  /** Both ways to read the new text's indentation contradict it. */
  readonly isUnclear: boolean;
}

interface Against {
  readonly file: readonly string[];
  readonly alignment: Alignment;
  /** Of equal lines in the new text, which is the kept one: what is new may stand before it or behind. */
  readonly leaning: Leaning;
}

export function editScriptOf(
  old: readonly string[],
  fresh: readonly string[],
  { file, alignment, leaning }: Against,
): EditScript {
  const asFile = old.map((line, index) => {
    const place = alignment.places[index] ?? -1;
    return place === -1 ? line : (file[place] ?? "");
  });
  const trimmed = { old: old.map(comparable), asFile: asFile.map(comparable), fresh: fresh.map(comparable) };
  const shared = leaning === "early" ? sharedLines : lateShared;
  const own = shared(trimmed.old, trimmed.fresh);
  const others = shared(trimmed.asFile, trimmed.fresh);
  const count = (pairs: readonly (readonly [number, number])[]) =>
    pairs.filter(([left]) => !isBlank(old[left] ?? "")).length;
  const contents = sharedLines(contentsOf(old, "\n"), contentsOf(fresh, "\r")).filter(
    ([left]) => !isBlank(old[left] ?? ""),
  );
  const stands = standingOf({ own: count(own), others: count(others), contents }, { old, asFile, fresh });
  const standsAsFile = stands === "as file";
  const kept = new Map((standsAsFile ? others : own).map(([left, right]) => [left, right]));
  const lines = { old: standsAsFile ? asFile : old, fresh };
  return {
    changes: changesBetween(lines, kept),
    standsAsFile,
    isUnclear: stands === "unclear",
  };
}

function lateShared(left: readonly string[], right: readonly string[]): readonly Shared[] {
  return sharedLines(left.toReversed(), right.toReversed())
    .map(([one, other]): Shared => [left.length - 1 - one, right.length - 1 - other])
    .toReversed();
}

interface Counted {
  /** Kept lines that stand as the old text has them, and as the file does. */
  readonly own: number;
  readonly others: number;
  /** Lines of the old text that the new one has, however indented. */
  readonly contents: readonly (readonly [number, number])[];
}

/** Which of the two the new text's indentation goes by. */
function standingOf(
  { own, others, contents }: Counted,
  { old, asFile, fresh }: Lines & { readonly asFile: readonly string[] },
): "as old" | "as file" | "unclear" {
  // What is wrapped in a new line may come to stand as the file does; then the new text begins where the old one did.
  const beginsAsOld = firstIndent(fresh) === firstIndent(old);
  const drifted = old.some((line, at) => !isBlank(line) && indentOf(line) !== indentOf(asFile[at] ?? ""));
  if (!drifted) return "as old";
  if (others <= own) return own === 0 && others === 0 && !beginsAsOld ? "unclear" : "as old";
  if (leastIndent(fresh) < leastIndent(asFile)) return beginsAsOld ? "as old" : "unclear";
  const steps = contents.map(([left, right]) => indentOf(fresh[right] ?? "").length - indentOf(old[left] ?? "").length);
  const isOneStep = new Set(steps.filter((step) => step !== 0)).size <= 1;
  return others < contents.length && isOneStep ? "as old" : "as file";
}

function leastIndent(lines: readonly string[]): number {
  return lines.reduce(
    (least, line) => (isBlank(line) ? least : Math.min(least, indentOf(line).length)),
    Number.POSITIVE_INFINITY,
  );
}

function firstIndent(lines: readonly string[]): string {
  return indentOf(lines.find((line) => !isBlank(line)) ?? "");
}

interface Lines {
  readonly old: readonly string[];
  readonly fresh: readonly string[];
}

/** Trailing blanks are nothing that an edit by lines keeps apart. */
function comparable(line: string): string {
  return withoutTrailing(line);
}

function changesBetween(lines: Lines, kept: ReadonlyMap<number, number>): Change[] {
  const changes: Change[] = [];
  let [from, freshFrom] = [0, 0];
  for (const [to, freshTo] of [...kept, [lines.old.length, lines.fresh.length] as const]) {
    if (to > from || freshTo > freshFrom) {
      const stretch = { from, to, freshFrom, freshTo };
      changes.push({ ...stretch, moved: movedIn(lines, stretch) });
    }
    [from, freshFrom] = [to + 1, freshTo + 1];
  }
  return changes;
}

/** Blank lines are told apart by `side`, so that none stands for another. */
function contentsOf(texts: readonly string[], side: string): readonly string[] {
  return texts.map((text, index) => contentOf(text) || `${side}${index}`);
}

function movedIn(lines: Lines, { from, to, freshFrom, freshTo }: Omit<Change, "moved">): Map<number, number> {
  const shared = sharedLines(
    contentsOf(lines.old.slice(from, to), "\n"),
    contentsOf(lines.fresh.slice(freshFrom, freshTo), "\r"),
  );
  return new Map(
    shared
      .filter(
        ([left, right]) => indentOf(lines.old[from + left] ?? "") !== indentOf(lines.fresh[freshFrom + right] ?? ""),
      )
      .map(([left, right]) => [freshFrom + right, from + left]),
  );
}
