/**
 * The database file: opened, locked against a second server, brought to the newest schema, closed. Knows files and pragmas;
 * what the tables mean is left to those who read and write them.
 */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, realpathSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { LoomError } from "../lib/errors.ts";
import { type Ballast, ballastAt } from "./ballast.ts";
import { codeOf, storageFailure } from "./failures.ts";
import { type LastStop, requireSound, standing } from "./last-stop.ts";
import { checkSchema, migrate } from "./migrations.ts";

/** How long a statement waits for another program's lock. It blocks the server, so it is short. */
export const busyTimeoutMs = 2000;
/** Pages in the write-ahead log before a commit copies them into the file: 4 MiB, SQLite's own default. */
const checkpointPages = 1000;
/** Above this the page cache forgets what is not used; in KiB. */
const cacheKib = 16 * 1024;
/** The write-ahead log is cut to this when it starts anew. */
const walKeptBytes = 16 * 1024 * 1024;
/** @see DECISIONS 34 */
const usualBallastBytes = 4 * 1024 * 1024;

export interface StorageDatabase extends Disposable {
  readonly connection: BetterSqlite3.Database;
  readonly path: string;
  /** Blobs that are too large for the database; beside it. */
  readonly blobFolder: string;
  /** Where blobs are written before they are renamed; of this database alone, empty at the start. */
  readonly draftFolder: string;
  readonly ballast: Ballast;
}

export interface OpenedDatabase extends StorageDatabase {
  /** How the process before ended; after an unclean one the file was checked. */
  readonly lastStop: LastStop;
}

/**
 * Creates what is missing: folders 0700, files 0600.
 *
 * @throws LoomError storage_locked: another process has it open; storage_newer; storage_full, storage_failed: the file is
 * damaged, among others
 */
export function openDatabase(file: string, { ballastBytes = usualBallastBytes } = {}): OpenedDatabase {
  using stack = new DisposableStack();
  try {
    const path = place(file);
    stack.adopt(lock(path), (held) => held.close());
    const sign = standing(path);
    stack.defer(() => sign.end());
    const connection = stack.adopt(connect(path), (opened) => opened.close());
    checkSchema(connection);
    if (sign.lastStop === "unclean") requireSound(connection);
    sign.begin();
    configure(connection);
    migrate(connection);
    const opened = describe(connection, path);
    rmSync(opened.draftFolder, { recursive: true, force: true });
    opened.ballast.hold(ballastBytes);
    const owned = stack.move();
    return { ...opened, lastStop: sign.lastStop, [Symbol.dispose]: () => owned.dispose() };
  } catch (error) {
    throw storageFailure(`open the database "${file}"`, error);
  }
}

/**
 * One more connection to a file that this process has opened, for another thread.
 *
 * @param path as `openDatabase` found it
 * @throws LoomError storage_failed
 */
export function openAgain(path: string): StorageDatabase {
  try {
    const connection = connect(path);
    configure(connection);
    return { ...describe(connection, path), [Symbol.dispose]: () => void connection.close() };
  } catch (error) {
    throw storageFailure(`open the database "${path}" a second time`, error);
  }
}

function describe(connection: BetterSqlite3.Database, path: string): Omit<StorageDatabase, typeof Symbol.dispose> {
  const blobFolder = blobFolderOf(path);
  const draftFolder = join(blobFolder, `.drafts-${basename(path)}`);
  return { connection, path, blobFolder, draftFolder, ballast: ballastAt(`${path}.ballast`) };
}

export function blobFolderOf(path: string): string {
  return join(dirname(path), "blobs");
}

/** Does a process hold the lock of this database? */
export function isInUse(path: string): boolean {
  const file = `${realpathSync(path)}.lock`;
  if (!existsSync(file)) return false;
  using stack = new DisposableStack();
  const looking = stack.adopt(connect(file, 0), (opened) => opened.close());
  try {
    looking.prepare("SELECT 1 FROM sqlite_schema").get();
    return false;
  } catch (error) {
    if (codeOf(error)?.startsWith("SQLITE_BUSY")) return true;
    throw error;
  }
}

/** @returns the one path of this file, so that it has one lock by whatever link it is named */
function place(file: string): string {
  mkdirSync(dirname(resolve(file)), { recursive: true, mode: 0o700 });
  createPrivate(file);
  return realpathSync(file);
}

/** An exclusive transaction on a file of its own, held for life: the system lets go of it when the process dies, however it dies. */
function lock(path: string): BetterSqlite3.Database {
  using stack = new DisposableStack();
  const held = stack.adopt(connect(`${path}.lock`, 0), (opened) => opened.close());
  try {
    held.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    if (!codeOf(error)?.startsWith("SQLITE_BUSY")) throw error;
    throw new LoomError("storage_locked", `The database "${path}" is in use by another Loom server`, {
      hint: "Stop that server, use it (loom --url), or name another file: [memory] database_path, or LOOM_MEMORY__DATABASE_PATH",
      cause: error,
    });
  }
  stack.move();
  return held;
}

function connect(path: string, timeoutMs: number = busyTimeoutMs): BetterSqlite3.Database {
  createPrivate(path);
  return new BetterSqlite3(path, { timeout: timeoutMs });
}

/** SQLite gives a new file the umask's bits and its companions (-wal, -shm) those of the file: so the file comes first. */
function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

function configure(connection: BetterSqlite3.Database): void {
  // Takes effect in new files only, and only before the first table.
  connection.pragma("auto_vacuum = INCREMENTAL");
  connection.pragma("journal_mode = WAL");
  connection.pragma("synchronous = FULL");
  connection.pragma("foreign_keys = ON");
  connection.pragma(`wal_autocheckpoint = ${checkpointPages}`);
  connection.pragma(`journal_size_limit = ${walKeptBytes}`);
  connection.pragma(`cache_size = -${cacheKib}`);
}
