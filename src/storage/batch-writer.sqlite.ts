/** Writes one batch into the open transaction, or finds why it may not be written. Commits nothing. */

import type { TaskEvent } from "../domain/event.ts";
import type { Json } from "../lib/json.ts";
import type { Append, AppendResult, IdempotencyRow, StepRow, TaskRow } from "../ports/event-store.ts";
import { checkBatch, idempotencyHorizon } from "./batch.ts";
import { createNameWriter } from "./blob-names.ts";
import { createBlobWriter, isLarge } from "./blob-store.fs.ts";
import { requireLog } from "./chores.sqlite.ts";
import type { StorageDatabase } from "./database.ts";
import { memoryOf } from "./knowledge.ts";
import { createMemoryWriter } from "./knowledge-writer.sqlite.ts";
import { createLedgerWriter } from "./ledger.sqlite.ts";
import { createDeliveryWriter } from "./outbox.sqlite.ts";

interface Head {
  readonly status: string;
  readonly open: number;
  readonly workspace: string;
  readonly created_at: number;
  readonly last_seq: number;
  readonly log_state: number;
}

/** @throws Error a bug of the caller, SqliteError */
export type BatchWriter = (batch: Append) => AppendResult;

export function createBatchWriter(database: StorageDatabase): BatchWriter {
  const { connection } = database;
  const head = connection.prepare<[string], Head>(
    "SELECT status, open, workspace, created_at, last_seq, log_state FROM task WHERE task_id = ?",
  );
  const writeRow = createRowWriter(database);
  const writeFacts = createFactsWriter(database);
  const keys = createKeyWriter(database);
  const ledger = createLedgerWriter(connection);

  return (batch) => {
    checkBatch(batch);
    const { taskId, expectedSeq, idempotency, ledger: charges = [] } = batch;
    // Before the conflict: one who repeats a request that went through shall get its answer.
    const taken = idempotency === undefined ? null : keys.taken(idempotency);
    if (taken !== null) return { kind: "duplicate", row: taken };
    const found = head.get(taskId);
    const seq = found?.last_seq ?? 0;
    if (found !== undefined) requireLog(taskId, found.log_state);
    if (seq !== expectedSeq) return { kind: "conflict", seq };
    if (ledger.isOverdrawnBy(charges)) return { kind: "overdrawn" };

    for (const entry of charges) ledger.write(entry);
    writeRow(batch.projection, found);
    writeFacts(batch);
    if (idempotency !== undefined) keys.write(idempotency);
    return { kind: "appended" };
  };
}

function createFactsWriter(database: StorageDatabase): (batch: Append) => void {
  const writeEvent = createEventWriter(database);
  const writeStep = createStepWriter(database);
  const writeBlob = createBlobWriter(database);
  const writeDelivery = createDeliveryWriter(database.connection);
  return ({ taskId, events, steps = [], blobs = [], outbox = [] }) => {
    for (const event of events) writeEvent(taskId, event);
    for (const step of steps) writeStep(taskId, step);
    for (const blob of blobs.filter((each) => !isLarge(each))) writeBlob(blob);
    for (const delivery of outbox) writeDelivery(delivery);
  };
}

function createRowWriter({ connection }: StorageDatabase): (row: TaskRow, found: Head | undefined) => void {
  const advance = connection.prepare("UPDATE task SET updated_at = ?, last_seq = ? WHERE task_id = ?");
  const replace = connection.prepare(
    `INSERT INTO task (task_id, status, open, workspace, created_at, updated_at, last_seq) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET status = excluded.status, open = excluded.open, workspace = excluded.workspace,
       created_at = excluded.created_at, updated_at = excluded.updated_at, last_seq = excluded.last_seq`,
  );
  const insertGoal = connection.prepare("INSERT INTO task_goal (task_id, goal) VALUES (?, ?)");
  return (row, found) => {
    const open = row.open ? 1 : 0;
    // Most appends change neither status nor place in a list: their row is written without touching an index.
    const isInPlace =
      found?.status === row.status &&
      found.open === open &&
      found.workspace === row.workspace &&
      found.created_at === row.createdAt;
    if (isInPlace) advance.run(row.updatedAt, row.lastSeq, row.taskId);
    else replace.run(row.taskId, row.status, open, row.workspace, row.createdAt, row.updatedAt, row.lastSeq);
    // A goal may be long and never changes: it is written once.
    if (found === undefined) insertGoal.run(row.taskId, row.goal);
  };
}

function createEventWriter({ connection }: StorageDatabase): (taskId: string, event: TaskEvent) => void {
  const insert = connection.prepare("INSERT INTO event (task_id, seq, at, type, data) VALUES (?, ?, ?, ?, ?)");
  const writeMemory = createMemoryWriter(connection);
  const writeNames = createNameWriter(connection);
  return (taskId, event) => {
    const { type, seq, at, ...facts } = event;
    const data = JSON.stringify(facts);
    insert.run(taskId, seq, at, type, data);
    writeNames(taskId, data);
    const entry = memoryOf(taskId, event);
    if (entry !== null) writeMemory(entry);
  };
}

function createStepWriter({ connection }: StorageDatabase): (taskId: string, step: StepRow) => void {
  const upsert = connection.prepare(
    `INSERT INTO step (task_id, scope, step, effect_class, started, result) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET effect_class = excluded.effect_class, started = excluded.started, result = excluded.result`,
  );
  const writeNames = createNameWriter(connection);
  return (taskId, { scope, step, effectClass, started, ended }) => {
    const begun = JSON.stringify(started);
    const result = ended === undefined ? null : JSON.stringify(ended.result);
    upsert.run(taskId, scope, step, effectClass, begun, result);
    writeNames(taskId, begun);
    if (result !== null) writeNames(taskId, result);
  };
}

interface KeyRow {
  readonly key: string;
  readonly fingerprint: string;
  readonly status: number;
  readonly body: string;
  readonly created_at: number;
}

interface KeyWriter {
  /** @returns the row that holds this key and has not expired */
  taken(row: IdempotencyRow): IdempotencyRow | null;
  write(row: IdempotencyRow): void;
}

function createKeyWriter(database: StorageDatabase): KeyWriter {
  const { connection } = database;
  const find = createKeyReader(database);
  const forget = connection.prepare("DELETE FROM idempotency WHERE created_at <= ?");
  const insert = connection.prepare(
    "INSERT INTO idempotency (key, fingerprint, status, body, created_at) VALUES (?, ?, ?, ?, ?)",
  );
  return {
    taken: (row) => find(row.key, row.createdAt),
    write({ key, fingerprint, status, body, createdAt }) {
      forget.run(idempotencyHorizon(createdAt));
      insert.run(key, fingerprint, status, JSON.stringify(body), createdAt);
    },
  };
}

/** @returns finds a key that has not expired at `now` */
export function createKeyReader({ connection }: StorageDatabase): (key: string, now: number) => IdempotencyRow | null {
  const select = connection.prepare<[string, number], KeyRow>(
    "SELECT * FROM idempotency WHERE key = ? AND created_at > ?",
  );
  return (key, now) => {
    const row = select.get(key, idempotencyHorizon(now));
    if (row === undefined) return null;
    return {
      key: row.key,
      fingerprint: row.fingerprint,
      status: row.status,
      body: JSON.parse(row.body) as Json,
      createdAt: row.created_at,
    };
  };
}
