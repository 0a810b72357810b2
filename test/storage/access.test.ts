/** Keys and the audit log in a file: made and revoked beside a server, chained, and told when somebody meddled with them. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { createClock } from "../../src/observability/runtime.ts";
import type { AuditFacts, KeyWish } from "../../src/ports/access.ts";
import { createAccess, createAccessJobs } from "../../src/storage/access.sqlite.ts";
import { createAccessCare } from "../../src/storage/access-care.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { migrate, migrations } from "../../src/storage/migrations.ts";
import { openStorage } from "../../src/storage/opened-storage.ts";
import { failureOf, temporaryFolder } from "./temporary.ts";

const care = createAccessCare();
const daily = { tokensPerDay: 100_000, microUsdPerDay: 2_500_000 };
const wish: KeyWish = { name: "ci", scopes: ["read", "submit"], ratePerMinute: 60, tasksMax: 2, ...daily };
const fact = (at: number, more: Partial<AuditFacts> = {}): AuditFacts => ({
  at,
  actor: "ci",
  keyId: "key_1",
  remote: "127.0.0.1",
  action: "task.submit",
  subject: "task_1",
  outcome: "ok",
  ...more,
});

function place() {
  const folder = temporaryFolder();
  return { path: join(folder.path, "loom.db"), [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

/** As a server has it, with a thread that writes. */
const open = (path: string) => openStorage(path, { clock: createClock(), retentionDays: 0 });

/** The same without a thread. */
function openHere(path: string) {
  const database = openDatabase(path, { ballastBytes: 4096 });
  const access = createAccess(database.connection, createAccessJobs(database.connection));
  return { ...access, [Symbol.dispose]: () => database[Symbol.dispose]() };
}

describe("a key", () => {
  test("is shown once: the file knows its hash, and who it is for", async () => {
    using at = place();
    const { key, text } = await care.createKey(at.path, wish);
    expect(text).toMatch(/^loom_[0-9a-f]{10}_[\w-]{43}$/);
    expect(key).toMatchObject({ ...wish, id: `key_${text.slice(5, 15)}`, lastUsedAt: null, revokedAt: null });
    expect(await care.keys(at.path)).toEqual([key]);
    expect(statSync(at.path).mode & 0o777).toBe(0o600);
    const files = [at.path, `${at.path}-wal`].filter((file) => existsSync(file)).map((file) => readFileSync(file));
    expect(Buffer.concat(files).includes(text.slice(16))).toBe(false);
  });

  test("that is made or revoked beside a server is known to it at once, and when it was used is noted", async () => {
    using at = place();
    await using server = open(at.path);
    const { keys } = server;
    expect(keys.any()).toBe(false);
    const { key, text } = await care.createKey(at.path, wish);
    expect(keys.any()).toBe(true);
    expect(keys.find(key.id)).toMatchObject({ key, digest: createHash("sha256").update(text).digest() });
    await keys.used(key.id, 5000);
    expect(keys.find(key.id)?.key.lastUsedAt).toBe(5000);
    expect((await care.revokeKey(at.path, key.id)).revokedAt).not.toBeNull();
    expect(keys.find(key.id)?.key.revokedAt).not.toBeNull();
    expect([keys.any(), keys.find("key_none")]).toEqual([true, null]);
  });

  test("has a name of its own for ever, and is revoked once", async () => {
    using at = place();
    const { key } = await care.createKey(at.path, wish);
    await care.revokeKey(at.path, key.id);
    expect(await failureOf(() => care.createKey(at.path, wish))).toMatchObject({ code: "wrong_state" });
    expect(await failureOf(() => care.revokeKey(at.path, key.id))).toMatchObject({ code: "wrong_state" });
    expect(await failureOf(() => care.revokeKey(at.path, "key_x"))).toMatchObject({ code: "not_found" });
    expect(await failureOf(() => care.revokeKey(`${at.path}x`, "key_x"))).toMatchObject({ code: "not_found" });
  });

  test("is none in a file that has no such table yet, and in no file", async () => {
    using at = place();
    expect(await care.keys(at.path)).toEqual([]);
    const old = new BetterSqlite3(at.path);
    migrate(old, migrations.slice(0, 3));
    old.close();
    expect(await care.keys(at.path)).toEqual([]);
    expect(await care.verifyAudit(at.path)).toEqual({ rows: 0, head: null, fault: null });
  });

  test("is not made in a file that an older server has open", async () => {
    using at = place();
    using server = openDatabase(at.path, { ballastBytes: 4096 });
    server.connection.pragma(`user_version = ${migrations.length - 1}`);
    const refused = await failureOf(() => care.createKey(at.path, wish));
    expect([refused.code, refused.hint]).toMatchObject(["storage_failed", expect.stringContaining("Restart it")]);
  });
});

