/** A file that lives for years: what is old and closed goes, what anything needs stays, and the room comes back. */
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { TaskView } from "../../src/domain/view.ts";
import { ok } from "../../src/lib/result.ts";
import type { Blob } from "../../src/ports/event-store.ts";
import { migrate, migrations } from "../../src/storage/migrations.ts";
import { createWriter } from "../../src/storage/writer.sqlite.ts";
import { answered, batch, blob, delivery, notes, startedAt, step } from "../contracts/batches.ts";
import { turn } from "../support/clock.ts";
import { addTask, dayMs, type Maintained, naming, openMaintained, pragma, retentionDays } from "./maintained.ts";
import { failureOf, temporaryFolder } from "./temporary.ts";

const all = { after: 0, limit: 1_000_000 };
const large = (name: string): Blob => blob(`${name} `.repeat(40_000));

/** What was written a moment ago is collected by the third round only. */
async function putInOrder({ maintenance, clock }: Maintained, days = retentionDays + 1): Promise<void> {
  await clock.advance(days * dayMs);
  for (let round = 0; round < 3; round += 1) await maintenance.round();
}

/** Between two rounds. */
async function rested({ clock }: Maintained): Promise<void> {
  while (clock.sleepers === 0) await turn();
}

describe("a closed task that is older than the retention", () => {
  test("goes with all that it had, and leaves its row and its last view", async () => {
    await using file = openMaintained();
    const blobs = [blob("small"), large("large")];
    const said = { type: "conversation_message", role: "user", message: "hello", source: "api" } as const;
    await addTask(file.storage, "task_a", { blobs, steps: [naming("s", blobs), step("t")], outbox: [delivery("d")] });
    await file.storage.append(
      batch({ taskId: "task_a", after: 5, events: [said], row: { open: false, status: "cancelled" } }),
    );
    await file.storage.settle("d", answered(200));
    await file.storage.markTold("d");
    const row = await file.storage.row("task_a");
    await putInOrder(file);
    for (const table of ["event", "step", "delivery", "memory", "blob", "blob_name", "memory_words('hello')"])
      expect([table, file.count(table)]).toEqual([table, 0]);
    expect(file.files()).toEqual([]);
    expect(await file.storage.row("task_a")).toEqual(row);
    const view = JSON.parse((await file.storage.remains("task_a")) ?? "null") as TaskView;
    expect(view).toMatchObject({ task_id: "task_a", status: "cancelled", last_seq: 6 });
    expect(await file.storage.read("task_a", all)).toEqual([]);
    expect(file.said).toEqual([]);
  });

  test("does not begin again: whoever writes to it is told, and harms no one beside", async () => {
    await using file = openMaintained();
    await addTask(file.storage, "task_a");
    await putInOrder(file);
    const again = file.storage.append(batch({ taskId: "task_a", after: 5, events: notes(1) }));
    const other = addTask(file.storage, "task_b");
    const failure = await failureOf(() => again);
    expect(failure).toMatchObject({ code: "wrong_state", retryable: false });
    expect(failure.message).toContain("task_a");
    await other;
    expect(await file.storage.read("task_b", all)).toHaveLength(5);
  });

  test("stays while a delivery is owed or was not told", async () => {
    await using file = openMaintained();
    await addTask(file.storage, "task_a", { outbox: [delivery("d")] });
    await putInOrder(file);
    expect(await file.storage.read("task_a", all)).toHaveLength(5);
    await file.storage.settle("d", answered(200));
    await putInOrder(file);
    expect(await file.storage.read("task_a", all)).toHaveLength(5);
    await file.storage.markTold("d");
    await putInOrder(file);
    expect(await file.storage.read("task_a", all)).toEqual([]);
  });

  test("stays when its log cannot be folded, and those behind it go", async () => {
    await using file = openMaintained();
    await file.storage.append(batch({ taskId: "task_a", events: notes(2), row: { open: false } }));
    await addTask(file.storage, "task_b");
    await putInOrder(file);
    expect(await file.storage.read("task_a", all)).toHaveLength(2);
    expect(await file.storage.read("task_b", all)).toEqual([]);
    expect(file.said).toContain("An old task is kept: its log cannot be folded");
  });

  test("is not read in part while its rows are going", async () => {
    await using file = openMaintained();
    await addTask(file.storage, "task_a", { count: 500 });
    const { connection } = file.database;
    connection.exec("UPDATE task SET log_state = 1");
    expect(await file.storage.read("task_a", all)).toEqual([]);
    expect(await file.storage.readAll(all)).toEqual([]);
    expect((await file.maintenance.round()).rows).toBeGreaterThan(500);
    expect(connection.prepare("SELECT log_state FROM task").pluck().get()).toBe(2);
  });

  test("stays when something happened to it between the look and the drop", async () => {
    await using file = openMaintained();
    const writer = createWriter(file.database);
    for (const [taskId, open] of [
      ["task_a", false],
      ["task_b", true],
    ] as const) {
      await addTask(file.storage, taskId);
      const late = { updatedAt: startedAt + dayMs, open, status: open ? "executing" : "cancelled" };
      await file.storage.append(batch({ taskId, after: 5, events: notes(1), row: late }));
      for (const [lastSeq, untilAt] of [
        [5, startedAt + 2 * dayMs],
        [6, startedAt + dayMs - 1],
        [6, open ? startedAt + 2 * dayMs : 0],
      ] as const)
        expect(writer.chore({ kind: "drop_logs", untilAt, tasks: [{ taskId, lastSeq, view: "{}" }] })).toEqual(ok(0));
      expect(await file.storage.read(taskId, all)).toHaveLength(6);
    }
  });
});

