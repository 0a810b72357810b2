import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { costMicroUsd, dearest, outputFor, picoPerToken } from "../../src/domain/price.ts";

const price = (input: number, cached: number, output: number) => ({
  input: picoPerToken(input),
  cachedInput: picoPerToken(cached),
  output: picoPerToken(output),
});

describe("what tokens cost", () => {
  test("is dollars per million, in micro-dollars, rounded up to a whole one", () => {
    expect(costMicroUsd({ input: 1000, cached: 400, output: 100 }, price(3, 0.3, 15))).toBe(1800 + 120 + 1500);
    expect(costMicroUsd({ input: 1, cached: 0, output: 0 }, price(0.05, 0, 0))).toBe(1);
    expect(costMicroUsd({ input: 0, cached: 0, output: 0 }, price(3, 0.3, 15))).toBe(0);
    expect(costMicroUsd({ input: 9, cached: 9, output: 9 }, price(0, 0, 0))).toBe(0);
  });

  test("does not drift where fractions of two would", () => {
    expect(100 * 0.07).toBeGreaterThan(7);
    expect(costMicroUsd({ input: 100, cached: 0, output: 0 }, price(0.07, 0, 0))).toBe(7);
    expect(costMicroUsd({ input: 1e12, cached: 0, output: 3 }, price(15, 0, 75))).toBe(15e12 + 225);
  });

  test("counts no more cached tokens than there were", () => {
    expect(costMicroUsd({ input: 10, cached: 99, output: 0 }, price(5, 1, 0))).toBe(10);
  });

  test("of several models is that of the dearest in each part, and not known where one is not", () => {
    expect(dearest([price(3, 4, 5), price(1, 1, 9)])).toEqual(price(4, 4, 9));
    expect(dearest([price(3, 4, 5), null])).toBeNull();
    expect(dearest([])).toBeNull();
  });
});

describe("the reply that an amount pays for", () => {
  test("is the longest that does, for any price and amount", () => {
    const money = fc.integer({ min: 0, max: 1e9 });
    const perMillion = fc.integer({ min: 1, max: 1e8 }).map((pico) => pico / 1e6);
    fc.assert(
      fc.property(money, fc.nat(1e6), perMillion, perMillion, (microUsd, input, inputPrice, outputPrice) => {
        const at = price(inputPrice, 0, outputPrice);
        const output = outputFor(microUsd, { input, price: at });
        const cost = (tokens: number) => costMicroUsd({ input, cached: 0, output: tokens }, at);
        if (output < 0) expect(cost(0)).toBeGreaterThan(microUsd);
        else expect([cost(output) <= microUsd, cost(output + 1) > microUsd]).toEqual([true, true]);
      }),
    );
  });

  test("is any where replies cost nothing, once the prompt is paid", () => {
    expect(outputFor(3, { input: 3, price: price(1, 1, 0) })).toBe(Number.MAX_SAFE_INTEGER);
    expect(outputFor(2, { input: 3, price: price(1, 1, 0) })).toBe(-1);
  });
});
