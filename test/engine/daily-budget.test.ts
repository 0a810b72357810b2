/** What is asked before a task with a budget in money, or of an account, is taken. */
import { describe, expect, test } from "vitest";
import { accountOf, requireDay, requirePrices } from "../../src/engine/daily-budget.ts";
import type { ModelInfo } from "../../src/ports/model.ts";
import { LoomRoom } from "../support/engine-loom.ts";

const none = { tokens: 0, microUsd: 0 };
const priced = { input_usd_per_million: 1, cached_input_usd_per_million: 1, output_usd_per_million: 0 };
const models = (...prices: ModelInfo["price"][]) => ({
  list: () => prices.map((price, nth) => ({ name: `m${nth}`, model: "x", price }) as ModelInfo),
});
const thrown = (act: () => void): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  return null;
};

describe("the account of a submitter", () => {
  test("is none where nothing is capped", () => {
    expect(accountOf({ submittedBy: "anna" }, none)).toBeUndefined();
  });

  test("has the caps of the configuration, unless it has its own", () => {
    const usual = { tokens: 10, microUsd: 20 };
    expect(accountOf({ submittedBy: "anna" }, usual)).toEqual({
      id: "anna",
      tokens_per_day: 10,
      micro_usd_per_day: 20,
    });
    expect(accountOf({ submittedBy: "anna", dailyBudget: { tokens: 5 } }, usual)).toMatchObject({ tokens_per_day: 5 });
    expect(accountOf({ submittedBy: "anna", dailyBudget: { tokens: 5 } }, none)).toEqual({
      id: "anna",
      tokens_per_day: 5,
    });
  });

  test("stands with the task", async () => {
    await using room = new LoomRoom();
    const taskId = await room.submit({ dailyBudget: { tokens: 5000 } });
    expect((await room.supervisor.task(taskId)).brief.account).toEqual({ id: "tester", tokens_per_day: 5000 });
  });
});

describe("a budget in dollars", () => {
  const usd = { budget: { usd: 1 }, account: undefined };

  test("needs a price of every model, 0 being one", () => {
    expect(thrown(() => requirePrices(models(priced), usd))).toBeNull();
    expect(thrown(() => requirePrices(models(priced, null), { budget: { tokens: 1 }, account: undefined }))).toBeNull();
    expect(thrown(() => requirePrices(models(priced, null), usd))).toMatchObject({
      code: "invalid_request",
      message: 'budget.usd cannot be kept: model "m1" (x) has no price',
      hint: expect.stringContaining("input_usd_per_million and output_usd_per_million under [models.m1]") as unknown,
      errors: [{ pointer: "#/budget/usd" }],
    });
  });

  test("of the day needs them too", () => {
    const account = { id: "anna", micro_usd_per_day: 5 };
    const failure = thrown(() => requirePrices(models(null), { budget: undefined, account }));
    expect(failure).toMatchObject({ message: expect.stringContaining('daily budget of "anna"') as unknown });
    expect(failure).not.toHaveProperty("errors", expect.anything());
  });
});

describe("a day that is spent", () => {
  const noon = { now: () => Date.UTC(2026, 0, 1, 12) };
  const ledger = (tokens: number, microUsd: number) => ({ charged: () => Promise.resolve({ tokens, microUsd }) });
  const day = (tokens: number, microUsd: number) =>
    requireDay(
      { ledger: ledger(tokens, microUsd), clock: noon },
      { id: "anna", tokens_per_day: 1000, micro_usd_per_day: 2_500_000 },
    );

  test("takes no further task until midnight", async () => {
    await expect(day(745, 0)).rejects.toMatchObject({
      code: "quota_exceeded",
      message: expect.stringContaining("745 of 1000 tokens") as unknown,
      retryAfterMs: 43_200_000,
    });
    await expect(day(0, 2_500_000)).rejects.toThrow("$2.5 of $2.5");
  });

  test("is not yet, as long as a reply is left", async () => {
    await expect(day(744, 2_499_999)).resolves.toBeUndefined();
    await expect(requireDay({ ledger: ledger(9, 9), clock: noon }, undefined)).resolves.toBeUndefined();
    const thrifty = { id: "anna", micro_usd_per_day: 10 };
    await expect(requireDay({ ledger: ledger(1e9, 9), clock: noon }, thrifty)).resolves.toBeUndefined();
  });
});
