/** The house rules of docs/ARCHITECTURE.md as pure functions over parsed modules: each returns what breaks it, a line each. */
import { isBuiltin } from "node:module";
import { posix } from "node:path";
import type { Import, SourceModule } from "./source.ts";

interface LayerRow {
  readonly folders: readonly string[];
  readonly imports: readonly string[];
  /** External packages, of which no two folders may share one; `own` allows any, zod is allowed everywhere but in lib. */
  readonly packages: "none" | "own" | RegExp;
  /** Code without clock, chance or I/O of its own. */
  readonly pure?: boolean;
}

const base = ["lib", "domain", "ports"];
const adapters = ["models", "tools", "workspace", "storage", "feed", "safety"];
const systems = ["memory", "learning", "processes", "agents", "observability"];

/** The table of docs/ARCHITECTURE.md section 3, row by row. Every folder imports itself too; app.ts and main.ts everything. */
const layers: readonly LayerRow[] = [
  { folders: ["lib"], imports: [], packages: "none", pure: true },
  { folders: ["domain"], imports: ["lib"], packages: "none", pure: true },
  { folders: ["ports"], imports: ["lib", "domain"], packages: "none", pure: true },
  { folders: ["engine", "roles"], imports: base, packages: "none", pure: true },
  { folders: [...adapters, ...systems], imports: base, packages: "own" },
  { folders: ["api"], imports: base, packages: /^(fastify|fastify-zod-openapi|@fastify\/.+)$/ },
  { folders: ["mcp"], imports: base, packages: /^@modelcontextprotocol\/.+$/ },
  { folders: ["cli"], imports: [...base, "config"], packages: /^commander$/ },
  { folders: ["config"], imports: base, packages: /^smol-toml$/ },
];
const rootFiles = new Set(["src/app.ts", "src/main.ts"]);

/** Builtins that compute and touch nothing outside; domain has none at all. */
const pureBuiltins = /^node:(assert|async_hooks|buffer|events|path|path\/posix|string_decoder|util)$/;
/** Joining what arrives in one turn of the event loop needs no clock; waiting goes through the port `Clock`. */
const turnsOfTheLoop = new Set(["queueMicrotask", "setImmediate"]);
const pureCryptoNames = new Set(["createHash", "createHmac", "hash", "timingSafeEqual"]);

const linesWithoutReasonMax = 300;
const linesMax = 400;
const headerLinesMax = 5;

/** Which folder may import which, and which packages. */
export function layerBreaches(modules: readonly SourceModule[]): string[] {
  return modules.flatMap((module) => {
    if (rootFiles.has(module.path)) {
      return externalImports(module)
        .filter(({ specifier }) => packageOf(specifier) !== "zod")
        .map(
          ({ specifier, line }) => `${module.path}:${line} imports ${specifier}: the composition root has no packages`,
        );
    }
    const folder = folderOf(module.path);
    const row = rowOf(folder);
    if (row === undefined) return [`${module.path} lies in no folder of the layer table`];
    return [...folderBreaches(module, folder, row), ...packageBreaches(module, folder, row)];
  });
}

/** Each external package is known to one folder only. */
export function sharedPackages(modules: readonly SourceModule[]): string[] {
  const users = new Map<string, Set<string>>();
  for (const module of modules) {
    for (const { specifier } of externalImports(module)) {
      const name = packageOf(specifier);
      users.set(name, (users.get(name) ?? new Set()).add(folderOf(module.path)));
    }
  }
  return [...users]
    .filter(([name, folders]) => name !== "zod" && folders.size > 1)
    .map(([name, folders]) => `${name} is imported by ${[...folders].toSorted().join(" and ")}: one folder only`);
}

/** Pure layers take time, ids, chance and the outside as arguments. */
export function impurities(modules: readonly SourceModule[]): string[] {
  return modules
    .filter(({ path }) => rowOf(folderOf(path))?.pure)
    .flatMap((module) => {
      const isDomain = folderOf(module.path) === "domain";
      const builtins = module.imports.filter(
        (wanted) => isBuiltin(wanted.specifier) && (isDomain || !isPureBuiltin(wanted)),
      );
      const uses = module.ambientUses.filter(({ name }) => isDomain || !turnsOfTheLoop.has(name));
      return [
        ...builtins.map(({ specifier, line }) => `${module.path}:${line} imports ${specifier}: no I/O here`),
        ...uses.map(({ name, line }) => `${module.path}:${line} uses ${name}: take it as an argument`),
      ];
    });
}

