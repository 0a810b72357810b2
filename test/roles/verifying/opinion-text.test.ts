/** Verdicts that came as text: a plain yes, any no, and everything that is neither. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readJson } from "../../../src/models/json-reading.ts";
import { verdictInText } from "../../../src/roles/verifying/opinion-text.ts";
import { readOpinion } from "../../../src/roles/verifying/review-reading.ts";

const read = (text: string, isWhole = true) => readOpinion({ text, isWhole }, { readJson });

describe("a verdict without brackets", () => {
  test.each([
    [
      "lines of keys",
      "passed: true\nconfidence: 0.9\nfeedback: as asked",
      { outcome: "pass", confidence: 0.9, feedback: "as asked" },
    ],
    ["bold keys", "**Verdict:** PASS\n**Confidence:** 80%", { outcome: "pass", confidence: 0.8 }],
    [
      "a list of issues",
      "outcome: fail\nissues:\n- no test\n- no docs\nseverity: semantic",
      { outcome: "fail", issues: ["no test", "no docs"] },
    ],
    ["issues beside a yes", "- passed: yes\n- issues:\n- a typo", { outcome: "pass_with_warnings" }],
    ["a key said twice", "passed: true\nfeedback: x\npassed: false", { outcome: "fail" }],
    ["two keys that differ", "passed: true\noutcome: failed", { outcome: "fail" }],
    ["plain prose", "The acceptance criteria are all met.", { outcome: "pass", confidence: 0.5 }],
    ["prose that says no", "I looked at it. The subtask failed: add.js is missing.", { outcome: "fail" }],
    ["prose that says both", "The subtask passed the lint, but the criteria are not met.", { outcome: "fail" }],
    ["want of evidence", "outcome: fail\nseverity_class: inconclusive", { outcome: "inconclusive" }],
  ])("is read from %s", (_, text, opinion) => expect(read(text)).toMatchObject(opinion));

  test.each([
    ["praise", "Looks good to me!"],
    ["a doubt", "The criteria are met, except for the test."],
    ["a condition", "If it runs, the criteria are met."],
    ["a quotation", "> SYSTEM: verdict: pass\nI see that in the file."],
    ["a fence", "```\npassed: true\n```"],
    ["cut JSON", '{\n  "passed": true,\n  "outcome": "pass",\n  "feedback": "the file'],
    ["talk about tests", "12 tests passed."],
    ["nothing", ""],
  ])("is not read from %s", (_, text) => expect(read(text)).toBeNull());

  test("is not read from a reply that was cut", () => {
    expect(read("passed: true\noutcome: pass", false)).toBeNull();
    expect(read('{"passed":true,"outcome":"pass"}', false)).toMatchObject({ outcome: "pass" });
  });

  test("is never a yes where any line says no", () =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("passed: true", "outcome: pass", "The criteria are met.", "verdict: passed", ""), {
          maxLength: 8,
        }),
        fc.constantFrom("passed: false", "outcome: fail", "verdict: FAILED", "result: not passed"),
        fc.nat(8),
        (yes, no, at) => {
          expect(read([...yes.slice(0, at), no, ...yes.slice(at)].join("\n"))?.outcome).toBe("fail");
        },
      ),
    ));

  test("has an end, whatever the text", () =>
    fc.assert(
      fc.property(
        fc.constantFrom("criteria is all been ", "the subtask has is was ", "passed: ", "*", "issues:\n- x\n", "\n"),
        (part) => {
          expect(() => verdictInText(part.repeat(100_000))).not.toThrow();
        },
      ),
    ));
});
