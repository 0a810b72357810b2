/** What a model shows of an edit: the old and the new text as it remembers them, with lines of its own dropped or added. */
import type { Random } from "./random.ts";
import { goneLines, indentOf, isBlankLine, nearChanges, type TrueEdit, textsOf, withOtherWord } from "./true-edits.ts";

export interface View {
  readonly old: readonly string[];
  readonly fresh: readonly string[];
}

export type LineDrift = (line: string, at: number) => string;

/** Every line of both texts as the model sees it; `at` is -1 for a new line. */
export function seenAs(edit: TrueEdit, drift: LineDrift): View {
  const old = textsOf(edit).old.map(drift);
  return { old, fresh: edit.fresh.map((line) => ("kept" in line ? (old[line.kept] ?? "") : drift(line.text, -1))) };
}

/** Lines of the old block left out of both texts; they must be kept by the edit. */
export function without(edit: TrueEdit, view: View, left: ReadonlySet<number>): View {
  return {
    old: view.old.filter((_, at) => !left.has(at)),
    fresh: view.fresh.filter((_, at) => {
      const line = edit.fresh[at];
      return line === undefined || !("kept" in line) || !left.has(line.kept);
    }),
  };
}

/** A line that the file does not have, behind a kept line of both texts. */
export function withInvented(edit: TrueEdit, view: View, { behind, line }: { behind: number; line: string }): View {
  const place = edit.fresh.findIndex((one) => "kept" in one && one.kept === behind);
  return { old: view.old.toSpliced(behind + 1, 0, line), fresh: view.fresh.toSpliced(place + 1, 0, line) };
}

/** Kept lines that say something and that no change touches or stands beside. */
export function quietLines(edit: TrueEdit): readonly number[] {
  const [gone, near] = [new Set(goneLines(edit)), nearChanges(edit)];
  return textsOf(edit).old.flatMap((line, at) => (isBlankLine(line) || gone.has(at) || near.has(at) ? [] : [at]));
}

/** Kept blank lines that no change touches or stands beside. */
export function quietBlanks(edit: TrueEdit): readonly number[] {
  const near = nearChanges(edit);
  return textsOf(edit).old.flatMap((line, at) => (isBlankLine(line) && !near.has(at) ? [at] : []));
}

export function filled(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !isBlankLine(line));
}

export function misremembered(random: Random, line: string): string | null {
  const indent = indentOf(line);
  const content = line.slice(indent.length);
  const numbers = [...content.matchAll(/\b\d+\b/g)];
  if (numbers.length > 0 && random.chance(0.3)) {
    const number = random.pick(numbers);
    return (
      indent + content.slice(0, number.index) + (Number(number[0]) + 1) + content.slice(number.index + number[0].length)
    );
  }
  const changed = withOtherWord(random, content);
  return changed === null ? null : indent + changed;
}

const otherWords: Readonly<Record<string, string>> = {
  the: "a",
  is: "gets",
  returns: "gives back",
  return: "give back",
  if: "when",
  this: "the",
  that: "which",
  for: "because of",
  and: "or",
  all: "every",
  use: "take",
  must: "has to",
  not: "never",
  be: "become",
  to: "in order to",
  a: "one",
};

/** A comment in other words: some replaced, one left out. */
export function reworded(random: Random, line: string): string | null {
  const [, start = "", text = ""] = /^(\s*(?:\/\/+|#+|\*|\/\*+|--)\s+)(.*)$/.exec(line) ?? [];
  const words = text.split(" ");
  if (words.length < 4) return null;
  const left = random.below(words.length);
  const others = words.flatMap((word, at) => (at === left ? [] : [otherWords[word.toLowerCase()] ?? word]));
  return start + others.join(" ");
}