describe("without retention", () => {
  test("nothing goes that a task has, however old", async () => {
    await using file = openMaintained({ retentionMs: null });
    const kept = [blob("small"), large("large")];
    await addTask(file.storage, "task_a", {
      blobs: [...kept, blob("nobody's"), large("no name")],
      steps: [naming("s", kept)],
    });
    await putInOrder(file, 10_000);
    expect(await file.storage.read("task_a", all)).toHaveLength(5);
    for (const { digest, bytes } of kept) expect(await file.storage.get(digest)).toEqual(bytes);
    expect([file.count("blob"), file.files().length]).toEqual([1, 1]);
  });
});

describe("a blob", () => {
  test("that was written or read since the last round stays, named or not", async () => {
    await using file = openMaintained();
    const blobs = [blob("small"), large("large")];
    await addTask(file.storage, "task_a", { blobs });
    await file.maintenance.round();
    for (let round = 0; round < 3; round += 1) {
      for (const { digest } of blobs) expect(await file.storage.get(digest)).not.toBeNull();
      await file.maintenance.round();
    }
    for (let round = 0; round < 2; round += 1) await file.maintenance.round();
    expect([file.count("blob"), file.files()]).toEqual([0, []]);
  });

  test("that two tasks name goes with the last of them", async () => {
    await using file = openMaintained();
    const shared = [blob("small"), large("large")];
    for (const [name, updatedAt] of [
      ["task_a", startedAt],
      ["task_b", startedAt + 10 * dayMs],
    ] as const)
      await addTask(file.storage, name, { blobs: shared, steps: [naming("s", shared)], row: { updatedAt } });
    await putInOrder(file);
    expect(await file.storage.read("task_a", all)).toEqual([]);
    for (const { digest, bytes } of shared) expect(await file.storage.get(digest)).toEqual(bytes);
    await putInOrder(file);
    expect([file.count("blob"), file.files()]).toEqual([0, []]);
  });

  test("is not taken for one when it bears another name, and a folder that cannot be read is told", async () => {
    await using file = openMaintained();
    mkdirSync(join(file.database.blobFolder, "aa"), { recursive: true });
    writeFileSync(join(file.database.blobFolder, "aa", "notes.txt"), "mine");
    mkdirSync(join(file.database.blobFolder, "ab", "b".repeat(64)), { recursive: true });
    writeFileSync(join(file.database.blobFolder, "ac"), "a file");
    await file.maintenance.round();
    expect(readdirSync(join(file.database.blobFolder, "aa"))).toEqual(["notes.txt"]);
    expect(file.said).toEqual(["A blob that nothing names could not be removed"]);
  });
});

