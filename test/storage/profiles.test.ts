/** What was found out about models lives in the one file: by server and model, across restarts, written here or by the thread. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createClock } from "../../src/observability/runtime.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { openStorage } from "../../src/storage/opened-storage.ts";
import { createProfileJobs, createProfiles } from "../../src/storage/profiles.sqlite.ts";
import { failureOf, temporaryFolder } from "./temporary.ts";

const open = (path: string) => openStorage(path, { clock: createClock(), retentionDays: 0 });

describe("profiles", () => {
  test("are kept by their key, the last one in place of those before, and are there after a restart", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "loom.db");
    {
      await using opened = open(path);
      expect(opened.profiles.find("a")).toBeNull();
      await opened.profiles.keep("a", { tools: "no" });
      await opened.profiles.keep("b", { tools: "yes" });
      await opened.profiles.keep("a", { schema: ["yes", 1, null] });
      expect(opened.profiles.find("a")).toEqual({ schema: ["yes", 1, null] });
    }
    await using again = open(path);
    expect(again.profiles.find("a")).toEqual({ schema: ["yes", 1, null] });
    expect(again.profiles.find("b")).toEqual({ tools: "yes" });
  });

  test("that are none any more are read as nothing, and what cannot be written is told", async () => {
    using folder = temporaryFolder();
    using database = openDatabase(join(folder.path, "loom.db"), { ballastBytes: 4096 });
    const { connection } = database;
    const profiles = createProfiles(connection, createProfileJobs(connection));
    connection.prepare("INSERT INTO model_profile VALUES ('a', 'not JSON'), ('b', '[1]')").run();
    expect([profiles.find("a"), profiles.find("b")]).toEqual([null, null]);
    connection.pragma("query_only = 1");
    expect((await failureOf(() => profiles.keep("a", {}))).message).toContain("keep a model's profile");
  });
});
