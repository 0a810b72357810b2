/**
 * The writer's part of keeping a file in order, in pieces so small that no commit waits long: a closed task is marked as
 * dropped, rows of dropped tasks go, unnamed blobs go, free pages are given back. When and how much is left to the caller.
 */
import { LoomError } from "../lib/errors.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { StorageDatabase } from "./database.ts";
import { asError, storageFailure } from "./failures.ts";

/** A task that was old when it was looked at, and what shall be left of it. */
export interface OutlivedTask {
  readonly taskId: string;
  readonly lastSeq: number;
  /** As JSON. */
  readonly view: string;
}

export type Chore =
  /** From here on these tasks are their views: a log is read as empty and takes nothing more. Amount: those that may go. */
  | { readonly kind: "drop_logs"; readonly untilAt: number; readonly tasks: readonly OutlivedTask[] }
  /** Removes rows of tasks whose log is dropped, bodies first. Amount: rows removed. */
  | { readonly kind: "clear"; readonly rows: number }
  /** Removes blobs that nothing names. Amount: rows removed. */
  | { readonly kind: "drop_blobs"; readonly digests: readonly string[] }
  /** Gives free pages back to the disk, but for some that will be used again. Amount: pages given back. */
  | { readonly kind: "vacuum"; readonly pages: number; readonly sparePages: number };

type ChoreOf<K extends Chore["kind"]> = Extract<Chore, { readonly kind: K }>;
type Worker<K extends Chore["kind"]> = (chore: ChoreOf<K>) => number;

/** How a task's log stands in its row. */
export const logState = { kept: 0, dropping: 1, dropped: 2 } as const;

export function createChores({ connection }: StorageDatabase): (chore: Chore) => Result<number, Error> {
  const workers: { readonly [K in Chore["kind"]]: Worker<K> } = {
    drop_logs: createLogDropper(connection),
    clear: createClearer(connection),
    drop_blobs: createBlobDropper(connection),
    vacuum: createVacuum(connection),
  };
  return (chore) => {
    try {
      return ok((workers[chore.kind] as (given: Chore) => number)(chore));
    } catch (error) {
      return err(asError(storageFailure("keep the database in order", error)));
    }
  };
}

/** @throws LoomError wrong_state: what retention took does not begin again */
export function requireLog(taskId: string, state: number): void {
  if (state === logState.kept) return;
  throw new LoomError(
    "wrong_state",
    `The log of task "${taskId}" was dropped: it is older than [memory] retention_days`,
    {
      hint: "Its last view is left at GET /tasks/{id}; submit the goal again as a new task",
    },
  );
}

type Connection = StorageDatabase["connection"];

function createLogDropper(connection: Connection): Worker<"drop_logs"> {
  // What was checked before may have changed on the way here: a retry, a late message, a delivery that is owed.
  const mark = connection.prepare(
    `UPDATE task SET log_state = ${logState.dropping}
     WHERE task_id = ? AND open = 0 AND log_state = ${logState.kept} AND last_seq = ? AND updated_at <= ?
       AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.task_id = task.task_id AND (delivery.status = 'pending' OR delivery.told = 0))`,
  );
  const keep = connection.prepare("INSERT INTO task_remains (task_id, view) VALUES (?, ?)");
  const drop = connection.transaction(({ tasks, untilAt }: ChoreOf<"drop_logs">) => {
    const gone = tasks.filter(({ taskId, lastSeq }) => mark.run(taskId, lastSeq, untilAt).changes > 0);
    for (const { taskId, view } of gone) keep.run(taskId, view);
    return gone.length;
  });
  return (chore) => drop.immediate(chore);
}

/** Bodies first, the log last: a task that is dropped halfway has lost nothing that its log would need. */
const clearing = [
  "DELETE FROM step WHERE place IN (SELECT place FROM step WHERE task_id = ? LIMIT ?)",
  "DELETE FROM delivery WHERE place IN (SELECT place FROM delivery WHERE task_id = ? LIMIT ?)",
  "DELETE FROM memory WHERE id IN (SELECT id FROM memory WHERE task_id = ? LIMIT ?)",
  "DELETE FROM blob_name WHERE (digest, task_id) IN (SELECT digest, task_id FROM blob_name WHERE task_id = ? LIMIT ?)",
  "DELETE FROM event WHERE g IN (SELECT g FROM event WHERE task_id = ? LIMIT ?)",
] as const;

function createClearer(connection: Connection): Worker<"clear"> {
  const next = connection
    .prepare<[], string>(`SELECT task_id FROM task WHERE log_state = ${logState.dropping} LIMIT 1`)
    .pluck();
  const remove = clearing.map((text) => connection.prepare(text));
  const finish = connection.prepare(`UPDATE task SET log_state = ${logState.dropped} WHERE task_id = ?`);

  const clearTask = (taskId: string, rowsMax: number): number => {
    let left = rowsMax;
    for (const statement of remove) {
      if (left > 0) left -= statement.run(taskId, left).changes;
    }
    if (left > 0) finish.run(taskId);
    return rowsMax - left;
  };
  const clear = connection.transaction((rowsMax: number) => {
    let removed = 0;
    while (removed < rowsMax) {
      const taskId = next.get();
      if (taskId === undefined) break;
      removed += clearTask(taskId, rowsMax - removed);
    }
    return removed;
  });
  return ({ rows }) => clear.immediate(rows);
}

function createBlobDropper(connection: Connection): Worker<"drop_blobs"> {
  const remove = connection.prepare(
    "DELETE FROM blob WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM blob_name WHERE blob_name.digest = blob.digest)",
  );
  const drop = connection.transaction((digests: readonly string[]) =>
    digests.reduce((removed, digest) => removed + remove.run(digest).changes, 0),
  );
  return ({ digests }) => drop.immediate(digests);
}

function createVacuum(connection: Connection): Worker<"vacuum"> {
  const freePages = (): number => Number(connection.pragma("freelist_count", { simple: true }));
  return ({ pages, sparePages }) => {
    const before = freePages();
    const wanted = Math.min(pages, before - sparePages);
    if (wanted <= 0) return 0;
    connection.pragma(`incremental_vacuum(${wanted})`);
    // The file itself becomes shorter when the log is copied into it.
    connection.pragma("wal_checkpoint(PASSIVE)");
    return before - freePages();
  };
}
