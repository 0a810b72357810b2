import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultRules } from "../../src/domain/rules.ts";
import { type Band, bandOf, type ConfidenceInput, confidenceOf, type Gate, gateOf } from "../../src/domain/verdict.ts";
import { verdict } from "../support/happenings.ts";

const input = (more: Partial<ConfidenceInput> = {}): ConfidenceInput => ({
  verdict: verdict({ confidence: 1 }),
  retries: 0,
  retriesMax: 3,
  destructive: false,
  toolCalls: 4,
  toolCallsFailed: 0,
  ...more,
});
const check = (passed: boolean) => ({ name: "n", passed, detail: "" });

describe("confidence in verified work", () => {
  test.each([
    ["everything speaks for it", input(), 1],
    [
      "half of the checks failed",
      input({ verdict: verdict({ confidence: 1, checks: [check(true), check(false)] }) }),
      0.85,
    ],
    ["tier 2 doubts it", input({ verdict: verdict({ confidence: 0.6 }) }), 0.88],
    ["tier 2 did not run", input({ verdict: verdict({ tier: 1, confidence: 0.1 }), toolCallsFailed: 4 }), 0.8571],
    ["no check could be made", input({ verdict: verdict({ confidence: 0.5, checks: [] }) }), 0.7857],
    ["all retries were needed", input({ retries: 3 }), 0.8],
    ["more than all retries were needed", input({ retries: 5, retriesMax: 0 }), 0.8],
    ["it deleted something", input({ destructive: true }), 0.9],
    ["half of its tool calls failed", input({ toolCallsFailed: 2 }), 0.95],
    ["it called no tool", input({ toolCalls: 0 }), 1],
  ])("is a weighted mean: %s", (_, given, score) => expect(confidenceOf(given).score).toBe(score));

  test.each([
    ["high", 0.8],
    ["medium", 0.7999],
    ["medium", 0.5],
    ["low", 0.4999],
    ["low", 0.2],
    ["zero", 0.1999],
  ])("is %s at %d", (band, score) => expect(bandOf(score)).toBe(band));

  test.each([
    ["tier 2 sees next to nothing in it", { confidence: 0.19 }, "zero"],
    ["tier 2 doubts it more than not", { confidence: 0.49 }, "low"],
    ["nobody could tell", { outcome: "inconclusive" }, "low"],
    ["its verifier is its maker", { independent: false }, "medium"],
    ["its verifier is its maker, and doubts it", { independent: false, confidence: 0.4 }, "low"],
    ["tier 1 alone spoke, which needs no model", { tier: 1, independent: false }, "high"],
  ] as const)("is held down when %s", (_, found, band) => {
    expect(confidenceOf(input({ verdict: verdict(found) })).band).toBe(band);
  });

  test("lies between 0 and 1, and never above the band of its score", () => {
    const order: readonly Band[] = ["zero", "low", "medium", "high"];
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const count = fc.nat(20);
    fc.assert(
      fc.property(
        share,
        count,
        count,
        count,
        fc.boolean(),
        fc.array(fc.boolean()),
        (confidence, a, b, calls, flag, checks) => {
          const judged = verdict({ confidence, independent: flag, checks: checks.map(check) });
          const bad = Math.min(calls, a);
          const found = confidenceOf(
            input({
              verdict: judged,
              retries: a,
              retriesMax: b,
              destructive: flag,
              toolCalls: calls,
              toolCallsFailed: bad,
            }),
          );
          expect(found.score).toBeGreaterThanOrEqual(0);
          expect(found.score).toBeLessThanOrEqual(1);
          expect(order.indexOf(found.band)).toBeLessThanOrEqual(order.indexOf(bandOf(found.score)));
        },
      ),
    );
  });
});

describe("what verified work leads to", () => {
  const scores: Readonly<Record<Band, number>> = { high: 0.9, medium: 0.6, low: 0.3, zero: 0.1 };
  const table: readonly (readonly ["auto" | "manual" | "confidence_threshold", Readonly<Record<Band, Gate>>])[] = [
    ["auto", { high: "proceed", medium: "flag", low: "ask", zero: "reject" }],
    ["manual", { high: "ask", medium: "ask", low: "ask", zero: "ask" }],
    ["confidence_threshold", { high: "proceed", medium: "ask", low: "ask", zero: "ask" }],
  ];

  test.each(table)("in mode %s is %j", (mode, gates) => {
    for (const band of ["high", "medium", "low", "zero"] as const) {
      expect(gateOf(mode, { band, score: scores[band] }, defaultRules)).toBe(gates[band]);
    }
  });

  test.each([
    [{ band: "medium", score: 0.6 }, 0.6, "proceed"],
    [{ band: "low", score: 0.3 }, 0.3, "proceed"],
    [{ band: "zero", score: 0.1 }, 0, "ask"],
    [{ band: "low", score: 0.95 }, 0.8, "ask"],
    [{ band: "medium", score: 0.95 }, 0.8, "ask"],
    [{ band: "medium", score: 0.95 }, 0.7, "proceed"],
  ] as const)("with %j against a threshold of %d is %s", (confidence, threshold, gate) => {
    const rules = { ...defaultRules, auto_approve_confidence_threshold: threshold };
    expect(gateOf("confidence_threshold", confidence, rules)).toBe(gate);
  });
});
