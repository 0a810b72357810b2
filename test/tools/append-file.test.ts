/** append_file on real files, and what all file tools say of a path that is not there. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Temporary } from "../workspace/temporary.ts";
import { openBench } from "./bench.ts";

describe("append_file", () => {
  test.each([
    ["", "a", "a\n"],
    ["one\n", "two", "one\ntwo\n"],
    ["one\n", "two\nthree\n", "one\ntwo\nthree\n"],
    ["one", "two\n", "one\ntwo\n"],
    ["one", "two", "one\ntwo"],
    ["one\r\n", "two\nthree", "one\r\ntwo\r\nthree\r\n"],
    ["\uFEFFone\n", "é", "\uFEFFone\né\n"],
  ])("puts lines behind those of %j", async (before, content, after) => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "a.txt": before });
    expect(await call("append_file", { path: "a.txt", line: content })).toMatchObject({ success: true });
    expect(temporary.text("project/a.txt")).toBe(after);
  });

  test("makes a file where there is none, and says how much was added", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary);
    expect((await call("append_file", { path: "new/a.txt", content: "é" })).output).toBe(
      "Added 3 bytes at the end of new/a.txt",
    );
    expect(await call("write_file", { path: "new/a.txt", content: "mine" })).toMatchObject({ success: true });
  });

  test("shows nothing of what stands there: writing over it still wants it read", async () => {
    using temporary = new Temporary();
    const { call, workspace } = await openBench(temporary, { "a.txt": "old\n" });
    await call("append_file", { path: "a.txt", content: "new" });
    expect((await call("write_file", { path: "a.txt", content: "x" })).error).toContain("read it first");
    await call("read_file", { path: "a.txt" });
    await call("append_file", { path: "a.txt", content: "newer" });
    expect(await call("write_file", { path: "a.txt", content: "x\n" })).toMatchObject({ success: true });
    writeFileSync(join(workspace.root, "a.txt"), "someone else's\n");
    await call("append_file", { path: "a.txt", content: "more" });
    expect(temporary.text("project/a.txt")).toBe("someone else's\nmore\n");
    expect((await call("write_file", { path: "a.txt", content: "x" })).error).toContain("has changed since");
  });

  test("any text ends a file of whole lines, and nothing that stood there is touched", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary" }),
        fc.string({ minLength: 1, unit: "binary" }),
        async (old, more) => {
          using temporary = new Temporary();
          const { call } = await openBench(temporary, { "a.txt": old });
          const before = Buffer.from(old);
          await call("append_file", { path: "a.txt", content: more });
          const after = readFileSync(temporary.at("project/a.txt"));
          expect(after.subarray(0, before.length).equals(before)).toBe(true);
          expect(before.at(-1) !== 0x0a || after.at(-1) === 0x0a).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("is refused on a folder", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "src/": "" });
    expect(await call("append_file", { path: "src", content: "x" })).toMatchObject({ success: false });
  });
});

describe("a path that is not there", () => {
  test("is answered with those that may have been meant", async () => {
    using temporary = new Temporary();
    const files = { "src/app.ts": "a", "src/api.ts": "b", "docs/readme.md": "c", "notes.bak": "d", "e.txt": "e" };
    const { call } = await openBench(temporary, files);
    const error = async (tool: string, args: Record<string, string>) => (await call(tool, args)).error;
    expect(await error("read_file", { path: "lib/app.ts" })).toBe(
      "File not found: lib/app.ts. Did you mean src/app.ts or src/api.ts?",
    );
    expect(await error("delete_file", { path: "notes/bak" })).toContain("Did you mean notes.bak?");
    expect(await error("move_file", { source: "read-me.md", destination: "x.md" })).toContain(
      "Did you mean docs/readme.md?",
    );
    expect(await error("edit_file", { path: "src/ap.ts", old_str: "a", new_str: "b" })).toContain("src/api.ts");
    expect(await error("list_directory", { path: "dox" })).toContain("Did you mean docs?");
    expect(await error("read_file", { path: "something-else-entirely.json" })).toBe(
      "File not found: something-else-entirely.json.",
    );
  });

  test("is answered with all there is, where that is little", async () => {
    using temporary = new Temporary();
    const { call, workspace } = await openBench(temporary, { "notes.bak": "d" });
    expect((await call("delete_file", { path: "old/thing.csv" })).error).toContain("There are only: notes.bak.");
    await workspace.apply(await workspace.planDelete("notes.bak"));
    expect((await call("read_file", { path: "old/thing.csv" })).error).toContain("The workspace is empty.");
  });
});
