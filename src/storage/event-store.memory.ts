/**
 * The ports of storage in memory, under the same contract as the file: for tests, and for runs that keep nothing. It goes
 * through the same queue of batches; what SQLite finds by index and by words, it finds by looking at everything.
 */
import { type Charge, nothing, sum } from "../domain/budget.ts";
import type { MemoryType } from "../domain/event.ts";
import { err, ok } from "../lib/result.ts";
import type {
  Append,
  AppendResult,
  EventStore,
  GlobalEvent,
  IdempotencyRow,
  StepRow,
  TaskRow,
} from "../ports/event-store.ts";
import type { MemoryRow } from "../ports/memory.ts";
import { checkBatch, idempotencyHorizon } from "./batch.ts";
import { type Fate, GroupCommit } from "./group-commit.ts";
import { memoryOf, wordsOf } from "./knowledge.ts";
import { passesCap } from "./ledger.ts";
import { createMemoryOutbox, type Deliveries, owed } from "./outbox.memory.ts";
import type { Storage, StorageOptions } from "./storage.ts";

interface Content {
  readonly log: GlobalEvent[];
  readonly tasks: Map<string, TaskRow>;
  /** By task, then by scope and step. */
  readonly steps: Map<string, Map<string, StepRow>>;
  readonly blobs: Map<string, Uint8Array>;
  readonly deliveries: Deliveries;
  readonly keys: Map<string, IdempotencyRow>;
  readonly memory: MemoryRow[];
  /** By account and day. */
  readonly ledger: Map<string, Charge>;
}

/** Without a clock no idempotency key expires when it is read. */
export function createMemoryEventStore({ clock, log }: Partial<StorageOptions> = {}): Storage {
  const content: Content = {
    log: [],
    tasks: new Map(),
    steps: new Map(),
    blobs: new Map(),
    deliveries: new Map(),
    keys: new Map(),
    memory: [],
    ledger: new Map(),
  };
  const group = new GroupCommit(
    { prepare: () => null, commit: (batches) => batches.map((batch) => commit(content, batch)) },
    log,
  );
  return {
    append: async (batch) => await group.append(structuredClone(batch)),
    onCommit: (listener) => group.onCommit(listener),
    onOwed: (listener) => group.onOwed(listener),
    ...createReader(content),
    idempotency: async (key) => unexpired(content, key, clock?.now() ?? 0),
    charged: async (account, day) => chargedOn(content, { account, day }),
    get: async (digest) => content.blobs.get(digest)?.slice() ?? null,
    ...createMemoryOutbox(content.deliveries, {
      tellOwed: () => group.tellOwed(),
      keep: (row) => void content.keys.set(row.key, row),
    }),
    list: async (taskId, { entryType, limit }) =>
      content.memory
        .filter((row) => row.taskId === taskId && isOfType(row, entryType))
        .toReversed()
        .slice(0, limit),
    search: async (query, { taskId, limit }) => search(content.memory, query, taskId).slice(0, limit),
  };
}

function commit(content: Content, batch: Append): Fate {
  try {
    checkBatch(batch);
    return ok(write(content, batch));
  } catch (error) {
    return err(error);
  }
}

/** Checks everything before it changes anything. */
function write(content: Content, batch: Append): AppendResult {
  const { taskId, expectedSeq, idempotency, outbox = [], ledger = [] } = batch;
  const taken = idempotency === undefined ? null : unexpired(content, idempotency.key, idempotency.createdAt);
  if (taken !== null) return { kind: "duplicate", row: taken };
  const found = content.tasks.get(taskId);
  const seq = found?.lastSeq ?? 0;
  if (seq !== expectedSeq) return { kind: "conflict", seq };
  if (ledger.some((entry) => passesCap(chargedOn(content, entry), entry))) return { kind: "overdrawn" };
  const repeated = outbox.find(({ deliveryId }) => content.deliveries.has(deliveryId));
  if (repeated !== undefined) throw new Error(`Delivery ${repeated.deliveryId} is in the outbox already`);

  content.tasks.set(taskId, { ...batch.projection, goal: found?.goal ?? batch.projection.goal });
  writeFacts(content, batch);
  for (const entry of ledger) content.ledger.set(placeOf(entry), sum(chargedOn(content, entry), entry));
  if (idempotency !== undefined) content.keys.set(idempotency.key, idempotency);
  return { kind: "appended" };
}

