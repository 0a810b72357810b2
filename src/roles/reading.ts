/** Reading: what a model answered as JSON, taken as it was meant. Small coercions that every role's parser shares. */
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { Models } from "../ports/model.ts";

export type JsonReader = Pick<Models, "readJson">;

export function textOf(value: unknown): string {
  if (typeof value === "string") return value.trim();
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return Array.isArray(value) ? value.map(textOf).filter(Boolean).join("; ") : "";
}

/** @returns the first of these members that says something, as text */
export function firstText(from: JsonObject, names: readonly string[]): string {
  for (const name of names) {
    const text = textOf(from[name]);
    if (text !== "") return text;
  }
  return "";
}

export function textsOf(value: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map(textOf).filter((text) => text !== "");
}

export function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string") return undefined;
  const found = /-?\d+(?:\.\d+)?/.exec(value);
  return found === null ? undefined : Number(found[0]);
}

const yes = /^(true|yes|y|1|pass(ed)?|success(ful)?|ok|accept(ed)?)$/i;
const no = /^(false|no|n|0|fail(ed|ure)?|reject(ed)?)$/i;

export function booleanOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  const text = textOf(value);
  if (yes.test(text)) return true;
  return no.test(text) ? false : undefined;
}

/**
 * @returns the first list found under one of these names, at any depth up to four; a value that is a list itself, or an
 * object that looks like one member of it, counts too
 */
export function listIn(
  value: unknown,
  names: readonly string[],
  looksLikeOne: (member: JsonObject) => boolean,
  depth = 4,
): readonly unknown[] | null {
  if (Array.isArray(value)) return value as readonly unknown[];
  if (!isJsonObject(value) || depth === 0) return null;
  for (const name of names) {
    const inner = value[name];
    if (Array.isArray(inner)) return inner as readonly unknown[];
  }
  for (const inner of Object.values(value)) {
    if (!isJsonObject(inner)) continue;
    const found = listIn(inner, names, looksLikeOne, depth - 1);
    if (found !== null) return found;
  }
  return looksLikeOne(value) ? [value] : null;
}
