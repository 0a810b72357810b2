/** Reads TypeScript sources for the house rules: what each module imports, and which ambient powers it uses. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "oxc-parser";

/** One import, re-export, dynamic import or `import()` type, with the names it asks for (empty: the whole module). */
export interface Import {
  readonly specifier: string;
  readonly names: readonly string[];
  readonly line: number;
}

/** A clock, chance, timer, process or network that the code reaches for without importing it. */
export interface AmbientUse {
  readonly name: string;
  readonly line: number;
}

export interface SourceModule {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly ambientUses: readonly AmbientUse[];
}

export function parseModule(path: string, text: string): SourceModule {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`Cannot parse ${path}: ${errors[0]?.message}`);
  const lineOf = (node: Node) => text.slice(0, node.start).split("\n").length;
  const nodes = [...nodesWithin(program)];
  return {
    path,
    text,
    imports: nodes.flatMap((node) => {
      const specifier = specifierOf(node);
      return specifier === undefined ? [] : [{ specifier, names: namesOf(node), line: lineOf(node) }];
    }),
    ambientUses: nodes.flatMap((node) => {
      const name = ambientNameOf(node);
      return name === undefined ? [] : [{ name, line: lineOf(node) }];
    }),
  };
}

/** @param root the repository; @param patterns globs relative to it */
export function readModules(root: string, patterns: readonly string[]): SourceModule[] {
  return globSync([...patterns], { cwd: root })
    .toSorted()
    .map((path) => parseModule(path.replaceAll("\\", "/"), readFileSync(join(root, path), "utf8")));
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function* nodesWithin(value: unknown): Generator<Node> {
  if (isNode(value)) yield value;
  if (typeof value !== "object" || value === null) return;
  for (const child of Object.values(value)) yield* nodesWithin(child);
}

const importingTypes = new Set([
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
  "ImportExpression",
  "TSImportType",
]);

function specifierOf(node: Node): string | undefined {
  if (!importingTypes.has(node.type)) return undefined;
  const source = node["source"];
  return isNode(source) && typeof source["value"] === "string" ? source["value"] : undefined;
}

function namesOf(node: Node): string[] {
  const specifiers = Array.isArray(node["specifiers"]) ? node["specifiers"].filter(isNode) : [];
  if (specifiers.some(({ type }) => type !== "ImportSpecifier")) return [];
  return specifiers.map(({ imported }) => nameOf(imported) ?? "");
}

function nameOf(node: unknown): string | undefined {
  return isNode(node) && node.type === "Identifier" && typeof node["name"] === "string" ? node["name"] : undefined;
}

const ambientMembers: Readonly<Record<string, RegExp>> = {
  Date: /^now$/,
  Math: /^random$/,
  performance: /^(now|timeOrigin)$/,
  crypto: /^(randomUUID|getRandomValues|subtle)$/,
  process:
    /^(env|argv|execPath|exit|exitCode|cwd|hrtime|uptime|std(in|out|err)|on|once|kill|pid|memoryUsage|platform)$/,
  console: /./,
};
const ambientFunctions = /^(fetch|setTimeout|setInterval|setImmediate|queueMicrotask)$/;

function ambientNameOf(node: Node): string | undefined {
  const callee = nameOf(node["callee"]);
  const calledBare = Array.isArray(node["arguments"]) && node["arguments"].length === 0;
  if (callee === "Date" && (node.type === "CallExpression" || calledBare)) return "new Date()";
  if (node.type === "CallExpression" && callee !== undefined && ambientFunctions.test(callee)) return callee;
  const object = nameOf(node["object"]);
  const property = nameOf(node["property"]);
  if (node.type !== "MemberExpression" || object === undefined || property === undefined) return undefined;
  return ambientMembers[object]?.test(property) ? `${object}.${property}` : undefined;
}
