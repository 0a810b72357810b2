/** Care for a database from outside: while a server has it, after it died, and when it is damaged. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { createDatabaseCare } from "../../src/storage/care.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { signAt } from "../../src/storage/last-stop.ts";
import { migrate, migrations } from "../../src/storage/migrations.ts";
import { batch, blob, notes } from "../contracts/batches.ts";
import { addTask, naming } from "./maintained.ts";
import { failureOf, openFile, temporaryFolder } from "./temporary.ts";

const care = createDatabaseCare();
const large = blob("large ".repeat(40_000));
const small = blob("small");
const everything = { after: 0, limit: 1000 };

/** Two tasks, one closed, with a blob in the file and one beside it. */
async function fill(path: string): Promise<void> {
  using file = openFile(path);
  await addTask(file.storage, "task_a", { closed: false, blobs: [small, large], steps: [naming("s", [small, large])] });
  await addTask(file.storage, "task_b");
}

/** As a crash leaves it. */
function leaveInUse(path: string): void {
  writeFileSync(signAt(path), "");
}

/** Overwrites the middle of the file, where pages of tables are. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0xa5, 8 * 4096 + 100, 20 * 4096);
  writeFileSync(path, bytes);
}

describe("how a database stands", () => {
  test("is told while a server has it, and afterwards", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    await fill(path);
    const content = { openTasks: 1, closedTasks: 1, droppedLogs: 0, events: 9, blobs: 1 };
    const schema = { found: migrations.length, known: migrations.length };
    {
      using _file = openFile(path);
      expect(await care.status(path)).toMatchObject({ path, inUse: true, stoppedUncleanly: false, content, schema });
    }
    const after = await care.status(path);
    expect(after).toMatchObject({ inUse: false, stoppedUncleanly: false, content });
    expect(after.blobFiles).toEqual({ count: 1, bytes: large.bytes.byteLength });
    expect(after.bytes).toBe(statSync(path).size);
    leaveInUse(path);
    expect(await care.status(path)).toMatchObject({ inUse: false, stoppedUncleanly: true });
  });

  test("is told of an older schema too, and refused of a newer one, of no file and of another program's", async () => {
    using folder = temporaryFolder();
    const old = join(folder.path, "old.db");
    const connection = new BetterSqlite3(old);
    migrate(connection, migrations.slice(0, 1));
    connection.close();
    expect(await care.status(old)).toMatchObject({ schema: { found: 1 }, content: null, inUse: false });
    expect(await care.check(old)).toEqual([]);
    expect(await failureOf(() => care.backup(old, join(folder.path, "b.db")))).toMatchObject({ code: "wrong_state" });
    const other = new BetterSqlite3(join(folder.path, "other.db"));
    other.exec("CREATE TABLE t (x)");
    other.close();
    expect(await failureOf(() => care.status(other.name))).toMatchObject({ code: "storage_failed" });
    const none = await failureOf(() => care.check(join(folder.path, "none.db")));
    expect(none).toMatchObject({ code: "not_found", status: 404 });
    expect(existsSync(join(folder.path, "none.db"))).toBe(false);
  });
});

describe("a backup", () => {
  test("made while a server writes is a whole database, with the blobs that it names", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    const to = join(folder.path, "backups", "one.db");
    await fill(path);
    {
      using file = openFile(path);
      expect(await care.backup(path, to)).toEqual({ bytes: statSync(to).size, blobFiles: 1 });
      await file.storage.append(batch({ taskId: "task_c", events: notes(1) }));
    }
    expect((statSync(to).mode & 0o777).toString(8)).toBe("600");
    expect(readdirSync(dirname(to)).toSorted()).toEqual(["blobs", "one.db"]);
    expect(await care.check(to)).toEqual([]);
    using copy = openFile(to);
    expect(await copy.storage.read("task_a", everything)).toHaveLength(4);
    expect(await copy.storage.row("task_c")).toBeNull();
    for (const { digest, bytes } of [small, large]) expect(await copy.storage.get(digest)).toEqual(bytes);
    expect(copy.database.connection.pragma("auto_vacuum", { simple: true })).toBe(2);
  });

  test("takes the place of nothing, and leaves blobs out that nothing names", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    {
      using file = openFile(path);
      await addTask(file.storage, "task_a", { blobs: [large] });
    }
    const to = join(folder.path, "backups", "one.db");
    mkdirSync(dirname(to));
    expect(await care.backup(path, to)).toMatchObject({ blobFiles: 0 });
    const failure = await failureOf(() => care.backup(path, to));
    expect(failure).toMatchObject({ code: "wrong_state" });
    expect(failure.message).toContain(to);
    expect(readdirSync(dirname(to))).toEqual(["one.db"]);
  });
});

describe("a check", () => {
  test("finds nothing in what is sound, whether or not a server has it", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    await fill(path);
    expect(await care.check(path)).toEqual([]);
    using _file = openFile(path);
    expect(await care.check(path)).toEqual([]);
  });

  test("finds broken pages", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    await fill(path);
    damage(path);
    expect((await care.check(path)).length).toBeGreaterThan(0);
  });

  test("finds gaps in logs, rows without their task, and blobs that do not bear their names", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    await fill(path);
    const connection = new BetterSqlite3(path);
    connection.pragma("foreign_keys = OFF");
    connection.exec("DELETE FROM event WHERE task_id = 'task_b' AND seq = 2");
    connection.exec("DELETE FROM task WHERE task_id = 'task_a'");
    connection.exec("UPDATE blob SET bytes = x'00'");
    connection.close();
    const hex = large.digest.slice("sha256:".length);
    truncateSync(join(folder.path, "blobs", hex.slice(0, 2), hex), 7);
    const faults = await care.check(path);
    expect(faults).toContain("The log of task_b has 4 events of 5");
    expect(faults.filter((line) => line.endsWith("belongs to no task")).length).toBeGreaterThan(0);
    expect(faults).toContain(`The content of blob ${small.digest} does not bear its name`);
    expect(faults.filter((line) => line.includes(hex))).toHaveLength(1);
  });
});

describe("migrating", () => {
  test("brings an older file to the newest schema once, and is refused while a server has it", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "old.db");
    const connection = new BetterSqlite3(path);
    migrate(connection, migrations.slice(0, 1));
    connection.close();
    const to = migrations.length;
    expect(await care.migrate(path)).toEqual({ from: 1, to });
    expect(await care.migrate(path)).toEqual({ from: to, to });
    using _file = openFile(path);
    expect(await failureOf(() => care.migrate(path))).toMatchObject({ code: "storage_locked" });
  });
});

describe("a start after a stop that was not clean", () => {
  test("says so and goes on when the file is sound; the next one has a clean slate", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    await fill(path);
    leaveInUse(path);
    {
      using opened = openDatabase(path, { ballastBytes: 4096 });
      expect(opened.lastStop).toBe("unclean");
      expect(existsSync(signAt(path))).toBe(true);
    }
    expect(existsSync(signAt(path))).toBe(false);
    using again = openDatabase(path, { ballastBytes: 4096 });
    expect(again.lastStop).toBe("clean");
  });

  test("is refused when the file is damaged, as often as it is tried; after a clean stop nobody looks", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    await fill(path);
    damage(path);
    openDatabase(path, { ballastBytes: 4096 })[Symbol.dispose]();
    leaveInUse(path);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const failure = await failureOf(() => openDatabase(path));
      expect(failure).toMatchObject({ code: "storage_failed" });
      expect(failure.message).toContain(`The database "${path}" is damaged`);
      expect(failure.hint).toContain("loom db check");
    }
  });
});
