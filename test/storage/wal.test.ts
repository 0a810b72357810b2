/** The write-ahead log: short again as soon as no reader stands in it, and never waited for long. */
import { statSync } from "node:fs";
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { batch, notes, step } from "../contracts/batches.ts";
import { type OpenedFile, openFile, temporaryFolder } from "./temporary.ts";

const mib = 1024 * 1024;

async function write(file: OpenedFile, after: number): Promise<void> {
  const steps = [step(`s${after}`, { started: { text: "x".repeat(2 * mib) } })];
  await file.storage.append(batch({ taskId: "task_a", after, events: notes(1), steps }));
}

describe("a reader that stays in the write-ahead log", () => {
  test("lets it grow and holds up nobody; when it has gone, the log is short again", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    using file = openFile(path);
    const walBytes = (): number => statSync(`${path}-wal`).size;
    await write(file, 0);
    const reader = new BetterSqlite3(path, { readonly: true });
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM event").get();
    for (let after = 1; after < 20; after += 1) await write(file, after);
    expect(walBytes()).toBeGreaterThan(24 * mib);
    reader.exec("COMMIT");
    for (let after = 20; after < 26; after += 1) await write(file, after);
    expect(walBytes()).toBeLessThan(24 * mib);
    reader.close();
    expect(await file.storage.read("task_a", { after: 0, limit: 100 })).toHaveLength(26);
  });
});
