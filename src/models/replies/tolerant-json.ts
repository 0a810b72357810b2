/**
 * JSON as models write it: comments, trailing commas, other quotes, bare keys, Python words, literal line ends. What has two
 * readings is a fault, and so is what was cut within a value. One pass; never throws.
 */
import type { Json } from "../../lib/json.ts";
import { escapes, keptEscape, marks, ownWords, plainRuns, quotes, words } from "./json-spelling.ts";

export interface JsonValue {
  readonly kind: "value";
  readonly value: Json;
  readonly end: number;
  readonly repaired: readonly string[];
  /** Brackets left open where the text, or what may follow a value, ends: those of the outermost values. */
  readonly open: number;
  /** The text ran out before they were closed: nobody knows whether more was to come. */
  readonly ranOut: boolean;
}

export interface JsonFault {
  readonly kind: "fault";
  readonly what: string;
  readonly isCut: boolean;
  readonly at: number;
}

export function readJsonAt(text: string, from: number): JsonValue | JsonFault {
  return new JsonReader(text, from).read();
}

const depthMax = 64;

class JsonReader {
  readonly #text: string;
  readonly #repaired = new Set<string>();
  #at: number;
  #open = 0;
  #ranOut = false;
  #fault: JsonFault | null = null;

  constructor(text: string, from: number) {
    this.#text = text;
    this.#at = from;
  }

  read(): JsonValue | JsonFault {
    const value = this.#value(0);
    if (value === undefined) return this.#fault ?? this.#bad("this is not JSON");
    return {
      kind: "value",
      value,
      end: this.#at,
      repaired: [...this.#repaired, ...(this.#open > 0 ? ["brackets_closed"] : [])],
      open: this.#open,
      ranOut: this.#ranOut,
    };
  }

  #value(depth: number): Json | undefined {
    this.#skip();
    const char = this.#text[this.#at];
    if (char === undefined) return this.#failed("it ends where a value should stand", true);
    if (depth > depthMax) return this.#failed(`it is nested deeper than ${depthMax} levels`);
    if (char === "{") return this.#object(depth);
    if (char === "[") return this.#array(depth);
    if (char === "<") return this.#marked();
    return char in quotes ? this.#string() : this.#scalar();
  }

  #object(depth: number): Json | undefined {
    this.#at += 1;
    const members = new Map<string, Json>();
    for (;;) {
      const step = this.#step("}", members.size);
      if (step === "done") return Object.fromEntries(members);
      if (step === "fault") return undefined;
      const key = this.#key();
      if (key === undefined) return undefined;
      this.#skip();
      if (this.#text[this.#at] !== ":") return this.#failed(`":" is missing after ${JSON.stringify(key.slice(0, 40))}`);
      this.#at += 1;
      const value = this.#value(depth + 1);
      if (value === undefined) return undefined;
      if (members.has(key) && JSON.stringify(members.get(key)) !== JSON.stringify(value))
        return this.#failed(`"${key.slice(0, 40)}" is there twice, with different values`);
      members.set(key, value);
    }
  }

