/** Calls written as Python: `write_file(path="a", content='b')`, alone or in a list, as Llama, Gemma and LFM2 have them. */
import type { Json } from "../../lib/json.ts";
import { type Block, broken, type Found } from "./found.ts";
import { requiredOf, type Source } from "./source.ts";
import type { JsonFault } from "./tolerant-json.ts";

const head = /([A-Za-z_][\w.]{0,120})\s*\(/y;
const keyword = /\s*([A-Za-z_]\w{0,80})\s*=(?!=)/y;
const printed = /print\s*\(\s*(?=[A-Za-z_][\w.]{0,120}\s*\()/y;

/** @returns the calls that begin here, or null where there is none, or none of a tool that is offered */
export function readPython(source: Source, from: number): Block | null {
  const isList = source.text[from] === "[";
  const found: Found[] = [];
  let end = from;
  let at = source.skipSpace(isList ? from + 1 : from);
  for (let one = readOne(source, at); one !== null; one = readOne(source, at)) {
    found.push(...one.found);
    ({ end } = one);
    if (one.found.some(({ kind }) => kind === "broken")) return { found, end };
    const next = source.match(/\s*[,;]?\s*/y, end)?.[0] ?? "";
    at = end + next.length;
    if (next === "" || (isList && !next.includes(","))) break;
  }
  if (found.length === 0) return null;
  if (!isList) return { found, end };
  if (source.text[at] === "]") return { found, end: at + 1 };
  return at >= source.text.length ? { found, end: at } : null;
}

function readOne(source: Source, from: number): Block | null {
  const print = source.match(printed, from);
  const at = from + (print?.[0].length ?? 0);
  const opened = source.match(head, at);
  const name = opened?.[1];
  if (opened === null || name === undefined || source.tool(name) === null) return null;
  const args = readArguments(source, name, at + opened[0].length);
  if (print === null || args.isBroken) return args;
  const close = source.match(/\s*\)/y, args.end);
  return close === null ? args : { ...args, end: args.end + close[0].length };
}

interface Arguments extends Block {
  readonly isBroken: boolean;
}

interface Given {
  readonly name: string;
  readonly named: Map<string, Json>;
  readonly placed: Json[];
  readonly repaired: Set<string>;
}

function readArguments(source: Source, name: string, from: number): Arguments {
  const given: Given = { name, named: new Map(), placed: [], repaired: new Set() };
  let at = source.skipSpace(from);
  while (source.text[at] !== ")") {
    const value = readArgument(source, given, at);
    if (typeof value === "string") return failed(name, value, at);
    at = source.skipSpace(value.end);
    if (source.text[at] === ",") at = source.skipSpace(at + 1);
    else if (source.text[at] !== ")") return failed(name, '")" is missing', at);
  }
  return whole(source, given, at + 1);
}

/** @returns where the argument ends, or what is wrong with it */
function readArgument(
  source: Source,
  { named, placed, repaired }: Given,
  at: number,
): { readonly end: number } | string {
  const key = source.match(keyword, at);
  const value = source.json(at + (key?.[0].length ?? 0));
  if (value.kind === "fault") return faultOf(value);
  if (value.open > 0) return "it is cut within a value";
  for (const rule of value.repaired) if (!pythons.has(rule)) repaired.add(rule);
  if (key?.[1] === undefined) placed.push(value.value);
  else if (named.has(key[1])) return `"${key[1]}" is there twice`;
  else named.set(key[1], value.value);
  return value;
}

/** What is Python's own way is no repair in Python. */
const pythons: ReadonlySet<string> = new Set(["quotes_repaired", "python_words"]);

function whole(source: Source, { name, named, placed, repaired }: Given, end: number): Arguments {
  const required = requiredOf(source.tool(name));
  if (placed.length > required.length) return failed(name, "the arguments have no names", end);
  const args = new Map(placed.map((value, index) => [required[index] ?? "", value]));
  for (const [key, value] of named) {
    if (args.has(key)) return failed(name, `"${key}" is there twice`, end);
    args.set(key, value);
  }
  const rules = [...repaired, ...(placed.length > 0 ? ["arguments_from_list"] : [])];
  const found: Found = { kind: "call", name, arguments: Object.fromEntries(args), repaired: rules, isOpen: false };
  return { found: [found], end, isBroken: false };
}

function failed(name: string, what: string, end: number): Arguments {
  return { found: [broken(name, what)], end, isBroken: true };
}

export function faultOf({ what, isCut }: JsonFault): string {
  return isCut ? `it is cut: ${what}` : what;
}
