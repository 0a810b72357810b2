/** What every ledger must do: it is written with the append, all of it or nothing, and lets no cap be passed by what is set aside. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LedgerEntry } from "../../src/ports/ledger.ts";
import { batch, key, notes } from "./batches.ts";
import type { OpenedStorage, OpenStorage } from "./opened-storage.ts";

const day = "2026-01-01";
const entry = (tokens: number, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  account: "anna",
  day,
  tokens,
  microUsd: 0,
  ...more,
});

export function ledgerContract(open: OpenStorage): void {
  let opened: OpenedStorage;
  beforeEach(() => {
    opened = open();
  });
  afterEach(() => opened[Symbol.dispose]());
  const charge = (taskId: string, ...ledger: LedgerEntry[]) =>
    opened.storage.append(batch({ taskId, events: notes(1), ledger }));
  const charged = (account = "anna", on = day) => opened.storage.charged(account, on);

  describe("a ledger", () => {
    test("knows nothing of accounts and days that were never charged", async () => {
      expect(await charged()).toEqual({ tokens: 0, microUsd: 0 });
    });

    test("adds up what all tasks of an account are charged and given back, by day", async () => {
      await charge("task_a", entry(100, { microUsd: 7 }), entry(5, { day: "2026-01-02" }));
      await charge("task_b", entry(-30, { microUsd: -2 }), entry(9, { account: "ben" }));
      expect(await charged()).toEqual({ tokens: 70, microUsd: 5 });
      expect(await charged("anna", "2026-01-02")).toEqual({ tokens: 5, microUsd: 0 });
      expect(await charged("ben")).toEqual({ tokens: 9, microUsd: 0 });
    });

    test.each([
      ["tokens", entry(51, { caps: { tokens: 150 } }), entry(50, { caps: { tokens: 150 } })],
      [
        "money",
        entry(0, { microUsd: 51, caps: { microUsd: 150 } }),
        entry(0, { microUsd: 50, caps: { microUsd: 150 } }),
      ],
    ])("lets a cap of %s be reached, and keeps nothing of an append that would pass it", async (_, over, within) => {
      await charge("task_a", entry(100, { microUsd: 100 }));
      const refused = batch({ taskId: "task_b", events: notes(1), ledger: [over], idempotency: key("k") });
      expect(await opened.storage.append(refused)).toEqual({ kind: "overdrawn" });
      expect(await opened.storage.row("task_b")).toBeNull();
      expect(await opened.storage.idempotency(key("k").key)).toBeNull();
      expect(await charge("task_b", within)).toEqual({ kind: "appended" });
    });

    test("records what was used in any case", async () => {
      expect(await charge("task_a", entry(1000))).toEqual({ kind: "appended" });
      expect((await charged()).tokens).toBe(1000);
    });

    test("keeps a cap whoever writes at the same time", async () => {
      const each = entry(30, { caps: { tokens: 100 } });
      const tasks = Array.from({ length: 10 }, (_, index) => `task_${index}`);
      const outcomes = await Promise.all(tasks.map((taskId) => charge(taskId, each)));
      expect(outcomes.filter(({ kind }) => kind === "appended")).toHaveLength(3);
      expect((await charged()).tokens).toBe(90);
    });
  });
}
