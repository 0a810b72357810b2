/** edit_file, on real files: one exact place, every other byte as it was. */
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Temporary } from "../workspace/temporary.ts";
import { openBench } from "./bench.ts";

describe("edit_file", () => {
  test("replaces the one place, literally, and shows the diff", async () => {
    using temporary = new Temporary();
    const { call, seen, workspace } = await openBench(temporary, { "a.txt": "one\ntwo\n" });
    const result = await call("edit_file", { path: "a.txt", old_str: "two", new_str: "$& $1 $$" });
    expect(result.output).toBe(
      "Edited a.txt: 1 replacement\n\n--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+$& $1 $$",
    );
    expect(temporary.text("project/a.txt")).toBe("one\n$& $1 $$\n");
    expect(seen.get("a.txt")).toEqual(await workspace.state("a.txt"));
  });

  test("keeps every byte that it does not name: line endings, marks, and what is no text", async () => {
    using temporary = new Temporary();
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0xfe, 0x0d, 0x0a, 0x61, 0x0d, 0x0a, 0x62, 0x0d, 0x0a]);
    const { call, workspace } = await openBench(temporary, { "a.txt": bytes });
    expect(await call("edit_file", { path: "a.txt", old_str: "a\nb\n", new_str: "c\nd\ne\n" })).toMatchObject({
      success: true,
    });
    expect(readFileSync(join(workspace.root, "a.txt"))).toEqual(
      Buffer.concat([bytes.subarray(0, 7), Buffer.from("c\r\nd\r\ne\r\n")]),
    );
  });

  test("makes several edits in order, or none of them", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "a.txt": "one two three" });
    const some = [
      { old_str: "one", new_str: "1" },
      { old_str: "1 two", new_str: "2" },
    ];
    const failed = await call("edit_file", { path: "a.txt", edits: [...some, { old_str: "four", new_str: "4" }] });
    expect(failed.error).toMatch(/^edit\[2\]: old_str not found in a\.txt\.[\s\S]*No edit was made\.$/);
    expect(temporary.text("project/a.txt")).toBe("one two three");
    expect((await call("edit_file", { path: "a.txt", edits: some })).output).toContain("2 replacements");
    expect(temporary.text("project/a.txt")).toBe("2 three");
  });

  test.each([
    [
      { old_str: "x = 1", new_str: "x = 2" },
      "old_str appears 3 times in a.py (lines 1, 2, 4). Provide more surrounding context to make it unique, or set replace_all to replace each.",
    ],
    [{ old_str: "", new_str: "x" }, "old_str cannot be empty: a.py exists."],
    [{ old_str: "nowhere", new_str: "x" }, "old_str not found in a.py. Read the file and copy the text from it."],
    [
      { old_str: "    y = 2\nz = 1", new_str: "x" },
      'Nearest: lines 3-3, 1 of 2 lines equal. What differs first:\nNot in the file: "z = 1"',
    ],
    [{ old_str: "x" }, "Provide either old_str/new_str or an edits array"],
    [{ old_str: "x", new_str: "y", edits: [{ old_str: "x", new_str: "y" }] }, "not both"],
    [{}, "Provide either old_str/new_str or an edits array"],
  ])("is refused, and says why: %j", async (args, reason) => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "a.py": "x = 1\nx = 1\ny = 2\nx = 1\n" });
    const result = await call("edit_file", { path: "a.py", ...args });
    expect(result.success).toBe(false);
    expect(result.error).toContain(reason);
    expect(temporary.text("project/a.py")).toBe("x = 1\nx = 1\ny = 2\nx = 1\n");
  });

  test("is refused on what was seen and has changed since, and on what is not there", async () => {
    using temporary = new Temporary();
    const { call, workspace } = await openBench(temporary, { "a.txt": "one" });
    await call("read_file", { path: "a.txt" });
    writeFileSync(join(workspace.root, "a.txt"), "one two");
    expect((await call("edit_file", { path: "a.txt", old_str: "one", new_str: "1" })).error).toContain(
      "has changed since you last saw it",
    );
    expect((await call("edit_file", { path: "none", old_str: "one", new_str: "1" })).error).toContain("not found");
  });

  test("says what changed in a file since it was read, and then takes it as seen", async () => {
    using temporary = new Temporary();
    const { call, workspace } = await openBench(temporary, { "a.txt": "one\ntwo\nthree\n" });
    await call("read_file", { path: "a.txt" });
    writeFileSync(join(workspace.root, "a.txt"), "one\n2\nthree\n");
    const stale = await call("edit_file", { path: "a.txt", old_str: "two", new_str: "zwei" });
    expect(stale.error).toContain("The text of old_str was there and is not now");
    expect(stale.error).toContain("-two\n+2");
    expect((await call("edit_file", { path: "a.txt", old_str: "2", new_str: "zwei" })).success).toBe(true);
  });

  test("says that the text was there before the subtask itself changed it, and that an edit is made already", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "a.txt": "first line\nsecond line\n" });
    await call("read_file", { path: "a.txt" });
    const edit = { path: "a.txt", old_str: "second line", new_str: "another line" };
    expect((await call("edit_file", edit)).success).toBe(true);
    const again = await call("edit_file", edit);
    expect(again.error).toContain("new_str stands in the file already");
    expect(again.error).toContain("was there in a version you read, and changed since");
    expect(again.error).toContain("-second line\n+another line");
  });

  test("shows a small file whole after two refusals, and lets it be written", async () => {
    using temporary = new Temporary();
    const { call, prepare, context } = await openBench(temporary, { "a.txt": "one\ntwo\n" });
    const edit = { path: "a.txt", old_str: "nowhere", new_str: "x" };
    const once = await prepare("edit_file", edit);
    expect(once.failure?.output).toBe("");
    // The same call made ready again is no second refusal.
    expect((await prepare("edit_file", edit)).failure?.output).toBe("");
    Object.assign(context, { marker: `${context.marker}:2` });
    const twice = await call("edit_file", edit);
    expect(twice.output).toBe("one\ntwo\n");
    expect(twice.error).toContain("write all of it with write_file");
    expect((await call("write_file", { path: "a.txt", content: "x\n" })).success).toBe(true);
  });

  test("says that nothing changes where both texts are the same", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "a.txt": "one\n" });
    const result = await call("edit_file", { path: "a.txt", old_str: "one", new_str: "one" });
    expect(result.success).toBe(true);
    expect(result.output).toContain("No change");
  });

  test("replaces every place where it is asked to, and understands other names within edits", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "a.txt": "a b a" });
    const edits = [{ old_string: "a", new_string: "c", replace_all: true }];
    expect((await call("edit_file", { path: "a.txt", edits })).output).toContain("2 replacements");
    expect(temporary.text("project/a.txt")).toBe("c b c");
  });

  test("finds lines whose indentation was lost, and gives it back; mode and line ends stay", async () => {
    using temporary = new Temporary();
    const { call, workspace } = await openBench(temporary, { "a.sh": "if x; then\r\n    one  \r\n    two\r\nfi\r\n" });
    chmodSync(join(workspace.root, "a.sh"), 0o755);
    const result = await call("edit_file", { path: "a.sh", old_str: "one\ntwo \nfi", new_str: "one\nthree\ntwo \nfi" });
    expect(result.error).toContain("Nothing shows how far");
    const edit = { path: "a.sh", old_str: "  one\n  two\nfi", new_str: "  one\n  three\n  two\nfi" };
    expect((await call("edit_file", edit)).output).toContain("not word for word");
    expect(temporary.text("project/a.sh")).toBe("if x; then\r\n    one  \r\n    three\r\n    two\r\nfi\r\n");
    expect(statSync(join(workspace.root, "a.sh")).mode & 0o777).toBe(0o755);
  });

  test("refuses letters outside ASCII where a file is not UTF-8", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "a.txt": Buffer.from([0xe9, 0x0a, 0x61, 0x0a]) });
    expect((await call("edit_file", { path: "a.txt", old_str: "a", new_str: "é" })).error).toContain("not UTF-8");
  });

  test("creates a file that is not there from nothing", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary);
    expect(await call("edit_file", { path: "new.txt", old_str: "", new_str: "text\n" })).toMatchObject({
      success: true,
    });
    expect(temporary.text("project/new.txt")).toBe("text\n");
  });

  test("counts places that overlap", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "a.txt": "aaa" });
    expect((await call("edit_file", { path: "a.txt", old_str: "aa", new_str: "b" })).error).toContain(
      "appears 2 times",
    );
  });
});
