/** Why an edit is refused, in words that let a model put it right: what failed, where, and what to do. */

import { unreachable } from "../../lib/result.ts";

/** The stretch of a file that a block comes nearest to, and where they differ first. Lines are counted from 1. */
export interface Nearest {
  readonly from: number;
  readonly to: number;
  readonly equal: number;
  readonly of: number;
  readonly differences: readonly Difference[];
}

export interface Difference {
  readonly text: string;
  readonly line?: number;
  readonly found?: string;
}

export type Refusal =
  | { readonly kind: "empty" }
  | { readonly kind: "several"; readonly lines: readonly number[]; readonly isExact: boolean }
  | { readonly kind: "nowhere"; readonly nearest?: Nearest }
  | { readonly kind: "unclear"; readonly from: number; readonly to: number }
  | { readonly kind: "in-the-way"; readonly line: number; readonly text: string }
  | { readonly kind: "indentation"; readonly text: string }
  | { readonly kind: "elision"; readonly text: string }
  | ({ readonly kind: "differs" } & Difference)
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "not-utf8" }
  | { readonly kind: "half-sign" };

const linesNamed = 10;
const charsShown = 160;

export function explainedRefusal(refusal: Refusal, path: string): string {
  switch (refusal.kind) {
    case "empty":
      return `old_str cannot be empty: ${path} exists. Give the text to replace, or replace the whole file with write_file.`;
    case "several": {
      const { lines, isExact } = refusal;
      const named = `${lines.slice(0, linesNamed).join(", ")}${lines.length > linesNamed ? " …" : ""}`;
      const all = isExact ? ", or set replace_all to replace each" : "";
      return `old_str appears ${lines.length} times in ${path} (lines ${named}). Provide more surrounding context to make it unique${all}.`;
    }
    case "nowhere":
      return `old_str not found in ${path}.${refusal.nearest === undefined ? " Read the file and copy the text from it." : nearestText(refusal.nearest)}`;
    case "unclear":
      return `old_str fits lines ${refusal.from}-${refusal.to} of ${path} in more than one way. Copy the text from the file, line by line.`;
    case "in-the-way":
      return `Line ${refusal.line} of ${path} is not in old_str and stands where new_str changes the text: ${shown(refusal.text)}. Include it in old_str, and in new_str if it is to stay.`;
    case "indentation":
      return `Nothing shows how far this line of new_str is to be indented in ${path}: ${shown(refusal.text)}. Copy old_str from the file with its indentation.`;
    case "elision":
      return `new_str leaves text out: ${shown(refusal.text)} would be written as it is. Write out every line that is to stand there, or replace fewer lines.`;
    case "differs":
      return `old_str is not what ${path} has. ${differenceText(refusal)} Copy the text from the file.`;
    case "name":
      return `new_str uses "${refusal.name}", which only those lines of old_str have that ${path} has otherwise. Copy the text from the file, and use its names.`;
    case "not-utf8":
      return `${path} is not UTF-8, so only plain ASCII can be looked for and written in it. Change it with shell_execute.`;
    case "half-sign":
      return `old_str or new_str has half a character (a lone surrogate), which no file can hold. Write the whole character.`;
    default:
      return unreachable(refusal);
  }
}

function nearestText({ from, to, equal, of, differences }: Nearest): string {
  const lines = differences.map((difference) => `\n${differenceText(difference)}`).join("");
  return ` Nearest: lines ${from}-${to}, ${equal} of ${of} lines equal. What differs first:${lines}\nCopy the text from the file.`;
}

function differenceText({ text, line, found }: Difference): string {
  if (line === undefined || found === undefined) return `Not in the file: ${shown(text)}`;
  return `Line ${line} is ${shown(found)}, old_str has ${shown(text)}`;
}

function shown(text: string): string {
  return JSON.stringify(text.length > charsShown ? `${text.slice(0, charsShown)}…` : text);
}
