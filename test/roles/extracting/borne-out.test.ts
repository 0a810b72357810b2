/** What an extractor says stays as far as it was seen: the laws of the memory's grounding. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MemoryEntry } from "../../../src/domain/report.ts";
import { namesIn, wordsOf } from "../../../src/lib/words.ts";
import { borneOut } from "../../../src/roles/extracting/borne-out.ts";

const material = `## Goal
Let the server listen on port 8080, and say so in docs/setup.md.

## Tool calls
- read_file {"path":"src/server.ts"} → 1: const listenPort = 3000;
- edit_file {"path":"server.ts"} → ok

## Last words of the executor
The parser of arguments was left alone. 解析器在文件夹里。`;

function entry(summary: string, detail = "", tags: readonly string[] = []): MemoryEntry {
  return { entry_type: "discovery", summary, detail, tags, relevance_to: [] };
}

describe("an entry for the memory", () => {
  test.each([
    ["a path that was seen", "The server is in src/server.ts."],
    ["a folder and a name that were seen apart", "The setup stands in docs/server.ts."],
    ["a number that was seen", "It listens on port 8080 now."],
    ["a name of code that was seen", "The port is listenPort, 3000 before."],
    ["a word in another form", "Parsing was not touched."],
    ["a script without spaces", "解析器在这里。"],
    ["an idiom that looks like a name", "Read/write access to the server, e.g. of its port, is open."],
  ])("stays with %s", (_why, summary) => {
    expect(borneOut(entry(summary), material)?.summary).toBe(summary);
  });

  test.each([
    ["a path that nobody saw", "The server is in src/parse.py."],
    ["a number that nobody saw", "The server listens on port 9090."],
    ["a name of code that nobody saw", "The server calls parseArgs first."],
    ["nothing of what was seen", "What else is needed."],
    ["only small words in common with it", "This was not on the and."],
    ["no word at all", "…!"],
    ["nothing", ""],
  ])("goes with %s", (_why, summary) => {
    expect(borneOut(entry(summary, "The server is up."), material)).toBeNull();
  });

  test("keeps of many sentences those that hold, each once, the last of a repetition broken off", () => {
    const lie = "The parser is in src/parse.py.";
    const truth = "The server listens on 8080.";
    const given = entry(
      `${truth} ${lie} ${truth} The server lis`,
      `${lie} ${truth} Its file is server.ts.\nIts file is server.ts.\n- Its port is 3000.`,
      ["server", "", "fix-everything", "9090", "8080"],
    );
    expect(borneOut(given, material)).toEqual({
      ...given,
      summary: truth,
      detail: "Its file is server.ts.\n- Its port is 3000.",
      tags: ["server", "8080"],
    });
  });

  const text = fc.array(
    fc.oneof(
      fc.constantFrom(...wordsOf(material), ". ", "\n", "src/parse.py", "no_such_name", "4711"),
      fc.string({ unit: "grapheme", maxLength: 12 }),
    ),
    { maxLength: 40 },
  );
  const given = fc
    .record({ summary: text, detail: text, tags: fc.array(fc.string({ maxLength: 8 }), { maxLength: 3 }) })
    .map(({ summary, detail, tags }) => entry(summary.join(" "), detail.join(" "), tags));

  test("never has a name that was not seen, never grows, and is borne out once more as it is", () => {
    const seen = material.toLowerCase();
    fc.assert(
      fc.property(given, (one) => {
        const left = borneOut(one, material);
        if (left === null) return;
        for (const name of namesIn(`${left.summary}\n${left.detail}`))
          expect(name.split("/").every((part) => seen.includes(part))).toBe(true);
        expect(left.summary.length).toBeLessThanOrEqual(one.summary.length);
        expect(left.detail.length).toBeLessThanOrEqual(one.detail.length);
        expect(borneOut(left, material)).toEqual(left);
      }),
    );
  });
});
