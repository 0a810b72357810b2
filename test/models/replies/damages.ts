/** What models and servers do to a well-formed call. Each keeps its one meaning. */
import { isJsonObject, type Json, type JsonObject } from "../../../src/lib/json.ts";
import type { Call, Family, Spelling } from "./family.ts";

export interface Damage {
  readonly name: string;
  readonly appliesTo: (family: Family) => boolean;
  /** Calls that show it; others would not be damaged. */
  readonly calls: readonly Call[];
  /** How JSON is spelt. */
  readonly spelling?: Spelling;
  /** What is done to the calls before they are written. */
  readonly rewrite?: (call: Call) => { readonly name: string; readonly arguments: Json };
  /** What is done to the reply. */
  readonly reply?: (text: string, family: Family) => string;
}

export const write: Call = { name: "write_file", arguments: { path: "notes/hello.txt", content: "Hello,\nworld!\n" } };
export const part: Call = { name: "read_file", arguments: { path: "src/app.py", line_start: 5, line_end: 20 } };
export const command: Call = { name: "shell_execute", arguments: { command: 'grep -n "TODO" src/*.ts | head -5' } };
export const edit: Call = {
  name: "edit_file",
  arguments: {
    path: "src/page.tsx",
    old_str: "if (a < b) {\n  return '</div>';\n}",
    new_str: 'return a && b ? "x" : `y`;',
  },
};
export const list: Call = { name: "list_directory", arguments: { path: "src" } };
export const search: Call = { name: "search_files", arguments: { pattern: "\\bopen\\(", path: "src" } };
export const script: Call = {
  name: "write_file",
  arguments: {
    path: "tools/make.js",
    content: 'const o = { a: [1, 2], b: "it\'s \\"x\\"" }; // {"name":"x"}\nconsole.log(`o.a \\\\ \\n`);\n\tok\n',
  },
};
const plain = { name: "write_file", arguments: { path: "a.txt", content: "one two" } };

const isJson = ({ kind }: Family): boolean => kind === "json";
const always = (): boolean => true;
const pretty: Spelling = (value) => JSON.stringify(value, null, 2);
const members = (value: JsonObject, key: (key: string) => string, one: Spelling): string =>
  Object.entries(value)
    .map(([name, inner]) => `${key(name)}: ${one(inner)}`)
    .join(", ");

interface Speller {
  readonly text?: (text: string) => string;
  readonly key?: (key: string) => string;
  readonly comma?: string;
  readonly words?: Readonly<Record<string, string>>;
}

const pythonWords = { null: "None", true: "True", false: "False" };

/** A spelling that differs in its texts, keys, commas or words. */
function spelt({ text = (value) => JSON.stringify(value), key = text, comma = "", words = {} }: Speller): Spelling {
  const spell: Spelling = (value) => {
    if (typeof value === "string") return text(value);
    if (Array.isArray(value)) return `[${(value as Json[]).map(spell).join(", ")}${comma}]`;
    if (isJsonObject(value)) return `{${members(value, key, spell)}${comma}}`;
    const word = JSON.stringify(value);
    return words[word] ?? word;
  };
  return spell;
}

