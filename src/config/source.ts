/** Where configuration comes from: which file, which environment variables, and on which line a key stands. */
import { readFileSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { parse, TomlError } from "smol-toml";
import { LoomError, messageOf } from "../lib/errors.ts";
import { isJsonObject } from "../lib/json.ts";
import { sections } from "./schema.ts";

export interface Surroundings {
  /** `--config`: must exist. */
  readonly path?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
}

export interface Source {
  /** The file that was read, or null when there is none. */
  readonly file: string | null;
  readonly text: string;
  readonly tables: Record<string, unknown>;
}

/** @throws LoomError config_invalid, naming file and line of what is no TOML */
export function readSource({ path, cwd, home }: Surroundings): Source {
  if (path !== undefined) {
    const file = resolve(cwd, path);
    const text = readText(file);
    if (text === null)
      throw new LoomError("config_invalid", `There is no configuration file at "${file}"`, {
        hint: "Check --config, or leave it out to use ./loom.toml or ~/.loom/loom.toml",
      });
    return { file, text, tables: parseToml(file, text) };
  }
  for (const file of [join(cwd, "loom.toml"), join(home, ".loom", "loom.toml")]) {
    const text = readText(file);
    if (text !== null) return { file, text, tables: parseToml(file, text) };
  }
  return { file: null, text: "", tables: {} };
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return null;
    throw new LoomError("config_invalid", `Cannot read "${file}": ${messageOf(error)}`, {
      hint: "Check the file and its permissions",
      cause: error,
    });
  }
}

function parseToml(file: string, text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    const at = error instanceof TomlError ? `:${error.line}:${error.column}` : "";
    throw new LoomError("config_invalid", `${file}${at} is not valid TOML: ${messageOf(error).split("\n")[0] ?? ""}`, {
      hint: "loom.example.toml shows the form of every key",
      cause: error,
    });
  }
}

/** Puts `LOOM_SECTION__KEY` over what the file says. @returns the names of variables that fit no section */
export function overrideFromEnvironment(tables: Record<string, unknown>, env: Surroundings["env"]): string[] {
  const unknown: string[] = [];
  for (const [variable, value] of Object.entries(env)) {
    if (value === undefined || !/^LOOM_[A-Z0-9]+(__[A-Z0-9_]+)+$/.test(variable)) continue;
    const words = variable.slice("LOOM_".length).toLowerCase().split("__");
    const last = words.pop() ?? "";
    if (words[0] !== "models" && !Object.hasOwn(sections, words.join("."))) unknown.push(variable);
    else put(tables, words, last, value);
  }
  return unknown;
}

function put(tables: Record<string, unknown>, words: readonly string[], key: string, value: string): void {
  let table = tables;
  for (const word of words) {
    const inner = table[word];
    const next: Record<string, unknown> = isJsonObject(inner) ? { ...inner } : {};
    table[word] = next;
    table = next;
  }
  table[key] = fromText(value);
}

/** An environment variable has no types: what reads as a number, a flag or a list is one. */
function fromText(value: string): unknown {
  if (value === "true" || value === "false") return value === "true";
  if (/^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  if (!value.startsWith("[")) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** The line on which a key stands in a file, from 1; null when it came from elsewhere. */
export function lineOf(text: string, section: string, key: string): number | null {
  let current = "";
  for (const [index, line] of text.split("\n").entries()) {
    const header = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line);
    if (header !== null) current = (header[1] ?? "").replaceAll('"', "");
    if (current === `[${section}.${key}`) return index + 1;
    const name = /^\s*"?([A-Za-z0-9_-]+)"?\s*=/.exec(line)?.[1];
    if (current === section && name === key) return index + 1;
  }
  return null;
}

/** `~` and relative paths made absolute. */
export function expandPath(path: string, at: { readonly home: string; readonly cwd: string }): string {
  if (path === "~") return at.home;
  if (path.startsWith("~/")) return join(at.home, path.slice(2));
  return isAbsolute(path) ? path : resolve(at.cwd, path);
}
