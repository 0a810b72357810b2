/** What counts as a file that reads as what it is called. */
import { describe, expect, test } from "vitest";
import { createSyntax } from "../../src/workspace/syntax.ts";

const syntax = createSyntax();
const verdict = async (path: string, text: string) => await syntax.check(path, new TextEncoder().encode(text));

describe("a file with a parser", () => {
  test.each([
    ["a.json", '{"a": [1, 2]}'],
    ["a.json", '\uFEFF{"a": 1}'],
    ["tsconfig.base.json", '// why\n{"a": "// no comment", "b": [1, 2,], /* c */}'],
    [".vscode/settings.json", '{"url": "http://x", // why\n}'],
    ["a.jsonc", "/* a */ {}"],
    [".eslintrc", '{"rules": {},}'],
    ["a.yaml", "a: 1\n---\nb: !Ref x\n"],
    ["a.py", "def f(x: int) -> str:\n    match x:\n        case 1: return f'{x}'\n"],
    ["a.js", "export const a = async () => { for await (const x of y) {} }; const b = <div>{a}</div>;"],
    ["a.mjs", "import a from 'a'; class B { #c = 1; static { } }"],
    ["a.cjs", "module.exports = { a: 1 };"],
    ["a.ts", "export const a = <T>(b: T): b is T => true; enum C { D }"],
    ["a.tsx", "export const A = (p: { a: string }) => <b>{p.a}</b>;"],
    ["empty.py", ""],
  ])("parses: %s %j", async (path, text) => {
    expect(await verdict(path, text)).toEqual({ parsed: true, detail: "" });
  });

  test.each([
    ["a.json", '{"a": 1,}', /JSON/],
    ["package.json", "// no\n{}", /JSON/],
    ["a.json", "", /JSON/],
    ["a.yml", "a: [1\nb: 2", /./],
    ["a.py", "def f(:\n    pass\n", /line 1/],
    ["a.py", "x = 1\nif x\n    y", /line 2/],
    ["a.js", "const a = ;", /line 1/],
    ["a.ts", "let a: number = 1;\nfunction (", /line 2/],
    ["a.ts", "if (a) { b();", /missing/],
    ["a.tsx", "const a = <b>;", /line 1/],
  ])("does not parse: %s %j", async (path, text, detail) => {
    const found = await verdict(path, text);
    expect(found?.parsed).toBe(false);
    expect(found?.detail).toMatch(detail);
  });
});

describe("a file without a parser", () => {
  test.each([
    ["a.txt", "{"],
    ["Makefile", "("],
    ["a.toml", "= ="],
    ["chart/deployment.yaml", "a: {{ .Values.a }}\n  b: ["],
    ["a.constructor", "x"],
    ["big.json", `[${" ".repeat(1024 * 1024)}`],
  ])("gets no verdict: %s", async (path, text) => {
    expect(await verdict(path, text)).toBeNull();
  });
});
