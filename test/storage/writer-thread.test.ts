/** The writing thread: it starts again when it dies, tells what went wrong as it was, and ends only when its work is done. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LoomError } from "../../src/lib/errors.ts";
import { openDatabase, type StorageDatabase } from "../../src/storage/database.ts";
import { createSqliteEventStore } from "../../src/storage/event-store.sqlite.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { startWriterThread, type WriterThread } from "../../src/storage/writer-thread.ts";
import { answered, batch, blob, delivery, notes, startedAt } from "../contracts/batches.ts";
import { temporaryFolder } from "./temporary.ts";

interface Room extends AsyncDisposable {
  readonly path: string;
  readonly database: StorageDatabase;
  readonly thread: WriterThread;
  readonly storage: Storage;
  readonly said: string[];
}

function openRoom(): Room {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder());
  const path = join(folder.path, "loom.db");
  const database = stack.use(openDatabase(path, { ballastBytes: 4096 }));
  const said: string[] = [];
  const write = (_facts: unknown, message: string): void => void said.push(message);
  const thread = stack.use(startWriterThread(database, { debug: write, info: write, warn: write, error: write }));
  const storage = createSqliteEventStore(database, { clock: { now: () => startedAt }, writer: thread });
  return { path, database, thread, storage, said, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe("a writing thread", () => {
  test("leaves the event loop free while it commits, and what arrives meanwhile shares the next commit", async () => {
    await using room = openRoom();
    const commits: string[][] = [];
    room.storage.onCommit((taskIds) => void commits.push([...taskIds]));
    const first = room.storage.append(batch({ taskId: "task_a", events: notes(1) }));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    const others = ["b", "c", "d"].map((name) =>
      room.storage.append(batch({ taskId: `task_${name}`, events: notes(1) })),
    );
    await Promise.all([first, ...others]);
    expect(commits).toEqual([["task_a"], ["task_b", "task_c", "task_d"]]);
  });

  test("that dies fails what it had, and the next write starts another", async () => {
    await using room = openRoom();
    await room.storage.append(batch({ taskId: "task_a", events: notes(1) }));
    await room.thread.kill();
    const lost = room.storage.append(batch({ taskId: "task_a", after: 1, events: notes(1) }));
    await expect(lost).resolves.toEqual({ kind: "appended" });
    // A lock holds the thread in the middle of its commit until it is told to die.
    room.database.connection.exec("BEGIN IMMEDIATE");
    const cut = room.storage.append(batch({ taskId: "task_a", after: 2, events: notes(1) }));
    await new Promise(setImmediate);
    const killed = room.thread.kill();
    room.database.connection.exec("ROLLBACK");
    await killed;
    const failure: unknown = await cut.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LoomError);
    expect(failure).toMatchObject({ code: "storage_failed", retryAfterMs: 1000 });
    expect(room.said).toContain("The writing thread is gone");
    const after = (await room.storage.row("task_a"))?.lastSeq ?? 0;
    expect(await room.storage.append(batch({ taskId: "task_a", after, events: notes(1) }))).toEqual({
      kind: "appended",
    });
  });

  test("tells a full disk from a bug, and lets the ballast go from where it is", async () => {
    await using room = openRoom();
    const bulky = blob("x".repeat(60_000));
    await room.storage.append(batch({ taskId: "task_a", events: notes(1), blobs: [bulky] }));
    expect(await room.storage.get(bulky.digest)).toEqual(bulky.bytes);
    const misnamed = { ...bulky, digest: "sha256:no" };
    const bug: unknown = await room.storage
      .append(batch({ taskId: "task_a", after: 1, events: notes(1), blobs: [misnamed] }))
      .catch((error: unknown) => error);
    expect(bug).toBeInstanceOf(Error);
    expect(bug).not.toBeInstanceOf(LoomError);
    expect(String(bug)).toContain('is named "sha256:no"');
    room.database.connection.exec("DROP TABLE delivery");
    await room.thread.kill();
    const settled: unknown = await room.storage.settle("d", answered(200)).catch((error: unknown) => error);
    expect(settled).toBeInstanceOf(Error);
  });

  test("records what became of a delivery", async () => {
    await using room = openRoom();
    await room.storage.append(batch({ taskId: "task_a", events: notes(1), outbox: [delivery("d1")] }));
    await room.storage.settle("d1", answered(200));
    expect(await room.storage.nextDue()).toBeNull();
  });

  test("does what it was given before it ends", async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder());
    const path = join(folder.path, "loom.db");
    const database = stack.use(openDatabase(path, { ballastBytes: 4096 }));
    const thread = startWriterThread(database);
    const storage = createSqliteEventStore(database, { clock: { now: () => startedAt }, writer: thread });
    const appended = storage.append(batch({ taskId: "task_a", events: notes(1) }));
    await new Promise(setImmediate);
    await thread[Symbol.asyncDispose]();
    expect(await appended).toEqual({ kind: "appended" });
    expect(existsSync(path)).toBe(true);
  });
});
