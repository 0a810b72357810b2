/**
 * Tool calls as they should have come: arguments parsed, and calls that arrived as text recovered. Only a reply that *is*
 * a call is taken for one; a call that is merely shown within prose is never run.
 */
import { isJsonObject, type JsonObject, parseJson } from "../lib/json.ts";
import type { ToolCall, ToolSchema } from "../ports/model.ts";
import { mend, soleFence } from "./json-reading.ts";
import type { RawCall } from "./wire.ts";

interface Found {
  readonly name: string;
  readonly arguments: JsonObject;
}

export interface Recovered {
  readonly calls: readonly RawCall[];
  readonly repaired: readonly string[];
}

/**
 * @param isCut the reply ran into its limit: what is missing of the arguments is unknown, so they are not mended
 * @returns arguments as an object, or the text as it came
 */
export function parseArguments(
  args: string | JsonObject,
  isCut: boolean,
): { readonly arguments: ToolCall["arguments"]; readonly repaired: readonly string[] } {
  if (typeof args !== "string") return { arguments: args, repaired: [] };
  if (args.trim() === "") return { arguments: isCut ? args : {}, repaired: [] };
  const value = parseJson(args);
  if (isJsonObject(value)) return { arguments: value, repaired: [] };
  // Encoded twice.
  const inner = typeof value === "string" ? parseJson(value) : undefined;
  if (isJsonObject(inner)) return { arguments: inner, repaired: ["arguments_repaired"] };
  const mended = isCut ? null : mend(args.trim());
  return isJsonObject(mended?.value)
    ? { arguments: mended.value, repaired: ["arguments_repaired"] }
    : { arguments: args, repaired: [] };
}

/** @returns the calls that `text` performs and nothing else beside them, or null */
export function callsInText(text: string, tools: readonly ToolSchema[]): Recovered | null {
  const names = new Set(tools.map(({ name }) => name));
  const found = taggedCalls(text, names) ?? bareCalls(soleFence(text) ?? text, names);
  if (found === null) return null;
  return { calls: found.map((call) => ({ id: "", ...call })), repaired: ["tool_call_from_text"] };
}

/** `<tool_call>{…}</tool_call>`, once or more often, at the end of the reply; a fence before it means that it is shown. */
function taggedCalls(text: string, names: ReadonlySet<string>): Found[] | null {
  if (!text.includes("<tool_call>")) return null;
  const tail = /^([\s\S]*?)((?:\s*<tool_call>(?:(?!<tool_call>)[\s\S])*?<\/tool_call>)+)\s*$/.exec(text);
  const [, before = "", blocks = ""] = tail ?? [];
  if (
    tail === null ||
    before.includes("```") ||
    before.includes("<tool_call>") ||
    (before.trim() !== "" && !blocks.startsWith("\n"))
  )
    return null;
  const inner = [...blocks.matchAll(/<tool_call>([\s\S]*?)<\/tool_call>/g)].map(
    ([, inside = ""]) => soleFence(inside) ?? inside,
  );
  return allCalls(inner.map(bracketedValue), names);
}

function bareCalls(text: string, names: ReadonlySet<string>): Found[] | null {
  const value = bracketedValue(text);
  return allCalls(Array.isArray(value) ? (value as unknown[]) : [value], names);
}

function bracketedValue(text: string): unknown {
  const trimmed = text.trim();
  if (!/^[{[][\s\S]*[}\]]$/.test(trimmed)) return undefined;
  return parseJson(trimmed) ?? mend(trimmed)?.value;
}

/** All of them, or none: a list with one stranger in it is an answer, not an action. */
function allCalls(values: readonly unknown[], names: ReadonlySet<string>): Found[] | null {
  const calls = values.map(callOf).filter((call) => call !== null && names.has(call.name));
  return calls.length === 0 || calls.length < values.length ? null : calls.filter((call) => call !== null);
}

/** `{name, arguments}` and its relatives, with no member beside them. */
function callOf(value: unknown): Found | null {
  if (!isJsonObject(value)) return null;
  const inner = value["function"];
  const call = isJsonObject(inner) ? inner : value;
  const name = call["name"] ?? call["tool"] ?? call["function"];
  const args = call["arguments"] ?? call["parameters"] ?? call["args"];
  const strange = Object.keys(call).filter(
    (key) => !["name", "tool", "function", "arguments", "parameters", "args", "id", "type"].includes(key),
  );
  if (typeof name !== "string" || args === undefined || strange.length > 0) return null;
  const parsed = typeof args === "string" ? parseArguments(args, false).arguments : args;
  return isJsonObject(parsed) ? { name, arguments: parsed } : null;
}
