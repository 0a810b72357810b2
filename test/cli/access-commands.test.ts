/** `loom keys` and `loom audit`: what a person reads, and how each command ends. */
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { createAccessCare } from "../../src/storage/access-care.ts";
import { Terminal } from "./terminal.ts";

const create = ["keys", "create", "--name", "ci", "--scopes", "submit, read"];

describe("loom keys", () => {
  test("makes a key and prints it alone, for a script to take", async () => {
    using terminal = new Terminal();
    expect(await terminal.run("keys", "list")).toBe(0);
    expect(terminal.out).toContain("No key was made yet");
    terminal.out = "";
    expect(await terminal.run(...create, "--rate", "60/min", "--max-tasks", "2")).toBe(0);
    expect(terminal.out).toMatch(/^loom_[0-9a-f]{10}_[\w-]{43}\n$/);
    const key = terminal.out.trim();
    expect(terminal.err).toContain("shown this once");
    terminal.out = "";
    expect(await terminal.run("keys", "list")).toBe(0);
    expect(terminal.out).toContain("  ci  read,submit, 60 requests/min, 2 open tasks\n");
    expect(terminal.out).toContain("never used");
    expect(terminal.out).not.toContain(key.slice(16));
  });

  test("gives a key a budget of the day", async () => {
    using terminal = new Terminal();
    const daily = ["--tokens-per-day", "500000", "--usd-per-day", "2.50"];
    expect(await terminal.run(...create, ...daily, "--json")).toBe(0);
    expect(JSON.parse(terminal.out)).toMatchObject({ tokens_per_day: 500_000, usd_per_day: 2.5 });
    terminal.out = "";
    await terminal.run("keys", "list");
    expect(terminal.out).toContain("read,submit, 500000 tokens/day, $2.5/day\n");
  });

  test("prints JSON, and revokes once", async () => {
    using terminal = new Terminal();
    await terminal.run(...create, "--json");
    const made = JSON.parse(terminal.out) as { readonly id: string; readonly key: string };
    expect(made).toMatchObject({ name: "ci", scopes: ["read", "submit"], rate_per_minute: null, max_tasks: null });
    terminal.out = "";
    expect(await terminal.run("keys", "revoke", made.id)).toBe(0);
    expect(terminal.out).toContain(`${made.id} "ci" is revoked`);
    expect(terminal.err).toContain("It was the last one");
    expect(await terminal.run("keys", "revoke", made.id)).toBe(1);
    expect(await terminal.run("keys", "revoke", "key_none")).toBe(64);
    terminal.out = "";
    await terminal.run("keys", "list");
    expect(terminal.out).toContain("REVOKED 20");
    terminal.out = "";
    await terminal.run("keys", "list", "--json");
    expect(JSON.parse(terminal.out)).toMatchObject(
      [{ id: made.id, last_used_at: null, revoked_at: /^20/ }].map(({ revoked_at, ...rest }) => ({
        ...rest,
        revoked_at: expect.stringMatching(revoked_at) as unknown,
      })),
    );
  });

  test.each([
    [["keys", "create"], "--name"],
    [["keys", "create", "--name", "ci"], "--scopes"],
    [["keys", "create", "--name", "api", "--scopes", "read"], '"api" cannot be a key\'s name'],
    [["keys", "create", "--name", "a b", "--scopes", "read"], '"a b" cannot be a key\'s name'],
    [["keys", "create", "--name", "ci", "--scopes", "write"], '"write" is no scope'],
    [[...create, "--rate", "fast"], '--rate is "fast"'],
    [[...create, "--max-tasks", "0"], '--max-tasks is "0"'],
    [[...create, "--tokens-per-day", "many"], '--tokens-per-day is "many"'],
    [[...create, "--usd-per-day", "0"], '--usd-per-day is "0"'],
    [[...create, "--usd-per-day", "1e3"], '--usd-per-day is "1e3"'],
    [["audit", "verify", "--expect", "3:x"], '"3:x" is no head'],
  ])("refuses %j, and says why", async (words, why) => {
    using terminal = new Terminal();
    expect(await terminal.run(...words)).toBe(64);
    expect(terminal.err).toContain(why);
  });
});

describe("loom audit", () => {
  test("lists who did what, and tells when a row was changed", async () => {
    using terminal = new Terminal();
    expect(await terminal.run("audit", "list")).toBe(64);
    await terminal.run(...create);
    terminal.out = "";
    expect(await terminal.run("audit", "list")).toBe(0);
    expect(terminal.out).toMatch(/^1 {2}20\S+Z {2}cli:\S+ from local {2}key\.create key_\w+ {2}ok\n$/);
    terminal.out = "";
    expect(await terminal.run("audit", "list", "--json", "--limit", "5")).toBe(0);
    expect(JSON.parse(terminal.out)).toMatchObject({ seq: 1, action: "key.create", key_id: null, remote: "local" });
    terminal.out = "";
    expect(await terminal.run("audit", "verify")).toBe(0);
    const head = /head (1:[0-9a-f]{64})/.exec(terminal.out)?.[1] ?? "";
    expect(await terminal.run("audit", "verify", "--expect", head)).toBe(0);
    const file = new BetterSqlite3(join(terminal.home, "loom.db"));
    file.exec("DROP TRIGGER audit_keeps_facts; UPDATE audit SET actor = 'nobody'");
    file.close();
    terminal.out = "";
    expect(await terminal.run("audit", "verify")).toBe(1);
    expect(terminal.out).toContain("row 1 is the first that is broken");
    terminal.out = "";
    expect(await terminal.run("audit", "verify", "--json")).toBe(1);
    expect(JSON.parse(terminal.out)).toMatchObject({ fault: { seq: 1 } });
  });

  test("says of an empty one that it is", async () => {
    const empty = { ...createAccessCare(), verifyAudit: async () => ({ rows: 0, head: null, fault: null }) };
    using terminal = new Terminal({ access: empty });
    expect(await terminal.run("audit", "verify")).toBe(0);
    expect(terminal.out).toBe("The audit log is empty\n");
  });
});
