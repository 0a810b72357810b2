/** Undo: everything as it was, except what someone else has touched, which is named and left. */
import { chmodSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scene } from "./scene.ts";
import { Temporary } from "./temporary.ts";

describe("undo of everything", () => {
  test("restores content, existence, permission bits, links and folders", async () => {
    using temporary = new Temporary();
    const { workspace, write, remove, move, undo, tree } = await scene(temporary, {
      "a.txt": "a",
      "run.sh": "run",
      "old/": "",
      "src/deep/b.txt": "b",
      "gone/c.txt": "c",
    });
    chmodSync(join(workspace.root, "run.sh"), 0o750);
    chmodSync(join(workspace.root, "old"), 0o700);
    symlinkSync("a.txt", join(workspace.root, "link"));
    const before = tree();
    await write("a.txt", "changed");
    await write("a.txt", "changed again");
    await write("new/folder/file.txt", "new");
    await remove("run.sh");
    await remove("link");
    await remove("old");
    await write("old", "a file where a folder was");
    await remove("gone/c.txt");
    await remove("gone");
    await move("src", "lib/src");
    await write("lib/src/deep/b.txt", "b2");
    const { outcome, changes } = await undo();
    expect(outcome.conflicts).toEqual([]);
    expect(tree()).toEqual(before);
    expect(changes.length).toBeGreaterThan(8);
  });

  test("twice does nothing the second time", async () => {
    using temporary = new Temporary();
    const { write, undo, tree } = await scene(temporary, { "a.txt": "a" });
    const made = await write("a.txt", "b");
    await undo(made);
    const before = tree();
    expect((await undo(made)).outcome).toEqual({ restored: [], conflicts: [], skipped: ["a.txt"] });
    expect((await undo()).outcome).toEqual({ restored: [], conflicts: [], skipped: ["a.txt"] });
    expect(tree()).toEqual(before);
  });

  test("can be undone itself", async () => {
    using temporary = new Temporary();
    const { history, write, move, undo, tree } = await scene(temporary, { "a.txt": "a", "b.txt": "b" });
    await write("a.txt", "changed");
    await write("new/c.txt", "c");
    await move("b.txt", "new/b.txt");
    const after = tree();
    const first = await undo();
    const undone = history.all.slice(-first.changes.length);
    expect((await undo(undone)).outcome.conflicts).toEqual([]);
    expect(tree()).toEqual(after);
  });

  test("of a later try leaves what an earlier, undone one did", async () => {
    using temporary = new Temporary();
    const { write, undo, tree, elsewhere } = await scene(temporary, { "a.txt": "a" });
    const before = tree();
    const first = await write("a.txt", "one");
    await undo(first);
    const second = await write("a.txt", "two");
    expect((await undo([...first, ...second])).outcome.restored).toEqual(["a.txt"]);
    expect(tree()).toEqual(before);
    const third = await write("new.txt", "one");
    await undo(third);
    elsewhere("new.txt", "mine");
    const fourth = await write("new.txt", "two");
    await undo([...third, ...fourth]);
    expect(temporary.text("project/new.txt")).toBe("mine");
  });
});

