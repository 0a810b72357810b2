/** How text looks on a terminal or in a pipe: colours or none, one line or none at all, nothing that moves the cursor. */
import { stripVTControlCharacters } from "node:util";

export interface Style {
  readonly color: boolean;
}

const colors = { red: 31, green: 32, yellow: 33, blue: 34, dim: 2, bold: 1 } as const;

export type Color = keyof typeof colors;

export function paint(style: Style, color: Color, text: string): string {
  return style.color ? `\u001B[${colors[color]}m${text}\u001B[0m` : text;
}

/** Text of models and files: without control characters, so that it can neither move the cursor nor hide what it says. */
export function clean(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, (character) =>
    character === "\n" || character === "\t" ? character : "",
  );
}

/** All that a terminal would not show, or would show as something else, by its code: what is approved is what stands there. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Zs}\p{DI}]/gu, (character) =>
    " \n\t".includes(character) ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

export function oneLine(text: string, charsMax = 200): string {
  const line = clean(text).replaceAll(/\s+/g, " ").trim();
  return line.length > charsMax ? `${line.slice(0, charsMax - 1)}…` : line;
}

/** Rows as columns, each as wide as its widest cell but the last. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, at) => Math.max(known[at] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join("  "),
  );
}
