/** Which values of the configuration and the environment are secrets, and the configuration as anyone may see it. */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { type Config, type KeySpec, modelKeys, sections } from "./schema.ts";

const secretName = /(^|_)(api_?key|key|token|secret|password|passwd|credentials?|auth)$/i;

/** @returns values to take out of everything Loom writes; short ones too, the redaction decides what it can take out */
export function secretsOf(config: Config, env: Readonly<Record<string, string | undefined>>): string[] {
  const { secret, endpoint_secrets: others } = config.webhooks;
  const configured = [
    config.server.api_key,
    ...Object.values(config.models).map((model) => model.api_key),
    ...[secret, ...Object.values(others)].flatMap((secrets) => secrets.split(" ")),
  ];
  const fromEnvironment = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && secretName.test(name) ? [value] : [],
  );
  return [...new Set([...configured, ...fromEnvironment])].filter((value) => value !== "");
}

/** The configuration in force, without secrets and without credentials in addresses. */
export function redactedConfig(config: Config): JsonObject {
  const tables = Object.entries(sections).map(([name, keys]) => [
    name,
    redactedTable(keys, { ...config[name as keyof typeof sections] }),
  ]);
  const models = Object.entries(config.models).map(([name, model]) => [name, redactedTable(modelKeys, { ...model })]);
  return Object.fromEntries([...tables, ["models", Object.fromEntries(models) as JsonObject]]) as JsonObject;
}

function redactedTable(keys: Readonly<Record<string, KeySpec>>, values: Readonly<Record<string, unknown>>): JsonObject {
  const shown = Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (keys[name]?.secret === true) return [[name, withoutSecrets(value)]];
    return [[name, typeof value === "string" ? withoutCredentials(value) : value]];
  });
  return Object.fromEntries(shown) as JsonObject;
}

function withoutSecrets(value: unknown): Json {
  if (!isJsonObject(value)) return value === "" ? "" : "(set)";
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutSecrets(inner)]));
}

function withoutCredentials(value: string): string {
  return value.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/i, "$1");
}
