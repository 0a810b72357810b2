/** JSON values that are calls: `{name, arguments}` under the names that model families have for it, alone, in lists, and wrapped. */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { broken, type Found, type FoundCall } from "./found.ts";
import { propertiesOf, type Source } from "./source.ts";

import { type JsonValue, readJsonAt } from "./tolerant-json.ts";

const nameKeys = ["name", "tool_name", "function_name", "tool", "function", "action", "recipient_name"];
const argumentKeys = [
  "arguments",
  "parameters",
  "args",
  "params",
  "input",
  "tool_input",
  "action_input",
  "tool_args",
  "tool_arguments",
  "function_args",
  "kwargs",
];
const listKeys = ["tool_calls", "tool_uses", "function_calls", "calls", "actions"];
const wrapKeys = ["function_call", "tool_call", "function", "tool_use", "call"];
/** Members beside name and arguments that say nothing of what the call does. */
const besideKeys: ReadonlySet<string> = new Set([
  "id",
  "type",
  "index",
  "call_id",
  "tool_call_id",
  "role",
  "thought",
  "thoughts",
  "reasoning",
  "explanation",
  "rationale",
]);

interface Reading {
  readonly source: Source;
  readonly json: JsonValue;
  /** The syntax around it says that it is a call: then one that cannot be read is answered, else it is no call. */
  readonly isTagged: boolean;
}

/** @returns the calls that a value is, or null when it is something else, be it in one part of it */
export function callsOfJson(source: Source, json: JsonValue, isTagged: boolean): Found[] | null {
  return callsOf({ source, json, isTagged }, json.value, 0);
}

function callsOf(reading: Reading, value: Json, depth: number): Found[] | null {
  if (depth > 3) return null;
  if (Array.isArray(value)) return listOf(reading, value as Json[], depth);
  if (typeof value === "string") return encoded(reading, value, depth);
  if (!isJsonObject(value)) return null;
  const list = listKeys.find((key) => Array.isArray(value[key]));
  if (list !== undefined && rest(value, [list, "content"]).length === 0)
    return callsOf(reading, value[list] ?? [], depth + 1);
  const wrap = wrapKeys.find((key) => isJsonObject(value[key]));
  if (wrap !== undefined && rest(value, [wrap]).length === 0) {
    const inner = value[wrap] ?? null;
    return callsOf(reading, inner, depth + 1) ?? keyed(reading, value, depth);
  }
  return named(reading, value, depth) ?? keyed(reading, value, depth);
}

function listOf(reading: Reading, values: readonly Json[], depth: number): Found[] | null {
  const each = values.map((value) => callsOf(reading, value, depth + 1));
  if (each.length === 0 || each.includes(null)) return null;
  return each.flatMap((found) => found ?? []);
}

/** The whole call as one text. */
function encoded(reading: Reading, text: string, depth: number): Found[] | null {
  const inner = readJsonAt(text, 0);
  if (inner.kind === "fault" || !isJsonObject(inner.value) || text.slice(inner.end).trim() !== "") return null;
  const found = callsOf({ ...reading, json: inner }, inner.value, depth + 1);
  return found?.map((one) => (one.kind === "call" ? withRules(one, ["decoded_twice"]) : one)) ?? null;
}

function named(reading: Reading, value: JsonObject, depth: number): Found[] | null {
  const nameKey = nameKeys.find((key) => typeof value[key] === "string");
  const name = nameKey === undefined ? "" : value[nameKey];
  if (nameKey === undefined || typeof name !== "string" || name === "") return null;
  const tool = reading.source.tool(name);
  const isCall = tool !== null || reading.isTagged;
  const keys = argumentKeys.filter((key) => value[key] !== undefined && key !== nameKey);
  const [key] = keys;
  if (!isCall) return null;
  if (key === undefined || (keys.length > 1 && rest(value, [nameKey, key]).some((k) => !(k in propertiesOf(tool)))))
    return flat(reading, value, nameKey, depth);
  const args = value[key] ?? null;
  if (isDefinition(args)) return null;
  const strange = rest(value, [nameKey, key]);
  if (strange.length === 0) return [call(reading, name, args, depth)];
  if (key in propertiesOf(tool)) return flat(reading, value, nameKey, depth);
  return reading.isTagged
    ? [broken(name, `${strange.map((one) => `"${one.slice(0, 40)}"`).join(", ")} stands beside the arguments`)]
    : null;
}

/** `{"tool": "write_file", "path": …}`: the arguments beside the name. */
function flat(reading: Reading, value: JsonObject, nameKey: string, depth: number): Found[] | null {
  const name = value[nameKey];
  if (typeof name !== "string") return null;
  const properties = propertiesOf(reading.source.tool(name));
  const { [nameKey]: _name, ...args } = Object.fromEntries(
    Object.entries(value).filter(([key]) => key === nameKey || key in properties || !besideKeys.has(key)),
  );
  const keys = Object.keys(args);
  if (keys.length === 0) return reading.isTagged ? [call(reading, name, {}, depth - 1)] : null;
  // Under "name" anything may stand: then every member must be the tool's.
  const isMeant = nameKey !== "name" || keys.every((key) => key in properties);
  if (isMeant) return [withRules(call(reading, name, args, depth - 1), ["arguments_unwrapped"])];
  return reading.isTagged ? [broken(name, 'the arguments do not stand under "arguments"')] : null;
}

/** `{"write_file": {…}}` */
function keyed(reading: Reading, value: JsonObject, depth: number): Found[] | null {
  const entries = Object.entries(value);
  const [first] = entries;
  if (first === undefined || entries.length > 1) return null;
  const [name, args] = first;
  const isText = typeof args === "string" && args.trimStart().startsWith("{");
  const isList = reading.isTagged && Array.isArray(args);
  if (
    args === undefined ||
    !(isJsonObject(args) || isText || isList) ||
    reading.source.tool(name) === null ||
    isDefinition(args)
  )
    return null;
  return [withRules(call(reading, name, args, depth), ["name_as_key"])];
}

/** @param depth of the object that the arguments stand in */
function call({ json }: Reading, name: string, args: Json, depth: number): FoundCall {
  // The outermost brackets are those left open.
  return {
    kind: "call",
    name,
    arguments: args,
    repaired: json.repaired,
    isOpen: json.ranOut && json.open > depth + 1,
  };
}

function withRules(found: Found, repaired: readonly string[]): Found {
  return found.kind === "broken" ? found : { ...found, repaired: [...found.repaired, ...repaired] };
}

function rest(value: JsonObject, known: readonly string[]): string[] {
  return Object.keys(value).filter((key) => !known.includes(key) && !besideKeys.has(key));
}

/** An echo of what a tool takes, not a call of it. */
function isDefinition(args: Json): boolean {
  if (!isJsonObject(args)) return false;
  const properties = args["properties"];
  if (!isJsonObject(properties)) return false;
  const members = Object.values(properties);
  return (
    members.length > 0 && members.every((member) => isJsonObject(member) && "type" in member && !("value" in member))
  );
}
