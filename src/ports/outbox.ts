/** The outbox: webhooks that are owed. Rows are written by `EventStore.append`, with the event they tell of. */
import type { Json } from "../lib/json.ts";

export interface Delivery {
  readonly deliveryId: string;
  readonly taskId: string;
  readonly url: string;
  readonly type: string;
  readonly body: Json;
  readonly status: "pending" | "delivered" | "failed";
  readonly attempts: number;
  readonly dueAt: number;
  readonly lastError: string | null;
}

export interface Outbox {
  /** Pending deliveries whose time has come, oldest first. */
  due(now: number, limit: number): Promise<Delivery[]>;
  /** @returns when the next pending delivery is due (epoch ms), or null */
  nextDue(): Promise<number | null>;
  /** Calls back after each commit that wrote deliveries. @returns ends the subscription */
  onOwed(listener: () => void): () => void;
  /** Records an attempt: delivered, failed for good, or to be tried again at `dueAt`. */
  settle(
    deliveryId: string,
    outcome: {
      readonly status: "pending" | "delivered" | "failed";
      readonly dueAt: number;
      readonly error: string | null;
    },
  ): Promise<void>;
}