describe("room that became free", () => {
  test("is given back to the disk, but for what will be used again", async () => {
    await using file = openMaintained({ threaded: true });
    for (let nth = 0; nth < 40; nth += 1)
      await addTask(file.storage, `task_${nth}`, { steps: [step("s", { started: { text: "x".repeat(500_000) } })] });
    file.database.connection.pragma("wal_checkpoint(TRUNCATE)");
    const before = statSync(file.path).size;
    await putInOrder(file);
    file.database.connection.pragma("wal_checkpoint(TRUNCATE)");
    expect(before).toBeGreaterThan(20_000_000);
    expect(statSync(file.path).size).toBeLessThan(6_000_000);
    expect(pragma(file, "freelist_count")).toBeLessThanOrEqual(1024);
  });
});

describe("the rounds", () => {
  test("begin by themselves, go on after a failure that they tell, and end when they shall", async () => {
    await using file = openMaintained();
    await addTask(file.storage, "task_a");
    file.maintenance.start();
    file.maintenance.start();
    const { connection } = file.database;
    connection.exec("ALTER TABLE task_remains RENAME TO gone_away");
    await file.clock.advance((retentionDays + 1) * dayMs);
    await rested(file);
    await file.clock.advance(dayMs);
    await rested(file);
    expect(file.said.at(-1)).toBe("The database could not be put in order; it is tried again later");
    connection.exec("ALTER TABLE gone_away RENAME TO task_remains");
    await file.clock.advance(dayMs);
    await rested(file);
    expect(await file.storage.read("task_a", all)).toEqual([]);
    expect(file.said.at(-1)).toBe("The database was put in order");
    await file.maintenance[Symbol.asyncDispose]();
    expect(file.clock.sleepers).toBe(0);
    await addTask(file.storage, "task_b", { row: { updatedAt: 0 } });
    expect(await file.maintenance.round()).toEqual({ tasks: 0, rows: 0, blobs: 0, pages: 0 });
  });
});

describe("a file from before blobs had names", () => {
  test("has the names that its events and steps hold", () => {
    using folder = temporaryFolder();
    const connection = new BetterSqlite3(join(folder.path, "old.db"));
    migrate(connection, migrations.slice(0, 2));
    const digests = ["a", "b", "c", "d"].map((letter) => `sha256:${letter.repeat(64)}`);
    const [a = "", b = "", c = "", d = ""] = digests;
    connection.exec(`INSERT INTO task VALUES ('task_a', 'executing', 1, '/', 0, 0, 2);
      INSERT INTO event (task_id, seq, at, type, data) VALUES
        ('task_a', 1, 0, 'x', '{"one":"${a}","two":["${b}","${a}"],"cut":"sha256:12","bad":"sha256:${"g".repeat(64)}"}'),
        ('task_a', 2, 0, 'x', '{}');
      INSERT INTO step (task_id, scope, step, effect_class, started, result) VALUES
        ('task_a', 's', '1', 'pure', '{"it":"${c}"}', NULL), ('task_a', 's', '2', 'pure', '{}', '"sha256:sha256:${"d".repeat(64)}"');`);
    migrate(connection);
    const names = connection.prepare("SELECT digest FROM blob_name ORDER BY digest").pluck().all();
    connection.close();
    expect(names).toEqual([a, b, c, d]);
  });
});
