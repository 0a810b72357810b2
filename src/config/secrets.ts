/** Which values of the configuration and the environment are secrets, and the configuration as anyone may see it. */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { type Config, type KeySpec, modelKeys, sections } from "./schema.ts";

/** Names of variables that hold nothing but secrets; and those of which only a value that looks made at random is one. */
const secretName =
  /(?:^|_)(?:pass(?:word|wd|phrase|code)?|pwd|secrets?|tokens?|api_?keys?|credentials?|pat)(?:_|$)|(?:password|passwd|passphrase|secret|token|apikey)$/i;
const keyName = /(?:^|_)(?:keys?|auth|cookie|salt|dsn|connection_string)(?:_\d+)?$/i;
/** `AWS_ACCESS_KEY_ID`, `TOKEN_FILE`, `PASSWORD_MIN_LENGTH`: about a secret, and none. */
const aboutName =
  /_(?:id|file|path|dir|sock|url|uri|host|port|name|user|type|length|limit|max|min|count|ttl|timeout|expiry|algorithm|enabled)$|^(?:old)?pwd$/i;
const randomCharactersMin = 20;

/** @returns values to take out of everything Loom writes; short ones too, the redaction decides what it can take out */
export function secretsOf(config: Config, env: Readonly<Record<string, string | undefined>>): string[] {
  const { secret, endpoint_secrets: others } = config.webhooks;
  const configured = [
    config.server.api_key,
    ...Object.values(config.models).flatMap((model) => [model.api_key, ...passwordsIn(model.base_url)]),
    ...[secret, ...Object.values(others)].flatMap((secrets) => secrets.split(" ")),
  ];
  const fromEnvironment = Object.entries(env).flatMap(([name, value = ""]) => [
    ...(isSecretVariable(name, value) ? [value] : []),
    ...passwordsIn(value),
  ]);
  return [...new Set([...configured, ...fromEnvironment])].filter((value) => value !== "");
}

function isSecretVariable(name: string, value: string): boolean {
  if (aboutName.test(name)) return false;
  return secretName.test(name) || (keyName.test(name) && looksRandom(value));
}

/** `SORT_KEY=created_at` is no secret: letters and digits together, or more than any word. */
function looksRandom(value: string): boolean {
  return value.length >= randomCharactersMin || (/\d/.test(value) && /[a-z]/i.test(value));
}

/** `postgres://app:hunter2@db/app`: as it stands there, and as it is meant. */
function passwordsIn(value: string): string[] {
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^/@\s:]*:(?<password>[^/@\s]+)@/i.exec(value)?.groups?.["password"];
  if (password === undefined) return [];
  return [...new Set([password, decoded(password)])];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The configuration in force, without secrets and without credentials in addresses.
 *
 * @param clean takes secrets out of what is shown, for those that stand where none should
 */
export function redactedConfig(config: Config, clean: (text: string) => string = (text) => text): JsonObject {
  const tables = Object.entries(sections).map(([name, keys]) => [
    name,
    redactedTable(keys, { ...config[name as keyof typeof sections] }, clean),
  ]);
  const models = Object.entries(config.models).map(([name, model]) => [
    name,
    redactedTable(modelKeys, { ...model }, clean),
  ]);
  return Object.fromEntries([...tables, ["models", Object.fromEntries(models) as JsonObject]]) as JsonObject;
}

function redactedTable(
  keys: Readonly<Record<string, KeySpec>>,
  values: Readonly<Record<string, unknown>>,
  clean: (text: string) => string,
): JsonObject {
  const shown = Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (keys[name]?.secret === true) return [[name, withoutSecrets(value)]];
    return [[name, typeof value === "string" ? clean(withoutCredentials(value)) : value]];
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
