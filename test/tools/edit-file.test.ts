/** edit_file, on real files: one exact place, every other byte as it was. */
import { readFileSync, writeFileSync } from "node:fs";
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
    expect(failed.error).toMatch(/^edit\[2\]: old_str not found in a\.txt\..*No edit was made\.$/);
    expect(temporary.text("project/a.txt")).toBe("one two three");
    expect((await call("edit_file", { path: "a.txt", edits: some })).output).toContain("2 replacements");
    expect(temporary.text("project/a.txt")).toBe("2 three");
  });

  test.each([
    [
      { old_str: "x = 1", new_str: "x = 2" },
      "old_str appears 3 times in a.py (lines 1, 2, 4). Provide more surrounding context to make it unique.",
    ],
    [{ old_str: "", new_str: "x" }, "old_str cannot be empty."],
    [{ old_str: "y", new_str: "y" }, "old_str and new_str are the same."],
    [
      { old_str: "nowhere", new_str: "x" },
      "old_str not found in a.py. It must be the exact text, spaces and line breaks included.",
    ],
    [{ old_str: "    y = 2\nz = 1", new_str: "x" }, "Closest match:\n1: x = 1\n2: x = 1\n3: y = 2\n4: x = 1"],
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
