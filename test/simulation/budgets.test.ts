/**
 * The law of budgets on the real engine, over both stores: with random prices, tasks of one account side by side, their
 * subtasks side by side, and a process that dies at any append, no cap is passed by what is settled, of a task or of a day.
 */
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { microUsdOf } from "../../src/domain/budget.ts";
import type { Task } from "../../src/domain/task.ts";
import { createMemoryEventStore } from "../../src/storage/event-store.memory.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { openFile, temporaryFolder } from "../storage/temporary.ts";
import { BudgetWorld, endedBy, type Spending } from "../support/budget-world.ts";

const anySpending = (excessShare: number): fc.Arbitrary<Spending> =>
  fc.record({
    seed: fc.nat(),
    deaths: fc.array(fc.record({ after: fc.integer({ min: 2, max: 40 }), kept: fc.boolean() }), { maxLength: 4 }),
    excessShare: fc.constant(excessShare),
    tasks: fc.integer({ min: 1, max: 4 }),
    budget: fc.record(
      {
        tokens: fc.integer({ min: 2000, max: 60_000 }),
        usd: fc.integer({ min: 1, max: 40 }).map((cents) => cents / 100),
      },
      { requiredKeys: [] },
    ),
    daily: fc.record({
      tokens: fc.integer({ min: 4000, max: 200_000 }),
      microUsd: fc.integer({ min: 20_000, max: 4_000_000 }),
    }),
  });

const ample: Spending = {
  seed: 7,
  deaths: [],
  excessShare: 0,
  tasks: 1,
  budget: {},
  daily: { tokens: 1_000_000, microUsd: 100_000_000 },
};
/** One that has enough, one whose planners ask for more than there is, and one for each cap that is reached first. */
const examples: [Spending][] = [
  [ample],
  [{ ...ample, tasks: 4, deaths: [{ after: 9, kept: true }], daily: { ...ample.daily, tokens: 4000 } }],
  [{ ...ample, daily: { ...ample.daily, microUsd: 50_000 } }],
  [{ ...ample, budget: { tokens: 9000 } }],
  [{ ...ample, budget: { usd: 0.05 } }],
];

/** Endings, so that nobody thinks of a law that was never tried. */
const seen = new Map<string, number>();
const saw = (what: string, times = 1): void => void seen.set(what, (seen.get(what) ?? 0) + times);

async function spent(store: Storage, spending: Spending): Promise<{ world: BudgetWorld; tasks: readonly Task[] }> {
  const world = new BudgetWorld(store, spending);
  const tasks = await world.run();
  await world.settle(tasks);
  for (const task of tasks) saw(endedBy(task, await store.read(task.id, { after: 0, limit: 10_000 })));
  saw("deaths", world.deaths);
  saw("overdrawn", world.overdrawn);
  return { world, tasks };
}

/** No task passed its own budget. */
function within({ budget: { tokens = Number.POSITIVE_INFINITY, usd } }: Spending, tasks: readonly Task[]): void {
  for (const { usage, excess } of tasks) {
    expect(usage.inputTokens + usage.outputTokens).toBeLessThanOrEqual(tokens + excess.tokens);
    if (usd !== undefined) expect(usage.costMicroUsd).toBeLessThanOrEqual(microUsdOf(usd) + excess.microUsd);
  }
}

async function lawHolds(store: Storage, spending: Spending): Promise<void> {
  const { tasks } = await spent(store, spending);
  within(spending, tasks);
  if (spending.excessShare > 0) return;
  for (const { excess } of tasks) expect(excess).toEqual({ tokens: 0, microUsd: 0 });
}

describe("with random prices, subtasks and tasks side by side, and a process that dies at any append,", () => {
  test("what is settled passes no cap, in memory", async () => {
    await fc.assert(
      fc.asyncProperty(anySpending(0), (spending) => lawHolds(createMemoryEventStore(), spending)),
      { numRuns: 80, examples },
    );
    for (const what of ["tokens", "usd", "tokens_per_day", "usd_per_day", "completed", "deaths", "overdrawn"])
      expect([what, seen.get(what) ?? 0]).not.toEqual([what, 0]);
  });

  test("what is settled passes no cap, in SQLite", async () => {
    await fc.assert(
      fc.asyncProperty(anySpending(0), async (spending) => {
        using folder = temporaryFolder();
        using file = openFile(join(folder.path, "loom.db"), () => Date.UTC(2026, 0, 1));
        await lawHolds(file.storage, spending);
      }),
      { numRuns: 12 },
    );
  });

  test("a cap is passed by no more than calls in flight had too much, and the view says by how much", async () => {
    let passed = 0;
    await fc.assert(
      fc.asyncProperty(anySpending(0.3), async (spending) => {
        const store = createMemoryEventStore();
        const { tasks } = await spent(store, spending);
        within(spending, tasks);
        passed += tasks.filter(({ excess }) => excess.tokens > 0).length;
      }),
      { numRuns: 40 },
    );
    expect(passed).toBeGreaterThan(0);
  });
});