describe("undo of some changes", () => {
  test("is a conflict where someone changed the path since", async () => {
    using temporary = new Temporary();
    const { write, elsewhere, undo } = await scene(temporary, { "a.txt": "a", "b.txt": "b" });
    await write("a.txt", "a2");
    await write("b.txt", "b2");
    elsewhere("a.txt", "mine");
    const { outcome, undoneIds } = await undo();
    expect(outcome).toEqual({
      restored: ["b.txt"],
      conflicts: [{ path: "a.txt", reason: "someone changed it since" }],
      skipped: [],
    });
    expect(undoneIds).toHaveLength(1);
    expect(temporary.text("project/a.txt")).toBe("mine");
  });

  test("is a conflict where another subtask changed the path later, or in between", async () => {
    using temporary = new Temporary();
    const { write, undo } = await scene(temporary, { "a.txt": "a", "b.txt": "b", "c.txt": "c" });
    const mine = [
      ...(await write("a.txt", "a2", "mine")),
      ...(await write("b.txt", "b2", "mine")),
      ...(await write("c.txt", "c2", "mine")),
    ];
    await write("a.txt", "a3", "other");
    await write("b.txt", "b3", "other");
    mine.push(...(await write("b.txt", "b4", "mine")));
    await write("c.txt", "x", "other");
    await write("c.txt", "c2", "other");
    const { outcome } = await undo(mine);
    expect(outcome.restored).toEqual([]);
    expect(outcome.conflicts.map(({ reason }) => reason)).toEqual([
      '"other" changed it later',
      "someone else changed it between these changes",
      '"other" changed it later',
    ]);
  });

  test("goes on where the later change of another was undone", async () => {
    using temporary = new Temporary();
    const { write, undo, tree } = await scene(temporary, { "a.txt": "a" });
    const before = tree();
    const mine = await write("a.txt", "a2", "mine");
    const other = await write("a.txt", "a3", "other");
    await undo(other);
    expect((await undo([...mine])).outcome.conflicts).toEqual([{ path: "a.txt", reason: '"undo" changed it later' }]);
    await undo();
    expect(tree()).toEqual(before);
  });

  test("takes both halves of a move, or none", async () => {
    using temporary = new Temporary();
    const { move, elsewhere, undo, tree } = await scene(temporary, { "a.txt": "a", "b.txt": "b" });
    const before = tree();
    const made = await move("a.txt", "c.txt");
    expect((await undo(made.slice(0, 1))).outcome.restored).toEqual(["a.txt", "c.txt"]);
    expect(tree()).toEqual(before);
    const again = await move("b.txt", "d.txt");
    elsewhere("d.txt", "mine");
    const { outcome } = await undo(again);
    expect(outcome.conflicts).toEqual([
      { path: "b.txt", reason: "it was moved together with d.txt, which is left as it is" },
      { path: "d.txt", reason: "someone changed it since" },
    ]);
    expect(Object.keys(tree())).toEqual(["a.txt", "d.txt"]);
  });

  test("leaves a folder that holds something else, and says so beforehand as well", async () => {
    using temporary = new Temporary();
    const { write, elsewhere, undo, tree } = await scene(temporary);
    const made = await write("new/a.txt", "a");
    elsewhere("new/mine.txt", "mine");
    const before = tree();
    const preview = await undo(made, true);
    expect(preview).toMatchObject({ changes: [], undoneIds: [], outcome: { restored: ["new/a.txt"] } });
    expect(preview.outcome.conflicts).toEqual([
      { path: "new", reason: "the folder is not empty: new/mine.txt is in it" },
    ]);
    expect(tree()).toEqual(before);
    const { outcome } = await undo(made);
    expect(outcome.restored).toEqual(["new/a.txt"]);
    expect(outcome.conflicts.map(({ path }) => path)).toEqual(["new"]);
  });

  test("says beforehand what it then does", async () => {
    using temporary = new Temporary();
    const { write, remove, undo } = await scene(temporary, { "a.txt": "a", "b/c.txt": "c" });
    await write("a.txt", "2");
    await write("new/x/y.txt", "y");
    await remove("b/c.txt");
    await remove("b");
    const preview = await undo(undefined, true);
    expect((await undo()).outcome).toEqual(preview.outcome);
    expect(preview.outcome.conflicts).toEqual([]);
  });

  test("is a conflict where the earlier content was not kept", async () => {
    using temporary = new Temporary();
    const { history, write, undo } = await scene(temporary, { "a.txt": "a" });
    const [change] = await write("a.txt", "b");
    if (change?.before.kind === "file") history.forget(change.before.digest);
    expect((await undo()).outcome.conflicts).toEqual([{ path: "a.txt", reason: "its earlier content was not kept" }]);
  });

  test("makes parents again that someone removed, and records them and what it took away", async () => {
    using temporary = new Temporary();
    const { history, workspace, write, remove, undo } = await scene(temporary, { "deep/er/a.txt": "a", "b.txt": "b" });
    const made = await remove("deep/er/a.txt");
    rmSync(join(workspace.root, "deep"), { recursive: true });
    const [written] = await write("b.txt", "b2");
    if (written?.after.kind === "file") history.forget(written.after.digest);
    const { outcome, changes, blobs } = await undo([...made, ...(written ? [written] : [])]);
    expect(outcome.conflicts).toEqual([]);
    expect(temporary.text("project/deep/er/a.txt")).toBe("a");
    expect(changes.map(({ path }) => path).toSorted()).toEqual(["b.txt", "deep", "deep/er", "deep/er/a.txt"]);
    expect(blobs.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(["b2"]);
  });
});

describe("a path that someone put beyond reach", () => {
  test("is a conflict, and the rest is restored", async () => {
    using temporary = new Temporary();
    const { workspace, write, undo } = await scene(temporary, { "src/a.txt": "a", "b.txt": "b" });
    await write("src/a.txt", "2");
    await write("b.txt", "2");
    temporary.write({ "outside/a.txt": "2" });
    rmSync(join(workspace.root, "src"), { recursive: true });
    symlinkSync("../outside", join(workspace.root, "src"));
    const { outcome } = await undo();
    expect(outcome.restored).toEqual(["b.txt"]);
    expect(outcome.conflicts).toMatchObject([{ path: "src/a.txt" }]);
    expect(temporary.text("outside/a.txt")).toBe("2");
  });
});
