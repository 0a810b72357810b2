/** The outbox in SQLite: deliveries written with the events they tell of, and what became of them. */
import type { Database } from "better-sqlite3";
import type { Json } from "../lib/json.ts";
import type { OutboxRow } from "../ports/event-store.ts";
import type { Delivery, Outbox } from "../ports/outbox.ts";
import { asError, guarded, storageFailure } from "./failures.ts";

interface Row {
  readonly delivery_id: string;
  readonly task_id: string;
  readonly url: string;
  readonly type: string;
  readonly body: string;
  readonly status: Delivery["status"];
  readonly attempts: number;
  readonly due_at: number;
  readonly last_error: string | null;
}

/** @returns writes one delivery, in the transaction that is open */
export function createDeliveryWriter(connection: Database): (row: OutboxRow) => void {
  const insert = connection.prepare(
    `INSERT INTO delivery (delivery_id, task_id, url, type, body, status, attempts, due_at)
     VALUES (?, ?, ?, ?, ?, 'pending', 0, ?)`,
  );
  return ({ deliveryId, taskId, url, type, body, dueAt }) => {
    insert.run(deliveryId, taskId, url, type, JSON.stringify(body), dueAt);
  };
}

export interface Settled {
  readonly deliveryId: string;
  readonly status: Delivery["status"];
  readonly dueAt: number;
  readonly error: string | null;
}

/** @returns records an attempt, and says what went wrong or null */
export function createSettler(connection: Database): (settled: Settled) => Error | null {
  const settle = connection.prepare(
    "UPDATE delivery SET status = ?, due_at = ?, last_error = ?, attempts = attempts + 1 WHERE delivery_id = ?",
  );
  return ({ deliveryId, status, dueAt, error }) => {
    try {
      settle.run(status, dueAt, error, deliveryId);
      return null;
    } catch (failure) {
      return asError(storageFailure("record a delivery", failure));
    }
  };
}

export function createOutboxReader(connection: Database): Pick<Outbox, "due" | "nextDue"> {
  const due = connection.prepare<[number, number], Row>(
    "SELECT * FROM delivery WHERE status = 'pending' AND due_at <= ? ORDER BY due_at, place LIMIT ?",
  );
  const next = connection.prepare<[], { readonly at: number | null }>(
    "SELECT min(due_at) AS at FROM delivery WHERE status = 'pending'",
  );
  return {
    async due(now, limit) {
      return guarded("read the outbox", () => due.all(now, limit).map(decode));
    },
    async nextDue() {
      return guarded("read the outbox", () => next.get()?.at ?? null);
    },
  };
}

function decode(row: Row): Delivery {
  return {
    deliveryId: row.delivery_id,
    taskId: row.task_id,
    url: row.url,
    type: row.type,
    body: JSON.parse(row.body) as Json,
    status: row.status,
    attempts: row.attempts,
    dueAt: row.due_at,
    lastError: row.last_error,
  };
}
