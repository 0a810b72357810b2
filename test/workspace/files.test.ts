/** What a workspace says of its files, and how it changes them. */
import {
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LoomError } from "../../src/lib/errors.ts";
import type { ChangeMade, Workspace } from "../../src/ports/workspace.ts";
import { digestOf } from "../../src/workspace/standing.ts";
import { openWorkspaces } from "../../src/workspace/workspaces.ts";
import { openProject, Temporary } from "./temporary.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const refused = { code: "path_refused" };

async function write(workspace: Workspace, path: string, text: string): Promise<ChangeMade> {
  const plan = await workspace.planWrite(path, utf8(text));
  await workspace.apply(plan);
  return plan;
}

describe("the state of a path", () => {
  test("is its kind, content and permission bits", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "a.txt": "abc", "src/": "" });
    chmodSync(join(workspace.root, "a.txt"), 0o751);
    chmodSync(join(workspace.root, "src"), 0o700);
    symlinkSync("a.txt", join(workspace.root, "link"));
    expect(await workspace.state("a.txt")).toEqual({
      kind: "file",
      digest: digestOf(utf8("abc")),
      mode: 0o751,
      bytes: 3,
    });
    expect(await workspace.state("src")).toEqual({ kind: "folder", mode: 0o700 });
    expect(await workspace.state("link")).toEqual({ kind: "link", target: "a.txt" });
    expect(await workspace.state("none/at/all")).toEqual({ kind: "absent" });
    expect(await workspace.state(".")).toMatchObject({ kind: "folder" });
  });

  test("is the same for content of any length", async () => {
    using temporary = new Temporary();
    const bytes = new Uint8Array(700_001).map((_, index) => index % 251);
    const workspace = await openProject(temporary, { big: bytes });
    expect(await workspace.state("big")).toMatchObject({ digest: digestOf(bytes), bytes: bytes.length });
    expect(await workspace.read("big", bytes.length)).toEqual(Buffer.from(bytes));
  });
});

describe("reading", () => {
  test("gives the bytes, through a link that stays inside too", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "src/a.txt": "abc", empty: "" });
    symlinkSync("src/a.txt", join(workspace.root, "one"));
    symlinkSync(join(workspace.root, "one"), join(workspace.root, "two"));
    expect(Buffer.from(await workspace.read("two", 10)).toString()).toBe("abc");
    expect(await workspace.read("empty", 0)).toHaveLength(0);
  });

  test("refuses what is not there, a folder, and what is too large", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "a.txt": "abc", "src/": "" });
    await expect(workspace.read("none", 10)).rejects.toMatchObject({ code: "not_found" });
    await expect(workspace.read("src", 10)).rejects.toMatchObject(refused);
    await expect(workspace.read("a.txt", 2)).rejects.toMatchObject(refused);
  });
});

