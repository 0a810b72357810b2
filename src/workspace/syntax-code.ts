/** Parses program text with tree-sitter. Runtime and grammars are WebAssembly, loaded when the first file of a kind comes. */
import { fileURLToPath } from "node:url";
import type { Language, Node } from "web-tree-sitter";

export type Grammar = "javascript" | "python" | "tsx" | "typescript";

const grammars: Readonly<Record<string, Grammar>> = {
  cjs: "javascript",
  cts: "typescript",
  js: "javascript",
  jsx: "javascript",
  mjs: "javascript",
  mts: "typescript",
  py: "python",
  pyi: "python",
  ts: "typescript",
  tsx: "tsx",
};

const loaded = new Map<Grammar, Promise<Language>>();

export function grammarOf(extension: string): Grammar | undefined {
  return Object.hasOwn(grammars, extension) ? grammars[extension] : undefined;
}

/** @returns where `text` breaks the grammar, or null when it does not */
export async function brokenCode(grammar: Grammar, text: string): Promise<string | null> {
  const { Parser } = await import("web-tree-sitter");
  const language = await languageOf(grammar);
  const parser = new Parser();
  try {
    parser.setLanguage(language);
    const tree = parser.parse(text);
    if (tree === null) return null;
    try {
      return tree.rootNode.hasError ? describe(firstError(tree.rootNode)) : null;
    } finally {
      tree.delete();
    }
  } finally {
    // Memory of the WebAssembly heap is not collected.
    parser.delete();
  }
}

async function languageOf(grammar: Grammar): Promise<Language> {
  const known = loaded.get(grammar) ?? load(grammar);
  loaded.set(grammar, known);
  return await known;
}

async function load(grammar: Grammar): Promise<Language> {
  const { Language, Parser } = await import("web-tree-sitter");
  await Parser.init();
  const file = import.meta.resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${grammar}.wasm`);
  return await Language.load(fileURLToPath(file));
}

/** The innermost faulty node that comes first in the text. */
function firstError(node: Node): Node {
  if (node.isError || node.isMissing) return node;
  const child = node.children.find((candidate) => candidate !== null && (candidate.hasError || candidate.isMissing));
  return child ? firstError(child) : node;
}

function describe(node: Node): string {
  const place = `line ${node.startPosition.row + 1}, column ${node.startPosition.column + 1}`;
  const near = node.text.split("\n")[0]?.slice(0, 60) ?? "";
  if (node.isMissing) return `Syntax error at ${place}: missing ${JSON.stringify(node.type)}`;
  return near === "" ? `Syntax error at ${place}` : `Syntax error at ${place}, near ${JSON.stringify(near)}`;
}
