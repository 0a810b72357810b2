/** The schema of one reply in the JSON protocol: a union over the tools and `finish`, in what every grammar engine understands. */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { StandingPaths, ToolSchema } from "../ports/model.ts";

/**
 * Strings without a limit loop until max_tokens. Long ones hold a file of some 200 lines at most, and at least leave room
 * for the rest of the reply: two characters a token, so that even dense text closes before the reply is cut.
 */
const longTextMax = 8000;
const shortTextMax = 400;
const charactersPerToken = 2;
const summaryMax = 2000;
const itemsMax = 32;
const longNames = /content|text|body|str|query|question|command|patch|diff|code/i;

/** What is kept of a parameter's schema; patterns, formats and ranges trip some engines, and the tool checks them anyway. */
const keptMembers = ["type", "enum", "const", "anyOf", "oneOf", "items", "properties", "required", "maxItems"];

interface ReplyBounds {
  /** The model's cap on a reply. */
  readonly maxTokens: number;
  readonly mustCall: boolean;
  /** Absent: not known, or too many. */
  readonly standing?: StandingPaths | undefined;
  /** One of these is quoted in place of a summary. */
  readonly quotable?: readonly string[] | undefined;
}

export function replySchema(tools: readonly ToolSchema[], bounds: ReplyBounds): JsonObject {
  const { maxTokens, mustCall, standing, quotable } = bounds;
  const longMax = Math.max(shortTextMax, Math.min(longTextMax, maxTokens * charactersPerToken));
  // A tool for what stands there is of no use where nothing does.
  const usable = tools.filter((tool) => Object.values(namesOf(tool, standing)).every((names) => names.length > 0));
  const open = usable.length === 0 ? tools : usable;
  const calls = open.map((tool) => callSchema(tool, longMax, usable.length === 0 ? undefined : standing));
  return { anyOf: [...calls, ...(mustCall ? [] : [finishSchema(quotable, longMax)])] };
}

/** @returns what each argument that must name something can name */
function namesOf({ naming = {} }: ToolSchema, standing: StandingPaths | undefined): Record<string, string[]> {
  if (standing === undefined) return {};
  const { files, folders } = standing;
  const named = { file: files, folder: [".", ...folders], any: [...files, ...folders] };
  return Object.fromEntries(Object.entries(naming).map(([name, kind]) => [name, [...named[kind]]]));
}

/** What was done, in words; or what was found, as it stands there: of that a small model's own words say something else as often as not. */
function finishSchema(quotable: readonly string[] | undefined, longMax: number): JsonObject {
  const end: JsonObject =
    quotable === undefined
      ? { summary: { type: "string", maxLength: Math.min(summaryMax, longMax) } }
      : { quote: { type: "string", enum: [...quotable] } };
  const properties = { tool: { const: "finish" }, ...end };
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}

function callSchema(tool: ToolSchema, longMax: number, standing: StandingPaths | undefined): JsonObject {
  const { name, parameters } = tool;
  const { required } = parameters;
  const named: JsonObject = Object.fromEntries(
    Object.entries(namesOf(tool, standing)).map(([key, names]): [string, Json] => [
      key,
      { type: "string", enum: names },
    ]),
  );
  return {
    type: "object",
    properties: { tool: { const: name }, ...boundProperties(parameters, longMax), ...named },
    required: ["tool", ...(Array.isArray(required) ? (required as Json[]) : [])],
    additionalProperties: false,
  };
}

function boundProperties({ properties }: JsonObject, longMax: number): JsonObject {
  const entries = Object.entries(isJsonObject(properties) ? properties : {});
  return Object.fromEntries(
    entries.map(([name, inner]) => [name, boundSchema(inner, longNames.test(name) ? longMax : shortTextMax)]),
  );
}

/** @param cap characters that a string here may have */
function boundSchema(schema: Json, cap: number): Json {
  if (!isJsonObject(schema)) return {};
  const kept: JsonObject = Object.fromEntries(Object.entries(schema).filter(([key]) => keptMembers.includes(key)));
  const alternatives = (key: "anyOf" | "oneOf"): JsonObject => {
    const list = kept[key];
    return Array.isArray(list) ? { [key]: (list as Json[]).map((inner) => boundSchema(inner, cap)) } : {};
  };
  const own = typeof schema["maxLength"] === "number" ? schema["maxLength"] : cap;
  return {
    ...kept,
    ...alternatives("anyOf"),
    ...alternatives("oneOf"),
    ...(hasType(schema, "string") && schema["enum"] === undefined ? { maxLength: Math.min(own, cap) } : {}),
    ...(hasType(schema, "array")
      ? { items: boundSchema(schema["items"] ?? { type: "string" }, cap), maxItems: itemsOf(schema) }
      : {}),
    ...(isJsonObject(schema["properties"])
      ? { properties: boundProperties(schema, cap), additionalProperties: false }
      : {}),
  };
}

function itemsOf({ maxItems }: JsonObject): number {
  return typeof maxItems === "number" ? Math.min(maxItems, itemsMax) : itemsMax;
}

function hasType({ type }: JsonObject, wanted: string): boolean {
  return type === wanted || (Array.isArray(type) && type.includes(wanted));
}
