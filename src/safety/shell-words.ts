/**
 * Expands a word to every text it may stand for: braces, variables whose values this line has set, quotes. What only a run
 * could tell (an unknown variable, a command's output) is marked dynamic; a pattern is marked glob.
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

/** Unquoted characters with a meaning, kept apart from quoted ones by marks from the private use area. */
const marks = { "*": "\uE000", "?": "\uE001", "[": "\uE002", "{": "\uE003", "}": "\uE004", ",": "\uE005" } as const;
const unknown = "\uE006";
const marked = /[\uE000-\uE006]/;
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

export function expand(word: Word, variables: Variables): readonly Argument[] {
  return expandMarked(word, variables).flatMap(braces).map(toArgument);
}

/** Texts as they are kept for a variable: still marked, so that a later use expands them rightly. */
export function expandMarked(word: Word, variables: Variables): readonly string[] {
  if (marked.test(word.source)) throw new NotUnderstood("the line holds private-use characters");
  let texts: readonly string[] = [""];
  for (const [index, part] of word.parts.entries()) {
    const pieces = piecesOf(part, { variables, leads: index === 0 });
    texts = texts.flatMap((text) => pieces.map((piece) => text + piece));
    if (texts.length > alternativesMax) throw new NotUnderstood(`"${word.source}" stands for too many words`);
  }
  return texts;
}

export function literal(text: string): Argument {
  return { text, dynamic: false, glob: false };
}

function piecesOf(part: Part, context: { readonly variables: Variables; readonly leads: boolean }): readonly string[] {
  switch (part.kind) {
    case "text":
      if (part.quoted) return [context.leads && part.text.startsWith("~") ? `./${part.text}` : part.text];
      return [part.text.replaceAll(/[*?[{},]/g, (character) => marks[character as keyof typeof marks])];
    case "substitution":
      return [unknown];
    case "variable": {
      const values = context.variables.get(part.name) ?? shellVariables.get(part.name) ?? [unknown];
      const split = part.quoted ? values : values.flatMap((value) => value.split(/\s+/));
      return part.alternative === "" ? split : [...split, part.alternative];
    }
    default:
      return unreachable(part);
  }
}

/** `a{b,c}d` → `abd`, `acd`; braces without a comma stay as they are. */
function braces(text: string): readonly string[] {
  const match = /\uE003([^\uE003\uE004]*)\uE004/.exec(text);
  if (match === null) return [text];
  const before = text.slice(0, match.index);
  const after = text.slice(match.index + match[0].length);
  const inside = match[1] ?? "";
  const choices = inside.includes(marks[","]) ? inside.split(marks[","]) : [`{${inside}}`];
  const texts = choices.flatMap((choice) => braces(before + choice + after));
  if (texts.length > alternativesMax) throw new NotUnderstood("braces stand for too many words");
  return texts;
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
