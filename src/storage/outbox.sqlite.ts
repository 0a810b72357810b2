/** The outbox in SQLite: deliveries written with the events they tell of, and what became of them. */
import type { Database } from "better-sqlite3";
import type { Json } from "../lib/json.ts";
import type { IdempotencyRow, OutboxRow } from "../ports/event-store.ts";
import { type Attempt, type Delivery, historyMax, type Outbox, type Outcome } from "../ports/outbox.ts";
import { failureOf, guarded } from "./failures.ts";

interface Row {
  readonly delivery_id: string;
  readonly task_id: string;
  readonly url: string;
  readonly type: string;
  readonly body: string;
  readonly status: Delivery["status"];
  readonly attempts: number;
  readonly attempts_before: number;
  readonly created_at: number;
  readonly due_at: number;
  readonly last_error: string | null;
  readonly history: string;
}

/** @returns writes one delivery, in the transaction that is open */
export function createDeliveryWriter(connection: Database): (row: OutboxRow) => void {
  const insert = connection.prepare(
    `INSERT INTO delivery (delivery_id, task_id, url, type, body, status, attempts, due_at, created_at)
     VALUES (@deliveryId, @taskId, @url, @type, @body, 'pending', 0, @dueAt, @dueAt)`,
  );
  return ({ deliveryId, taskId, url, type, body, dueAt }) => {
    insert.run({ deliveryId, taskId, url, type, body: JSON.stringify(body), dueAt });
  };
}

export interface Settled extends Outcome {
  readonly deliveryId: string;
}

export interface Redelivered {
  readonly deliveryId: string;
  readonly now: number;
  readonly kept?: IdempotencyRow | undefined;
}

const recording = "record a delivery";

/** What is written to deliveries after their events. Each says what went wrong, or null. */
export interface DeliveryJobs {
  settle(settled: Settled): Error | null;
  redeliver(redelivered: Redelivered): Error | null;
  markTold(deliveryId: string): Error | null;
}

export function createDeliveryJobs(connection: Database): DeliveryJobs {
  const settle = connection.prepare(
    `UPDATE delivery SET status = @status, due_at = @dueAt, last_error = @error,
       told = CASE @status WHEN 'pending' THEN told ELSE 0 END,
       attempts = attempts + (@attempt IS NOT NULL),
       history = CASE WHEN @attempt IS NULL THEN history ELSE json_insert(
         CASE WHEN json_array_length(history) < ${historyMax} THEN history ELSE json_remove(history, '$[0]') END,
         '$[#]', json(@attempt)) END
     WHERE delivery_id = @deliveryId`,
  );
  const redeliver = connection.prepare(
    "UPDATE delivery SET status = 'pending', due_at = @now, attempts_before = attempts WHERE delivery_id = @deliveryId",
  );
  const keep = connection.prepare(
    "INSERT OR REPLACE INTO idempotency (key, fingerprint, status, body, created_at) VALUES (?, ?, ?, ?, ?)",
  );
  const redeliverOnce = connection.transaction(({ deliveryId, now, kept }: Redelivered) => {
    redeliver.run({ deliveryId, now });
    if (kept !== undefined)
      keep.run(kept.key, kept.fingerprint, kept.status, JSON.stringify(kept.body), kept.createdAt);
  });
  const markTold = connection.prepare("UPDATE delivery SET told = 1 WHERE delivery_id = ?");
  return {
    settle: ({ attempt, ...facts }) =>
      failureOf(recording, () => settle.run({ ...facts, attempt: attempt === null ? null : JSON.stringify(attempt) })),
    redeliver: (redelivered) => failureOf(recording, () => redeliverOnce.immediate(redelivered)),
    markTold: (deliveryId) => failureOf(recording, () => markTold.run(deliveryId)),
  };
}

type Reader = Pick<Outbox, "due" | "nextDue" | "delivery" | "deliveries" | "isStopped" | "untold">;

export function createOutboxReader(connection: Database): Reader {
  const due = connection.prepare<[number, number], Row>(
    "SELECT * FROM delivery WHERE status = 'pending' AND due_at <= ? ORDER BY due_at, place LIMIT ?",
  );
  const next = connection.prepare<[], { readonly at: number | null }>(
    "SELECT min(due_at) AS at FROM delivery WHERE status = 'pending'",
  );
  const one = connection.prepare<[string], Row>("SELECT * FROM delivery WHERE delivery_id = ?");
  const stopped = connection.prepare<[string, string], unknown>(
    "SELECT 1 FROM delivery WHERE task_id = ? AND url = ? AND json_extract(history, '$[#-1].statusCode') = 410 LIMIT 1",
  );
  const untold = connection.prepare<[number], Row>(
    "SELECT * FROM delivery WHERE told = 0 AND status <> 'pending' ORDER BY place LIMIT ?",
  );
  const read = <T>(what: () => T): T => guarded("read the outbox", what);
  return {
    due: async (now, limit) => read(() => due.all(now, limit).map(decode)),
    nextDue: async () => read(() => next.get()?.at ?? null),
    async delivery(deliveryId) {
      const row = read(() => one.get(deliveryId));
      return row === undefined ? null : decode(row);
    },
    deliveries: createLister(connection),
    isStopped: async (taskId, url) => read(() => stopped.get(taskId, url) !== undefined),
    untold: async (limit) => read(() => untold.all(limit).map(decode)),
  };
}

/** One statement for each set of conditions, so that each is answered from the index that fits. */
function createLister(connection: Database): Outbox["deliveries"] {
  return async ({ taskId, status, before, limit }) => {
    const conditions = [
      ...(taskId === undefined ? [] : ["task_id = @taskId"]),
      ...(status === undefined ? [] : ["status = @status"]),
      ...(before === undefined ? [] : ["place < (SELECT place FROM delivery WHERE delivery_id = @before)"]),
    ];
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    return guarded("read the outbox", () =>
      connection
        .prepare<[Readonly<Record<string, unknown>>], Row>(
          `SELECT * FROM delivery ${where} ORDER BY place DESC LIMIT @limit`,
        )
        .all({ taskId, status, before, limit })
        .map(decode),
    );
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
    attemptsBefore: row.attempts_before,
    createdAt: row.created_at,
    dueAt: row.due_at,
    lastError: row.last_error,
    history: JSON.parse(row.history) as Attempt[],
  };
}
