/**
 * Keys and the audit log from outside a server: `loom keys`, `loom audit`. What writes is one short transaction: on a file
 * that a server has open it waits its turn as the server's own writer does, on any other it opens the file as a server would.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { userInfo } from "node:os";
import BetterSqlite3, { type Database } from "better-sqlite3";
import { LoomError } from "../lib/errors.ts";
import type { AccessCare, ApiKey, AuditFacts, KeyWish } from "../ports/access.ts";
import { decodeKey } from "./access.sqlite.ts";
import { auditRows, createAuditWriter, verdictOn } from "./audit-chain.ts";
import { openAgain, openDatabase } from "./database.ts";
import { storageFailure } from "./failures.ts";
import { checkSchema, migrations, versionOf } from "./migrations.ts";

/** A server holds the lock for milliseconds. */
const turnMs = 10_000;

export function createAccessCare({ now = Date.now }: { readonly now?: () => number } = {}): AccessCare {
  return {
    createKey: async (path, wish) => writing(path, "make a key in", (connection) => createKey(connection, wish, now())),
    keys: async (path) => (existsSync(path) ? reading(path, "read the keys of", keysOf, []) : []),
    revokeKey: async (path, id) =>
      writing(path, "revoke a key in", (connection) => revokeKey(connection, id, now()), requireFile),
    auditRows: async (path, limit) => {
      requireFile(path);
      return reading(path, "read the audit log of", (connection) => auditRows(connection, limit), []);
    },
    verifyAudit: async (path, expected) => {
      requireFile(path);
      const none = { rows: 0, head: null, fault: null };
      return reading(path, "verify the audit log of", (connection) => verdictOn(connection, expected), none);
    },
  };
}

/** Is there a key that lets somebody in? */
export async function hasUsableKey(path: string): Promise<boolean> {
  return (await createAccessCare().keys(path)).some(({ revokedAt }) => revokedAt === null);
}

function createKey(connection: Database, wish: KeyWish, createdAt: number): { key: ApiKey; text: string } {
  const place = randomBytes(5).toString("hex");
  const text = `loom_${place}_${randomBytes(32).toString("base64url")}`;
  const key: ApiKey = { id: `key_${place}`, ...wish, createdAt, lastUsedAt: null, revokedAt: null };
  if (connection.prepare("SELECT 1 FROM api_key WHERE name = ?").get(wish.name) !== undefined) {
    throw new LoomError("wrong_state", `There is a key "${wish.name}" already`, {
      hint: "Names are given once, also those of revoked keys, so that the log stays clear: choose another; `loom keys list` shows them",
    });
  }
  connection
    .prepare(
      `INSERT INTO api_key
         (key_id, name, digest, scopes, rate_per_minute, tasks_max, tokens_per_day, micro_usd_per_day, created_at)
       VALUES (@id, @name, @digest, @scopes, @ratePerMinute, @tasksMax, @tokensPerDay, @microUsdPerDay, @createdAt)`,
    )
    .run({ ...key, scopes: wish.scopes.join(" "), digest: createHash("sha256").update(text).digest() });
  createAuditWriter(connection)(factsOf("key.create", key.id, createdAt));
  return { key, text };
}

function revokeKey(connection: Database, id: string, revokedAt: number): ApiKey {
  const found = keysOf(connection).find((key) => key.id === id);
  if (found === undefined)
    throw new LoomError("not_found", `There is no key "${id}"`, { hint: "`loom keys list` shows their ids" });
  if (found.revokedAt !== null) {
    const since = new Date(found.revokedAt).toISOString();
    throw new LoomError("wrong_state", `The key "${id}" (${found.name}) was revoked already, at ${since}`);
  }
  connection.prepare("UPDATE api_key SET revoked_at = ? WHERE key_id = ?").run(revokedAt, id);
  createAuditWriter(connection)(factsOf("key.revoke", id, revokedAt));
  return { ...found, revokedAt };
}

function keysOf(connection: Database): ApiKey[] {
  return connection
    .prepare<[], Parameters<typeof decodeKey>[0]>(`SELECT * FROM api_key ORDER BY created_at, key_id`)
    .all()
    .map(decodeKey);
}

function factsOf(action: string, subject: string, at: number): AuditFacts {
  return { at, actor: `cli:${userInfo().username}`, keyId: null, remote: "local", action, subject, outcome: "ok" };
}

function requireFile(path: string): void {
  if (existsSync(path)) return;
  throw new LoomError("not_found", `There is no database at "${path}"`, {
    hint: "It is made by the first `loom serve`, `loom run` or `loom keys create`; [memory] database_path in loom.toml says where",
  });
}

function reading<T>(named: string, action: string, work: (connection: Database) => T, beforeKeys: T): T {
  try {
    using stack = new DisposableStack();
    const path = realpathSync(named);
    const connection = stack.adopt(new BetterSqlite3(path, { readonly: true }), (opened) => opened.close());
    checkSchema(connection);
    // A file of a Loom that had no keys yet: it has none.
    return hasKeys(connection) ? work(connection) : beforeKeys;
  } catch (error) {
    throw storageFailure(`${action} the database "${named}"`, error);
  }
}

function writing<T>(
  path: string,
  action: string,
  work: (connection: Database) => T,
  check: (path: string) => void = () => undefined,
): T {
  check(path);
  using stack = new DisposableStack();
  const { connection } = stack.use(openAsItStands(path));
  try {
    return connection.transaction(() => work(connection)).immediate();
  } catch (error) {
    throw storageFailure(`${action} the database "${path}"`, error);
  }
}

/** Where a server has the file, it has it in the newest schema that it knows, and nobody else may migrate it. */
function openAsItStands(path: string): { readonly connection: Database } & Disposable {
  try {
    return openDatabase(path);
  } catch (error) {
    if (!(error instanceof LoomError) || error.code !== "storage_locked") throw error;
  }
  using stack = new DisposableStack();
  const opened = stack.use(openAgain(realpathSync(path)));
  opened.connection.pragma(`busy_timeout = ${turnMs}`);
  checkSchema(opened.connection);
  const found = versionOf(opened.connection);
  if (found !== migrations.length) {
    throw new LoomError("storage_failed", `The server that runs on "${path}" is an older Loom (schema ${found})`, {
      hint: `Restart it with this version, which brings the file to schema ${migrations.length}`,
    });
  }
  stack.move();
  return opened;
}

function hasKeys(connection: Database): boolean {
  return connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'api_key'").get() !== undefined;
}
