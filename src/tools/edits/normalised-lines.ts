/** Lines with harmless differences taken away: composed letters, typographic signs, blanks. What is left must be equal. */

/** Signs that editors and models put in place of plain ones, by kind. */
export const signKinds = ["quotes", "dashes", "ellipsis", "blanks"] as const;
export type SignKind = (typeof signKinds)[number];

const signs: Readonly<Record<SignKind, readonly (readonly [RegExp, string])[]>> = {
  quotes: [
    [/[\u2018\u2019\u201a\u201b\u2032]/g, "'"],
    [/[\u201c\u201d\u201e\u201f\u2033]/g, '"'],
  ],
  dashes: [[/[\u2010-\u2015\u2212]/g, "-"]],
  ellipsis: [[/\u2026/g, "..."]],
  blanks: [[/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, " "]],
};

/** Composing takes more than linear time on long runs of marks, which no code has. */
const composedCharsMax = 10_000;

const plainLine = /^[\t\x20-\x7e]*$/;
const severalBlanks = / {2}|\t/;
const blankRuns = /[ \t\f\v\r]+/g;
const indentation = /^[ \t\f\v\r\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]*/;

export function withoutSigns(text: string, kinds: Iterable<SignKind> = signKinds): string {
  if (plainLine.test(text)) return text;
  let plain = text;
  for (const kind of kinds) for (const [sign, ascii] of signs[kind]) plain = plain.replaceAll(sign, ascii);
  return plain;
}

export function signCount(text: string, kind: SignKind): number {
  if (plainLine.test(text)) return 0;
  return signs[kind].reduce((count, [sign]) => count + (text.match(sign)?.length ?? 0), 0);
}

/** @returns the line as it is compared; empty for a blank one */
export function normalised(line: string): string {
  if (plainLine.test(line)) {
    const content = line.trim();
    return severalBlanks.test(content) ? content.replaceAll(blankRuns, " ") : content;
  }
  return withSingleBlanks(withoutSigns(line.length > composedCharsMax ? line : line.normalize("NFC")));
}

export function withSingleBlanks(line: string): string {
  return trimmed(line.replaceAll(blankRuns, " "));
}

export function isBlank(line: string): boolean {
  return indentOf(line).length === line.length;
}

/** The blanks that a line begins with, as they stand. */
export function indentOf(line: string): string {
  return indentation.exec(line)?.[0] ?? "";
}

/** What stands between the blanks at both ends. */
export function contentOf(line: string): string {
  return withoutTrailing(line.slice(indentOf(line).length));
}

export function withoutTrailing(line: string): string {
  let end = line.length;
  while (end > 0 && isBlankSign(line.charCodeAt(end - 1))) end -= 1;
  return line.slice(0, end);
}

function trimmed(line: string): string {
  const from = line.startsWith(" ") ? 1 : 0;
  return line.slice(from, line.length > from && line.endsWith(" ") ? -1 : undefined);
}

function isBlankSign(code: number): boolean {
  if (code === 32 || code === 9 || (code >= 11 && code <= 13)) return true;
  return code > 127 && indentation.exec(String.fromCharCode(code))?.[0] !== "";
}

/** Letters and digits in a line, as far as it takes to know that it says something. */
export function wordSigns(line: string, most: number): number {
  let count = 0;
  for (const _ of line.matchAll(/[\p{L}\p{N}]/gu)) {
    count += 1;
    if (count === most) break;
  }
  return count;
}

/** Names in a line of code: what could be declared in one place and used in another. */
export function namesIn(line: string): ReadonlySet<string> {
  return new Set(line.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? []);
}
