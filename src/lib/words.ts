/** Words of a text, to see whether one text bears out another. Pure. */

/** Names, numbers, versions and paths stay whole. In lower case. */
export function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(word) ?? [];
}

const word = /[\p{L}\p{N}_](?:[\p{L}\p{N}_./:-]*[\p{L}\p{N}_])?/gu;

/** Words that say nothing by themselves; those of other languages only make two texts differ. */
const common = new Set(
  "a an the is are was were be it its in on at to of and or for with this that there here now as by from".split(" "),
);

export function isCommonWord(one: string): boolean {
  return common.has(one);
}

/** Words of a text that say something by themselves. */
export function distinctWords(text: string): ReadonlySet<string> {
  return new Set(wordsOf(text).filter((one) => !common.has(one)));
}

/** What is said of nothing in particular, though it looks like a name. */
const idioms = new Set(["e.g", "i.e", "and/or", "yes/no", "true/false", "read/write", "input/output"]);

/** @returns words that name one thing: paths, files, versions, numbers of two digits and more, names of code. In lower case */
export function namesIn(text: string): readonly string[] {
  const found = (text.match(word) ?? []).filter((one) => /[_./:]|\d\d|\p{Ll}\p{Lu}/u.test(one));
  return found.map((one) => one.toLowerCase()).filter((one) => !idioms.has(one));
}
