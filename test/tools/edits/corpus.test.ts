/** Done-when of the edits: over two thousand drifted edits of real code, none is written wrongly. */
import { expect, test } from "vitest";
import { corpus } from "./corpus.ts";
import { judged } from "./judged.ts";

const casesMin = 2000;
const rightMin = 0.99;

test("edits that drifted land where there is one right place, and nowhere else", () => {
  const counts = { right: 0, wrong: 0, refusedRightly: 0, refusedWrongly: 0 };
  const wrong: string[] = [];
  for (const one of corpus(1, 40)) {
    const judgement = judged(one);
    counts[judgement] += 1;
    if (judgement === "wrong") wrong.push(`${one.operator} in ${one.source}:\n${one.old}`);
  }
  expect(wrong).toEqual([]);
  const clear = counts.right + counts.refusedWrongly;
  expect(clear + counts.refusedRightly).toBeGreaterThanOrEqual(casesMin);
  expect(counts.refusedRightly).toBeGreaterThan(400);
  expect(counts.right / clear).toBeGreaterThanOrEqual(rightMin);
}, 120_000);
