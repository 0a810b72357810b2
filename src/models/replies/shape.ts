/** The arguments of a call as one object: decoded, unwrapped, put by name, where that has one reading. Their values are the tool's to check. */
import { isJsonObject, type Json, type JsonObject, parseJson } from "../../lib/json.ts";
import type { ToolSchema } from "../../ports/model.ts";
import { propertiesOf, requiredOf } from "./source.ts";
import { readJsonAt } from "./tolerant-json.ts";

export type Shaped =
  | { readonly kind: "object"; readonly value: JsonObject; readonly repaired: readonly string[] }
  | { readonly kind: "fault"; readonly what: string };

const layersMax = 4;
const wrappers = ["arguments", "input", "parameters", "properties", "args", "params", "kwargs"];

export function shapeArguments(given: Json, tool: ToolSchema | null): Shaped {
  const repaired: string[] = [];
  let value = given;
  for (let layer = 0; layer < layersMax; layer += 1) {
    const step = peeled(value, tool, layer);
    if (step === null) break;
    if ("what" in step) return { kind: "fault", what: step.what };
    value = step.value;
    repaired.push(...step.repaired);
  }
  if (!isJsonObject(value)) return { kind: "fault", what: "the arguments are not a JSON object" };
  return { kind: "object", value, repaired };
}

type Step = { readonly value: Json; readonly repaired: readonly string[] } | { readonly what: string };

/** One layer less, or null when there is none. */
function peeled(value: Json, tool: ToolSchema | null, layer: number): Step | null {
  if (value === null) return { value: {}, repaired: [] };
  if (typeof value === "string") return decoded(value, tool, layer);
  if (Array.isArray(value)) return fromList(value as readonly Json[], tool);
  return isJsonObject(value) ? unwrapped(value, tool) : null;
}

function decoded(text: string, tool: ToolSchema | null, layer: number): Step {
  const rules = layer === 0 ? [] : ["decoded_twice"];
  if (text.trim() === "") return { value: {}, repaired: [] };
  const strict = parseJson(text);
  if (strict !== undefined) return { value: strict as Json, repaired: rules };
  const json = readJsonAt(text, 0);
  if (json.kind === "fault")
    return {
      what: json.isCut ? `the arguments are cut: ${json.what}` : `the arguments are not a JSON object: ${json.what}`,
    };
  if (!/^[\s}\]]{0,8}$/.test(text.slice(json.end, json.end + 20)))
    return { what: "the arguments are not a JSON object: text follows them" };
  if (json.ranOut && !hasAll(json.value, tool))
    return { what: "the arguments are cut: they are not closed, and more of them may be lost" };
  return { value: json.value, repaired: [...rules, ...json.repaired] };
}

/** Nothing that the tool takes is missing, so that nothing of it can have been lost. */
export function hasAll(value: Json, tool: ToolSchema | null): boolean {
  return (
    tool !== null && isJsonObject(value) && Object.keys(propertiesOf(tool)).every((name) => Object.hasOwn(value, name))
  );
}

function fromList(list: readonly Json[], tool: ToolSchema | null): Step {
  const repaired = ["arguments_from_list"];
  const [first] = list;
  if (first === undefined) return { value: {}, repaired };
  if (list.length === 1 && isJsonObject(first) && !("name" in first && "value" in first))
    return { value: first, repaired };
  const merged = list.every(isJsonObject) ? mergedFrom(list.filter(isJsonObject)) : null;
  if (merged !== null) return { value: merged, repaired };
  const required = requiredOf(tool);
  const isPlaced = list.length === required.length && list.every((item) => item === null || typeof item !== "object");
  if (isPlaced) return { value: Object.fromEntries(required.map((name, at) => [name, list[at] ?? null])), repaired };
  return { what: "the arguments are a list without names" };
}

/** `[{"name": "path", "value": "a"}, …]`, or `[{"path": "a"}, …]` */
function mergedFrom(items: readonly JsonObject[]): JsonObject | null {
  const entries = items.map((item): (readonly [string, Json])[] => {
    const { name, value } = item;
    if (typeof name === "string" && value !== undefined && Object.keys(item).length === 2) return [[name, value]];
    return Object.entries(item);
  });
  const flat = entries.flat();
  return entries.every(({ length }) => length === 1) && new Set(flat.map(([name]) => name)).size === flat.length
    ? Object.fromEntries(flat)
    : null;
}

function unwrapped(value: JsonObject, tool: ToolSchema | null): Step | null {
  const own = propertiesOf(tool);
  const repaired = ["arguments_unwrapped"];
  const keys = Object.keys(value).filter((key) => !(key === "type" && value[key] === "object" && !("type" in own)));
  const [key] = keys;
  const inner = key === undefined ? undefined : value[key];
  const holds = inner !== undefined && typeof inner === "object" && inner !== null;
  const isText = typeof inner === "string" && /^\s*[{[]/.test(inner);
  if (keys.length === 1 && key !== undefined && wrappers.includes(key) && !(key in own) && (holds || isText))
    return { value: inner ?? null, repaired };
  // The whole call once more.
  const { name, arguments: args, ...others } = value;
  const isCall =
    typeof name === "string" && tool !== null && name === tool.name && !("name" in own) && args !== undefined;
  if (isCall && !("arguments" in own) && Object.keys(others).length === 0) return { value: args, repaired };
  return null;
}