  #array(depth: number): Json | undefined {
    this.#at += 1;
    const items: Json[] = [];
    for (;;) {
      const step = this.#step("]", items.length);
      if (step === "done") return items;
      if (step === "fault") return undefined;
      const item = this.#value(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
    }
  }

  /** Between members: past the comma, or past the end of the container. */
  #step(closer: string, count: number): "more" | "done" | "fault" {
    this.#skip();
    const isComma = count > 0 && this.#text[this.#at] === ",";
    if (isComma) {
      this.#at += 1;
      this.#skip();
    }
    const char = this.#text[this.#at];
    if (char === closer) {
      if (isComma) this.#repaired.add("commas_removed");
      this.#at += 1;
      return "done";
    }
    if (this.#endsHere()) {
      const isLost = char === undefined && (isComma || count === 0);
      if (isLost) this.#failed("it ends within a value", true);
      return isLost ? "fault" : this.#leftOpen();
    }
    if (isComma || count === 0) return "more";
    this.#failed(`"," or "${closer}" should stand before ${JSON.stringify(this.#text.slice(this.#at, this.#at + 20))}`);
    return "fault";
  }

  #leftOpen(): "done" {
    this.#open += 1;
    if (this.#at >= this.#text.length) this.#ranOut = true;
    return "done";
  }

  /** Nothing of JSON begins like this: a closing tag, a fence, the next mark. */
  #endsHere(): boolean {
    const char = this.#text[this.#at];
    if (char === undefined || char === "<") return true;
    return (
      (char === "`" && this.#text.startsWith("```", this.#at)) ||
      (char === "[" && /^\[\/?[A-Z]{2}/.test(this.#text.slice(this.#at, this.#at + 4)))
    );
  }

  #key(): string | undefined {
    const char = this.#text[this.#at] ?? "";
    if (char in quotes) return this.#string();
    const bare = this.#match(/[A-Za-z_$][\w$-]{0,100}(?=\s*:)/y);
    if (bare === null) {
      const isCut = /^[\w$-]*\s*$/.test(this.#text.slice(this.#at, this.#at + 100));
      return this.#failed(`a name should stand at ${JSON.stringify(this.#text.slice(this.#at, this.#at + 20))}`, isCut);
    }
    this.#repaired.add("keys_quoted");
    return bare;
  }

  #scalar(): Json | undefined {
    const number = this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y);
    if (number !== null) {
      if (this.#at >= this.#text.length) return this.#failed("it ends within a number", true);
      return Number(number);
    }
    const word = this.#match(/[A-Za-z]+(?![\w.])/y);
    const value = word !== null && Object.hasOwn(words, word) ? words[word] : undefined;
    if (word === null || value === undefined)
      return this.#failed(
        `no value begins with ${JSON.stringify(this.#text.slice(this.#at, this.#at + 20))}`,
        this.#at >= this.#text.length,
      );
    if (!ownWords.has(word)) this.#repaired.add("python_words");
    return value;
  }

  #string(): string | undefined {
    const open = this.#text[this.#at] ?? "";
    const triple = open.repeat(3);
    if ((open === '"' || open === "'") && this.#text.startsWith(triple, this.#at)) return this.#within(open, triple);
    return this.#within(open, open);
  }

  /** Gemma's own quotes: what stands between them is as it is. */
  #marked(): string | undefined {
    const mark = marks.find((one) => this.#text.startsWith(one, this.#at));
    if (mark === undefined) return this.#failed("no value begins with <");
    const from = this.#at + mark.length;
    const end = this.#text.indexOf(mark, from);
    this.#at = end === -1 ? this.#text.length : end + mark.length;
    if (end === -1) return this.#failed("it ends within a text", true);
    if (!/^\s*[,}\]]/.test(this.#text.slice(this.#at, this.#at + 20)))
      return this.#failed("a quote within a text is not escaped", this.#at >= this.#text.length);
    return this.#text.slice(from, end);
  }

  /** @param mark what opens it: one quote, or three */
  #within(open: string, mark: string): string | undefined {
    if (mark !== '"') this.#repaired.add("quotes_repaired");
    this.#at += mark.length;
    const parts: string[] = [];
    for (let part = this.#part(open, mark); part !== null; part = this.#part(open, mark)) {
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return parts.join("");
  }

  /** @returns the next stretch of a text, null at its end, undefined for a fault */
  #part(open: string, mark: string): string | null | undefined {
    const plain = this.#match(plainRuns[open] ?? /[^\\]/y);
    if (plain !== null) return plain;
    const char = this.#text[this.#at];
    if (char === undefined) return this.#failed("it ends within a text", true);
    if (char === "\\") return this.#escape();
    const isQuote = (quotes[open] ?? open).includes(char);
    if (isQuote && (mark.length === 1 || this.#text.startsWith(mark, this.#at)) && this.#closes(char, mark))
      return null;
    if (this.#fault !== null) return undefined;
    if (char < " ") this.#repaired.add("line_ends_escaped");
    this.#at += 1;
    return char;
  }

  /** A quote ends a text only if what follows can follow a text; else there are two readings, but for an apostrophe between letters. */
  #closes(char: string, mark: string): boolean {
    const text = this.#text;
    const isApostrophe =
      (char === "'" || char === "’") &&
      mark.length === 1 &&
      /^\p{L}.\p{L}/u.test(text.slice(this.#at - 1, this.#at + 2));
    if (isApostrophe) return false;
    const after = this.#at + mark.length;
    const next = text.slice(after, after + 200).trimStart();
    const isEnd = next === "" && after + 200 >= text.length;
    // Cut just behind an apostrophe, a text looks whole.
    if (isEnd && mark === "'") {
      this.#failed("it ends within a text", true);
      return false;
    }
    if (!isEnd && !/^(?:[,}\]:)<;#]|\/[/*]|```|\[\/?[A-Z]{2})/.test(next) && next !== "") {
      this.#failed(`a quote within a text is not escaped, before ${JSON.stringify(next.slice(0, 20))}`);
      return false;
    }
    this.#at = after;
    return true;
  }

  #escape(): string | undefined {
    const char = this.#text[this.#at + 1];
    if (char === undefined) return this.#failed("it ends within a text", true);
    const hex = char === "u" ? /^[0-9a-fA-F]{4}/.exec(this.#text.slice(this.#at + 2, this.#at + 6))?.[0] : undefined;
    if (hex !== undefined) {
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const meant = escapes[char];
    this.#at += 2;
    if (meant !== undefined) return meant;
    this.#repaired.add("escapes_repaired");
    // In a shell's '\'' the backslash is meant; elsewhere it is one too many.
    if (char === "'" && this.#text[this.#at - 3] !== "'") return "'";
    if (keptEscape.test(char)) return `\\${char}`;
    return this.#failed(`the escape ${JSON.stringify(`\\${char}`)} has two readings`);
  }

  /** White space and comments. */
  #skip(): void {
    for (;;) {
      this.#match(/[\s\uFEFF]+/y);
      const comment = this.#match(/\/\/[^\n]*|#[^\n]*/y) ?? this.#block();
      if (comment === null) return;
      this.#repaired.add("comments_removed");
    }
  }

  #block(): string | null {
    if (!this.#text.startsWith("/*", this.#at)) return null;
    const end = this.#text.indexOf("*/", this.#at + 2);
    this.#at = end === -1 ? this.#text.length : end + 2;
    return "/*";
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    if (found !== null) this.#at += found.length;
    return found;
  }

  #failed(what: string, isCut = false): undefined {
    this.#fault ??= { kind: "fault", what, isCut, at: this.#at };
    return undefined;
  }

  #bad(what: string): JsonFault {
    return { kind: "fault", what, isCut: false, at: this.#at };
  }
}
