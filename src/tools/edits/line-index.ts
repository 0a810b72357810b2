/** A file's lines that are not blank, as numbers that are equal where the lines are but for harmless differences. */
import type { FileText } from "./file-text.ts";
import { unitOf } from "./indentation.ts";
import { indentOf, isBlank, normalised } from "./normalised-lines.ts";

/** A block's lines that are not blank: where each stands in the block, how it is compared, and its number in the file. */
export interface Block {
  readonly lines: readonly string[];
  readonly at: readonly number[];
  readonly texts: readonly string[];
  /** -1 for a line that the file does not have. */
  readonly codes: Int32Array;
}

export class LineIndex {
  readonly file: FileText;
  /** Of each line that is not blank: its place in the file, how it is compared, its number. */
  readonly at: readonly number[];
  readonly texts: readonly string[];
  readonly codes: Int32Array;
  readonly #known = new Map<string, number>();
  readonly #places: number[][] = [];
  #unit: number | null | undefined;

  constructor(file: FileText) {
    this.file = file;
    const at: number[] = [];
    const texts: string[] = [];
    for (const [index, line] of file.lines.entries()) {
      const text = normalised(line);
      if (text === "") continue;
      at.push(index);
      texts.push(text);
    }
    this.at = at;
    this.texts = texts;
    this.codes = Int32Array.from(texts, (text, index) => {
      const code = this.#known.get(text) ?? this.#known.size;
      if (code === this.#known.size) this.#known.set(text, code);
      const places = this.#places[code];
      if (places === undefined) this.#places[code] = [index];
      else places.push(index);
      return code;
    });
  }

  /** Where the lines of this number stand among those that are not blank, ascending. */
  places(code: number): readonly number[] {
    return this.#places[code] ?? [];
  }

  has(text: string): boolean {
    return this.#known.has(text);
  }

  block(lines: readonly string[]): Block {
    const texts = lines.map(normalised);
    const at = texts.flatMap((text, index) => (text === "" ? [] : [index]));
    const kept = at.map((index) => texts[index] ?? "");
    return { lines, at, texts: kept, codes: Int32Array.from(kept, (text) => this.#known.get(text) ?? -1) };
  }

  indentUnit(): number | null {
    if (this.#unit === undefined) this.#unit = unitOf(this.#indents());
    return this.#unit;
  }

  *#indents(): Iterable<string> {
    for (const line of this.file.lines) if (!isBlank(line)) yield indentOf(line);
  }
}
