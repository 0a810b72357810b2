/**
 * The event store: one log per task, and with each append, in the same transaction, everything that must be true with it
 * (projection row, journal steps, blobs, outbox and idempotency rows). Nothing above may assume how it is kept.
 */

import type { TaskEvent } from "../domain/event.ts";
import type { Json } from "../lib/json.ts";
import type { LedgerEntry } from "./ledger.ts";

export type EffectClass = "pure" | "workspace" | "external";

/** What lists and filters need of a task; everything else is folded from its log. */
export interface TaskRow {
  readonly taskId: string;
  readonly goal: string;
  readonly status: string;
  readonly workspace: string;
  /** Not closed: recovered at boot. */
  readonly open: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastSeq: number;
}

export interface Blob {
  /** `sha256:<hex>` of `bytes`. */
  readonly digest: string;
  readonly bytes: Uint8Array;
}

/** One step of an attempt. `ended` is absent while it runs; the row is found again by scope and step. */
export interface StepRow {
  readonly scope: string;
  readonly step: string;
  readonly effectClass: EffectClass;
  /** What must be known to judge an interrupted step: instructions read, pre-image digests, process group. */
  readonly started: Json;
  readonly ended?: { readonly result: Json };
}

export interface OutboxRow {
  readonly deliveryId: string;
  readonly taskId: string;
  readonly url: string;
  readonly type: string;
  readonly body: Json;
  readonly dueAt: number;
}

export interface IdempotencyRow {
  /** Principal, method, route and key, joined by the caller. */
  readonly key: string;
  readonly fingerprint: string;
  readonly status: number;
  readonly body: Json;
  readonly createdAt: number;
}

export interface Append {
  readonly taskId: string;
  /** The `seq` of the last event that the caller has folded; 0 for a new task. */
  readonly expectedSeq: number;
  /** Stamped by the caller: `seq` is expectedSeq + 1, + 2 … May be empty when only steps or blobs are written. */
  readonly events: readonly TaskEvent[];
  readonly projection: TaskRow;
  readonly steps?: readonly StepRow[];
  readonly blobs?: readonly Blob[];
  readonly outbox?: readonly OutboxRow[];
  readonly idempotency?: IdempotencyRow;
  /** At most one for each account and day. */
  readonly ledger?: readonly LedgerEntry[];
}

export type AppendResult =
  | { readonly kind: "appended" }
  /** Someone else wrote: the log stands at `seq`, nothing of this append was kept. */
  | { readonly kind: "conflict"; readonly seq: number }
  /** The idempotency key was taken by another append; nothing of this one was kept. */
  | { readonly kind: "duplicate"; readonly row: IdempotencyRow }
  /** A cap of the ledger would be passed; nothing of this append was kept. */
  | { readonly kind: "overdrawn" };

/** An event in the numbering over all tasks, given after commit: `g` grows by at least one, without holes that fill later. */
export interface GlobalEvent {
  readonly g: number;
  readonly taskId: string;
  readonly event: TaskEvent;
}

export interface TaskQuery {
  readonly status?: string;
  readonly limit: number;
  /** Tasks older than this one, newest first. */
  readonly before?: { readonly createdAt: number; readonly taskId: string };
}

export interface EventStore {
  /**
   * Durable when it resolves: all of it or nothing. Appends made in one turn of the event loop may share one commit, and
   * appends of one task take effect in the order they were made.
   *
   * @throws LoomError storage_full, storage_failed; never for a conflict
   */
  append(batch: Append): Promise<AppendResult>;

  /** Events of a task with `seq` over `after`, ascending, at most `limit`. Unknown tasks have none. */
  read(taskId: string, range: { readonly after: number; readonly limit: number }): Promise<TaskEvent[]>;

  /** Events of all tasks with `g` over `after`, ascending, at most `limit`. */
  readAll(range: { readonly after: number; readonly limit: number }): Promise<GlobalEvent[]>;

  /** The highest `g` given so far, 0 when there is none. */
  lastGlobal(): Promise<number>;

  row(taskId: string): Promise<TaskRow | null>;
  rows(query: TaskQuery): Promise<TaskRow[]>;
  /**
   * The last view of a closed task whose log was dropped for its age, as JSON; null for any other. Its log is read as
   * empty, and an append to it fails with wrong_state.
   */
  remains(taskId: string): Promise<string | null>;
  /** Tasks that are not closed, oldest first. */
  openTasks(): Promise<TaskRow[]>;

  /** Steps of one scope, in the order in which they were first started. */
  steps(taskId: string, scope: string): Promise<StepRow[]>;
  /** Scopes of a task that begin with `prefix`, in the order of their first step. */
  scopes(taskId: string, prefix: string): Promise<string[]>;

  idempotency(key: string): Promise<IdempotencyRow | null>;

  /**
   * Calls back after each commit, with the tasks that it touched. Only a hint that there is something to read: never
   * missed while subscribed, but not a carrier of events.
   *
   * @returns ends the subscription
   */
  onCommit(listener: (taskIds: readonly string[]) => void): () => void;
}