function writeFacts(content: Content, { taskId, events, steps = [], blobs = [], outbox = [] }: Append): void {
  for (const event of events) {
    content.log.push({ g: content.log.length + 1, taskId, event });
    const entry = memoryOf(taskId, event);
    if (entry !== null) content.memory.push({ id: content.memory.length + 1, ...entry });
  }
  const ofTask = content.steps.get(taskId) ?? new Map<string, StepRow>();
  content.steps.set(taskId, ofTask);
  for (const step of steps) ofTask.set(JSON.stringify([step.scope, step.step]), step);
  for (const { digest, bytes } of blobs) content.blobs.set(digest, bytes);
  for (const row of outbox) content.deliveries.set(row.deliveryId, owed(row));
}

interface Place {
  readonly account: string;
  readonly day: string;
}

function placeOf({ account, day }: Place): string {
  return JSON.stringify([account, day]);
}

function chargedOn(content: Content, place: Place): Charge {
  return content.ledger.get(placeOf(place)) ?? nothing;
}

function unexpired(content: Content, key: string, now: number): IdempotencyRow | null {
  const row = content.keys.get(key);
  return row !== undefined && row.createdAt > idempotencyHorizon(now) ? row : null;
}

function createReader(content: Content): Omit<EventStore, "append" | "onCommit" | "idempotency"> {
  const newest = (): TaskRow[] => [...content.tasks.values()].sort(byAge).reverse();
  const stepsOf = (taskId: string): StepRow[] => [...(content.steps.get(taskId)?.values() ?? [])];
  return {
    read: async (taskId, { after, limit }) =>
      content.log
        .filter((entry) => entry.taskId === taskId && entry.event.seq > after)
        .slice(0, limit)
        .map(({ event }) => event),
    readAll: async ({ after, limit }) => content.log.filter(({ g }) => g > after).slice(0, limit),
    lastGlobal: async () => content.log.length,
    row: async (taskId) => content.tasks.get(taskId) ?? null,
    rows: async ({ status, before, limit }) =>
      newest()
        .filter((row) => status === undefined || row.status === status)
        .filter((row) => before === undefined || byAge(row, before) < 0)
        .slice(0, limit),
    // Nothing here is dropped for its age.
    remains: async () => null,
    openTasks: async () => [...content.tasks.values()].filter(({ open }) => open).sort(byAge),
    steps: async (taskId, scope) => stepsOf(taskId).filter((step) => step.scope === scope),
    scopes: async (taskId, prefix) => [
      ...new Set(
        stepsOf(taskId)
          .map(({ scope }) => scope)
          .filter((scope) => scope.startsWith(prefix)),
      ),
    ],
  };
}

interface Age {
  readonly createdAt: number;
  readonly taskId: string;
}

function byAge(a: Age, b: Age): number {
  return a.createdAt - b.createdAt || (a.taskId < b.taskId ? -1 : Number(a.taskId > b.taskId));
}

function isOfType(row: MemoryRow, entryType: MemoryType | undefined): boolean {
  return entryType === undefined || row.entryType === entryType;
}

/** Counts the words found, with the weights of the file's index; its stems are rougher. */
function search(rows: readonly MemoryRow[], query: string, taskId: string | undefined): MemoryRow[] {
  const { indexed, literal } = wordsOf(query);
  const wanted = indexed.map(stemsOf);
  const score = (row: MemoryRow): number => {
    const fields = [row.summary, row.detail, row.tags.join(" ")];
    const stems = fields.map(stemsOf);
    const byField = [4, 1, 2].map(
      (weight, field) => weight * wanted.filter((word) => isWithin(stems[field] ?? [], word)).length,
    );
    const isLiteral = literal.some((word) => fields.some((text) => text.includes(word)));
    return byField.reduce((sum, hits) => sum + hits, 0) + (isLiteral ? 0.5 : 0);
  };
  return rows
    .filter((row) => taskId === undefined || row.taskId === taskId)
    .map((row) => ({ row, score: score(row) }))
    .filter((hit) => hit.score > 0)
    .sort((a, b) => b.score - a.score || b.row.id - a.row.id)
    .map(({ row }) => row);
}

function isWithin(stems: readonly string[], word: readonly string[]): boolean {
  return stems.some((_, at) => word.every((stem, offset) => stems[at + offset] === stem));
}

function stemsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}\p{Co}]+/gu) ?? [];
  return words.map((word) => word.replace(/(?<=\w{3})(?:ations?|at(?:e[sd]?|ing)|ings?|e[sd]?|s)$/, ""));
}
