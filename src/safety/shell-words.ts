/**
 * Expands words to the arguments they stand for: braces, variables whose values this line has set, quotes. What only a run
 * could tell (an unknown variable, a command's output) is marked dynamic; a pattern is marked glob. Where a variable may
 * have several values, the words stand in as many ways, and each is told.
 */
import { unreachable } from "../lib/result.ts";
import { NotUnderstood, type Part, type Word } from "./shell-tokens.ts";

/** One text that a word may stand for. `dynamic`: parts of it are unknown and left out. `glob`: it is a file pattern. */
export interface Argument {
  readonly text: string;
  readonly dynamic: boolean;
  readonly glob: boolean;
}

/** Values that variables may have, as marked text. */
export type Variables = ReadonlyMap<string, readonly string[]>;

/** One value for each variable of some words. */
export type Choice = ReadonlyMap<string, string>;

type Variable = Extract<Part, { kind: "variable" }>;

/** Unquoted characters with a meaning, kept apart from quoted ones by marks from the private use area. */
const marks = { "*": "\uE000", "?": "\uE001", "[": "\uE002", "{": "\uE003", "}": "\uE004", ",": "\uE005" } as const;
/** Stands for text that only the run will tell. */
export const unknown = "\uE006";
/** Stands for quotes with nothing in them, which make a word all the same. */
const empty = "\uE007";
const fieldEnd = "\uE008";
/** From here on, each stands for the unquoted variable at that place of the word: braces are expanded before variables are. */
const variableBase = 0xe100;
const marked = /[\uE000-\uF8FF]/;
const alternativesMax = 64;

/** Variables that the shell itself keeps, with a text that stands for what they may hold. */
const shellVariables: Variables = new Map<string, readonly string[]>([
  ["HOME", ["~"]],
  ["OLDPWD", ["~"]],
  ["PWD", ["."]],
  ["TMPDIR", ["/tmp"]],
  ["PATH", ["path"]],
  ["USER", ["user"]],
  ["LOGNAME", ["user"]],
  ["SHELL", ["sh"]],
  ["!", ["%!"]],
  ...["?", "#", "$", "RANDOM", "UID", "SECONDS", "LINENO", "COLUMNS", "LINES"].map((name) => [name, ["0"]] as const),
]);

/**
 * Every way in which the variables of these words may stand.
 *
 * @throws NotUnderstood when there are too many
 */
export function choicesFor(words: readonly Word[], variables: Variables): readonly Choice[] {
  let choices: readonly Choice[] = [new Map()];
  for (const word of words) {
    if (marked.test(word.source)) throw new NotUnderstood("the line holds private-use characters");
    for (const part of word.parts) {
      if (part.kind !== "variable" || choices[0]?.has(keyOf(part)) === true) continue;
      const values = valuesOf(part, variables);
      choices = choices.flatMap((choice) => values.map((value) => new Map([...choice, [keyOf(part), value]])));
      if (choices.length > alternativesMax) throw new NotUnderstood(`"${word.source}" may stand for too many words`);
    }
  }
  return choices;
}

/** The arguments that a word becomes: none, one or several. */
export function expand(word: Word, choice: Choice): readonly Argument[] {
  return expandMarked(word, choice).map(toArgument);
}

/** The same, still marked, so that a later use as a variable's value expands them rightly. */
export function expandMarked(word: Word, choice: Choice): readonly string[] {
  // bash leaves a word unsplit that ends in a lone dollar.
  if (word.parts.some(isLoneDollar) && word.parts.some((part) => part.kind === "variable" && !part.quoted))
    throw new NotUnderstood(`"${word.source}" has a $ that names nothing`);
  const template = word.parts.map((part, at) => {
    if (part.kind === "variable" && !part.quoted) return String.fromCharCode(variableBase + at);
    return pieceOf(part, choice, at === 0) || empty;
  });
  return braces(template.join("")).flatMap((text) => fieldsOf(text, word, choice));
}

/** The value that an assignment gives: not split, and its braces are plain characters. */
export function assignedValue(word: Word, choice: Choice): string {
  const text = word.parts.map((part, at) => pieceOf(part, choice, at === 0)).join("");
  return text.replaceAll(/[\uE003-\uE005]/g, (mark) => restored.get(mark) ?? "");
}

