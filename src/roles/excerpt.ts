/** Excerpts: long text made short with a note of what was left out. Pure, so that the same text is always cut the same way. */
import type { Json, JsonObject } from "../lib/json.ts";

/** @returns `text`, or its beginning and a note of how much is missing; at most `max` characters beside the note */
export function head(text: string, max: number): string {
  if (text.length <= max) return text;
  const kept = whole(text.slice(0, max));
  return `${kept}\n[… ${text.length - kept.length} more characters]`;
}

/** @returns `text`, or its beginning and its end with a note between them; at most `max` characters beside the note */
export function headAndTail(text: string, max: number): string {
  if (text.length <= max) return text;
  const kept = whole(text.slice(0, Math.ceil(max * 0.7)));
  const end = text.slice(text.length - Math.floor(max * 0.3)).replace(/^[\uDC00-\uDFFF]/, "");
  return `${kept}\n[… ${text.length - kept.length - end.length} characters left out …]\n${end}`;
}

const bytesForANote = 160;

/**
 * @param more said in the note of what is left out: where to read on
 * @returns `text`, or its beginning and its end with a note between them; at most `bytesMax` bytes in all, the note included
 */
export function withinBytes(text: string, bytesMax: number, more = ""): string {
  if (text.length * 3 <= bytesMax) return text;
  const all = Buffer.from(text);
  if (all.length <= bytesMax) return text;
  const note = `\n[… ${all.length} bytes in all, the middle is left out${more} …]\n`;
  const room = bytesMax - Buffer.byteLength(note);
  if (bytesMax < bytesForANote || room < 0) return bytesFrom(all, 0, bytesMax);
  const headBytes = Math.ceil(room * 0.7);
  return `${bytesFrom(all, 0, headBytes)}${note}${bytesFrom(all, all.length - (room - headBytes), all.length)}`;
}

/** Whole characters only: what is cut through at either end is left out. */
function bytesFrom(all: Buffer, start: number, end: number): string {
  let [first, last] = [start, Math.max(start, end)];
  while (first < last && isInside(all[first])) first += 1;
  while (last > first && isInside(all[last])) last -= 1;
  return all.toString("utf8", first, last);
}

function isInside(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** @returns `text` in at most `max` characters, the note included: for fields that have a hard limit */
export function within(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${whole(text.slice(0, max - 1))}…`;
}

/** @returns `text` on one line, at most `max` characters */
export function oneLine(text: string, max: number): string {
  return within(text.replace(/\s+/g, " ").trim(), max);
}

/** @returns the same arguments with every string over `max` characters cut, at every depth */
export function shortArguments(args: JsonObject | string, max: number): JsonObject {
  if (typeof args === "string") return { text: within(args, max) };
  return Object.fromEntries(Object.entries(args).map(([key, value]) => [key, shortValue(value, max)]));
}

function shortValue(value: Json, max: number): Json {
  if (typeof value === "string") return within(value, max);
  if (Array.isArray(value)) return value.slice(0, 50).map((inner: Json) => shortValue(inner, max));
  if (typeof value === "object" && value !== null) return shortArguments(value as JsonObject, max);
  return value;
}

/** A cut through a surrogate pair would leave half a character. */
function whole(text: string): string {
  return text.replace(/[\uD800-\uDBFF]$/, "");
}