export const damages: readonly Damage[] = [
  { name: "none", appliesTo: always, calls: [write, part, command, edit, search, script] },
  { name: "pretty", appliesTo: isJson, calls: [edit], spelling: pretty },
  {
    name: "single quotes",
    appliesTo: isJson,
    calls: [plain, { ...part }],
    spelling: spelt({ text: (t) => `'${t.replaceAll("\n", "\\n")}'` }),
  },
  {
    name: "typographic quotes",
    appliesTo: isJson,
    calls: [write],
    spelling: spelt({ text: (t) => `“${t.replaceAll("\n", "\\n")}”` }),
  },
  { name: "bare keys", appliesTo: isJson, calls: [write], spelling: spelt({ key: (k) => k }) },
  { name: "trailing commas", appliesTo: isJson, calls: [edit], spelling: spelt({ comma: "," }) },
  {
    name: "comments",
    appliesTo: isJson,
    calls: [write],
    spelling: (value) => pretty(value).replace(/,\n/, ', // as asked: "x", {y}\n').replace(/\}$/, "/* done */}"),
  },
  {
    name: "literal line ends",
    appliesTo: isJson,
    calls: [write, script],
    spelling: spelt({ text: (t) => JSON.stringify(t).replaceAll(/(?<!\\)((?:\\\\)*)\\n/g, "$1\n") }),
  },
  {
    name: "python words",
    appliesTo: isJson,
    calls: [part],
    rewrite: ({ name, arguments: args }) => ({ name, arguments: { ...args, explanation: null } }),
    spelling: spelt({ words: pythonWords, text: (t) => `'${t}'` }),
  },
  {
    name: "null for optional",
    appliesTo: ({ kind }) => kind !== "tags",
    calls: [list, command],
    rewrite: ({ name, arguments: args }) => ({
      name,
      arguments: { ...args, ...(name === "shell_execute" ? { timeout_seconds: null } : {}) },
    }),
  },
  {
    name: "numbers as text",
    appliesTo: always,
    calls: [part],
    rewrite: ({ name, arguments: args }) => ({ name, arguments: { ...args, line_start: "5", line_end: "20" } }),
  },
  {
    name: "other names",
    appliesTo: always,
    calls: [write, part],
    rewrite: ({ name, arguments: { path, content, line_start, line_end } }) => ({
      name: name === "write_file" ? "writeFile" : "functions.read_file",
      arguments:
        content === undefined
          ? { file_path: path ?? "", start_line: line_start ?? 1, end_line: line_end ?? 1 }
          : { filePath: path ?? "", content },
    }),
  },
  {
    name: "a short name",
    appliesTo: always,
    calls: [command],
    rewrite: ({ arguments: { command: cmd } }) => ({ name: "shell_execute", arguments: { cmd: cmd ?? "" } }),
  },
  {
    name: "a remark",
    appliesTo: always,
    calls: [write],
    rewrite: ({ name, arguments: args }) => ({ name, arguments: { reasoning: "The task asks for it.", ...args } }),
  },
  {
    name: "encoded twice",
    appliesTo: ({ kind, name }) => kind === "json" && name !== "flat",
    calls: [write, script],
    rewrite: ({ name, arguments: args }) => ({ name, arguments: JSON.stringify(args) }),
  },
  ...["arguments", "input", "parameters", "properties"].map(
    (key): Damage => ({
      name: `wrapped in ${key}`,
      appliesTo: ({ kind, name }) => kind === "json" && name !== "flat",
      calls: [write],
      rewrite: ({ name, arguments: args }) => ({ name, arguments: { [key]: args } }),
    }),
  ),
  {
    name: "as a list",
    appliesTo: ({ kind, name }) => kind === "json" && name !== "flat",
    calls: [write],
    rewrite: ({ name, arguments: args }) => ({ name, arguments: [args] }),
  },
  {
    name: "as a list of values",
    appliesTo: ({ kind, name }) => kind === "json" && name !== "flat" && name !== "apertus",
    calls: [write],
    rewrite: ({ name, arguments: args }) => ({ name, arguments: Object.values(args) }),
  },
  {
    name: "unicode escapes",
    appliesTo: isJson,
    calls: [{ name: "write_file", arguments: { path: "ä.txt", content: "Grüße, 世界 🌍" } }],
    spelling: (value) =>
      JSON.stringify(value).replaceAll(
        /[\u0080-\uFFFF]/g,
        (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
      ),
  },
  {
    name: "a bracket too many",
    appliesTo: ({ kind, name, closing }) => kind === "json" && closing !== undefined && !name.startsWith("command-r7b"),
    calls: [write],
    reply: (text, { closing = "" }) => `${text.slice(0, text.lastIndexOf(closing))}}${closing}`,
  },
  {
    name: "the last bracket missing",
    appliesTo: ({ kind, name, closing }) =>
      kind === "json" && closing !== undefined && !name.startsWith("deepseek v3 "),
    calls: [write, command],
    reply: (text, { closing = "" }) => {
      const at = text.lastIndexOf(closing);
      return `${text.slice(0, at).trimEnd().slice(0, -1)}${closing}`;
    },
  },
  {
    name: "closing marks missing",
    appliesTo: ({ closing }) => closing !== undefined,
    calls: [write, part],
    reply: (text, { closing = "" }) => text.slice(0, text.lastIndexOf(closing)),
  },
  {
    name: "after a thought",
    appliesTo: always,
    calls: [write],
    reply: (text) =>
      `<think>\nI could call {"name":"delete_file","arguments":{"path":"a"}} but no.\n</think>\n\n${text}`,
  },
  {
    name: "after a thought whose opening is lost",
    appliesTo: always,
    calls: [part],
    reply: (text) => `The user wants a part of the file.\nI read it.\n</think>\n\n${text}`,
  },
  {
    name: "after a sentence",
    appliesTo: ({ isAlone }) => isAlone !== true,
    calls: [write, command],
    reply: (text) => `I'll do that now.\n\n${text}`,
  },
  {
    name: "after a neutral sentence",
    appliesTo: ({ isAlone }) => isAlone !== true,
    calls: [part],
    reply: (text) => `The file has to be read first.\n\n${text}\n`,
  },
  { name: "with a BOM", appliesTo: always, calls: [write], reply: (text) => `\uFEFF${text}` },
  { name: "with CRLF", appliesTo: always, calls: [list, command], reply: (text) => text.replaceAll("\n", "\r\n") },
  {
    name: "an end mark behind",
    appliesTo: ({ isAlone }) => isAlone !== true,
    calls: [write],
    reply: (text) => `${text}<|im_end|>`,
  },
  {
    name: "content that is a call",
    appliesTo: ({ kind }) => kind !== "tags",
    calls: [
      {
        name: "write_file",
        arguments: {
          path: "doc.md",
          content: `Write:\n<tool_call>\n{"name":"delete_file","arguments":{"path":"a"}}\n</tool_call>\n\`\`\`json\n{"name":"read_file","arguments":{"path":"b"}}\n\`\`\`\n`,
        },
      },
    ],
  },
  {
    name: "content of 100 kB",
    appliesTo: always,
    calls: [
      {
        name: "write_file",
        arguments: { path: "big.txt", content: 'A line, with "quotes", {braces} and \\ in it.\n'.repeat(2400) },
      },
    ],
  },
  { name: "two calls", appliesTo: always, calls: [] },
];
