/** Reads the configuration: file, environment, defaults, in that order of say. Refuses what is wrong by file, line and key; warns of what is unknown. */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { z } from "zod";
import { LoomError, messageOf } from "../lib/errors.ts";
import { isJsonObject } from "../lib/json.ts";
import { nearest } from "../lib/nearest.ts";
import { type Config, initialValues, type KeySpec, modelKeys, sections } from "./schema.ts";
import { expandPath, lineOf, overrideFromEnvironment, readSource, type Source, type Surroundings } from "./source.ts";

export interface Loaded {
  readonly config: Config;
  /** One sentence each, fit to be shown as they are. */
  readonly warnings: readonly string[];
  /** The file that was read, or null for defaults. */
  readonly source: string | null;
}

/** @throws LoomError config_invalid: file, line, key, what was found, what is allowed */
export function loadConfig(surroundings: Surroundings): Loaded {
  const source = readSource(surroundings);
  const reading = new Reading(source, surroundings);
  for (const variable of overrideFromEnvironment(source.tables, surroundings.env)) {
    reading.warnings.push(
      `${variable} names no section of loom.toml and was ignored; write LOOM_SECTION__KEY, like LOOM_SERVER__PORT`,
    );
  }
  const config = reading.config();
  return { config: withPaths(config, surroundings, source.file), warnings: reading.warnings, source: source.file };
}

class Reading {
  readonly warnings: string[] = [];
  readonly #source: Source;
  readonly #env: Surroundings["env"];

  constructor(source: Source, surroundings: Surroundings) {
    this.#source = source;
    this.#env = surroundings.env;
  }

  config(): Config {
    const known = Object.entries(sections).map(([name, keys]) => [name, this.#table(name, keys, this.#tableAt(name))]);
    const models: [string, Record<string, unknown>][] = Object.entries(this.#tableAt("models")).map(([name, table]) => [
      name,
      this.#model(name, table),
    ]);
    this.#unknownSections();
    // Each table was read key by key by its own schemas, so the whole is a Config.
    return { ...Object.fromEntries(known), models: Object.fromEntries<unknown>(models) } as Config;
  }

  #tableAt(section: string): Readonly<Record<string, unknown>> {
    let table: unknown = this.#source.tables;
    for (const word of section.split(".")) table = isJsonObject(table) ? table[word] : undefined;
    if (table === undefined || isJsonObject(table)) return table ?? {};
    throw this.#wrong(section, "", table, "a table");
  }

