/** Keeps what a model is shown short: the head and the tail of a long text, and how much lies between. */
import type { ToolResult } from "../ports/tool.ts";

/** Output is seen from the front and from the end; the front says what it is. */
const headShare = 0.6;

export function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const note = (left: number) => `\n[… ${left} characters left out …]\n`;
  const room = Math.max(charsMax - note(text.length).length, 0);
  const head = headOf(text, Math.ceil(room * headShare));
  const tail = tailOf(text, room - head.length);
  return `${head}${note(text.length - head.length - tail.length)}${tail}`;
}

/** What is kept of a long output, for whoever reads on. */
const wholeCharsMax = 1_000_000;

/** @returns what a model is shown, and all of it where that is cut */
export function shown(text: string, charsMax: number): Pick<ToolResult, "output" | "whole"> {
  if (text.length <= charsMax) return { output: text };
  return { output: cut(text, charsMax), whole: cut(text, wholeCharsMax) };
}

/** @returns at most `chars` of the start, never half a character */
export function headOf(text: string, chars: number): string {
  return text.slice(0, isHighSurrogate(text, chars - 1) ? chars - 1 : chars);
}

function tailOf(text: string, chars: number): string {
  const start = text.length - chars;
  return text.slice(isHighSurrogate(text, start - 1) ? start + 1 : start);
}

function isHighSurrogate(text: string, index: number): boolean {
  return index >= 0 && index < text.length && (text.charCodeAt(index) & 0xfc00) === 0xd800;
}
