/** The laws of an edit, for every file and every pair of texts; and single cases that corpora do not make. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { edited } from "../../../src/tools/edits/edit.ts";
import { bytesOf, fileTextOf } from "../../../src/tools/edits/file-text.ts";

function editedText(file: string, old: string, fresh: string, replaceAll = false): string | null {
  const outcome = edited(fileTextOf(Buffer.from(file)), { old, fresh, replaceAll });
  if (outcome.kind === "refused") return null;
  return outcome.kind === "edited" ? bytesOf(outcome.file).toString("utf8") : file;
}

function refusalOf(file: string, old: string, fresh: string): string {
  const outcome = edited(fileTextOf(Buffer.from(file)), { old, fresh, replaceAll: false });
  return outcome.kind === "refused" ? outcome.refusal.kind : outcome.kind;
}

const word = fc.constantFrom(
  "alpha",
  "beta",
  "gamma",
  "delta",
  "{",
  "}",
  "return",
  "x = 1",
  "“q”",
  "if (a) {",
  "// note",
);
const line = fc
  .tuple(fc.constantFrom("", "  ", "    ", "\t"), word, fc.constantFrom("", " ", "\f"))
  .map((parts) => parts.join(""));
const anyLine = fc.oneof({ weight: 4, arbitrary: line }, { weight: 1, arbitrary: fc.constant("") });
const lines = fc.array(anyLine, { minLength: 1, maxLength: 30 });
const end = fc.constantFrom("\n", "\r\n");

describe("an edit", () => {
  test("splices a text that stands once, literally", () =>
    fc.assert(
      fc.property(lines, fc.nat(), fc.nat(), lines, (file, from, length, fresh) => {
        const text = file.join("\n");
        const start = from % text.length || 0;
        const old = text.slice(start, start + 1 + (length % 40));
        fc.pre(old !== "" && text.indexOf(old) === text.lastIndexOf(old) && old !== fresh.join("\n"));
        const whole = `${text}\nlast line of all\n`;
        fc.pre(whole.indexOf(old) === whole.lastIndexOf(old));
        const outcome = editedText(whole, old, fresh.join("\n"));
        expect(outcome).toBe(whole.slice(0, start) + fresh.join("\n") + whole.slice(start + old.length));
      }),
    ));

  test("touches no line outside of the block, whatever it makes of it", () =>
    fc.assert(
      fc.property(lines, lines, lines, lines, end, (before, block, after, fresh, ending) => {
        const drifted = block.map((text) => `${text.replaceAll("  ", "\t")} `).join("\n");
        const [head, tail] = [
          [...before, "first bound"],
          ["second bound", ...after],
        ];
        const file = [...head, ...block, ...tail].map((text) => text + ending).join("");
        const outcome = editedText(
          file,
          `first bound\n${drifted}\nsecond bound`,
          `first bound\n${fresh.join("\n")}\nsecond bound`,
        );
        if (outcome === null) return;
        expect(outcome.startsWith(head.map((text) => text + ending).join(""))).toBe(true);
        expect(outcome.endsWith(tail.map((text) => text + ending).join(""))).toBe(true);
      }),
      { numRuns: 300 },
    ));

  test("keeps line ends, the byte order mark, and whether a newline stands last", () =>
    fc.assert(
      fc.property(
        lines,
        lines,
        fc.nat(),
        fc.boolean(),
        fc.boolean(),
        end,
        (block, fresh, at, hasMark, isEnded, ending) => {
          const all = [...block, "the last line"];
          const file = (hasMark ? "\uFEFF" : "") + all.join(ending) + (isEnded ? ending : "");
          const start = at % all.length;
          const outcome = editedText(file, all.slice(start).join("\n"), [...fresh, "end"].join("\n"));
          if (outcome === null) return;
          expect(outcome.startsWith("\uFEFF")).toBe(hasMark);
          expect(outcome.endsWith(ending)).toBe(isEnded);
          expect(outcome.replaceAll(ending, "")).not.toMatch(/[\r\n]/);
        },
      ),
    ));

  test("comes to an end on any two texts, and never throws", () => {
    expect.hasAssertions();
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 300 }),
        fc.string({ unit: "binary", maxLength: 60 }),
        fc.string(),
        (file, old, fresh) => {
          expect(["empty", "nowhere", "several", "half-sign", "edited", "unchanged"]).toContain(
            refusalOf(file, old, fresh),
          );
        },
      ),
    );
  });

  test("keeps bytes that are no text", () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0x61, 0x62, 0x63, 0x64, 0x20, 0x0d, 0x0a, 0x0d, 0x0a, 0x80]);
    const outcome = edited(fileTextOf(bytes), { old: "  abcd", fresh: "  efgh", replaceAll: false });
    expect(outcome.kind === "edited" && bytesOf(outcome.file)).toEqual(
      Buffer.concat([bytes.subarray(0, 4), Buffer.from("efgh\r\n"), bytes.subarray(11)]),
    );
  });
});

describe("hostile texts", () => {
  const many = (text: string, count: number) => `${text}\n`.repeat(count);

  test.each([
    ["100 000 equal lines", many("same", 100_000), many("same ", 1000), "several"],
    ["100 000 equal lines, one invented", many("same", 100_000), `${many("same ", 500)}other line\n`, "nowhere"],
    ["two lines that alternate", many("a line\nb line", 50_000), `a  line\n${many("b line", 8)}`, "nowhere"],
    ["equal comments", many("# a note on it\ncode line", 50_000), many("# one note on it\ncode line ", 40), "nowhere"],
    ["one line of 4 000 000 letters", "x".repeat(4_000_000), `${"x".repeat(1000)}y`, "nowhere"],
    ["a line of blanks only", `${" ".repeat(2_000_000)}x`, `${"\t".repeat(1000)}y`, "nowhere"],
    ["marks that compose", `a${"\u0316\u0301".repeat(200_000)}`, "a\u0316b", "nowhere"],
    ["NULs", "a\0b\0\n".repeat(10_000), "a\0c\0", "nowhere"],
    ["half a character", "abcd\n", "abcd\ud800", "half-sign"],
    ["quotes that never close", many("'\"`", 20_000), "'\\n\"\\n`\\n".repeat(5000), "nowhere"],
    ["an old text longer than the file", "abcd\n", many("abcde fgh", 50_000), "nowhere"],
    ["line separators that are none", "one\u2028two\u0085three\f\n", "one\ntwo", "nowhere"],
  ])("are answered: %s", (_, file, old, kind) => {
    expect(refusalOf(file, old, "something new")).toBe(kind);
  });
});

describe("the rules", () => {
  test.each([
    ["an empty old text", "a\n", "", "b", "empty"],
    ["the same text twice", "a = 1\na = 1\n", "a = 1", "a = 2", "several"],
    [
      "text left out",
      "abcd = 1\nefgh = 2\nijkl = 3\n",
      "abcd = 1\nefgh = 2\nijkl = 3",
      "abcd = 2\n// ... rest unchanged",
      "elision",
    ],
    [
      "flattened lines",
      "if a:\n    foo(1)\n    if b:\n        bar(2)\n",
      "if a:\nfoo(1)\nif b:\nbar(2)",
      "if a:\nfoo(1)\nif b:\nbaz(3)\nbar(2)",
      "indentation",
    ],
    [
      "a line in the way",
      "one = 1\ntwo = 2\nthree = 3\nfour = 4\nfive = 5\n",
      "one = 1\ntwo = 2\nfour = 4\nfive = 5",
      "one = 1\ntwo = 2\nnew\nfour = 4\nfive = 5",
      "in-the-way",
    ],
  ])("refuse %s", (_, file, old, fresh, kind) => {
    expect(refusalOf(file, old, fresh)).toBe(kind);
  });

  test.each([
    [
      "escapes that a model left in",
      'say("a")\nsay("b")\n',
      'say(\\"a\\")\nsay(\\"b\\")\n',
      'say(\\"c\\")\nsay(\\"b\\")\n',
      'say("c")\nsay("b")\n',
    ],
    ["the final newline where it is all an edit is about", "one\ntwo", "two", "two\n", "one\ntwo\n"],
    [
      "a place of two that differs in trailing blanks only",
      "  foo(1)\nfoo(1)\nbar\n",
      "foo(1) \nbar",
      "foo(2)\nbar",
      "  foo(1)\nfoo(2)\nbar\n",
    ],
    [
      "a blank line that the new text brings",
      "one = 1\n\ntwo = 2\n",
      "one = 1 \ntwo = 2",
      "one = 1 \n\nand\ntwo = 2",
      "one = 1\n\nand\ntwo = 2\n",
    ],
    [
      "deeper levels by a tab's width",
      "\tif a {\n\t\tb(1)\n\t}\n",
      "    if a {\n        b(1)\n    }",
      "    if a {\n        if c {\n            b(1)\n        }\n    }",
      "\tif a {\n\t\tif c {\n\t\t\tb(1)\n\t\t}\n\t}\n",
    ],
  ])("write %s", (_, file, old, fresh, right) => {
    expect(editedText(file, old, fresh)).toBe(right);
  });
});
