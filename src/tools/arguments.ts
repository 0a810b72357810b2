/**
 * The arguments of a tool call: checked against the tool's schema, with the near misses of weak models understood where
 * nothing else can be meant. What could change the meaning of a call is refused, and the right form is shown.
 */
import { z } from "zod";
import { isJsonObject, type Json, type JsonObject, parseJson } from "../lib/json.ts";
import { err, ok, type Result } from "../lib/result.ts";

/** What models call the path of a file, and what is to stand in it. */
export const pathAliases = { file_path: "path", filepath: "path", file: "path", filename: "path" } as const;
export const contentAliases = { contents: "content", text: "content" } as const;

export interface ArgumentForm<S extends z.ZodObject> {
  readonly name: string;
  readonly parameters: S;
  /** A call as it should look. */
  readonly example: JsonObject;
  /** Other names that can only mean one of the parameters: `file_path` → `path`. */
  readonly aliases?: Readonly<Record<string, string>>;
}

/** Words that models add about a call; they change nothing of it. */
const remarks: ReadonlySet<string> = new Set([
  "description",
  "explanation",
  "reason",
  "rationale",
  "reasoning",
  "thought",
  "thoughts",
  "purpose",
  "intent",
  "comment",
]);

const issuesShown = 3;

export interface ParsedArguments<S extends z.ZodObject> {
  readonly value: z.output<S>;
  /** Rules by which they were understood; empty where they came as they should. */
  readonly repaired: readonly string[];
}

export function parseArguments<S extends z.ZodObject>(
  form: ArgumentForm<S>,
  given: JsonObject | string,
): Result<ParsedArguments<S>, string> {
  const complain = (what: string) => err(`${form.name}: ${what}. Right form: ${JSON.stringify(form.example)}`);
  const parsed = typeof given === "string" ? parseJson(given) : given;
  if (!isJsonObject(parsed)) return complain("the arguments are not a JSON object");
  const repaired = new Set<string>();
  const named = byParameter(parsed, {
    known: propertiesOf(form.parameters),
    aliases: form.aliases ?? {},
    note: (rule) => repaired.add(rule),
  });
  if (!named.ok) return complain(named.error);
  const result = form.parameters.safeParse(named.value);
  if (result.success) return ok({ value: result.data, repaired: [...repaired] });
  return complain(result.error.issues.slice(0, issuesShown).map(sentenceOf).join("; "));
}

interface Understanding {
  readonly known: JsonObject;
  readonly aliases: Readonly<Record<string, string>>;
  readonly note: (rule: string) => void;
}

function byParameter(given: JsonObject, understanding: Understanding): Result<JsonObject, string> {
  const { known, note } = understanding;
  const named = new Map<string, Json>();
  for (const [key, value] of Object.entries(given)) {
    const name = parameterOf(understanding, key);
    if (name === undefined) {
      if (!remarks.has(snakeCase(key))) return err(`unknown argument "${key}"`);
      note("remark_dropped");
      continue;
    }
    if (name !== key) note("argument_renamed");
    // A null is how some models leave an argument out.
    if (value === null) {
      note("null_dropped");
      continue;
    }
    const meant = coerced(value, known[name], understanding);
    if (named.has(name) && JSON.stringify(named.get(name)) !== JSON.stringify(meant))
      return err(`"${key}" and another argument both give "${name}"`);
    named.set(name, meant);
  }
  return ok(Object.fromEntries(named));
}

function parameterOf({ known, aliases }: Understanding, key: string): string | undefined {
  const plain = snakeCase(key);
  return [key, plain, Object.hasOwn(aliases, plain) ? aliases[plain] : undefined].find(
    (name) => name !== undefined && Object.hasOwn(known, name),
  );
}

function snakeCase(key: string): string {
  return key
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();
}

/** @returns `value` as the type that its schema asks for, where it can be nothing else */
function coerced(value: Json, schema: Json | undefined, understanding: Understanding): Json {
  if (!isJsonObject(schema)) return value;
  const { type } = schema;
  const meant =
    typeof value === "string" ? textAs(value, schema) : type === "array" && isJsonObject(value) ? [value] : value;
  if (meant !== value) understanding.note("argument_coerced");
  if (type === "array" && Array.isArray(meant))
    return (meant as Json[]).map((item) => coerced(item, schema["items"], understanding));
  const known = schema["properties"];
  if (!isJsonObject(meant) || !isJsonObject(known)) return meant;
  const inner = byParameter(meant, { ...understanding, known });
  // What is wrong within is named by the schema, with its place.
  return inner.ok ? inner.value : meant;
}

function textAs(text: string, { type, items }: JsonObject): Json {
  const trimmed = text.trim();
  if (type === "integer" && /^-?\d{1,9}$/.test(trimmed)) return Number(trimmed);
  if (type === "number" && /^-?\d{1,9}(?:\.\d{1,9})?$/.test(trimmed)) return Number(trimmed);
  if (type === "boolean" && /^(?:true|false)$/i.test(trimmed)) return trimmed.toLowerCase() === "true";
  if (type === "object" && trimmed.startsWith("{")) {
    const parsed = parseJson(trimmed);
    return isJsonObject(parsed) ? parsed : text;
  }
  return type === "array" ? listOf(text, trimmed, items) : text;
}

function listOf(text: string, trimmed: string, items: Json | undefined): Json {
  const parsed = /^[[{]/.test(trimmed) ? parseJson(trimmed) : undefined;
  if (Array.isArray(parsed)) return parsed as Json;
  if (isJsonObject(parsed)) return [parsed];
  // One word is one item; several may be one or many.
  const isOne = isJsonObject(items) && items["type"] === "string" && /^[^\s,;[\]{}]+$/.test(trimmed);
  return isOne ? [trimmed] : text;
}

function sentenceOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join(".");
  return path === "" ? issue.message : `"${path}": ${issue.message}`;
}

const noise: ReadonlySet<string> = new Set([
  "$schema",
  "additionalProperties",
  "maxLength",
  "minLength",
  "maxItems",
  "minItems",
]);

const schemas = new WeakMap<z.ZodObject, JsonObject>();

/**
 * JSON schema for models: every character of it is sent with every request, so bounds that only we check are left out.
 * Made once, since it takes longer than all the rest of a call's checking.
 */
export function parametersSchema(parameters: z.ZodObject): JsonObject {
  const known = schemas.get(parameters);
  if (known !== undefined) return known;
  const made = compact(z.toJSONSchema(parameters, { io: "input" }) as Json) as JsonObject;
  schemas.set(parameters, made);
  return made;
}

function propertiesOf(parameters: z.ZodObject): JsonObject {
  const made = parametersSchema(parameters)["properties"];
  return isJsonObject(made) ? made : {};
}

function compact(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(compact);
  if (!isJsonObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(
        ([key, value]) => !noise.has(key) && !(typeof value === "number" && Math.abs(value) >= Number.MAX_SAFE_INTEGER),
      )
      .map(([key, value]) => [key, compact(value)]),
  );
}
