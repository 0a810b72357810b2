/** Says whether a file reads as what its name promises. Only syntax; a file without a parser here gets no verdict. */
import { messageOf } from "../lib/errors.ts";
import type { Syntax } from "../ports/workspace.ts";
import { brokenCode, grammarOf } from "./syntax-code.ts";

export interface Parsed {
  readonly parsed: boolean;
  /** Where it broke; empty when it parsed. */
  readonly detail: string;
}

/** Parsing blocks the event loop for about a millisecond per 50 KB. */
const checkedBytesMax = 1024 * 1024;
const good: Parsed = { parsed: true, detail: "" };

export function createSyntax(): Syntax {
  return { check: checkSyntax };
}

async function checkSyntax(path: string, bytes: Uint8Array): Promise<Parsed | null> {
  const name = (path.split("/").at(-1) ?? path).toLowerCase();
  const extension = name.slice(name.lastIndexOf(".") + 1);
  if (bytes.length > checkedBytesMax || !name.includes(".")) return null;
  const text = new TextDecoder("utf-8").decode(bytes);
  if (isJson(name, extension))
    return json(allowsComments(path.toLowerCase(), name, extension) ? plainJson(text) : text);
  if (extension === "yaml" || extension === "yml") return await yaml(text);
  const grammar = grammarOf(extension);
  if (grammar === undefined) return null;
  const broken = await brokenCode(grammar, text);
  return broken === null ? good : { parsed: false, detail: broken };
}

function isJson(name: string, extension: string): boolean {
  return ["json", "jsonc", "webmanifest"].includes(extension) || name === ".eslintrc" || name === ".babelrc";
}

/** Where the tools that read these files allow comments and trailing commas. */
function allowsComments(path: string, name: string, extension: string): boolean {
  return (
    extension === "jsonc" ||
    /^(?:[tj]sconfig.*|\.eslintrc.*|\.babelrc.*|\.swcrc|\.oxlintrc\.json|devcontainer\.json|api-extractor\.json|renovate\.json)$/.test(
      name,
    ) ||
    /(?:^|\/)\.(?:vscode|devcontainer)\//.test(path) ||
    name.endsWith(".code-workspace")
  );
}

function json(text: string): Parsed {
  try {
    JSON.parse(text);
    return good;
  } catch (error) {
    return { parsed: false, detail: messageOf(error) };
  }
}

/** Takes out comments and trailing commas, strings left as they are; every character else keeps its place. */
function plainJson(text: string): string {
  const blank = (found: string) => (found.startsWith('"') ? found : found.replaceAll(/[^\n]/g, " "));
  return text
    .replaceAll(/"(?:\\.|[^"\\\n])*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, blank)
    .replaceAll(/"(?:\\.|[^"\\\n])*"|,(?=\s*[}\]])/g, blank);
}

async function yaml(text: string): Promise<Parsed | null> {
  // Templates of YAML are not YAML yet.
  if (text.includes("{{") || text.includes("{%")) return null;
  const { parseAllDocuments } = await import("yaml");
  const documents = parseAllDocuments(text, { logLevel: "silent" });
  const error = [...documents].flatMap(({ errors }) => errors)[0];
  return error === undefined ? good : { parsed: false, detail: error.message };
}
