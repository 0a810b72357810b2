/**
 * The outbox: webhooks that are owed, and what became of them. Rows are written by `EventStore.append`, with the event they
 * tell of.
 */
import type { Json } from "../lib/json.ts";
import type { IdempotencyRow } from "./event-store.ts";

/** One request to a receiver. */
export interface Attempt {
  readonly at: number;
  /** What the receiver answered; null when nothing came back. */
  readonly statusCode: number | null;
  /** Why it does not count as delivered, or null. */
  readonly error: string | null;
}

export interface Delivery {
  readonly deliveryId: string;
  readonly taskId: string;
  readonly url: string;
  readonly type: string;
  readonly body: Json;
  readonly status: "pending" | "delivered" | "failed";
  /** All that were made, those of earlier rounds included. */
  readonly attempts: number;
  /** Those before somebody last asked for it to be delivered again: the schedule begins anew there. */
  readonly attemptsBefore: number;
  readonly createdAt: number;
  readonly dueAt: number;
  readonly lastError: string | null;
  /** The latest attempts, oldest first. */
  readonly history: readonly Attempt[];
}

/** How many attempts of a delivery are remembered one by one. */
export const historyMax = 50;

export interface Outcome {
  readonly status: Delivery["status"];
  readonly dueAt: number;
  readonly error: string | null;
  /** null: it was settled without a request. */
  readonly attempt: Attempt | null;
}

export interface DeliveryQuery {
  readonly taskId?: string;
  readonly status?: Delivery["status"];
  /** Only those written before this one. */
  readonly before?: string;
  readonly limit: number;
}

export interface Outbox {
  /** Pending deliveries whose time has come, oldest first. */
  due(now: number, limit: number): Promise<Delivery[]>;
  /** @returns when the next pending delivery is due (epoch ms), or null */
  nextDue(): Promise<number | null>;
  /** Calls back after each commit that made deliveries due. @returns ends the subscription */
  onOwed(listener: () => void): () => void;
  /** Records an attempt: delivered, failed for good, or to be tried again at `dueAt`. */
  settle(deliveryId: string, outcome: Outcome): Promise<void>;
  /** Makes it due now, by a new schedule, whatever became of it. `kept` is written in the same transaction. */
  redeliver(deliveryId: string, now: number, kept?: IdempotencyRow): Promise<void>;
  delivery(deliveryId: string): Promise<Delivery | null>;
  /** The latest written first. */
  deliveries(query: DeliveryQuery): Promise<Delivery[]>;
  /** Whether this receiver's last word on a delivery of this task was 410: it wants no more. */
  isStopped(taskId: string, url: string): Promise<boolean>;
  /** Settled for good, but not marked as told to their task; oldest first. */
  untold(limit: number): Promise<Delivery[]>;
  markTold(deliveryId: string): Promise<void>;
}
