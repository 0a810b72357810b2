/** What a storage adapter is: all ports that share one place and one transaction. */
import type { BlobStore } from "../ports/blob-store.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { Memory } from "../ports/memory.ts";
import type { Outbox } from "../ports/outbox.ts";
import type { Clock, Log } from "../ports/runtime.ts";

export type Storage = EventStore & BlobStore & Outbox & Memory & Ledger;

export interface StorageOptions {
  /** Tells which idempotency keys have expired. */
  readonly clock: Pick<Clock, "now">;
  readonly log?: Log;
}
