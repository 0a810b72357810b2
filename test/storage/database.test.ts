/** The file itself: who may open it, with which rights, and what a schema from elsewhere meets. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import BetterSqlite3 from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { openDatabase } from "../../src/storage/database.ts";
import { checkSchema, migrate, migrations } from "../../src/storage/migrations.ts";
import { batch, blob, delivery, key, notes, step } from "../contracts/batches.ts";
import { failureOf, openFile, temporaryFolder } from "./temporary.ts";

const rightsOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("a new database", () => {
  test("is made with its folders, for this user alone", async () => {
    using folder = temporaryFolder();
    const home = join(folder.path, "a", "b");
    using file = openFile(join(home, "loom.db"));
    await file.storage.append(batch({ taskId: "task_a", events: notes(1), blobs: [blob("x".repeat(100_000))] }));
    expect(rightsOf(join(folder.path, "a"))).toBe("700");
    expect(rightsOf(home)).toBe("700");
    expect(rightsOf(join(home, "blobs"))).toBe("700");
    for (const name of readdirSync(home).filter((each) => each !== "blobs"))
      expect([name, rightsOf(join(home, name))]).toEqual([name, "600"]);
  });

  test("is durable, consistent and gives freed room back", () => {
    using folder = temporaryFolder();
    using file = openFile(join(folder.path, "loom.db"));
    const pragma = (name: string): unknown => file.database.connection.pragma(name, { simple: true });
    expect(pragma("journal_mode")).toBe("wal");
    expect(pragma("synchronous")).toBe(2);
    expect(pragma("foreign_keys")).toBe(1);
    expect(pragma("auto_vacuum")).toBe(2);
    expect(pragma("busy_timeout")).toBeGreaterThan(0);
  });

  test("leaves no orphan when a task goes: every row of it goes too", async () => {
    using folder = temporaryFolder();
    using file = openFile(join(folder.path, "loom.db"));
    const said = { type: "conversation_message", role: "user", message: "hello", source: "api" } as const;
    await file.storage.append(
      batch({ taskId: "task_a", events: [said], steps: [step("s")], outbox: [delivery("d")], idempotency: key("k") }),
    );
    const { connection } = file.database;
    connection.prepare("DELETE FROM task").run();
    for (const table of ["task_goal", "event", "step", "delivery", "memory", "memory_words('hello')"]) {
      expect([table, connection.prepare(`SELECT * FROM ${table}`).all()]).toEqual([table, []]);
    }
    connection.exec("INSERT INTO memory_words (memory_words, rank) VALUES ('integrity-check', 1)");
    expect(connection.pragma("foreign_key_check")).toEqual([]);
  });
});

describe("a database in use", () => {
  test("is refused to a second server, by whatever name, with the file and what to do", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    {
      using _file = openFile(path);
      symlinkSync(path, join(folder.path, "alias.db"));
      for (const name of ["loom.db", "alias.db"]) {
        const failure = await failureOf(() => openDatabase(join(folder.path, name)));
        expect(failure.code).toBe("storage_locked");
        expect(failure.message).toBe(`The database "${path}" is in use by another Loom server`);
        expect(failure.hint).toContain("database_path");
      }
    }
    openFile(path)[Symbol.dispose]();
  });

  test("is free again when its process is killed", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    const child = spawn(process.execPath, [
      fileURLToPath(new URL("./appending-process.ts", import.meta.url)),
      path,
      "task_a",
    ]);
    await once(child.stdout, "data");
    expect((await failureOf(() => openDatabase(path))).code).toBe("storage_locked");
    child.kill("SIGKILL");
    await once(child, "exit");
    openFile(path)[Symbol.dispose]();
  });
});

describe("a file that is not ours to write", () => {
  test("of a newer schema is refused with both versions, and unchanged", async () => {
    const known = migrations.length;
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    {
      using file = openFile(path);
      file.database.connection.pragma("user_version = 99");
    }
    const failure = await failureOf(() => openDatabase(path));
    expect(failure.code).toBe("storage_newer");
    expect(failure.message).toBe(
      `The database "${path}" has schema version 99, this Loom knows versions up to ${known}`,
    );
    expect(failure.extra).toEqual({ found: 99, known });
    using raw = adopt(new BetterSqlite3(path));
    expect(raw.connection.pragma("user_version", { simple: true })).toBe(99);
  });

  test("of another program is refused", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    {
      using raw = adopt(new BetterSqlite3(path));
      raw.connection.exec("CREATE TABLE tasks (id TEXT)");
    }
    const failure = await failureOf(() => openDatabase(path));
    expect(failure.code).toBe("storage_failed");
    expect(failure.message).toBe(`The database "${path}" belongs to another program`);
  });

  test("and is no database at all is refused", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    writeFileSync(path, "just text, and more of it than a header has\n".repeat(30));
    const failure = await failureOf(() => openDatabase(path));
    expect(failure.code).toBe("storage_failed");
    expect(failure.hint).toContain("backup");
  });

  test("because its place is taken by a folder, or is below a file, is refused", async () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "folder.db"));
    writeFileSync(join(folder.path, "file"), "");
    for (const name of ["folder.db", "file/loom.db"]) {
      const failure = await failureOf(() => openDatabase(join(folder.path, name)));
      expect(failure.code).toBe("storage_failed");
      expect(failure.message).toContain(name);
    }
  });
});

describe("a database of before", () => {
  test("keeps its rights, and loses drafts of blobs that a crash left", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    openFile(path)[Symbol.dispose]();
    chmodSync(path, 0o640);
    const drafts = join(folder.path, "blobs", ".drafts-loom.db");
    mkdirSync(drafts, { recursive: true });
    writeFileSync(join(drafts, "left"), "x");
    openFile(path)[Symbol.dispose]();
    expect(rightsOf(path)).toBe("640");
    expect(existsSync(drafts)).toBe(false);
  });

  test("is brought to the newest schema step by step, each wholly or not at all", () => {
    using raw = adopt(new BetterSqlite3(":memory:"));
    const { connection } = raw;
    const first = "CREATE TABLE a (x)";
    const tables = (): unknown[] => connection.prepare("SELECT name FROM sqlite_schema ORDER BY name").pluck().all();
    migrate(connection, [first]);
    checkSchema(connection, [first]);
    expect(() => migrate(connection, [first, "CREATE TABLE b (x); CREATE TABLE c (x); nonsense"])).toThrow("nonsense");
    expect([tables(), connection.pragma("user_version", { simple: true })]).toEqual([["a"], 1]);
    migrate(connection, [first, "CREATE TABLE b (x)", "ALTER TABLE b ADD COLUMN y"]);
    migrate(connection, [first, "CREATE TABLE b (x)", "ALTER TABLE b ADD COLUMN y"]);
    expect([tables(), connection.pragma("user_version", { simple: true })]).toEqual([["a", "b"], 3]);
  });
});

function adopt(connection: BetterSqlite3.Database): Disposable & { readonly connection: BetterSqlite3.Database } {
  return { connection, [Symbol.dispose]: () => void connection.close() };
}
