/** What the judge knows of a program: what it may do with given arguments, what it runs in turn, which arguments name files. */
import type { Finding } from "../finding.ts";
import type { Argument } from "../shell-words.ts";

/** What a command reads from standard input. */
export type Input = { readonly kind: "none" | "pipe" } | { readonly kind: "text"; readonly text: string };

/** One program with its arguments, as they would be handed to it. */
export interface Call {
  readonly name: string;
  readonly args: readonly Argument[];
  readonly input: Input;
}

/** What a program runs in turn: a command given as words, or a shell line. */
export type Run =
  | { readonly kind: "command"; readonly words: readonly Argument[] }
  | { readonly kind: "script"; readonly text: string };

export interface Program {
  readonly judge?: (call: Call) => Finding | readonly Finding[] | null;
  readonly runs?: (call: Call) => readonly Run[];
  /** Arguments that may name files; without it, all of them. */
  readonly paths?: (call: Call) => readonly Argument[];
  /** Hosts it would talk to, beside those that stand in URLs; unknown ones as dynamic. */
  readonly hosts?: (call: Call) => readonly Argument[];
}

export type Programs = Readonly<Record<string, Program>>;

/** Arguments that only a run could tell: a variable, or what another command finds. */
export const unknownArgument: Argument = { text: "…", dynamic: true, glob: false };

/** The same entry under each of these names. */
export function each(names: string, program: Program): Programs {
  return Object.fromEntries(names.split(" ").map((name) => [name, program]));
}

/** Is a one-letter option given, alone or in a cluster (`-rf`)? Options end at `--`. */
export function hasLetter(args: readonly Argument[], letters: string): boolean {
  return optionsOf(args).some(
    ({ text }) => /^-[A-Za-z0-9]+$/.test(text) && letters.split("").some((letter) => text.includes(letter, 1)),
  );
}

/** Is a long option given, whole, abbreviated as GNU allows, or with `=value`? */
export function hasLong(args: readonly Argument[], name: string): boolean {
  return optionsOf(args).some(({ text }) => {
    const option = text.split("=")[0] ?? "";
    return option.length > 2 && `--${name}`.startsWith(option);
  });
}

/** @returns arguments that are neither options nor the values of options named in `valued` */
export function positionals(args: readonly Argument[], valued: ReadonlySet<string> = new Set()): readonly Argument[] {
  const found: Argument[] = [];
  let options = true;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at];
    if (arg === undefined) break;
    if (options && arg.text === "--") options = false;
    else if (!options || !arg.text.startsWith("-") || arg.text === "-") found.push(arg);
    else if (valued.has(arg.text)) at += 1;
  }
  return found;
}

/** @returns what stands behind each of these options: the next argument, or what is joined with `=` */
export function valuesOf(args: readonly Argument[], options: ReadonlySet<string>): readonly Argument[] {
  return args.flatMap((arg, at) => {
    if (options.has(arg.text)) return args[at + 1] ?? [];
    const equals = arg.text.indexOf("=");
    return equals > 0 && options.has(arg.text.slice(0, equals)) ? { ...arg, text: arg.text.slice(equals + 1) } : [];
  });
}

/** All arguments but the values of these options. */
export function without(args: readonly Argument[], options: ReadonlySet<string>): readonly Argument[] {
  return args.filter((arg, at) => {
    const equals = arg.text.indexOf("=");
    return !options.has(args[at - 1]?.text ?? "") && !(equals > 0 && options.has(arg.text.slice(0, equals)));
  });
}

function optionsOf(args: readonly Argument[]): readonly Argument[] {
  const end = args.findIndex(({ text }) => text === "--");
  return end === -1 ? args : args.slice(0, end);
}