describe("a listing", () => {
  const files = {
    "b.txt": "bb",
    "a.txt": "a",
    "src/deep/c.txt": "c",
    "src/b.txt": "",
    "lib/": "",
    ".git/HEAD": "",
    "node_modules/x/y": "",
    "src/__pycache__/z": "",
    "dist/out.js": "x",
  };

  test("has folders first, by name, without the hidden bulk, and does not follow links", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, files);
    symlinkSync("src", join(workspace.root, "linked"));
    const entries = await workspace.list(".", { depth: 2, limit: 100 });
    expect(entries.map(({ path, kind, bytes }) => `${kind} ${path} ${bytes}`)).toEqual([
      "folder dist 0",
      "file dist/out.js 1",
      "folder lib 0",
      "folder src 0",
      "folder src/deep 0",
      "file src/b.txt 0",
      "file a.txt 1",
      "file b.txt 2",
      "link linked 0",
    ]);
  });

  test("ends at its limit and its depth, and begins where it is told", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, files);
    expect(await workspace.list(".", { depth: 3, limit: 4 })).toHaveLength(4);
    expect((await workspace.list("src", { depth: 1, limit: 9 })).map(({ path }) => path)).toEqual([
      "src/deep",
      "src/b.txt",
    ]);
    await expect(workspace.list("a.txt", { depth: 1, limit: 9 })).rejects.toMatchObject(refused);
    await expect(workspace.list("none", { depth: 1, limit: 9 })).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("a write", () => {
  test("changes nothing until it is applied, and says what stood there", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "a.txt": "old" });
    const plan = await workspace.planWrite("a.txt", utf8("new"));
    expect(temporary.text("project/a.txt")).toBe("old");
    expect(await workspace.standing(plan.changes)).toBe("before");
    expect(plan.blobs.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(["old", "new"]);
    await workspace.apply(plan);
    expect(temporary.text("project/a.txt")).toBe("new");
    expect(await workspace.standing(plan.changes)).toBe("after");
    writeFileSync(join(workspace.root, "a.txt"), "else");
    expect(await workspace.standing(plan.changes)).toBe("neither");
  });

  test("keeps the permission bits and the owner, and leaves no temporary file", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "run.sh": "old" });
    chmodSync(join(workspace.root, "run.sh"), 0o755);
    if (process.getuid?.() === 0) chownSync(join(workspace.root, "run.sh"), 1234, 1234);
    const { uid } = statSync(join(workspace.root, "run.sh"));
    await write(workspace, "run.sh", "new");
    expect(statSync(join(workspace.root, "run.sh"))).toMatchObject({ uid, mode: 0o100755 });
    expect(readdirSync(workspace.root)).toEqual(["run.sh"]);
  });

  test("makes its parents, which are changes too, after the file itself", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary);
    const plan = await write(workspace, "a/b/c.txt", "");
    expect(plan.changes.map(({ path, before, after }) => `${path} ${before.kind} ${after.kind}`)).toEqual([
      "a/b/c.txt absent file",
      "a absent folder",
      "a/b absent folder",
    ]);
    expect(temporary.text("project/a/b/c.txt")).toBe("");
    expect(await workspace.standing(plan.changes)).toBe("after");
  });

  test("of what is there already is no change", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "a.txt": "same" });
    expect(await workspace.planWrite("a.txt", utf8("same"))).toEqual({ changes: [], blobs: [] });
  });

  test("through a link changes what it points to", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "src/a.txt": "old" });
    symlinkSync("src/a.txt", join(workspace.root, "link"));
    const plan = await write(workspace, "link", "new");
    expect(plan.changes[0]?.path).toBe("src/a.txt");
    expect(lstatSync(join(workspace.root, "link")).isSymbolicLink()).toBe(true);
    expect(temporary.text("project/src/a.txt")).toBe("new");
  });

  test("is refused on a folder, and on a file too large to be kept", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "src/": "", huge: "" });
    truncateSync(join(workspace.root, "huge"), 64 * 1024 * 1024 + 1);
    await expect(workspace.planWrite("src", utf8("x"))).rejects.toMatchObject(refused);
    await expect(workspace.planWrite("huge", utf8("x"))).rejects.toThrow(/64|67108864/);
    await expect(workspace.planDelete("huge")).rejects.toMatchObject(refused);
    await expect(workspace.planWrite("new", new Uint8Array(64 * 1024 * 1024 + 1))).rejects.toMatchObject(refused);
  });

  test("that was planned on other content does nothing at all", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "a.txt": "old", "b.txt": "b" });
    const [first, second] = [await workspace.planWrite("a.txt", utf8("one")), await workspace.planDelete("b.txt")];
    writeFileSync(join(workspace.root, "b.txt"), "changed");
    const both = { changes: [...first.changes, ...second.changes], blobs: [...first.blobs, ...second.blobs] };
    await expect(workspace.apply(both)).rejects.toMatchObject({
      code: "wrong_state",
      message: '"b.txt" has changed since this was planned',
    });
    expect(temporary.text("project/a.txt")).toBe("old");
  });

  test("whose folder cannot be written leaves nothing behind", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary);
    const plan = await workspace.planWrite("a/b/c.txt", utf8("x"));
    await expect(workspace.apply({ changes: plan.changes, blobs: [] })).rejects.toThrow("not its content");
    const tooLong = `a/b/${"c".repeat(255)}`;
    const long = await workspace.planWrite(tooLong, utf8("x"));
    const broken = {
      ...long,
      changes: long.changes.map((change) => ({
        ...change,
        path: change.path === tooLong ? `${tooLong}c` : change.path,
      })),
    };
    await expect(workspace.apply(broken)).rejects.toBeInstanceOf(LoomError);
    expect(readdirSync(workspace.root)).toEqual([]);
  });

  test("clears what the same write left when it was killed half-way", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "a.txt": "old" });
    await write(workspace, "a.txt", "new");
    const seen = new Set<string>();
    const plan = await workspace.planWrite("a.txt", utf8("x".repeat(5_000_000)));
    const applied = workspace.apply(plan);
    while (seen.size === 0) {
      for (const name of readdirSync(workspace.root)) if (name.startsWith(".loom-")) seen.add(name);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await applied;
    for (const name of seen) writeFileSync(join(workspace.root, name), "half");
    await write(workspace, "a.txt", "again");
    expect(readdirSync(workspace.root)).toEqual(["a.txt"]);
  });
});

describe("writes to one path at once", () => {
  test("happen one after the other: one wins, the rest are told", async () => {
    using temporary = new Temporary();
    await openProject(temporary, { "a.txt": "old" });
    const workspaces = openWorkspaces({ scratchDir: temporary.at("scratch") });
    const opened = await Promise.all(
      Array.from({ length: 8 }, async () => await workspaces.open(temporary.at("project"))),
    );
    const plans = await Promise.all(
      opened.map(async (workspace, n) => ({
        workspace,
        plan: await workspace.planWrite("a.txt", utf8(`writer ${n}`)),
      })),
    );
    const results = await Promise.allSettled(plans.map(async ({ workspace, plan }) => await workspace.apply(plan)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const refusals = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    expect(refusals).toHaveLength(7);
    for (const refusal of refusals) expect(refusal).toMatchObject({ code: "wrong_state" });
  });

  test("in one new folder both succeed", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary);
    const plans = [
      await workspace.planWrite("new/a.txt", utf8("a")),
      await workspace.planWrite("new/b.txt", utf8("b")),
    ];
    expect(plans[1]?.changes).toHaveLength(2);
    await Promise.all(plans.map(async (plan) => await workspace.apply(plan)));
    expect(readdirSync(join(workspace.root, "new"))).toEqual(["a.txt", "b.txt"]);
  });
});
