/** How alike two lines are, and which lines are comments: what says that two lines that differ stand for each other. */

const comparedCharsMax = 400;

/** Marks that begin a line of comment. A bare # before a word may be a directive, a colour or an anchor. */
const commentStart = /^(\/\/+!?|\/\*+|<!--|#+(?=\s|$)|\*(?=\s|\/|$)|--(?=\s|$)|;+(?=\s|$)|%+(?=\s|$))/;

/** @returns the mark that a normalised line begins with where it is a comment, else null */
export function commentMark(line: string): string | null {
  const mark = commentStart.exec(line)?.[0];
  if (mark === undefined) return null;
  return mark.startsWith("//") ? "//" : mark.slice(0, 1);
}

/** @returns the share of pairs of neighbouring letters that both have, 0 to 1; signs and case do not count */
export function likeness(one: string, other: string): number {
  const [left, right] = [pairsOf(one), pairsOf(other)];
  if (left.length === 0 || right.length === 0) return one === other ? 1 : 0;
  const counts = new Map<string, number>();
  for (const pair of left) counts.set(pair, (counts.get(pair) ?? 0) + 1);
  let common = 0;
  for (const pair of right) {
    const count = counts.get(pair) ?? 0;
    if (count === 0) continue;
    common += 1;
    counts.set(pair, count - 1);
  }
  return (2 * common) / (left.length + right.length);
}

function pairsOf(line: string): string[] {
  const words = line
    .slice(0, comparedCharsMax)
    .toLowerCase()
    .match(/[\p{L}\p{N}_]+/gu);
  return (words ?? []).flatMap((word) => {
    if (word.length === 1) return [word];
    return Array.from({ length: word.length - 1 }, (_, index) => word.slice(index, index + 2));
  });
}

/** What a line declares: a function, a type, a test by its title. Another name there is another thing. */
const declaration =
  /\b(?:def|func|fn|fun|function|class|interface|struct|enum|trait|impl|module|namespace|record|protocol|extension)\b[\s*]*(?:\([^()]{0,200}\)\s*)?([\p{L}_$][\p{L}\p{N}_$.:]*)/u;
const titled = /^(?:test|it|describe|context|suite|bench)\b[\w.]*\(\s*(["'`])(.{0,200}?)\1/;

export function declaredName(line: string): string | null {
  return declaration.exec(line)?.[1] ?? titled.exec(line)?.[2] ?? null;
}
