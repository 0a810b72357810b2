/** `loom db`: what a person reads, and how each command ends. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DatabaseCare } from "../../src/ports/database-care.ts";
import { createDatabaseCare } from "../../src/storage/care.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { Terminal } from "./terminal.ts";

function makeDatabase(terminal: Terminal): string {
  const path = join(terminal.home, "loom.db");
  openDatabase(path, { ballastBytes: 4096 })[Symbol.dispose]();
  return path;
}

const standing: Awaited<ReturnType<DatabaseCare["status"]>> = {
  path: "/data/loom.db",
  bytes: 5 * 1024 * 1024,
  walBytes: 512,
  freeBytes: 2048,
  schema: { found: 1, known: 9 },
  content: null,
  blobFiles: { count: 2, bytes: 4096 },
  inUse: false,
  stoppedUncleanly: true,
};

describe("loom db status", () => {
  test("shows a database, for people and as JSON", async () => {
    using terminal = new Terminal();
    const path = makeDatabase(terminal);
    expect(await terminal.run("db", "status")).toBe(0);
    expect(terminal.out).toContain(`database      ${path}\nused by       nobody\n`);
    expect(terminal.out).toContain("tasks         0 open, 0 closed, of these 0 without their log\n");
    terminal.out = "";
    expect(await terminal.run("db", "status", "--json")).toBe(0);
    expect(JSON.parse(terminal.out)).toMatchObject({ path, inUse: false, content: { events: 0 } });
  });

  test("says who has it, how it was left, and what to do about an older schema", async () => {
    const database = { ...createDatabaseCare(), status: async () => standing };
    using terminal = new Terminal({ database });
    await terminal.run("db", "status");
    expect(terminal.out).toContain("used by       nobody; the last Loom did not stop in good order");
    expect(terminal.out).toContain("size          5.0 MiB, of it free 2.0 KiB, write-ahead log 0.5 KiB\n");
    expect(terminal.out).toContain("schema        1; this Loom's is 9: loom db migrate\n");
    expect(terminal.out).not.toContain("events");
    using other = new Terminal({ database: { ...database, status: async () => ({ ...standing, inUse: true }) } });
    await other.run("db", "status");
    expect(other.out).toContain("used by       a Loom that is running\n");
  });

  test("says where none is, and how one is made", async () => {
    using terminal = new Terminal();
    for (const words of [["status"], ["check"], ["migrate"], ["backup", "b.db"]]) {
      terminal.err = "";
      expect(await terminal.run("db", ...words)).toBe(64);
      expect(terminal.err).toContain(`There is no database at "${join(terminal.home, "loom.db")}"`);
    }
    expect(await terminal.run("db")).toBe(64);
    expect(await terminal.run("db", "backup")).toBe(64);
  });
});

describe("loom db backup", () => {
  test("writes where it is told, seen from the current folder, and once", async () => {
    using terminal = new Terminal();
    makeDatabase(terminal);
    expect(await terminal.run("db", "backup", "b.db")).toBe(0);
    expect(terminal.out).toMatch(/b\.db: \d+\.\d KiB\n$/);
    expect(existsSync(join(terminal.home, "b.db"))).toBe(true);
    expect(await terminal.run("db", "backup", "b.db")).toBe(1);
    expect(terminal.err).toContain("There is something at");
  });

  test("names the blob files beside it", async () => {
    const database = { ...createDatabaseCare(), backup: async () => ({ bytes: 1024, blobFiles: 3 }) };
    using terminal = new Terminal({ database });
    await terminal.run("db", "backup", "/b.db");
    expect(terminal.out).toBe("/b.db: 1.0 KiB, and 3 blob file(s) in the folder blobs beside it\n");
  });
});

describe("loom db check", () => {
  test("ends with 0 when all is well, with 1 and what is wrong when not", async () => {
    using terminal = new Terminal();
    const path = makeDatabase(terminal);
    expect(await terminal.run("db", "check")).toBe(0);
    expect(terminal.out).toBe(`${path} is sound\n`);
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 8 * 4096 + 100, 20 * 4096);
    writeFileSync(path, bytes);
    expect(await terminal.run("db", "check")).toBe(1);
    expect(terminal.err).toContain(`${path} is damaged`);
  });
});

describe("loom db migrate", () => {
  test("says what it did, and is refused while a Loom has the file", async () => {
    using terminal = new Terminal();
    const path = makeDatabase(terminal);
    expect(await terminal.run("db", "migrate")).toBe(0);
    expect(terminal.out).toContain("has the newest schema");
    using _held = openDatabase(path, { ballastBytes: 4096 });
    expect(await terminal.run("db", "migrate")).toBe(69);
    expect(terminal.err).toContain("is in use by another Loom server");
    const database = { ...createDatabaseCare(), migrate: async () => ({ from: 1, to: 3 }) };
    using other = new Terminal({ database });
    await other.run("db", "migrate");
    expect(other.out).toContain("schema 1 was brought to 3\n");
  });
});
