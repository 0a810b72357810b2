/** What an answer can be taken from, word for word. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quotable } from "../../../src/roles/working/quotable.ts";

const read = (output: string) => ({ tool: "read_file", output });

describe("what can be quoted", () => {
  test("is each line once, of what was read last first", () => {
    expect(quotable([read("one\n\n  two\n"), read("three\none")])).toEqual(["three", "one", "two"]);
  });

  test("is a list as a whole: what is left out of it would be wrong", () => {
    expect(quotable([{ tool: "list_directory", output: "a.md\nb/\n  c.md" }])).toEqual(["a.md\nb/\n  c.md"]);
  });

  test("is nothing where there is too much to choose from, and no line that is too long", () => {
    expect(quotable([read(Array.from({ length: 121 }, (_, index) => `line ${index}`).join("\n"))])).toEqual([]);
    expect(quotable([read(Array.from({ length: 50 }, (_, index) => `${index}`.padEnd(200, "x")).join("\n"))])).toEqual(
      [],
    );
    expect(quotable([read(`short\n${"x".repeat(401)}`)])).toEqual(["short"]);
    expect(quotable([])).toEqual([]);
  });

  test("was read, whatever was", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (outputs) => {
        const pieces = quotable(outputs.map(read));
        expect(new Set(pieces).size).toBe(pieces.length);
        for (const piece of pieces) expect(outputs.some((output) => output.includes(piece))).toBe(true);
      }),
    );
  });
});
