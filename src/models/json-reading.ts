/** JSON out of what models write, mended where that is safe. What was cut within a string is never closed: the rest of it is unknown. */
import { jsonrepair } from "jsonrepair";
import { parseJson } from "../lib/json.ts";

export interface ReadJson {
  readonly value: unknown;
  /** Names of the repairs, in order. */
  readonly repaired: readonly string[];
}

interface Candidate {
  readonly text: string;
  readonly repaired: readonly string[];
}

/** @returns the value in a text that holds one, or null */
export function readJson(text: string): ReadJson | null {
  const { rest, stripped } = withoutThinking(text);
  const thinking = stripped ? ["thinking_stripped"] : [];
  const whole = rest.trim();
  const direct = parseJson(whole);
  if (direct !== undefined) return { value: direct, repaired: thinking };
  for (const { text: part, repaired } of candidatesIn(whole)) {
    const value = parseJson(part);
    const read = value === undefined ? mend(part) : { value, repaired: [] };
    if (read !== null) return { value: read.value, repaired: [...thinking, ...repaired, ...read.repaired] };
  }
  return null;
}

/** Mends one JSON object or array that is not quite one: trailing commas, bare keys, single quotes, Python words, missing closers. */
export function mend(text: string): ReadJson | null {
  const { depth, inString } = scan(text);
  if (inString) return null;
  try {
    const value = parseJson(jsonrepair(text));
    if (typeof value !== "object" || value === null) return null;
    return { value, repaired: [depth > 0 ? "brackets_closed" : "json_repaired"] };
  } catch {
    return null;
  }
}

/** Thoughts stand before the reply; a closing tag alone means that the template had opened it. */
export function withoutThinking(text: string): { readonly rest: string; readonly stripped: boolean } {
  const opened = /^\s*<(think|thinking|reasoning)>([\s\S]*?)(?:<\/\1>|$)/.exec(text);
  if (opened !== null) return { rest: text.slice(opened[0].length).trimStart(), stripped: true };
  const orphan = /^[^<]*<\/think(?:ing)?>\s*\n/.exec(text);
  if (orphan !== null) return { rest: text.slice(orphan[0].length).trimStart(), stripped: true };
  return { rest: text, stripped: false };
}

/** @returns the inside of a text that is one code fence and nothing else, or null */
export function soleFence(text: string): string | null {
  const found = /^```[\w-]*[ \t]*\r?\n([\s\S]*?)\r?\n?```$/.exec(text.trim());
  const inside = found?.[1];
  return inside === undefined || inside.includes("```") ? null : inside;
}

/**
 * Bracketed stretches, those in code fences first unless the text itself begins with a bracket: then fences are within its
 * strings. The longest of each come first, since what is longest is the payload and not an aside.
 */
function candidatesIn(text: string): Candidate[] {
  const byLength = (a: Candidate, b: Candidate): number => b.text.length - a.text.length;
  const fenced = [...text.matchAll(/```[\w-]*[ \t]*\r?\n?([\s\S]*?)(?:```|$)/g)].flatMap(([, inside = ""]) =>
    stretches(inside).map((part): Candidate => ({ text: part, repaired: ["fence_removed"] })),
  );
  const bare = stretches(text).map(
    (part): Candidate => ({ text: part, repaired: part.length < text.length ? ["prose_removed"] : [] }),
  );
  const order = /^[{[]/.test(text) ? [bare, fenced] : [fenced, bare];
  return order.flatMap((candidates) => candidates.toSorted(byLength));
}

/** Top-level stretches from an opening bracket to its closer, or to the end where it has none. */
function stretches(text: string): string[] {
  const found: string[] = [];
  for (let at = nextBracket(text, 0); at !== -1; ) {
    const end = scan(text, at).end;
    found.push(text.slice(at, end));
    at = nextBracket(text, end);
  }
  return found;
}

function nextBracket(text: string, from: number): number {
  const offset = text.slice(from).search(/[{[]/);
  return offset === -1 ? -1 : from + offset;
}

/** Walks from a bracket to where its depth is 0 again. Only double quotes count as strings: an apostrophe is mostly just that. */
function scan(text: string, from = 0): { readonly end: number; readonly depth: number; readonly inString: boolean } {
  const tokens = /"(?:\\[\s\S]|[^"\\])*(?<closed>"?)|[{[]|[}\]]/g;
  tokens.lastIndex = from;
  let depth = 0;
  for (let token = tokens.exec(text); token !== null; token = tokens.exec(text)) {
    const [word] = token;
    if (word.startsWith('"') && token.groups?.["closed"] === "") return { end: text.length, depth, inString: true };
    if (word === "{" || word === "[") depth += 1;
    if (word === "}" || word === "]") depth -= 1;
    if (depth <= 0 && !word.startsWith('"')) return { end: tokens.lastIndex, depth, inString: false };
  }
  return { end: text.length, depth, inString: false };
}
