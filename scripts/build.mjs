/**
 * Bundles src/, and the packages it starts with, into dist/: it loads in a third of the time, and Node runs it from inside
 * node_modules too. `npm ci` in a checkout runs this; bin/loom.mjs takes dist/ only while nothing in src/ is newer.
 * Written so that old versions of Node can parse it, since it is part of the install.
 */
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const NODE_MAJOR_MIN = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** As deep as the folders of src/, so that what a file finds by its own place is found from here too. */
const out = join(root, "dist", "loom");
/** Threads are started by the name of their file. */
const entries = ["main.ts", "storage/writer-thread-main.ts", "tools/page-to-markdown.ts"];
/** Native, or they read files that lie beside them. */
const unbundled = [
  "@fastify/swagger-ui",
  "@vscode/ripgrep",
  "@vscode/tree-sitter-wasm",
  "better-sqlite3",
  "pino",
  "web-tree-sitter",
];

const obstacle = obstacleToBuilding();
if (obstacle === null) {
  await build();
} else {
  process.stdout.write(`dist/ is not built: ${obstacle} Loom runs from src/, and starts more slowly.\n`);
}

function obstacleToBuilding() {
  if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
    return `it needs Node.js ${NODE_MAJOR_MIN} or newer, and this is ${process.version}.`;
  }
  if (!existsSync(join(root, "node_modules", "rolldown"))) return "development packages were left out.";
  return null;
}

async function build() {
  const { rolldown } = await import("rolldown");
  const startedAt = new Date();
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const bundle = await rolldown({
    input: entries.map((entry) => join(root, "src", entry)),
    platform: "node",
    external: unbundled,
  });
  const { output } = await bundle.write({
    dir: out,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
  });
  await bundle.close();
  const files = output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
  writeFileSync(join(root, "dist", "LICENSES.txt"), licencesOf(packagesOf(files)));
  // What was changed while this ran may not be in it.
  utimesSync(join(out, "main.js"), startedAt, startedAt);
}

/**
 * @param {readonly string[]} files
 * @returns the folders of the packages that they are from
 */
function packagesOf(files) {
  const folders = files.flatMap((file) => {
    const path = relative(root, file).split(sep);
    const at = path.lastIndexOf("node_modules");
    if (at === -1) return [];
    const isScoped = String(path[at + 1]).startsWith("@");
    return [join(root, ...path.slice(0, at + (isScoped ? 3 : 2)))];
  });
  return [...new Set(folders)].sort();
}

/** @param {readonly string[]} folders */
function licencesOf(folders) {
  const texts = folders.map((folder) => {
    const { name, version, license } = manifestIn(folder);
    const files = readdirSync(folder).filter((file) => /^licen[cs]e/i.test(file));
    const text = files.map((file) => readFileSync(join(folder, file), "utf8").trim()).join("\n\n");
    return `${name} ${version} (${license ?? "its licence stands below"})\n\n${text}\n`;
  });
  return `dist/ holds code of these packages.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

/**
 * @param {string} folder
 * @returns {{ readonly name: string, readonly version: string, readonly license?: string }}
 */
function manifestIn(folder) {
  return /** @type {ReturnType<typeof manifestIn>} */ (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
}
