/** A disk that is full or broken: who is told, what is kept, and that the store goes on. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { LoomError } from "../../src/lib/errors.ts";
import type { Log } from "../../src/ports/runtime.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { createSqliteEventStore } from "../../src/storage/event-store.sqlite.ts";
import { storageFailure } from "../../src/storage/failures.ts";
import { batch, blob, notes, startedAt } from "../contracts/batches.ts";
import { failureOf, openFile, temporaryFolder } from "./temporary.ts";

const full = { code: "storage_full", status: 503, retryAfterMs: 5000 };
const bulky = blob("x".repeat(60_000));
const everything = { after: 0, limit: 100 };

describe("a full disk", () => {
  test("fails only the batches that do not fit, and takes others again", async () => {
    using folder = temporaryFolder();
    const said: string[] = [];
    const log = logInto(said);
    using database = openDatabase(join(folder.path, "loom.db"), { ballastBytes: 4096 });
    const storage = createSqliteEventStore(database, { clock: { now: () => startedAt }, log });
    await storage.append(batch({ taskId: "task_a", events: notes(1) }));
    const { connection } = database;
    connection.pragma(`max_page_count = ${Number(connection.pragma("page_count", { simple: true })) + 2}`);

    const fates = await Promise.allSettled([
      storage.append(batch({ taskId: "task_a", after: 1, events: notes(1, 2) })),
      storage.append(batch({ taskId: "task_b", events: notes(1), blobs: [bulky] })),
      storage.append(batch({ taskId: "task_a", after: 2, events: notes(1, 3) })),
      storage.append(batch({ taskId: "task_a", after: 1, events: notes(1, 9) })),
    ]);
    expect(fates).toMatchObject([
      { status: "fulfilled", value: { kind: "appended" } },
      { status: "rejected", reason: full },
      { status: "fulfilled", value: { kind: "appended" } },
      { status: "fulfilled", value: { kind: "conflict", seq: 3 } },
    ]);
    expect(said).toEqual([
      "A commit failed",
      "The disk is full: the ballast was let go, so that running steps can be recorded",
    ]);
    expect(existsSync(join(folder.path, "loom.db.ballast"))).toBe(false);
    await expect(storage.append(batch({ taskId: "task_b", events: notes(1), blobs: [bulky] }))).rejects.toMatchObject(
      full,
    );

    connection.pragma("max_page_count = 1000000");
    expect(await storage.append(batch({ taskId: "task_b", events: notes(1), blobs: [bulky] }))).toEqual({
      kind: "appended",
    });
    expect(await storage.read("task_a", everything)).toHaveLength(3);
    expect(await storage.read("task_b", everything)).toHaveLength(1);
  });

  test("lets a server start without its ballast", () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "loom.db.ballast"));
    using file = openFile(join(folder.path, "loom.db"));
    expect(file.database.ballast.release()).toBe(false);
    expect(existsSync(join(folder.path, "loom.db.ballast"))).toBe(true);
  });

  test("gets its ballast back with the next start", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    {
      using file = openFile(path);
      expect([file.database.ballast.release(), file.database.ballast.release()]).toEqual([true, false]);
    }
    using file = openFile(path);
    expect(file.database.ballast.release()).toBe(true);
  });

  test("is told from a broken one, and neither from a bug", () => {
    const failure = (code: string): unknown => storageFailure("append", Object.assign(new Error("why"), { code }));
    for (const code of ["SQLITE_FULL", "ENOSPC", "EDQUOT"]) expect(failure(code)).toMatchObject(full);
    for (const code of ["SQLITE_IOERR_FSYNC", "SQLITE_CORRUPT", "SQLITE_BUSY", "EIO", "EROFS"]) {
      expect(failure(code)).toMatchObject({ code: "storage_failed", message: `Cannot append: why (${code})` });
      expect(failure(code)).toHaveProperty("hint");
    }
    for (const code of ["SQLITE_CONSTRAINT_UNIQUE", "SQLITE_ERROR", "ERR_INVALID_ARG_TYPE"]) {
      expect(failure(code)).not.toBeInstanceOf(LoomError);
    }
    expect(storageFailure("append", "thrown text")).toBe("thrown text");
  });
});

describe("a disk that refuses a write", () => {
  test("fails the append with storage_failed and leaves the log as it was", () => {
    using folder = temporaryFolder();
    // The shell's limit on file sizes makes the system refuse writes beyond it, as a broken disk does.
    const script = `ulimit -f 600; exec "$0" "$1" "$2"`;
    const program = fileURLToPath(new URL("./overflowing-process.ts", import.meta.url));
    const { stdout, stderr } = spawnSync(
      "sh",
      ["-c", script, process.execPath, program, join(folder.path, "loom.db")],
      { encoding: "utf8" },
    );
    expect({ stdout, stderr }).toEqual({ stdout: "storage_failed\n", stderr: "" });
    using file = openFile(join(folder.path, "loom.db"));
    return expect(file.storage.read("task_a", everything)).resolves.toHaveLength(1);
  });
});

describe("a large blob", () => {
  const large = blob(new Uint8Array(200_000).fill(1));
  const hex = large.digest.slice("sha256:".length);

  test("is a file by its digest, written once, and no row", async () => {
    using folder = temporaryFolder();
    using file = openFile(join(folder.path, "loom.db"));
    await file.storage.append(batch({ taskId: "task_a", blobs: [large, large, bulky] }));
    await file.storage.append(batch({ taskId: "task_b", blobs: [large] }));
    expect(readdirSync(join(folder.path, "blobs", hex.slice(0, 2)))).toEqual([hex]);
    expect(readdirSync(join(folder.path, "blobs", ".drafts-loom.db"))).toEqual([]);
    expect(file.database.connection.prepare("SELECT digest FROM blob").pluck().all()).toEqual([bulky.digest]);
  });

  test("that cannot be written fails its append alone, and leaves no draft", async () => {
    using folder = temporaryFolder();
    using file = openFile(join(folder.path, "loom.db"));
    mkdirSync(join(folder.path, "blobs"));
    writeFileSync(join(folder.path, "blobs", hex.slice(0, 2)), "in the way");
    const fates = await Promise.allSettled([
      file.storage.append(batch({ taskId: "task_a", events: notes(1), blobs: [large] })),
      file.storage.append(batch({ taskId: "task_a", after: 1, events: notes(1) })),
      file.storage.append(batch({ taskId: "task_b", events: notes(1) })),
    ]);
    expect(fates).toMatchObject([
      { status: "rejected", reason: { code: "storage_failed" } },
      { status: "fulfilled", value: { kind: "conflict", seq: 0 } },
      { status: "fulfilled", value: { kind: "appended" } },
    ]);
    rmSync(join(folder.path, "blobs", hex.slice(0, 2)));
    mkdirSync(join(folder.path, "blobs", hex.slice(0, 2), hex), { recursive: true });
    await expect(
      file.storage.append(batch({ taskId: "task_a", events: notes(1), blobs: [large] })),
    ).rejects.toMatchObject({ code: "storage_failed" });
    await expect(file.storage.get(large.digest)).rejects.toMatchObject({ code: "storage_failed" });
    expect(readdirSync(join(folder.path, "blobs", ".drafts-loom.db"))).toEqual([]);
  });

  test("whose file was damaged is not handed out as if it were whole", async () => {
    using folder = temporaryFolder();
    using file = openFile(join(folder.path, "loom.db"));
    await file.storage.append(batch({ taskId: "task_a", blobs: [large] }));
    writeFileSync(join(folder.path, "blobs", hex.slice(0, 2), hex), "other");
    const failure = await failureOf(() => file.storage.get(large.digest));
    expect(failure.code).toBe("storage_failed");
    expect(failure.message).toContain("is damaged");
    await file.storage.append(batch({ taskId: "task_b", blobs: [large] }));
    expect(await file.storage.get(large.digest)).toEqual(large.bytes);
  });
});

describe("a log whose rows were damaged", () => {
  test("is said to be corrupt, with the event, and harms no other", async () => {
    using folder = temporaryFolder();
    using file = openFile(join(folder.path, "loom.db"));
    for (const name of ["a", "b"]) await file.storage.append(batch({ taskId: `task_${name}`, events: notes(2) }));
    file.database.connection.exec("UPDATE event SET data = '{\"cut' WHERE task_id = 'task_a' AND seq = 2");
    await expect(file.storage.read("task_a", everything)).rejects.toMatchObject({
      code: "log_corrupt",
      message: "The log of task_a is damaged at event 2 (task_paused): its data is no JSON object",
    });
    expect(await file.storage.read("task_b", everything)).toHaveLength(2);
  });
});

function logInto(lines: string[]): Log {
  const write = (_facts: unknown, message: string): void => void lines.push(message);
  return { debug: write, info: write, warn: write, error: write };
}
