/** JSON out of what models write: what is read, what is mended, what is left alone. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readJson } from "../../src/models/json-reading.ts";

describe("a reply that holds JSON", () => {
  test.each<[string, string, unknown, string[]]>([
    ["plain", '{"a":1}', { a: 1 }, []],
    ["in white space", " \n[1,2]\n", [1, 2], []],
    ["in a fence", '```json\n{"a":1}\n```', { a: 1 }, ["fence_removed"]],
    ["in a fence without an end", '```json\n{"a":1}', { a: 1 }, ["fence_removed"]],
    ["in a fence, prose around", 'Sure!\n```\n{"a":1}\n```\nDone.', { a: 1 }, ["fence_removed"]],
    ["in prose", 'Here it is: {"a": {"b": [1]}} as asked.', { a: { b: [1] } }, ["prose_removed"]],
    [
      "after a smaller aside",
      'As in [1] and {x}, I say {"passed": true, "issues": []}',
      { passed: true, issues: [] },
      ["prose_removed"],
    ],
    ["with trailing commas", '{"a":[1,2,],}', { a: [1, 2] }, ["json_repaired"]],
    ["with bare keys", "{a: 1, b: 'two'}", { a: 1, b: "two" }, ["json_repaired"]],
    ["with Python words", '{"a": True, "b": None, "c": False}', { a: true, b: null, c: false }, ["json_repaired"]],
    ["with closers missing", '{"a":[{"b":1},{"c":2', { a: [{ b: 1 }, { c: 2 }] }, ["brackets_closed"]],
    ["after thoughts", '<think>{"a":0}?</think>\n{"a":1}', { a: 1 }, ["thinking_stripped"]],
    ["after thoughts that the template opened", 'let me see\n</think>\n{"a":1}', { a: 1 }, ["thinking_stripped"]],
    ["with a fence in a string", '{"a":"```js\\n{}\\n```",}', { a: "```js\n{}\n```" }, ["json_repaired"]],
    ["with brackets in a string", 'x {"a":"}{"} y', { a: "}{" }, ["prose_removed"]],
  ])("is read: %s", (_name, text, value, repaired) => {
    expect(readJson(text)).toEqual({ value, repaired });
  });

  test.each([
    ["no JSON at all", "I could not do it."],
    ["nothing", ""],
    ["cut within a string", '{"path":"a.txt","content":"half of'],
    ["cut within a string, later", 'Here: {"subtasks":[{"id":"a"},{"id":"b","description":"fo'],
    ["thoughts without an end", '<think>maybe {"a":1}'],
  ])("is not made up from %s", (_name, text) => {
    expect(readJson(text)).toBeNull();
  });
});

describe("any JSON object", () => {
  const anyObject = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }));

  test("is read back as it is, bare or in a fence", () =>
    fc.assert(
      fc.property(anyObject, (value) => {
        const same = JSON.parse(JSON.stringify(value)) as unknown;
        expect(readJson(JSON.stringify(value))?.value).toEqual(same);
        expect(readJson(`Here:\n\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\`\n`)?.value).toEqual(same);
      }),
    ));

  test("cut anywhere is either not read, or not read as less than was there in whole", () =>
    fc.assert(
      fc.property(anyObject, fc.nat(), (value, at) => {
        const text = JSON.stringify(value);
        const read = readJson(text.slice(0, 1 + (at % text.length)));
        if (read === null) return;
        for (const key of Object.keys(read.value as object)) expect(Object.keys(value)).toContain(key);
      }),
    ));
});
