/**
 * Calls whose arguments stand in tags, each value as it is: Qwen3-Coder's `<function=…><parameter=…>`, `<invoke name=…>` of
 * Claude, MiniMax and DeepSeek, GLM's `<arg_key>`. A value may itself hold tags: where its end has two readings, it is not run.
 */
import type { Json, JsonObject } from "../../lib/json.ts";
import { type Block, broken, type Found } from "./found.ts";
import { faultOf } from "./python-call.ts";
import { propertiesOf, type Source } from "./source.ts";

export interface TagFamily {
  /** Group `name`: the tool. */
  readonly head: RegExp;
  /** Group `key`: the parameter; `text`: `false` where the value is JSON. */
  readonly parameter: RegExp;
  /** Where parameters of the same kind open within a value. */
  readonly within: RegExp;
  readonly valueEnd: string;
  readonly end: RegExp;
  /** Where the next call begins. */
  readonly next: RegExp;
  /** What may close around the call, the last of the text or before another. */
  readonly around: RegExp;
  /** Each value stands on lines of its own: always, where all of them do, or never. */
  readonly lines: "always" | "if_all" | "never";
}

export const functionTags: TagFamily = {
  head: /<function(?:=|\s+name\s*=\s*)["']?(?<name>[\w.:/-]{1,120})["']?\s*>/y,
  parameter: /<parameter(?:=|\s+name\s*=\s*)["']?(?<key>[\w.-]{1,80})["']?\s*>/y,
  within: /<parameter(?:=|\s+name\s*=)/g,
  valueEnd: "</parameter>",
  end: /<\/function>/y,
  next: /<function(?:=|\s+name\s*=)/g,
  around: /<\/(?:[a-z]{1,12}[:_])?tool_call>\s*(?=$|<tool_call>|<function)/y,
  lines: "always",
};

/** `invoke` under Claude's own prefix, DeepSeek's, or none. */
export const invokeTags: readonly TagFamily[] = ["", "antml:", "｜DSML｜"].map((prefix) => ({
  head: new RegExp(`<${prefix}invoke\\s+name\\s*=\\s*["'](?<name>[\\w.:/-]{1,120})["']\\s*>`, "y"),
  parameter: new RegExp(
    `<${prefix}parameter\\s+name\\s*=\\s*["'](?<key>[\\w.-]{1,80})["'](?:\\s+string\\s*=\\s*["'](?<text>true|false)["'])?\\s*>`,
    "y",
  ),
  within: new RegExp(`<${prefix}parameter\\s+name\\s*=`, "g"),
  valueEnd: `</${prefix}parameter>`,
  end: new RegExp(`</${prefix}invoke>`, "y"),
  next: new RegExp(`<${prefix}invoke\\s`, "g"),
  around: /<\/(?:[a-z]{1,12}:|｜DSML｜)?(?:function_calls|tool_call)>\s*$/y,
  lines: "if_all",
}));

export const argTags: TagFamily = {
  head: /(?<name>[A-Za-z_][\w.:/-]{0,120})\s*(?=<arg_key>)/y,
  parameter: /<arg_key>\s*(?<key>[\w.-]{1,80})\s*<\/arg_key>\s*<arg_value>/y,
  within: /<arg_value>/g,
  valueEnd: "</arg_value>",
  end: /(?=<\/tool_call>)/y,
  next: /<tool_call>/g,
  around: /<\/tool_call>/y,
  lines: "never",
};

/** What follows a call that is whole: any tag but one of another value. */
const nextTag = /<(?!arg_|(?:[\w-]{1,20}:|｜DSML｜)?parameter)\/?[^<>\s][^<>]{0,200}>/y;

interface Value {
  readonly key: string;
  readonly text: string;
  readonly isText: boolean | null;
  readonly repaired: readonly string[];
  readonly end: number;
}

interface Fault {
  readonly what: string;
  readonly end: number;
}

/** @returns the call that begins here, or null where none does */
export function readTags(source: Source, family: TagFamily, from: number): Block | null {
  const head = source.match(family.head, from);
  const name = head?.groups?.["name"];
  if (head === null || name === undefined) return null;
  source.spend(head[0].length);
  const at = source.skipSpace(from + head[0].length);
  if (/^[{["]$/.test(source.text[at] ?? "")) return jsonBody(source, family, name, at);
  return values(source, family, name, at);
}

/** `<function=name>{…}</function>`, as Llama 3.1 has it. */
function jsonBody(source: Source, family: TagFamily, name: string, from: number): Block {
  const json = source.json(from);
  if (json.kind === "fault") return { found: [broken(name, faultOf(json))], end: json.at };
  const close = source.match(family.end, source.skipSpace(json.end));
  const end = close === null ? json.end : source.skipSpace(json.end) + close[0].length;
  const isOpen = json.ranOut && json.open > 0;
  return { found: [{ kind: "call", name, arguments: json.value, repaired: json.repaired, isOpen }], end };
}

function values(source: Source, family: TagFamily, name: string, from: number): Block {
  const tool = source.tool(name);
  const read: Value[] = [];
  let at = from;
  for (;;) {
    at = source.skipSpace(at);
    const opened = source.match(family.parameter, at);
    if (opened === null) break;
    const value = valueAt(source, family, { opened, from: at + opened[0].length, read, tool: propertiesOf(tool) });
    if ("what" in value) return { found: [broken(name, value.what)], end: value.end };
    if (read.some(({ key, text }) => key === value.key && text !== value.text))
      return { found: [broken(name, `"${value.key}" is there twice, with different values`)], end: value.end };
    read.push(value);
    at = value.end;
  }
  const close = source.match(family.end, at);
  if (close === null && at < source.text.length && source.text[at] !== "<")
    return { found: [broken(name, "text stands where a parameter or the closing tag should")], end: at };
  const end = at + (close?.[0].length ?? 0);
  if (isStray(source, family, end))
    return { found: [broken(name, "a value holds the closing tags of the call itself")], end: source.text.length };
  const isOpen = close === null && source.match(nextTag, at) === null;
  const repaired = [...read.flatMap((value) => value.repaired), ...(close === null ? ["tags_closed"] : [])];
  return { found: [callOf(name, family, read, { properties: propertiesOf(tool), repaired, isOpen })], end };
}

/** Tags of values behind the call, before another begins: then a value ended further on than it seems. */
function isStray(source: Source, family: TagFamily, end: number): boolean {
  const closer = source.find(family.valueEnd, end);
  const opener = search(source, family.within, end);
  const next = search(source, family.next, end);
  return [closer, opener].some((at) => at !== -1 && (next === -1 || at < next));
}

function search(source: Source, pattern: RegExp, from: number): number {
  const at = source.match(pattern, from)?.index ?? -1;
  source.spend((at === -1 ? source.text.length : at) - from);
  return at;
}

interface Opened {
  readonly opened: RegExpExecArray;
  readonly from: number;
  readonly read: readonly Value[];
  readonly tool: JsonObject;
}

function valueAt(source: Source, family: TagFamily, { opened, from, read, tool }: Opened): Value | Fault {
  const { key = "", text } = opened.groups ?? {};
  const closer = family.valueEnd;
  const first = structuralEnd(source, family, closer, from);
  if (first === null) return { what: `it is cut within the value of "${key}"`, end: source.text.length };
  const value = (end: number, repaired: readonly string[], next: number): Value => ({
    key,
    text: source.text.slice(from, end),
    isText: text === undefined ? null : text === "true",
    repaired,
    end: next,
  });
  const within = opensWithin(source, family, from, first);
  if (within.length === 0) return value(first, [], first + closer.length);
  const balanced = balancedEnd(source, family, { closer, from, first, opens: within.length });
  if (balanced !== null) return value(balanced, [], balanced + closer.length);
  const [inner = first] = within;
  const before = source.text.slice(from, inner).trim();
  const next = source.match(family.parameter, inner)?.groups?.["key"] ?? "";
  const isNext = next !== key && Object.hasOwn(tool, next) && read.every((one) => one.key !== next);
  // The closing tag was forgotten before the next parameter.
  if (isNext && !/[\n<]/.test(before)) return value(inner, ["tags_closed"], inner);
  if (!isNext && source.find(closer, first + closer.length) === -1) return value(first, [], first + closer.length);
  return { what: `where the value of "${key}" ends has two readings`, end: source.text.length };
}

/** The first closing tag that is followed by what can follow a value. */
function structuralEnd(source: Source, family: TagFamily, closer: string, from: number): number | null {
  for (let at = source.find(closer, from); at !== -1; at = source.find(closer, at + closer.length)) {
    if (isStructural(source, family, at + closer.length)) return at;
    if (source.isSpent) return null;
  }
  return null;
}

function isStructural(source: Source, family: TagFamily, after: number): boolean {
  const at = source.skipSpace(after);
  if (at >= source.text.length) return true;
  return [family.parameter, family.end, family.around].some((pattern) => source.match(pattern, at) !== null);
}

function opensWithin(source: Source, { within }: TagFamily, from: number, to: number): number[] {
  source.spend(to - from);
  return [...source.text.slice(from, to).matchAll(within)].map(({ index }) => from + index);
}

/** Where as many tags have closed as have opened within the value: it holds a whole call of the same kind. */
function balancedEnd(
  source: Source,
  family: TagFamily,
  { closer, from, first, opens }: { closer: string; from: number; first: number; opens: number },
): number | null {
  let left = opens - count(source.text.slice(from, first), closer);
  for (let at = first; ; ) {
    if (left === 0) return isStructural(source, family, at + closer.length) ? at : null;
    const next = source.find(closer, at + closer.length);
    if (next === -1 || source.isSpent) return null;
    left += opensWithin(source, family, at, next).length - 1;
    at = next;
  }
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

function callOf(
  name: string,
  family: TagFamily,
  read: readonly Value[],
  { properties, repaired, isOpen }: { properties: JsonObject; repaired: readonly string[]; isOpen: boolean },
): Found {
  const onLines = /^\r?\n[\s\S]*\n$/;
  const isLaid =
    family.lines === "always" ||
    (family.lines === "if_all" && read.length > 1 && read.every(({ text }) => onLines.test(text)));
  const args = read.map(({ key, text, isText }): [string, Json] => {
    const inner = isLaid ? withoutLines(text) : text;
    return [key, typed(inner, isText, properties[key])];
  });
  return { kind: "call", name, arguments: Object.fromEntries(args), repaired, isOpen };
}

/** A value is text unless its parameter takes none. */
function typed(text: string, isText: boolean | null, schema: Json | undefined): Json {
  const type =
    schema !== undefined && typeof schema === "object" && schema !== null && "type" in schema ? schema["type"] : null;
  const takesText = type === "string" || (Array.isArray(type) && type.includes("string"));
  if (isText === true || (isText === null && (takesText || type === null))) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** A value without the line ends that lay it out: those of its opening tag's kind. */
function withoutLines(text: string): string {
  const end = text.startsWith("\r\n") ? "\r\n" : "\n";
  const from = text.startsWith(end) ? end.length : 0;
  return text.slice(from, text.endsWith(end) && text.length >= from + end.length ? -end.length : undefined);
}
