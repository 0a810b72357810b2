/**
 * Splits a POSIX shell line into tokens: words with their quotes resolved, operators, redirections, here-documents. Knows
 * nothing of commands. What it cannot read with certainty it throws back as NotUnderstood; it never guesses. Long because it is one reader over one text.
 */

/** The line, or a part of it, cannot be read with certainty; the message says what and where. */
export class NotUnderstood extends Error {}

/** A piece of a word. A substitution keeps its source: who judges it parses it. */
export type Part =
  | { readonly kind: "text"; readonly text: string; readonly quoted: boolean }
  | { readonly kind: "variable"; readonly name: string; readonly quoted: boolean; readonly alternative: string }
  | { readonly kind: "substitution"; readonly source: string };

export interface Word {
  readonly parts: readonly Part[];
  /** As it stands in the line. */
  readonly source: string;
}

export type Token =
  | { readonly kind: "word"; readonly word: Word }
  | { readonly kind: "operator"; readonly text: string }
  | { readonly kind: "redirection"; readonly operator: string }
  | { readonly kind: "here"; readonly body: string; readonly expands: boolean };

const operators = ["&&", "||", ";;", "|&", ";", "|", "&", "(", ")", "\n"] as const;
const redirections = ["&>>", "<<<", "<<-", "&>", ">>", ">|", ">&", "<&", "<<", "<>", ">", "<"] as const;
const nestingMax = 8;

/**
 * @param source the line, which may hold newlines
 * @throws NotUnderstood
 */
export function tokenize(source: string): Token[] {
  return new Tokenizer(source, 0, 0).tokens(false);
}

/** @returns the parts of text that the shell expands like the inside of double quotes: a here-document's body */
export function expandingParts(text: string): readonly Part[] {
  return new Tokenizer(text, 0, 0).hereText();
}

interface PendingHere {
  readonly at: number;
  readonly delimiter: string;
  readonly expands: boolean;
  readonly stripTabs: boolean;
}

class Tokenizer {
  readonly #source: string;
  readonly #depth: number;
  #at: number;
  #here: PendingHere[] = [];

  constructor(source: string, at: number, depth: number) {
    if (depth > nestingMax) throw new NotUnderstood("commands are nested too deeply");
    this.#source = source;
    this.#at = at;
    this.#depth = depth;
  }

  get at(): number {
    return this.#at;
  }