  #model(name: string, table: unknown): Record<string, unknown> {
    if (!isJsonObject(table)) throw this.#wrong("models", name, table, "a table");
    const entry = this.#table(`models.${name}`, modelKeys, table);
    if (entry["provider"] === undefined)
      throw this.#wrong(`models.${name}`, "provider", undefined, modelKeys.provider.schema.options.join(", "));
    return entry;
  }

  #table(
    section: string,
    keys: Readonly<Record<string, KeySpec>>,
    table: Readonly<Record<string, unknown>>,
  ): Record<string, unknown> {
    const values = initialValues(keys);
    for (const [name, raw] of Object.entries(table)) {
      const spec = keys[name];
      if (spec === undefined) {
        if (!(section === "limits" && isJsonObject(raw))) this.#unknown(section, name, Object.keys(keys));
        continue;
      }
      const parsed = spec.schema.safeParse(this.#interpolated(section, name, raw));
      if (!parsed.success) throw this.#wrong(section, name, spec.secret ? "(a secret)" : raw, allowed(parsed.error));
      values[name] = parsed.data;
      if (spec.reserved && JSON.stringify(parsed.data) !== JSON.stringify(spec.initial)) {
        this.warnings.push(
          `${this.#where(section, name)}[${section}] ${name} is not available yet; the value is kept and nothing comes of it`,
        );
      }
    }
    return values;
  }

  #interpolated(section: string, name: string, raw: unknown): unknown {
    if (Array.isArray(raw)) return raw.map((inner: unknown) => this.#interpolated(section, name, inner));
    if (isJsonObject(raw))
      return Object.fromEntries(
        Object.entries(raw).map(([inner, value]) => [inner, this.#interpolated(section, name, value)]),
      );
    if (typeof raw !== "string") return raw;
    return raw.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_whole, variable: string) => {
      const value = this.#env[variable];
      if (value === undefined) {
        throw new LoomError(
          "config_invalid",
          `${this.#where(section, name)}[${section}] ${name} reads \${${variable}}, which is not set in the environment`,
          { hint: `export ${variable}=…, or write the value itself` },
        );
      }
      return value;
    });
  }

  #unknown(section: string, name: string, known: readonly string[]): void {
    const near = nearest(name, known);
    this.warnings.push(
      `${this.#where(section, name)}[${section}] ${name} is not a key of Loom and was ignored${near === undefined ? "" : `; did you mean ${near}?`}`,
    );
  }

  #unknownSections(): void {
    const known = new Set([...Object.keys(sections).map((name) => name.split(".")[0] ?? ""), "models"]);
    for (const name of Object.keys(this.#source.tables)) {
      if (known.has(name)) continue;
      const near = nearest(name, [...known]);
      this.warnings.push(
        `${this.#source.file ?? "environment"}: [${name}] is not a section of Loom and was ignored${near === undefined ? "" : `; did you mean [${near}]?`}`,
      );
    }
  }

  #where(section: string, name: string): string {
    const line = lineOf(this.#source.text, section, name);
    return line === null ? "" : `${this.#source.file}:${line}: `;
  }

  #wrong(section: string, name: string, found: unknown, allowedValues: string): LoomError {
    const shown = found === undefined ? "nothing" : JSON.stringify(found);
    return new LoomError(
      "config_invalid",
      `${this.#where(section, name)}[${section}] ${name} is ${shown}; allowed: ${allowedValues}`,
      {
        hint: "loom.example.toml lists every key with its default and its range",
      },
    );
  }
}

/** What would have been taken, in words. */
function allowed(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "something else";
  const at = issue.path.map(String).join(".");
  return at === "" ? wanted(issue) : `at ${at}: ${wanted(issue)}`;
}

function wanted(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return `no ${issue.keys.join(", ")}`;
  if (issue.code === "invalid_value") return issue.values.map((value) => JSON.stringify(value)).join(", ");
  if (issue.code === "invalid_type") return `a ${issue.expected}`;
  if (issue.code === "too_small") return `${issue.inclusive === false ? "over" : "at least"} ${issue.minimum}`;
  if (issue.code === "too_big") return `${issue.inclusive === false ? "under" : "at most"} ${issue.maximum}`;
  return issue.message;
}

function withPaths(config: Config, surroundings: Surroundings, file: string | null): Config {
  const { home, cwd } = surroundings;
  const base = { home, cwd: file === null ? cwd : dirname(file) };
  const { memory, workspace, server, sandbox } = config;
  const keyFile = server.api_key_file === "" ? "" : expandPath(server.api_key_file, base);
  const apiKey = server.api_key !== "" || keyFile === "" ? server.api_key : keyFrom(keyFile);
  return {
    ...config,
    server: { ...server, api_key: apiKey, api_key_file: keyFile },
    memory: { ...memory, database_path: expandPath(memory.database_path, base) },
    workspace: {
      ...workspace,
      default_path: expandPath(workspace.default_path, base),
      scratch_dir: expandPath(workspace.scratch_dir, base),
    },
    sandbox: { ...sandbox, readable: sandbox.readable.map((path) => expandPath(path, base)) },
    models: Object.fromEntries(
      Object.entries(config.models).map(([name, model]) => [
        name,
        model.script === "" ? model : { ...model, script: expandPath(model.script, base) },
      ]),
    ),
  };
}

function keyFrom(file: string): string {
  try {
    const key = readFileSync(file, "utf8").trim();
    if (key !== "") return key;
    throw new Error("the file is empty");
  } catch (error) {
    throw new LoomError(
      "config_invalid",
      `[server] api_key_file: cannot read a key from "${file}": ${messageOf(error)}`,
      { hint: `Make one: head -c 32 /dev/urandom | base64 > ${file}; chmod 600 ${file}`, cause: error },
    );
  }
}
