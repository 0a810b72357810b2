/** What is gone after small work: whether it was to go, which plays that agree do not prove. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { losesOnlyWhatItShould } from "../../../../src/roles/verifying/replicas/losses.ts";
import { outcomeOf } from "../../../../src/roles/verifying/replicas/outcome.ts";

type Texts = Readonly<Record<string, string>>;
const filesOf = (texts: Texts) => new Map(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)]));

function isRight(job: string, before: Texts, after: Texts): boolean {
  const files = filesOf(before);
  const outcome = outcomeOf(job, { before: files, after: filesOf(after), said: "", shown: [] });
  return losesOnlyWhatItShould(job, outcome, files);
}

const package1 = '{\n  "name": "x",\n  "version": "1.0.0"\n}\n';

describe("what is gone was to go", () => {
  test.each<[string, Texts, Texts]>([
    ["Delete notes.bak", { "notes.bak": "old" }, {}],
    ["Lösche notes.bak", { "notes.bak": "old" }, {}],
    ["删除 notes.bak", { "notes.bak": "old" }, {}],
    ["Remove the second line of a.txt", { "a.txt": "one\ntwo" }, { "a.txt": "one" }],
    ["Replace what stands in a.txt by new", { "a.txt": "one two" }, { "a.txt": "new" }],
    ["Rename a.txt to b.txt", { "a.txt": "Grüße" }, { "b.txt": "Grüße\n" }],
    ["Move a.txt and b.txt into c", { "a.txt": "x", "b.txt": "x" }, { "c/a.txt": "x", "c/b.txt": "x" }],
    ["Fix the version: it must be 2.0.0", { p: package1 }, { p: package1.replace("1.0.0", "2.0.0") }],
    ["Fix the version: it must be 2.0.0", { p: package1 }, { p: '{"name":"x","version":"2.0.0"}' }],
    ["Write ready into a.txt", { "a.txt": "" }, { "a.txt": "ready" }],
    ["Write ready into a.txt", { "a.txt": "waiting" }, { "a.txt": "ready" }],
    ["Write ready into a.txt", {}, { "a.txt": "ready" }],
    ["Add two to a.txt", { "a.txt": "one" }, { "a.txt": "one\ntwo" }],
  ])("in %s", (job, before, after) => expect(isRight(job, before, after)).toBe(true));

  test.each<[string, Texts, Texts]>([
    ["Fix the version in package.json: it must be 2.0.0", { "package.json": package1 }, {}],
    ["Fix the version in package.json: it must be 2.0.0", { "package.json": package1 }, { "package.json": "2.0.0" }],
    ["Fix the version in package.json: it must be 2.0.0", { "package.json": package1 }, { "package.json": "" }],
    ["Rename a.txt to b.txt", { "a.txt": "one two" }, { "b.txt": "one" }],
    ["Rename a.txt to b.txt", { "a.txt": "one" }, {}],
    ["Add two to a.txt", { "a.txt": "one one one" }, { "a.txt": "one two" }],
    ["Write a formal letter to a.txt", { "a.txt": "one", "b.txt": "two" }, { "a.txt": "one" }],
  ])("not in %s", (job, before, after) => expect(isRight(job, before, after)).toBe(false));

  test("whatever stood there: adding and moving lose nothing, leaving out does", () => {
    const words = fc.array(fc.stringMatching(/^[a-z0-9]{1,8}$/), { minLength: 1 });
    fc.assert(
      fc.property(words, words, (stood, added) => {
        const [text, more] = [stood.join(" "), added.join("\n")];
        expect(isRight("Add it", { "0.txt": text }, { "0.txt": `${more}\n${text}` })).toBe(true);
        expect(isRight("Move it", { "0.txt": text }, { "1.txt": text })).toBe(true);
        expect(isRight("Fix it", { "0.txt": text }, {})).toBe(false);
        expect(isRight("Fix it", { "0.txt": text }, { "0.txt": stood.slice(1).join(" ") })).toBe(false);
      }),
    );
  });
});