  /** @param nested stop at the first `)` that closes nothing opened here */
  tokens(nested: boolean): Token[] {
    const tokens: Token[] = [];
    for (let open = 0; ; ) {
      this.#skipBlanks();
      if (this.#at >= this.#source.length) break;
      const token = this.#next();
      open += nesting(token);
      if (open < 0 && nested) {
        if (this.#here.length > 0)
          throw new NotUnderstood("a here-document begins and its commands end before its text");
        return tokens;
      }
      tokens.push(this.#withHere(token, tokens.length));
      if (isLineBreak(token)) this.#readHere(tokens);
    }
    if (nested) throw new NotUnderstood("a $( is never closed");
    this.#readHere(tokens);
    return tokens;
  }

  /** A here-document gets its body at the next line break. */
  #withHere(token: Token, at: number): Token {
    if (token.kind !== "redirection" || (token.operator !== "<<" && token.operator !== "<<-")) return token;
    this.#expectHere(token.operator === "<<-", at);
    return { kind: "here", body: "", expands: true };
  }

  /** A word at the current place. */
  word(): Word {
    const start = this.#at;
    const parts: Part[] = [];
    while (this.#at < this.#source.length && !this.#wordEnds()) parts.push(...this.#piece(false));
    return { parts: joined(parts), source: this.#source.slice(start, this.#at) };
  }

  /** All of the text, as the shell reads the body of a here-document: like double quotes, but that a quote is a plain character. */
  hereText(): Part[] {
    const parts: Part[] = [];
    while (this.#at < this.#source.length) {
      if (this.#source[this.#at] === '"') {
        parts.push({ kind: "text", text: '"', quoted: true });
        this.#at += 1;
      } else if (this.#at === this.#source.length - 1 && this.#source.endsWith("\\")) break;
      else parts.push(...this.#piece(true));
    }
    return parts;
  }

  #next(): Token {
    const descriptor = /^\d+(?=[<>])/.exec(this.#rest())?.[0];
    if (descriptor !== undefined) this.#at += descriptor.length;
    if (!this.#looksAt(/^[<>]\(/)) {
      const redirection = redirections.find((operator) => this.#source.startsWith(operator, this.#at));
      if (redirection !== undefined) {
        this.#at += redirection.length;
        return { kind: "redirection", operator: redirection };
      }
      const operator = operators.find((text) => this.#source.startsWith(text, this.#at));
      if (operator !== undefined) {
        this.#at += operator.length;
        return { kind: "operator", text: operator };
      }
    }
    return { kind: "word", word: this.word() };
  }

  #rest(): string {
    return this.#source.slice(this.#at, this.#at + 40);
  }

  #looksAt(pattern: RegExp): boolean {
    return pattern.test(this.#rest());
  }

  #skipBlanks(): void {
    for (;;) {
      if (this.#source.startsWith("\\\n", this.#at)) this.#at += 2;
      else if (this.#looksAt(/^[ \t\r]/)) this.#at += 1;
      else break;
    }
    if (this.#source[this.#at] === "#") {
      const end = this.#source.indexOf("\n", this.#at);
      this.#at = end === -1 ? this.#source.length : end;
    }
  }

  #wordEnds(): boolean {
    if (this.#looksAt(/^[<>]\(/)) return false;
    return this.#looksAt(/^[ \t\r\n;|&()<>]/);
  }

  /** One piece of a word, outside quotes or inside double quotes. */
  #piece(quoted: boolean): Part[] {
    const character = this.#source[this.#at] ?? "";
    switch (character) {
      case "'":
        return quoted ? this.#plain(quoted) : [this.#singleQuoted()];
      case '"':
        return quoted ? [] : this.#doubleQuoted();
      case "\\":
        return this.#escaped(quoted);
      case "$":
        return this.#dollar(quoted);
      case "`":
        return [this.#backticks()];
      case "<":
      case ">":
        return quoted ? this.#plain(quoted) : [this.#nested(2)];
      default:
        return this.#plain(quoted);
    }
  }

  #plain(quoted: boolean): Part[] {
    const stop = quoted ? /["\\$`]/g : /[\s'"\\$`;|&()<>]/g;
    stop.lastIndex = this.#at + 1;
    const end = stop.exec(this.#source)?.index ?? this.#source.length;
    const text = this.#source.slice(this.#at, end);
    this.#at = end;
    return [{ kind: "text", text, quoted }];
  }

  #singleQuoted(): Part {
    const end = this.#source.indexOf("'", this.#at + 1);
    if (end === -1) throw new NotUnderstood("a single quote is never closed");
    const text = this.#source.slice(this.#at + 1, end);
    this.#at = end + 1;
    return { kind: "text", text, quoted: true };
  }

  #doubleQuoted(): Part[] {
    this.#at += 1;
    const parts: Part[] = [{ kind: "text", text: "", quoted: true }];
    while (this.#source[this.#at] !== '"') {
      if (this.#at >= this.#source.length) throw new NotUnderstood("a double quote is never closed");
      parts.push(...this.#piece(true));
    }
    this.#at += 1;
    return parts;
  }

  #escaped(quoted: boolean): Part[] {
    const next = this.#source[this.#at + 1];
    if (next === undefined) throw new NotUnderstood("the line ends in a backslash");
    this.#at += 2;
    if (next === "\n") return [];
    const kept = quoted && !'"\\$`'.includes(next) ? `\\${next}` : next;
    return [{ kind: "text", text: kept, quoted: true }];
  }

  #dollar(quoted: boolean): Part[] {
    if (this.#looksAt(/^\$\\\n/)) throw new NotUnderstood("a line breaks behind a $");
    if (this.#looksAt(/^\$\(\(/)) return [this.#arithmetic()];
    if (this.#looksAt(/^\$\(/)) return [this.#nested(2)];
    if (this.#looksAt(/^\$\{/)) return [this.#braced(quoted)];
    if (!quoted && this.#looksAt(/^\$'/)) return [this.#ansiQuoted()];
    if (!quoted && this.#looksAt(/^\$"/)) {
      this.#at += 1;
      return this.#doubleQuoted();
    }
    const name = /^\$([A-Za-z_][A-Za-z0-9_]*|[0-9?#$!@*-])/.exec(this.#source.slice(this.#at, this.#at + 200))?.[1];
    if (name === undefined) {
      this.#at += 1;
      return [{ kind: "text", text: "$", quoted }];
    }
    this.#at += name.length + 1;
    if (this.#source.startsWith("\\\n", this.#at))
      throw new NotUnderstood("a line breaks within the name of a variable");
    // Braces are expanded before variables: $A{1,2} is $A1 and $A2.
    if (!quoted && /^\w/.test(name) && this.#source[this.#at] === "{")
      throw new NotUnderstood("braces stand behind a variable");
    return [{ kind: "variable", name, quoted, alternative: "" }];
  }

  #braced(quoted: boolean): Part {
    const end = this.#source.indexOf("}", this.#at);
    if (end === -1) throw new NotUnderstood("a ${ is never closed");
    const inside = this.#source.slice(this.#at + 2, end);
    if (/[$`'"\\{]/.test(inside)) throw new NotUnderstood(`"\${${inside}}" is more than a plain variable`);
    const match = /^[#!]?([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?])(?:\[[^\]]*\])?(.*)$/s.exec(inside);
    if (match === null || inside.startsWith("!")) throw new NotUnderstood(`"\${${inside}}" is not a plain variable`);
    this.#at = end + 1;
    const [, name = "", operation = ""] = match;
    if (inside.startsWith("#")) return { kind: "text", text: "0", quoted: true };
    const changes = operation !== "" || inside.includes("[");
    if (/^(:?=|@)/.test(operation)) throw new NotUnderstood(`"\${${inside}}" sets or runs what it names`);
    const alternative = /^:?[-+](.*)$/s.exec(operation)?.[1] ?? "";
    return { kind: "variable", name: changes ? "" : name, quoted, alternative };
  }

  #arithmetic(): Part {
    const end = this.#source.indexOf("))", this.#at);
    if (end === -1) throw new NotUnderstood("a $(( is never closed");
    const inside = this.#source.slice(this.#at + 3, end);
    if (/\$\(|`/.test(inside)) throw new NotUnderstood("a command runs inside $(( ))");
    this.#at = end + 2;
    return { kind: "text", text: "0", quoted: true };
  }

  #ansiQuoted(): Part {
    const match = /^\$'((?:[^'\\]|\\.)*)'/s.exec(this.#source.slice(this.#at));
    if (match === null) throw new NotUnderstood("a $' is never closed");
    const [whole, inside = ""] = match;
    if (/\\[^nrt\\'"]/.test(inside)) throw new NotUnderstood("a $'…' spells characters as numbers");
    this.#at += whole.length;
    const text = inside.replaceAll(
      /\\(.)/gs,
      (_all, letter: string) => ({ n: "\n", r: "\r", t: "\t" })[letter] ?? letter,
    );
    return { kind: "text", text, quoted: true };
  }

  /** `$(…)`, `<(…)` or `>(…)`: tokenized only to find where it ends. */
  #nested(opener: number): Part {
    const start = this.#at + opener;
    const inner = new Tokenizer(this.#source, start, this.#depth + 1);
    inner.tokens(true);
    this.#at = inner.at;
    return { kind: "substitution", source: this.#source.slice(start, this.#at - 1) };
  }

  #backticks(): Part {
    const match = /^`((?:[^`\\]|\\.)*)`/s.exec(this.#source.slice(this.#at));
    if (match === null) throw new NotUnderstood("a backtick is never closed");
    this.#at += match[0].length;
    return { kind: "substitution", source: (match[1] ?? "").replaceAll(/\\([`\\$])/g, "$1") };
  }

  #expectHere(stripTabs: boolean, at: number): void {
    this.#skipBlanks();
    const { parts } = this.word();
    if (parts.length === 0 || parts.some((part) => part.kind !== "text")) {
      throw new NotUnderstood("the end mark of a here-document is not a plain word");
    }
    const texts = parts.flatMap((part) => (part.kind === "text" ? [part] : []));
    const delimiter = texts.map((part) => part.text).join("");
    this.#here.push({ at, delimiter, stripTabs, expands: texts.every((part) => !part.quoted) });
  }

  #readHere(tokens: Token[]): void {
    for (const pending of this.#here) {
      tokens[pending.at] = { kind: "here", body: this.#hereBody(pending), expands: pending.expands };
    }
    this.#here = [];
  }

  #lineAt(at: number, stripTabs: boolean): string {
    const newline = this.#source.indexOf("\n", at);
    const line = this.#source.slice(at, newline === -1 ? this.#source.length : newline);
    return stripTabs ? line.replace(/^\t+/, "") : line;
  }

  #hereBody({ delimiter, stripTabs, expands }: PendingHere): string {
    const lines: string[] = [];
    while (this.#at < this.#source.length) {
      const newline = this.#source.indexOf("\n", this.#at);
      const end = newline === -1 ? this.#source.length : newline;
      const line = this.#source.slice(this.#at, end);
      this.#at = newline === -1 ? end : end + 1;
      const text = stripTabs ? line.replace(/^\t+/, "") : line;
      if (text === delimiter) return lines.join("\n");
      // Shells differ in whether the end mark may stand on a continued line.
      const isContinued = expands && (/\\+$/.exec(text)?.[0].length ?? 0) % 2 === 1;
      if (isContinued && (delimiter.startsWith(text.slice(0, -1)) || this.#lineAt(this.#at, stripTabs) === delimiter))
        throw new NotUnderstood(`a continued line meets the end mark "${delimiter}"`);
      lines.push(text);
    }
    throw new NotUnderstood(`the here-document "${delimiter}" never ends`);
  }
}

/** What a line break within a word has parted is one text again: a reserved word, the name of a variable. */
function joined(parts: readonly Part[]): Part[] {
  const all: Part[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (part.kind === "text" && !part.quoted && last?.kind === "text" && !last.quoted)
      all[all.length - 1] = { ...last, text: last.text + part.text };
    else all.push(part);
  }
  return all;
}

function nesting(token: Token): number {
  if (token.kind !== "operator") return 0;
  return token.text === "(" ? 1 : token.text === ")" ? -1 : 0;
}

function isLineBreak(token: Token): boolean {
  return token.kind === "operator" && token.text === "\n";
}
