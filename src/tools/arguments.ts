/**
 * The arguments of a tool call: checked against the tool's schema, with the near misses of weak models understood where
 * nothing else can be meant. What could change the meaning of a call is refused, and the right form is shown.
 */
import { z } from "zod";
import { isJsonObject, type Json, type JsonObject, parseJson } from "../lib/json.ts";
import { err, ok, type Result } from "../lib/result.ts";

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

export function parseArguments<S extends z.ZodObject>(
  form: ArgumentForm<S>,
  given: JsonObject | string,
): Result<z.output<S>, string> {
  const complain = (what: string) => err(`${form.name}: ${what}. Right form: ${JSON.stringify(form.example)}`);
  const parsed = typeof given === "string" ? parseJson(given) : given;
  if (!isJsonObject(parsed)) return complain("the arguments are not a JSON object");
  const named = byParameter(form, parsed);
  if (!named.ok) return complain(named.error);
  const result = form.parameters.safeParse(named.value);
  if (result.success) return ok(result.data);
  return complain(result.error.issues.slice(0, issuesShown).map(sentenceOf).join("; "));
}

function byParameter<S extends z.ZodObject>(form: ArgumentForm<S>, given: JsonObject): Result<JsonObject, string> {
  const known = propertiesOf(form.parameters);
  const named = new Map<string, Json>();
  for (const [key, value] of Object.entries(given)) {
    const name = parameterOf(form, known, key);
    if (name === undefined) {
      if (remarks.has(snakeCase(key))) continue;
      return err(`unknown argument "${key}"`);
    }
    // A null is how some models leave an argument out.
    if (value === null) continue;
    const meant = coerced(value, known[name]);
    if (named.has(name) && JSON.stringify(named.get(name)) !== JSON.stringify(meant))
      return err(`"${key}" and another argument both give "${name}"`);
    named.set(name, meant);
  }
  return ok(Object.fromEntries(named));
}

function parameterOf<S extends z.ZodObject>(form: ArgumentForm<S>, known: JsonObject, key: string): string | undefined {
  const plain = snakeCase(key);
  const aliases = form.aliases ?? {};
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

/** @returns `value` as the type that its schema asks for, where its text can be nothing else */
function coerced(value: Json, schema: Json | undefined): Json {
  const type = isJsonObject(schema) ? schema["type"] : undefined;
  if (typeof value === "string") return textAs(value, type);
  return type === "array" && !Array.isArray(value) && isJsonObject(value) ? [value] : value;
}

function textAs(text: string, type: unknown): Json {
  const trimmed = text.trim();
  if (type === "integer" && /^-?\d{1,9}$/.test(trimmed)) return Number(trimmed);
  if (type === "boolean" && /^(?:true|false)$/i.test(trimmed)) return trimmed.toLowerCase() === "true";
  if (type !== "array" || !/^[[{]/.test(trimmed)) return text;
  const parsed = parseJson(trimmed);
  if (Array.isArray(parsed)) return parsed as Json;
  return isJsonObject(parsed) ? [parsed] : text;
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
