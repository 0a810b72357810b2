/** What stands between the marks of a call, whatever the marks: JSON, a name and JSON, Python, or tags; once or more often. */

import { parseJson } from "../../lib/json.ts";
import { callsOfJson } from "./call-values.ts";
import { type Block, broken, type Found } from "./found.ts";
import { faultOf, readPython } from "./python-call.ts";
import type { Source } from "./source.ts";
import { argTags, functionTags, invokeTags, readTags } from "./tag-values.ts";
import { readJsonAt } from "./tolerant-json.ts";

/** A name, and before its arguments what Mistral, DeepSeek, Kimi, harmony and FunctionGemma put there. */
const nameThenJson =
  /(?:function\s{0,20}<[|｜]tool[▁_]sep[|｜]>|call:)?\s{0,20}(?<name>[A-Za-z_][\w.:/-]{0,120}?)(?::\d{1,4})?\s{0,20}(?:\[CALL_ID\]\w{1,64})?(?:\[ARGS\]|<[|｜]tool[▁_]sep[|｜]>|<\|tool_call_argument_begin\|>|<\|channel\|>[ \t]{0,4}\w{1,20}|:)?\s{0,20}(?:<\|constrain\|>)?(?:json|code)?\s{0,20}(?:<\|message\|>)?\s{0,20}(?:```\w{0,20}\s{0,20})?(?=[{["])/y;
const fence = /```[\w-]{0,20}[ \t]*\r?\n?/y;
const fenceEnd = /\s*```/y;
const between = /[\s,;]*/y;
/** A bracket too many, as small models count them. */
const surplus = /\s*[}\]]{1,3}(?=\s*(?:<|```|\[[A-Z/]|$))/y;

/** @returns what is called here, up to what is no call; null where nothing is */
export function readBodies(source: Source, from: number, isTagged: boolean): Block | null {
  const found: Found[] = [];
  let end = from;
  let at = source.skipSpace(from);
  for (
    let body = readFenced(source, at, isTagged, true);
    body !== null;
    body = readFenced(source, at, isTagged, false)
  ) {
    found.push(...body.found);
    end = body.end;
    at = end + length(source, between, end);
    if (body.found.some(({ kind }) => kind === "broken")) break;
  }
  return found.length === 0 ? null : { found, end };
}

/** One body, be it in a fence. */
function readFenced(source: Source, at: number, isTagged: boolean, isFirst: boolean): Block | null {
  const fenced = length(source, fence, at);
  const body = source.isSpent ? null : readBody(source, source.skipSpace(at + fenced), isTagged, isFirst);
  if (body === null || body.found.some(({ kind }) => kind === "broken")) return body;
  const end = body.end + length(source, surplus, body.end);
  return { found: body.found, end: end + (fenced > 0 ? length(source, fenceEnd, end) : 0) };
}

function length(source: Source, pattern: RegExp, at: number): number {
  return source.match(pattern, at)?.[0].length ?? 0;
}

function readBody(source: Source, at: number, isTagged: boolean, isFirst: boolean): Block | null {
  const char = source.text[at] ?? "";
  // The closing mark of some family.
  if (source.match(/\[\/?[A-Z_]{3}/y, at) !== null) return null;
  if (char === "<") return readTagged(source, at);
  if (char === "[") return (isPythonList(source, at) ? readPython(source, at) : null) ?? readJson(source, at, isTagged);
  if (char === "{" || char === '"') return readJson(source, at, isTagged);
  if (!isTagged || !isFirst) return null;
  return readTags(source, argTags, at) ?? readNamed(source, at) ?? readPython(source, at);
}

function readTagged(source: Source, at: number): Block | null {
  for (const family of [functionTags, ...invokeTags]) {
    const block = readTags(source, family, at);
    if (block !== null) return block;
  }
  return null;
}

function isPythonList(source: Source, at: number): boolean {
  return source.match(/\[\s*[A-Za-z_][\w.]{0,120}\s*\(/y, at) !== null;
}

function readJson(source: Source, from: number, isTagged: boolean): Block | null {
  const json = source.json(from);
  if (json.kind === "fault" && source.match(/[{[]\s{0,8}\\"/y, from) !== null)
    return readEscaped(source, from, isTagged);
  if (json.kind === "fault")
    return isTagged ? { found: [broken(nameIn(source, from), faultOf(json))], end: json.at } : null;
  const found = callsOfJson(source, json, isTagged);
  if (found !== null) return { found, end: json.end };
  return null;
}

/** `{\"name\": …}`: written as within a text whose own quotes were lost. */
function readEscaped(source: Source, from: number, isTagged: boolean): Block | null {
  const text = parseJson(`"${source.text.slice(from).trim()}"`);
  source.spend(source.text.length - from);
  const json = typeof text === "string" ? readJsonAt(text, 0) : null;
  if (json?.kind !== "value" || json.open > 0 || typeof text !== "string" || text.length > json.end) return null;
  const found = callsOfJson(source, { ...json, repaired: [...json.repaired, "decoded_twice"] }, isTagged);
  return found === null ? null : { found, end: source.text.length };
}

function readNamed(source: Source, from: number): Block | null {
  const head = source.match(nameThenJson, from);
  const name = head?.groups?.["name"];
  if (head === null || name === undefined) return null;
  const json = source.json(from + head[0].length);
  if (json.kind === "fault") return { found: [broken(name, faultOf(json))], end: json.at };
  const isOpen = json.ranOut && json.open > 0;
  const isFenced = head[0].includes("```");
  const closed = isFenced ? (source.match(fenceEnd, json.end)?.[0].length ?? 0) : 0;
  return {
    found: [{ kind: "call", name, arguments: json.value, repaired: json.repaired, isOpen }],
    end: json.end + closed,
  };
}

/** For the answer to a call that cannot be read. */
export function nameIn(source: Source, from: number): string | null {
  const head = source.text.slice(from, from + 300);
  return /["'“](?:name|tool|tool_name|function|action)["'”]\s*:\s*["'“]([\w.:/-]{1,120})["'”]/.exec(head)?.[1] ?? null;
}
