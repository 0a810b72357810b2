/** A file as lines: its byte order mark and line ends are put aside and given back byte for byte. Only \n and \r\n end a line. */
import { isUtf8 } from "node:buffer";

export type LineEnd = "\n" | "\r\n";

export interface FileText {
  /** A file that is not UTF-8 is read byte by byte, so that every byte of it comes back. */
  readonly encoding: "utf8" | "latin1";
  readonly mark: string;
  readonly lines: readonly string[];
  /** One for each line; the last is empty where no final newline stands. */
  readonly ends: readonly (LineEnd | "")[];
  /** What a line that is written anew ends in. */
  readonly usualEnd: LineEnd;
}

/** Lines that take the place of `[start, end)`. Those without an end get the file's usual one. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
  readonly ends: readonly (LineEnd | "")[];
}

const byteOrderMark = "\uFEFF";

export function fileTextOf(bytes: Buffer): FileText {
  const encoding = isUtf8(bytes) ? "utf8" : "latin1";
  const text = bytes.toString(encoding);
  const mark = text.startsWith(byteOrderMark) ? byteOrderMark : "";
  const lines: string[] = [];
  const ends: (LineEnd | "")[] = [];
  let carriageReturns = 0;
  let start = mark.length;
  while (start < text.length) {
    const at = text.indexOf("\n", start);
    if (at === -1) {
      lines.push(text.slice(start));
      ends.push("");
      break;
    }
    const isCarriageReturn = at > start && text.charCodeAt(at - 1) === 13;
    if (isCarriageReturn) carriageReturns += 1;
    lines.push(text.slice(start, isCarriageReturn ? at - 1 : at));
    ends.push(isCarriageReturn ? "\r\n" : "\n");
    start = at + 1;
  }
  const ended = ends.length - (ends.at(-1) === "" ? 1 : 0);
  return { encoding, mark, lines, ends, usualEnd: carriageReturns * 2 > ended ? "\r\n" : "\n" };
}

export function bytesOf({ encoding, mark, lines, ends }: FileText): Buffer {
  const parts = [mark];
  for (const [index, line] of lines.entries()) parts.push(line, ends[index] ?? "");
  return Buffer.from(parts.join(""), encoding);
}

/** @returns the lines as one text in which `\n` ends each, and no other sign of how they end in the file */
export function joined({ lines, ends }: Pick<FileText, "lines" | "ends">): string {
  return lines.length === 0 || ends.at(-1) === "" ? lines.join("\n") : `${lines.join("\n")}\n`;
}

/** @returns the file with the splices made, which are in order and apart. Its final newline is there, or not, as before. */
export function spliced(file: FileText, splices: readonly Splice[]): FileText {
  const lines: string[] = [];
  const ends: (LineEnd | "")[] = [];
  let next = 0;
  const keepUntil = (end: number) => {
    for (; next < end; next += 1) {
      lines.push(file.lines[next] ?? "");
      ends.push(file.ends[next] || file.usualEnd);
    }
  };
  for (const splice of splices) {
    keepUntil(splice.start);
    for (const [index, line] of splice.lines.entries()) {
      lines.push(line);
      ends.push(splice.ends[index] || file.usualEnd);
    }
    next = splice.end;
  }
  keepUntil(file.lines.length);
  return withLines(file, { lines, ends, isEnded: file.ends.at(-1) !== "" });
}

/** @returns the file with other lines; where it is not to end in a newline, none is left at its end */
export function withLines(
  file: FileText,
  given: { readonly lines: readonly string[]; readonly ends: readonly (LineEnd | "")[]; readonly isEnded: boolean },
): FileText {
  let count = given.lines.length;
  if (!given.isEnded) while (count > 0 && given.lines[count - 1] === "") count -= 1;
  const ends = given.ends.slice(0, count);
  if (count > 0) ends[count - 1] = given.isEnded ? ends[count - 1] || file.usualEnd : "";
  return { ...file, lines: given.lines.slice(0, count), ends };
}

/** A model's text as lines; its own ends and mark say nothing. A last newline ends the last line and begins no other. */
export function linesOf(text: string): readonly string[] {
  const plain = withoutEnds(text);
  if (plain === "") return [];
  return (plain.endsWith("\n") ? plain.slice(0, -1) : plain).split("\n");
}

export function withoutEnds(text: string): string {
  return (text.startsWith(byteOrderMark) ? text.slice(1) : text).replaceAll("\r\n", "\n");
}
