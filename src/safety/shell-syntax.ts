/**
 * Parses the tokens of a shell line into statements: lists, pipelines, subshells, groups, if, while, for, simple commands.
 * Leaves out on purpose what a model's one-liner seldom needs and what is easy to misread: case, functions, select, coproc.
 */
import { NotUnderstood, type Token, tokenize, type Word } from "./shell-tokens.ts";

export interface Redirection {
  readonly operator: string;
  readonly target: Word;
}

export interface Assignment {
  readonly name: string;
  readonly value: Word;
  /** `NAME+=value` */
  readonly appends: boolean;
}

export interface SimpleCommand {
  readonly kind: "command";
  readonly assignments: readonly Assignment[];
  readonly words: readonly Word[];
  readonly redirections: readonly Redirection[];
  /** Here-documents and here-strings: what it reads from standard input. */
  readonly input: readonly { readonly body: string; readonly expands: boolean }[];
}

export type Statement =
  | SimpleCommand
  | { readonly kind: "pipeline"; readonly commands: readonly Statement[] }
  | {
      readonly kind: "block";
      readonly runs: "subshell" | "group" | "loop";
      readonly body: readonly Statement[];
      readonly redirections: readonly Redirection[];
      readonly input: SimpleCommand["input"];
    }
  | { readonly kind: "for"; readonly name: string; readonly words: readonly Word[] };

const closers: ReadonlySet<string> = new Set(["then", "elif", "else", "fi", "do", "done", "}", "esac", "in"]);
const refusedWords: ReadonlySet<string> = new Set(["case", "select", "function", "coproc"]);

const depthMax = 50;

