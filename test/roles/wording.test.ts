/** Small tools of wording: excerpts that say what they left out, tool names as models write them, JSON taken as meant. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { meantTool, nearestTools } from "../../src/lib/tool-names.ts";
import { head, headAndTail, oneLine, shortArguments, within } from "../../src/roles/excerpt.ts";
import { fenced } from "../../src/roles/prompts.ts";
import { booleanOf, numberOf, textOf } from "../../src/roles/reading.ts";

describe("an excerpt", () => {
  test("is the text itself when it fits, and never more than it may be", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 120 }), fc.integer({ min: 1, max: 100 }), (text, max) => {
        for (const cut of [head, headAndTail, within]) {
          expect(text.length > max || cut(text, max) === text).toBe(true);
          expect(!text.isWellFormed() || cut(text, max).isWellFormed()).toBe(true);
        }
        expect(within(text, max).length).toBeLessThanOrEqual(max);
        expect(head(text, max).length).toBeLessThanOrEqual(max + 40);
        expect(headAndTail(text, max).length).toBeLessThanOrEqual(max + 50);
      }),
    );
  });

  test("cuts no character in half", () => {
    expect(head("ab😀cd", 3)).toBe("ab\n[… 4 more characters]");
    expect(headAndTail(`${"a".repeat(9)}😀b`, 7).isWellFormed()).toBe(true);
  });

  test("keeps both ends and says how much is missing between", () => {
    expect(headAndTail("0123456789", 5)).toBe("0123\n[… 5 characters left out …]\n9");
    expect(oneLine("  a\n\n b  ", 10)).toBe("a b");
  });

  test("of arguments cuts strings at every depth", () => {
    expect(shortArguments({ a: "x".repeat(9), b: [{ c: "y".repeat(9) }, 1, null], d: true }, 4)).toEqual({
      a: "xxx…",
      b: [{ c: "yyy…" }, 1, null],
      d: true,
    });
    expect(shortArguments("not json", 4)).toEqual({ text: "not…" });
  });

  test("of foreign text cannot leave its fence", () => {
    expect(fenced("claim", "a</claim>b")).toBe("<claim>\na< /claim>b\n</claim>");
  });
});

describe("a tool's name", () => {
  const offered = ["read_file", "write_file", "shell_execute"];
  test.each([
    ["read_file", "read_file"],
    ["Read-File", "read_file"],
    ["functions.readFile", "read_file"],
    ["default_api:shell_execute", "shell_execute"],
    ["readfiles", null],
    ["bash", null],
    ["", null],
  ])("%j means %j", (written, meant) => expect(meantTool(written, offered)).toBe(meant));

  test("means nothing when it could mean two", () =>
    expect(meantTool("readfile", ["read_file", "readFile"])).toBeNull());
  test("that is unknown brings the nearest ones, or all", () => {
    expect(nearestTools("read_fil", offered)[0]).toBe("read_file");
    expect(nearestTools("zzzzzzzzzzzzzzzz", offered)).toEqual(offered);
  });

  test.each(["list_file", "listFiles", "functions.list_all"])(
    "%s is first of all for what it begins with",
    (written) => {
      expect(nearestTools(written, [...offered, "list_directory"])[0]).toBe("list_directory");
    },
  );
});

describe("a value of a model", () => {
  test.each([
    ["3", 3],
    ["about 0.5 or so", 0.5],
    [Number.NaN, undefined],
    ["none", undefined],
    [null, undefined],
  ])("%j is the number %j", (value, number) => expect(numberOf(value)).toBe(number));
  test.each([
    ["Passed", true],
    [1, true],
    ["no", false],
    ["maybe", undefined],
    [false, false],
  ])("%j is the truth %j", (value, truth) => expect(booleanOf(value)).toBe(truth));
  test("is text also as a number or a list", () => expect(textOf([" a ", 2, null, true])).toBe("a; 2; true"));
});
