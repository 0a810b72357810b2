/** Reads logs, rows and steps from SQLite, as the event store's port has them. Writes nothing. */

import type { TaskEvent } from "../domain/event.ts";
import { LoomError } from "../lib/errors.ts";
import { isJsonObject, type Json, parseJson } from "../lib/json.ts";
import type { EffectClass, EventStore, StepRow, TaskQuery, TaskRow } from "../ports/event-store.ts";
import { logState } from "./chores.sqlite.ts";
import type { StorageDatabase } from "./database.ts";
import { guarded } from "./failures.ts";

interface EventRecord {
  readonly g: number;
  readonly task_id: string;
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly data: string;
}

/** No part of a log is dropped alone: while its rows are going, none of them is read. */
function kept(taskId: string): string {
  return `(SELECT log_state FROM task WHERE task_id = ${taskId}) = ${logState.kept}`;
}

export function createLogReader({ connection }: StorageDatabase): Pick<EventStore, "read" | "readAll" | "lastGlobal"> {
  const ofTask = connection.prepare<[string, string, number, number], EventRecord>(
    `SELECT g, task_id, seq, at, type, data FROM event WHERE ${kept("?")} AND task_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
  );
  const ofAll = connection.prepare<[number, number], EventRecord>(
    `SELECT g, task_id, seq, at, type, data FROM event WHERE g > ? AND ${kept("event.task_id")} ORDER BY g LIMIT ?`,
  );
  const last = connection.prepare<[], { readonly seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'event'");
  return {
    async read(taskId, { after, limit }) {
      return guarded(`read the log of ${taskId}`, () => ofTask.all(taskId, taskId, after, limit).map(decodeEvent));
    },
    async readAll({ after, limit }) {
      return guarded("read the log", () =>
        ofAll.all(after, limit).map((row) => ({ g: row.g, taskId: row.task_id, event: decodeEvent(row) })),
      );
    },
    async lastGlobal() {
      return guarded("read the log", () => last.get()?.seq ?? 0);
    },
  };
}

/** What was written as an event is one: types are not checked again at each read. @throws LoomError log_corrupt */
function decodeEvent({ task_id, seq, at, type, data }: EventRecord): TaskEvent {
  const facts = parseJson(data);
  if (!isJsonObject(facts)) {
    throw new LoomError(
      "log_corrupt",
      `The log of ${task_id} is damaged at event ${seq} (${type}): its data is no JSON object`,
      {
        hint: "Put the database back from a backup",
      },
    );
  }
  return { ...facts, type, seq, at } as unknown as TaskEvent;
}

interface RowRecord {
  readonly task_id: string;
  readonly goal: string;
  readonly status: string;
  readonly workspace: string;
  readonly open: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly last_seq: number;
}

export function createRowReader({
  connection,
}: StorageDatabase): Pick<EventStore, "row" | "rows" | "openTasks" | "remains"> {
  const select = (rest: string) =>
    connection.prepare<(string | number)[], RowRecord>(
      `SELECT task.*, goal FROM task JOIN task_goal USING (task_id) ${rest}`,
    );
  const one = select("WHERE task_id = ?");
  const open = select("WHERE open = 1 ORDER BY created_at, task_id");
  const remains = connection.prepare<[string], { readonly view: string }>(
    "SELECT view FROM task_remains WHERE task_id = ?",
  );
  const order = "ORDER BY created_at DESC, task_id DESC LIMIT ?";
  const newest = select(order);
  const newestBefore = select(`WHERE (created_at, task_id) < (?, ?) ${order}`);
  const ofStatus = select(`WHERE status = ? ${order}`);
  const ofStatusBefore = select(`WHERE status = ? AND (created_at, task_id) < (?, ?) ${order}`);

  const page = ({ status, before, limit }: TaskQuery): RowRecord[] => {
    const place = before === undefined ? [] : [before.createdAt, before.taskId];
    if (status === undefined) return (before === undefined ? newest : newestBefore).all(...place, limit);
    return (before === undefined ? ofStatus : ofStatusBefore).all(status, ...place, limit);
  };
  return {
    async row(taskId) {
      const found = guarded(`read the row of ${taskId}`, () => one.get(taskId));
      return found === undefined ? null : decodeRow(found);
    },
    rows: async (query) => guarded("list tasks", () => page(query).map(decodeRow)),
    remains: async (taskId) => guarded(`read what is left of ${taskId}`, () => remains.get(taskId)?.view ?? null),
    openTasks: async () => guarded("list open tasks", () => open.all().map(decodeRow)),
  };
}

function decodeRow(row: RowRecord): TaskRow {
  return {
    taskId: row.task_id,
    goal: row.goal,
    status: row.status,
    workspace: row.workspace,
    open: row.open === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastSeq: row.last_seq,
  };
}

interface StepRecord {
  readonly scope: string;
  readonly step: string;
  readonly effect_class: EffectClass;
  readonly started: string;
  readonly result: string | null;
}

export function createStepReader({ connection }: StorageDatabase): Pick<EventStore, "steps" | "scopes"> {
  const steps = connection.prepare<[string, string], StepRecord>(
    "SELECT scope, step, effect_class, started, result FROM step WHERE task_id = ? AND scope = ? ORDER BY place",
  );
  // U+10FFFF sorts behind every other character, in UTF-8 too: the range is exactly what begins with the prefix.
  const scopes = connection.prepare<[string, string, string], { readonly scope: string }>(
    `SELECT scope FROM step WHERE task_id = ? AND scope >= ? AND scope < ? || char(1114111) GROUP BY scope ORDER BY min(place)`,
  );
  return {
    async steps(taskId, scope) {
      return guarded(`read the steps of ${taskId}`, () => steps.all(taskId, scope).map(decodeStep));
    },
    async scopes(taskId, prefix) {
      return guarded(`read the steps of ${taskId}`, () => scopes.all(taskId, prefix, prefix).map(({ scope }) => scope));
    },
  };
}

function decodeStep({ scope, step, effect_class, started, result }: StepRecord): StepRow {
  return {
    scope,
    step,
    effectClass: effect_class,
    started: JSON.parse(started) as Json,
    ...(result === null ? {} : { ended: { result: JSON.parse(result) as Json } }),
  };
}
