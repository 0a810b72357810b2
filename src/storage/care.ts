/** Care for a database file from outside a server: `loom db`. Looks through connections that write nothing, but for migrating. */
import { existsSync, realpathSync, statSync } from "node:fs";
import BetterSqlite3, { type Database } from "better-sqlite3";
import { LoomError } from "../lib/errors.ts";
import type { DatabaseCare, DatabaseStatus } from "../ports/database-care.ts";
import { backUp } from "./backup.ts";
import { blobFilesAt } from "./blob-store.fs.ts";
import { faultsOf } from "./checking.ts";
import { blobFolderOf, isInUse, openDatabase } from "./database.ts";
import { isDamage, storageFailure } from "./failures.ts";
import { signAt } from "./last-stop.ts";
import { checkSchema, migrations, versionOf } from "./migrations.ts";

export function createDatabaseCare(): DatabaseCare {
  return {
    status: async (path) => await looking(path, "look at", status),
    backup: async (path, to) =>
      await looking(path, "back up", (connection, real) => backUp(connection, { path: real, to })),
    check: async (path) => await check(path),
    migrate: async (path) => await migrate(path),
  };
}

/** A file that is too damaged to be read has that as its one fault. */
async function check(path: string): Promise<readonly string[]> {
  try {
    return await looking(path, "check", (connection, real) => faultsOf(connection, blobFolderOf(real)));
  } catch (error) {
    if (error instanceof LoomError && isDamage(error.cause)) return [error.message];
    throw error;
  }
}

/** Whatever it finds: a file that only a newer Loom can read is refused, one from an older is read as it is. */
async function looking<T>(
  named: string,
  action: string,
  work: (connection: Database, path: string) => T | Promise<T>,
): Promise<T> {
  requireFile(named);
  const path = realpathSync(named);
  try {
    using stack = new DisposableStack();
    const connection = stack.adopt(new BetterSqlite3(path, { readonly: true }), (opened) => opened.close());
    checkSchema(connection);
    return await work(connection, path);
  } catch (error) {
    throw storageFailure(`${action} the database "${path}"`, error);
  }
}

function requireFile(path: string): void {
  if (existsSync(path)) return;
  throw new LoomError("not_found", `There is no database at "${path}"`, {
    hint: "It is made by the first `loom serve` or `loom run`; [memory] database_path in loom.toml says where",
  });
}

async function migrate(path: string): Promise<{ readonly from: number; readonly to: number }> {
  const from = await looking(path, "look at", versionOf);
  using _opened = openDatabase(path);
  return { from, to: migrations.length };
}

async function status(connection: Database, path: string): Promise<DatabaseStatus> {
  const found = versionOf(connection);
  const number = (pragma: string): number => Number(connection.pragma(pragma, { simple: true }));
  const files = await blobFilesAt(blobFolderOf(path));
  const inUse = isInUse(path);
  return {
    path,
    bytes: statSync(path).size,
    walBytes: statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    freeBytes: number("freelist_count") * number("page_size"),
    schema: { found, known: migrations.length },
    content: found === migrations.length ? contentOf(connection) : null,
    blobFiles: { count: files.length, bytes: files.reduce((sum, file) => sum + statSync(file.path).size, 0) },
    inUse,
    stoppedUncleanly: !inUse && existsSync(signAt(path)),
  };
}

function contentOf(connection: Database): DatabaseStatus["content"] {
  const count = (from: string): number => Number(connection.prepare(`SELECT count(*) FROM ${from}`).pluck().get());
  return {
    openTasks: count("task WHERE open = 1"),
    closedTasks: count("task WHERE open = 0"),
    droppedLogs: count("task WHERE log_state <> 0"),
    events: count("event"),
    blobs: count("blob"),
  };
}
