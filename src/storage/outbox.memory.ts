/** The outbox in memory: what SQLite finds by index is found here by looking at every delivery. */
import type { IdempotencyRow, OutboxRow } from "../ports/event-store.ts";
import { type Delivery, historyMax, type Outbox, type Outcome } from "../ports/outbox.ts";

interface Kept extends Delivery {
  readonly told: boolean;
}

/** By id, in the order in which they were written. */
export type Deliveries = Map<string, Kept>;

export function owed(row: OutboxRow): Kept {
  const nothingYet = { attempts: 0, attemptsBefore: 0, lastError: null, history: [], told: true };
  return { ...row, status: "pending", createdAt: row.dueAt, ...nothingYet };
}

interface Around {
  /** Called when something became due without an append. */
  readonly tellOwed: () => void;
  readonly keep: (row: IdempotencyRow) => void;
}

export function createMemoryOutbox(deliveries: Deliveries, { tellOwed, keep }: Around): Omit<Outbox, "onOwed"> {
  const all = (): Kept[] => [...deliveries.values()];
  const pending = (): Delivery[] =>
    all()
      .filter(({ status }) => status === "pending")
      .sort((a, b) => a.dueAt - b.dueAt)
      .map(shown);
  const change = (deliveryId: string, changed: (found: Kept) => Kept): void => {
    const found = deliveries.get(deliveryId);
    if (found !== undefined) deliveries.set(deliveryId, changed(found));
  };
  return {
    due: async (now, limit) =>
      pending()
        .filter(({ dueAt }) => dueAt <= now)
        .slice(0, limit),
    nextDue: async () => pending()[0]?.dueAt ?? null,
    settle: async (deliveryId, outcome) => change(deliveryId, (found) => settled(found, outcome)),
    async redeliver(deliveryId, now, kept) {
      change(deliveryId, (found) => ({ ...found, status: "pending", dueAt: now, attemptsBefore: found.attempts }));
      if (kept !== undefined) keep(kept);
      tellOwed();
    },
    async delivery(deliveryId) {
      const found = deliveries.get(deliveryId);
      return found === undefined ? null : shown(found);
    },
    async deliveries({ taskId, status, before, limit }) {
      const older = before === undefined ? all() : all().slice(0, Math.max(0, [...deliveries.keys()].indexOf(before)));
      return older
        .toReversed()
        .filter((row) => (taskId ?? row.taskId) === row.taskId && (status ?? row.status) === row.status)
        .slice(0, limit)
        .map(shown);
    },
    isStopped: async (taskId, url) =>
      all().some((row) => row.taskId === taskId && row.url === url && row.history.at(-1)?.statusCode === 410),
    untold: async (limit) =>
      all()
        .filter(({ told, status }) => !told && status !== "pending")
        .slice(0, limit)
        .map(shown),
    markTold: async (deliveryId) => change(deliveryId, (found) => ({ ...found, told: true })),
  };
}

function settled(found: Kept, { status, dueAt, error, attempt }: Outcome): Kept {
  return {
    ...found,
    status,
    dueAt,
    lastError: error,
    told: status === "pending" && found.told,
    attempts: found.attempts + (attempt === null ? 0 : 1),
    history: attempt === null ? found.history : [...found.history, attempt].slice(-historyMax),
  };
}

function shown({ told: _told, ...delivery }: Kept): Delivery {
  return delivery;
}