function unmarked(text: string): string {
  return text.replaceAll(/[\uE000-\uE005]/g, (mark) => restored.get(mark) ?? "");
}

export function literal(text: string): Argument {
  return { text, dynamic: false, glob: false };
}

function keyOf({ name, alternative }: Variable): string {
  return `${name}\0${alternative}`;
}

function valuesOf({ name, alternative, quoted }: Variable, variables: Variables): readonly string[] {
  const values = variables.get(name) ?? shellVariables.get(name) ?? [unknown];
  if (alternative === "") return values;
  return [...new Set([...values, quoted ? alternative : withMarks(alternative)])];
}

function isLoneDollar(part: Part): boolean {
  return part.kind === "text" && !part.quoted && part.text.includes("$");
}

/** What an unquoted variable holds is split at its blanks, and vanishes when it is empty. */
function fieldsOf(text: string, word: Word, choice: Choice): readonly string[] {
  const filled = text.replaceAll(/[\uE100-\uF8FF]/g, (mark) => {
    const part = word.parts[mark.charCodeAt(0) - variableBase];
    return part === undefined ? "" : pieceOf(part, choice, false).replaceAll(/[ \t\n]+/g, fieldEnd);
  });
  const fields = filled.split(fieldEnd).filter((field) => field !== "");
  return fields.map((field) => field.replaceAll(empty, ""));
}

function pieceOf(part: Part, choice: Choice, leads: boolean): string {
  switch (part.kind) {
    case "text":
      if (!part.quoted) return withMarks(part.text);
      return leads && part.text.startsWith("~") ? `./${part.text}` : part.text;
    case "substitution":
      return unknown;
    case "variable": {
      const value = choice.get(keyOf(part)) ?? unknown;
      // Outside quotes, * ? [ in a value stand for files, however they were written; inside they are plain.
      return part.quoted ? unmarked(value) : value.replaceAll(/[*?[]/g, withMarks);
    }
    default:
      return unreachable(part);
  }
}

function withMarks(text: string): string {
  return text.replaceAll(/[*?[{},]/g, (character) => marks[character as keyof typeof marks]);
}

/** `a{b,c}d` → `abd`, `acd`; `{1..3}` → `1`, `2`, `3`; other braces stay as they are. */
function braces(text: string): readonly string[] {
  const done: string[] = [];
  const open = [text];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const match = /\uE003([^\uE003\uE004]*)\uE004/.exec(next);
    if (match === null) done.push(next);
    else {
      const before = next.slice(0, match.index);
      const after = next.slice(match.index + match[0].length);
      open.push(...alternativesOf(match[1] ?? "").map((choice) => before + choice + after));
    }
    if (open.length + done.length > alternativesMax) throw new NotUnderstood("braces stand for too many words");
  }
  return done;
}

function alternativesOf(inside: string): readonly string[] {
  if (inside.includes(marks[","])) return inside.split(marks[","]).toReversed();
  const [, from, to] = /^(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.-?\d+)?$/.exec(inside) ?? [];
  if (from === undefined || to === undefined) return [`{${inside}}`];
  const isNumber = /\d/.test(from) && /\d/.test(to);
  const [first, last] = isNumber ? [Number(from), Number(to)] : [from.codePointAt(0) ?? 0, to.codePointAt(0) ?? 0];
  const count = Math.abs(last - first) + 1;
  if (count > alternativesMax || inside.split("..").length > 2 || /^-?0\d/.test(from))
    throw new NotUnderstood(`{${inside}} stands for too many words`);
  const step = last < first ? -1 : 1;
  const codes = Array.from({ length: count }, (_none, at) => first + at * step);
  return codes.map((code) => (isNumber ? String(code) : String.fromCodePoint(code))).toReversed();
}

function toArgument(text: string): Argument {
  return {
    dynamic: text.includes(unknown),
    glob: /[\uE000\uE001]|\uE002[^\]]*\]/.test(text),
    text: text.replaceAll(/[\uE000-\uE006]/g, (mark) => restored.get(mark) ?? ""),
  };
}

const restored: ReadonlyMap<string, string> = new Map([
  ...Object.entries(marks).map(([character, mark]) => [mark, character] as const),
  [unknown, "…"] as const,
]);
