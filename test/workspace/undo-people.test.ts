/** Undo beside people: what they wrote elsewhere in a text stays, what they made in between comes back, and what meets is named. */
import { chmodSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scene } from "./scene.ts";
import { Temporary } from "./temporary.ts";

describe("undo where others were at work", () => {
  test("keeps what someone wrote elsewhere in a text, and can be undone and done again", async () => {
    using temporary = new Temporary();
    const text = (second: string, ninth: string) => `1\r\n${second}3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n${ninth}10`;
    const { write, elsewhere, undo, tree, history } = await scene(temporary, { "a.txt": text("2\r\n", "9\r\n") });
    await write("a.txt", text("two\r\nand a half\r\n", "9\r\n"));
    elsewhere("a.txt", text("two\r\nand a half\r\n", "nine\r\n"));
    chmodSync(temporary.at("project/a.txt"), 0o600);
    const edited = tree();
    const preview = await undo(history.all, true);
    expect(preview.outcome).toEqual({ restored: ["a.txt"], conflicts: [], skipped: [], merged: ["a.txt"] });
    expect(preview.blobs).toHaveLength(2);
    expect(tree()).toEqual(edited);
    const { changes } = await undo();
    expect(temporary.text("project/a.txt")).toBe(text("2\r\n", "nine\r\n"));
    expect(tree()["a.txt"]).toMatch(/^file 600 /);
    const merged = tree();
    expect((await undo()).outcome.restored).toEqual([]);
    expect(tree()).toEqual(merged);
    await undo(history.all.slice(-changes.length));
    expect(tree()).toEqual(edited);
    await undo();
    expect(tree()).toEqual(merged);
  });

  test("merges no binary, no text that is too large, and no two changes of one line or of its neighbours", async () => {
    using temporary = new Temporary();
    const long = "x\n".repeat(600_000);
    const files = { binary: "\0\n\n\n\n1\n", long: long, line: "1\n2\n3\n", next: "1\n2\n3\n", latin: "" };
    const { write, elsewhere, undo } = await scene(temporary, files);
    await write("binary", "\0\n\n\n\n2\n");
    await write("long", `${long}y`);
    await write("line", "1\ntwo\n3\n");
    await write("next", "1\ntwo\n3\n");
    elsewhere("binary", "x\0\n\n\n\n2\n");
    elsewhere("long", `y\n${long}y`);
    elsewhere("line", "1\nzwei\n3\n");
    elsewhere("next", "1\ntwo\ndrei\n");
    const { outcome } = await undo();
    expect(outcome.restored).toEqual([]);
    expect(outcome.conflicts.map(({ path, reason }) => [path, reason])).toEqual(
      ["binary", "long", "line", "next"].map((path) => [path, "someone changed it since"]),
    );
  });

  test("gives back what someone else wrote and these changes took away, and says that it is not all", async () => {
    using temporary = new Temporary();
    const { write, remove, elsewhere, undo } = await scene(temporary, { "a.txt": "a" });
    await write("a.txt", "ours");
    elsewhere("a.txt", "theirs");
    await remove("a.txt");
    expect((await undo()).outcome).toEqual({
      restored: ["a.txt"],
      conflicts: [{ path: "a.txt", reason: "someone else changed it between these changes" }],
      skipped: [],
    });
    expect(temporary.text("project/a.txt")).toBe("theirs");
  });

  test("goes back over what someone took away in between", async () => {
    using temporary = new Temporary();
    const { write, undo, tree, workspace } = await scene(temporary);
    await write("a.txt", "one");
    rmSync(join(workspace.root, "a.txt"));
    await write("a.txt", "two");
    expect((await undo()).outcome).toEqual({ restored: ["a.txt"], conflicts: [], skipped: [] });
    expect(tree()).toEqual({});
    expect((await undo()).outcome.restored).toEqual([]);
  });

  test("of one subtask leaves what a command of another may have changed, and names both; of all it does not", async () => {
    using temporary = new Temporary();
    const { write, undo, history, tree } = await scene(temporary, { "a.txt": "a", "b.txt": "b" });
    const before = tree();
    await write("a.txt", "a2", "mine");
    await write("b.txt", "b2", "mine");
    const [first] = history.all;
    if (first === undefined) throw new Error("nothing was recorded");
    history.all[0] = { ...first, sharedWith: ["other"] };
    const { outcome } = await undo(history.all, false, "mine");
    expect(outcome).toMatchObject({
      restored: ["b.txt"],
      conflicts: [
        {
          path: "a.txt",
          reason: '"mine" and "other" ran commands at the same time, and any of them may have changed it',
        },
      ],
    });
    await undo();
    expect(tree()).toEqual(before);
  });

  test("of a move whose content was taken up by a link stays with what the names say now", async () => {
    using temporary = new Temporary();
    const { move, undo, tree } = await scene(temporary, { "d/a.txt": "a" });
    await move("d", "e");
    symlinkSync("e", temporary.at("project/d"));
    const { outcome } = await undo();
    expect(outcome.restored).toEqual([]);
    expect(outcome.conflicts).toMatchObject([
      { path: "d", reason: "someone changed it since" },
      { path: "e", reason: "it was moved together with d, which is left as it is" },
      { path: "d/a.txt", reason: "d is no folder any more, and stays as it is" },
      { path: "e/a.txt", reason: "it was moved together with d/a.txt, which is left as it is" },
    ]);
    expect(tree()["e/a.txt"]).toBeDefined();
  });
});