/** @throws NotUnderstood */
export function parseShell(line: string): Statement[] {
  return new Parser(tokenize(line)).script();
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  script(): Statement[] {
    const statements = this.#list();
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw new NotUnderstood(`${show(rest)} stands where a command should`);
    return statements;
  }

  #list(): Statement[] {
    const statements: Statement[] = [];
    for (;;) {
      while (this.#takeOperator(";") || this.#takeOperator("&") || this.#takeOperator("\n")) {
        // Empty statements and separators carry no meaning of their own.
      }
      const token = this.#tokens[this.#at];
      if (token === undefined || isOperator(token, ")") || closers.has(reservedText(token))) return statements;
      statements.push(...this.#chain());
    }
  }

  /** Pipelines joined by && and ||: all of them may run, so they are simply all of them. */
  #chain(): Statement[] {
    const statements = [this.#pipeline()];
    while (this.#takeOperator("&&") || this.#takeOperator("||")) {
      while (this.#takeOperator("\n")) {
        // A line may break after && and ||.
      }
      statements.push(this.#pipeline());
    }
    return statements;
  }

  #pipeline(): Statement {
    while (this.#takeReserved("!")) {
      // A negated pipeline does the same things.
    }
    const first = this.#command();
    const commands = [first];
    while (this.#takeOperator("|") || this.#takeOperator("|&")) {
      while (this.#takeOperator("\n")) {
        // A line may break after |.
      }
      commands.push(this.#command());
    }
    return commands.length === 1 ? first : { kind: "pipeline", commands };
  }

  #command(): Statement {
    this.#depth += 1;
    if (this.#depth > depthMax) throw new NotUnderstood("commands are nested too deeply");
    const statement = this.#statement();
    this.#depth -= 1;
    return statement;
  }

  #statement(): Statement {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new NotUnderstood("the line ends where a command should stand");
    if (isOperator(token, "(")) return this.#subshell();
    const word = reservedText(token);
    if (refusedWords.has(word)) throw new NotUnderstood(`"${word}" is more than this reader follows`);
    switch (word) {
      case "{":
        return this.#group();
      case "if":
        return this.#conditional();
      case "while":
      case "until":
        return this.#loop();
      case "for":
        return this.#for();
      default:
        return this.#simple();
    }
  }

  #subshell(): Statement {
    this.#at += 1;
    const body = this.#list();
    if (!this.#takeOperator(")")) throw new NotUnderstood("a ( is never closed");
    return this.#finish("subshell", body);
  }

  #group(): Statement {
    this.#at += 1;
    const body = this.#list();
    this.#expect("}");
    return this.#finish("group", body);
  }

  #conditional(): Statement {
    this.#at += 1;
    const body = this.#list();
    this.#expect("then");
    body.push(...this.#list());
    for (;;) {
      if (this.#takeReserved("elif")) {
        body.push(...this.#list());
        this.#expect("then");
        body.push(...this.#list());
      } else if (this.#takeReserved("else")) body.push(...this.#list());
      else break;
    }
    this.#expect("fi");
    return this.#finish("group", body);
  }

  #loop(): Statement {
    this.#at += 1;
    const body = this.#list();
    this.#expect("do");
    body.push(...this.#list());
    this.#expect("done");
    return this.#finish("loop", body);
  }

  #for(): Statement {
    this.#at += 1;
    const name = this.#tokens[this.#at];
    this.#at += 1;
    const variable = name === undefined ? "" : reservedText(name);
    if (!/^[A-Za-z_]\w*$/.test(variable)) throw new NotUnderstood("this form of for is more than this reader follows");
    const words: Word[] = [];
    if (this.#takeReserved("in")) {
      for (let token = this.#tokens[this.#at]; token?.kind === "word"; token = this.#tokens[this.#at]) {
        words.push(token.word);
        this.#at += 1;
      }
    }
    while (this.#takeOperator(";") || this.#takeOperator("\n")) {
      // Separators before do.
    }
    this.#expect("do");
    const body = this.#list();
    this.#expect("done");
    return this.#finish("loop", [{ kind: "for", name: variable, words }, ...body]);
  }

  /** Redirections behind a compound command. */
  #finish(runs: "subshell" | "group" | "loop", body: readonly Statement[]): Statement {
    const { redirections, input } = this.#trailing();
    return { kind: "block", runs, body, redirections, input };
  }

  #trailing(): Pick<SimpleCommand, "redirections" | "input"> {
    const { words, ...rest } = this.#parts();
    if (words.length > 0) throw new NotUnderstood("words stand behind a closed block");
    return rest;
  }

  #simple(): Statement {
    const { words, redirections, input } = this.#parts();
    if (words.length === 0 && redirections.length === 0 && input.length === 0) {
      throw new NotUnderstood(`${show(this.#tokens[this.#at])} stands where a command should`);
    }
    if (isOperator(this.#tokens[this.#at], "(")) throw new NotUnderstood("a ( behind a word: a function or a pattern");
    const assignments: Assignment[] = [];
    let first = 0;
    for (const word of words) {
      const assignment = asAssignment(word);
      if (isIndexed(word)) throw new NotUnderstood(`"${word.source}" may be an element of an array`);
      if (assignment === undefined) break;
      assignments.push(assignment);
      first += 1;
    }
    return { kind: "command", assignments, words: words.slice(first), redirections, input };
  }

  #parts(): Pick<SimpleCommand, "words" | "redirections" | "input"> {
    const words: Word[] = [];
    const redirections: Redirection[] = [];
    const input: { body: string; expands: boolean }[] = [];
    for (let token = this.#tokens[this.#at]; token !== undefined; token = this.#tokens[this.#at]) {
      if (token.kind === "operator") break;
      this.#at += 1;
      if (token.kind === "word") words.push(token.word);
      else if (token.kind === "here") input.push({ body: token.body, expands: token.expands });
      else redirections.push({ operator: token.operator, target: this.#target(token.operator) });
    }
    return { words, redirections, input };
  }

  #target(operator: string): Word {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "word") throw new NotUnderstood(`${operator} is followed by no file name`);
    this.#at += 1;
    return token.word;
  }

  #takeOperator(text: string): boolean {
    if (!isOperator(this.#tokens[this.#at], text)) return false;
    this.#at += 1;
    return true;
  }

  #takeReserved(text: string): boolean {
    const token = this.#tokens[this.#at];
    if (token === undefined || reservedText(token) !== text) return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#takeReserved(text)) throw new NotUnderstood(`a "${text}" is missing`);
  }
}

function isOperator(token: Token | undefined, text: string): boolean {
  return token?.kind === "operator" && token.text === text;
}

/** The text of a word written without quotes, escapes or expansions, as reserved words are; else "". */
function reservedText(token: Token): string {
  if (token.kind !== "word") return "";
  const [part, ...more] = token.word.parts;
  return more.length === 0 && part?.kind === "text" && !part.quoted ? part.text : "";
}

function asAssignment(word: Word): Assignment | undefined {
  const [first, ...rest] = word.parts;
  if (first?.kind !== "text" || first.quoted) return undefined;
  const match = /^([A-Za-z_]\w*)(\+?)=(.*)$/s.exec(first.text);
  if (match === null) return undefined;
  const [, name = "", plus = "", text = ""] = match;
  return {
    name,
    appends: plus !== "",
    value: { parts: [{ ...first, text }, ...rest], source: word.source.slice(word.source.indexOf("=") + 1) },
  };
}

/** Where a command may begin, `NAME[` opens an index that a shell reads over blanks. */
function isIndexed({ parts: [first] }: Word): boolean {
  return first?.kind === "text" && !first.quoted && /^[A-Za-z_]\w*\[/.test(first.text);
}

function show(token: Token | undefined): string {
  if (token === undefined) return "the end of the line";
  if (token.kind === "operator") return token.text === "\n" ? "a line break" : `"${token.text}"`;
  return token.kind === "word" ? `"${token.word.source}"` : "a redirection";
}
