/** What was written: whether each word of it comes from the job, or from what stood there. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { outcomeOf } from "../../../../src/roles/verifying/replicas/outcome.ts";
import { comesFromTheJob } from "../../../../src/roles/verifying/replicas/sources.ts";

type Texts = Readonly<Record<string, string>>;
const filesOf = (texts: Texts) => new Map(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)]));

function comes(job: string, after: Texts, before: Texts = {}): boolean {
  const files = filesOf(before);
  return comesFromTheJob(job, outcomeOf(job, { before: files, after: filesOf(after), said: "", shown: [] }), files);
}

describe("what was written comes from the job", () => {
  test.each<[string, Texts, Texts]>([
    ["Make data/list.csv with the header name,age", { "data/list.csv": "name,age\n" }, {}],
    ["Write Grüße into a.txt", { "a.txt": "Grüße" }, {}],
    ["Create the empty file a.txt", { "a.txt": "" }, {}],
    ["Set debug to true in a.json", { "a.json": '{"debug": true, "n": 2}' }, { "a.json": '{"debug": false, "n": 2}' }],
    ["Copy a.txt to b.txt", { "a.txt": "see a.txt", "b.txt": "see a.txt" }, { "a.txt": "see a.txt" }],
    ["Delete a.txt", {}, { "a.txt": "one" }],
  ])("in %s", (job, after, before) => expect(comes(job, after, before)).toBe(true));

  test.each<[string, Texts, Texts]>([
    ["Make data/list.csv with the header name,age", { "data/list.csv": "data/list.csv" }, {}],
    ["Make data/list.csv with the header name,age", { "data/list.csv": "list.csv\n" }, {}],
    ["Make data/list.csv with the header name,age", { "data/list.csv": "age = 10" }, {}],
    ["Write hello into a.txt", { "a.txt": "hello", "b.txt": "bye" }, {}],
    ["Write hello into a.txt", { "a.txt": "hëllo" }, {}],
    ["Add four to a.txt", { "a.txt": "one two 3" }, { "a.txt": "one two" }],
  ])("not in %s", (job, after, before) => expect(comes(job, after, before)).toBe(false));

  test("whatever the words are, and with no other among them", () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), fc.array(word), word, (asked, stood, other) => {
        const [job, before] = [`Put ${asked.join(" ")} into 1.txt`, { "0.txt": stood.join(" ") }];
        const written = [...asked, ...stood].toReversed().join("\n");
        expect(comes(job, { ...before, "1.txt": written }, before)).toBe(true);
        expect(comes(job, { ...before, "1.txt": `${written} x${other}9` }, before)).toBe(false);
      }),
    );
  });
});