describe("the audit log", () => {
  test("holds what server and command line wrote, in one chain, whoever came first", async () => {
    using at = place();
    await using server = open(at.path);
    await Promise.all([
      ...Array.from({ length: 20 }, (_, index) => server.audit.record(fact(index, { subject: `task_${index}` }))),
      care.createKey(at.path, wish),
    ]);
    const { key } = await care.createKey(at.path, { ...wish, name: "other" });
    await server.audit.record(fact(99, { outcome: "refused:403" }));
    await care.revokeKey(at.path, key.id);
    const rows = await care.auditRows(at.path, 4);
    expect(rows.map(({ action, subject, outcome }) => [action, subject, outcome]).slice(-3)).toEqual([
      ["key.create", key.id, "ok"],
      ["task.submit", "task_1", "refused:403"],
      ["key.revoke", key.id, "ok"],
    ]);
    expect(rows.at(-1)).toMatchObject({ seq: 24, remote: "local", actor: expect.stringMatching(/^cli:./) as unknown });
    const verdict = await care.verifyAudit(at.path);
    expect(verdict).toMatchObject({ rows: 24, fault: null, head: { seq: 24, hash: rows.at(-1)?.hash } });
  });

  test("is not for retention to take", async () => {
    using at = place();
    await using server = openStorage(at.path, { clock: createClock(), retentionDays: 1 });
    await server.audit.record(fact(1));
    await server.maintenance.round();
    expect((await care.auditRows(at.path, 10)).map(({ at: time }) => time)).toEqual([1]);
  });

  test("takes neither a change nor a deletion", async () => {
    using at = place();
    using server = openHere(at.path);
    await server.audit.record(fact(1));
    const other = new BetterSqlite3(at.path);
    for (const meddling of ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
      expect(() => other.exec(meddling)).toThrow("the audit log only grows");
    other.close();
  });

  const meddlings: readonly (readonly [string, string, number | null])[] = [
    ["nothing", "SELECT 1", null],
    ["an actor was changed", "UPDATE audit SET actor = 'nobody' WHERE seq = 3", 3],
    ["a time was changed", "UPDATE audit SET at = at + 1 WHERE seq = 1", 1],
    ["a subject was blanked", "UPDATE audit SET subject = NULL WHERE seq = 5", 5],
    ["a row was taken out", "DELETE FROM audit WHERE seq = 2", 2],
    [
      "a row was taken out and the others moved up",
      "DELETE FROM audit WHERE seq = 2; UPDATE audit SET seq = seq - 1 WHERE seq > 2",
      2,
    ],
    [
      "two rows changed places",
      "UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 99",
      2,
    ],
    ["the end was cut off", "DELETE FROM audit WHERE seq > 4", 5],
    ["all was deleted", "DELETE FROM audit", 1],
    ["a hash was changed", "UPDATE audit SET hash = replace(hash, 'a', 'b') WHERE seq = 4", 4],
  ];
  test.each(meddlings)("is told apart after this: %s", async (_what, meddling, first) => {
    using at = place();
    {
      using server = openHere(at.path);
      for (let row = 1; row <= 6; row += 1) await server.audit.record(fact(row));
    }
    const other = new BetterSqlite3(at.path);
    other.exec(`DROP TRIGGER audit_keeps_rows; DROP TRIGGER audit_keeps_facts; ${meddling}`);
    other.close();
    expect((await care.verifyAudit(at.path)).fault?.seq ?? null).toBe(first);
  });

  test("that was cut off or written anew with all its hashes is told apart by a head that was noted", async () => {
    using at = place();
    {
      using server = openHere(at.path);
      for (let row = 1; row <= 3; row += 1) await server.audit.record(fact(row));
    }
    const { head } = await care.verifyAudit(at.path);
    const noted = head ?? { seq: 0, hash: "" };
    expect(await care.verifyAudit(at.path, noted)).toMatchObject({ fault: null });
    const other = new BetterSqlite3(at.path);
    other.exec("DROP TRIGGER audit_keeps_rows; DELETE FROM audit; DELETE FROM sqlite_sequence WHERE name = 'audit'");
    other.close();
    expect((await care.verifyAudit(at.path)).fault).toBeNull();
    expect((await care.verifyAudit(at.path, noted)).fault).toMatchObject({ seq: 1 });
    using server = openHere(at.path);
    for (let row = 1; row <= 3; row += 1) await server.audit.record(fact(row, { actor: "someone else" }));
    expect((await care.verifyAudit(at.path)).fault).toBeNull();
    expect((await care.verifyAudit(at.path, noted)).fault).toMatchObject({ seq: 3 });
  });
});