/** Import cycles, type imports included, each told once from its first module on. */
export function importCycles(modules: readonly SourceModule[]): string[] {
  const edges = new Map(modules.map((module) => [module.path, internalTargets(module)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at !== -1) cycles.push([...trail.slice(at), path].join(" → "));
    if (at !== -1 || done.has(path)) return;
    for (const target of edges.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return cycles;
}

/** Over 300 lines needs a "Long because" in the header; over 400 is never right. */
export function longFiles(modules: readonly SourceModule[]): string[] {
  return modules.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split("\n").length;
    if (lines > linesMax) return [`${path} has ${lines} lines: split it (${linesMax} at most)`];
    if (lines <= linesWithoutReasonMax || /\blong because\b/i.test(headerOf(text)?.join(" ") ?? "")) return [];
    return [`${path} has ${lines} lines: split it, or say in its header "Long because …"`];
  });
}

/** Each module opens with a doc comment of one to five lines. */
export function missingHeaders(modules: readonly SourceModule[]): string[] {
  return modules.flatMap(({ path, text }) => {
    const lines = headerOf(text);
    if (lines === undefined) return [`${path} does not open with a doc comment that says what it is for`];
    if (lines.length >= 1 && lines.length <= headerLinesMax) return [];
    return [`${path} opens with a header of ${lines.length} lines: 1 to ${headerLinesMax}`];
  });
}

/** Kebab-case nouns; no barrel, and no name that could hold anything. */
export function badNames(modules: readonly SourceModule[]): string[] {
  return modules.flatMap(({ path }) => {
    const parts = path.replace(/\.ts$/, "").split("/");
    const words = parts.flatMap((part) => part.split(/[-.]/));
    if (parts.at(-1) === "index") return [`${path} is a barrel file`];
    if (words.some((word) => /^(utils?|helpers?|managers?)$/.test(word)))
      return [`${path} has a name that says nothing`];
    if (/^(data|info|misc|common)$/.test(parts.at(-1) ?? "")) return [`${path} has a name that says nothing`];
    return parts.every((part) => /^[a-z0-9]+(?:[-.][a-z0-9]+)*$/.test(part)) ? [] : [`${path} is not kebab-case`];
  });
}

function folderBreaches(module: SourceModule, folder: string, row: LayerRow): string[] {
  return module.imports.flatMap(({ specifier, line }) => {
    const target = resolveImport(module, specifier);
    if (target === undefined) return [];
    const targetFolder = folderOf(target);
    if (targetFolder === folder || row.imports.includes(targetFolder)) return [];
    return [`${module.path}:${line} imports ${target}: ${folder} may import ${row.imports.join(", ") || "nothing"}`];
  });
}

function packageBreaches(module: SourceModule, folder: string, row: LayerRow): string[] {
  return externalImports(module).flatMap(({ specifier, line }) => {
    const name = packageOf(specifier);
    const allowed =
      (name === "zod" && folder !== "lib") ||
      row.packages === "own" ||
      (row.packages instanceof RegExp && row.packages.test(name));
    return allowed ? [] : [`${module.path}:${line} imports ${specifier}: not a package for ${folder}`];
  });
}

function isPureBuiltin({ specifier, names }: Import): boolean {
  if (specifier === "node:crypto") return names.length > 0 && names.every((name) => pureCryptoNames.has(name));
  return pureBuiltins.test(specifier);
}

function rowOf(folder: string): LayerRow | undefined {
  return layers.find(({ folders }) => folders.includes(folder));
}

/** `src/domain/task.ts` → `domain`; a file directly in src is its own folder. */
function folderOf(path: string): string {
  const [first = "", second = "", ...rest] = path.split("/");
  return first === "src" && rest.length > 0 ? second : path;
}

function resolveImport({ path }: SourceModule, specifier: string): string | undefined {
  return specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : undefined;
}

function internalTargets(module: SourceModule): string[] {
  return module.imports.flatMap(({ specifier }) => resolveImport(module, specifier) ?? []);
}

function externalImports({ imports }: SourceModule): Import[] {
  return imports.filter(({ specifier }) => !specifier.startsWith(".") && !isBuiltin(specifier));
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function headerOf(text: string): string[] | undefined {
  const body = /^(?:#!.*\n)?\s*\/\*\*([\s\S]*?)\*\//.exec(text)?.[1];
  return body
    ?.split("\n")
    .map((line) => line.replace(/^\s*\*?\s*/, "").trim())
    .filter((line) => line !== "");
}
