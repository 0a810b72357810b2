/** The file tools, on real files: what they do, what they refuse, and what the model reads. */
import { chmodSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cut } from "../../src/tools/output.ts";
import { snapshot, Temporary } from "../workspace/temporary.ts";
import { openBench } from "./bench.ts";

describe("read_file", () => {
  test("gives the text as it is, and remembers what was seen", async () => {
    using temporary = new Temporary();
    const { call, seen, workspace } = await openBench(temporary, { "a.txt": "\uFEFFone\r\ntwo", empty: "" });
    expect(await call("read_file", { path: "a.txt" })).toMatchObject({ success: true, output: "\uFEFFone\r\ntwo" });
    expect(seen.get("a.txt")).toEqual(await workspace.state("a.txt"));
    expect(await call("read_file", { path: "empty" })).toMatchObject({ success: true, output: "(empty file)" });
  });

  test("gives the lines that were asked for", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "a.txt": "1\n2\n3\n4\n" });
    expect(await call("read_file", { path: "a.txt", line_start: 2, line_end: 3 })).toMatchObject({ output: "2\n3\n" });
    expect(await call("read_file", { path: "a.txt", line_start: "4", line_end: 99 })).toMatchObject({ output: "4\n" });
    expect(await call("read_file", { path: "a.txt", line_start: 3, line_end: 2 })).toMatchObject({ success: false });
  });

  test("gives all of a short file where only lines behind its end were asked for, and says so of a long one", async () => {
    using temporary = new Temporary();
    const long = "x\n".repeat(101);
    const { call } = await openBench(temporary, { short: "1\n2", long });
    expect(await call("read_file", { path: "short", line_start: 10, line_end: 10 })).toMatchObject({
      success: true,
      output: "1\n2\n[line_start 10 is behind the end: the file has 2 lines, and all of it is shown.]",
    });
    expect(await call("read_file", { path: "long", line_start: 102 })).toMatchObject({
      success: false,
      error: "line_start 102 is behind the end: the file has 101 lines",
    });
  });

  test("gives a long file in parts that join to the whole", async () => {
    using temporary = new Temporary();
    const text = Array.from({ length: 500 }, (_, n) => `line ${n + 1} ${"x".repeat(n % 40)}`).join("\n");
    const { call } = await openBench(temporary, { "a.txt": text }, { resultChars: 2000 });
    let whole = "";
    for (let start: number | undefined = 1, parts = 0; start !== undefined && parts < 50; parts += 1) {
      const { output } = await call("read_file", { path: "a.txt", line_start: start });
      const note: RegExpExecArray | null = /\[Lines \d+-\d+ of 500\.(?: Continue with line_start=(\d+)\.)?\]$/.exec(
        output,
      );
      whole += note === null ? output : output.slice(0, note.index);
      start = note?.[1] === undefined ? undefined : Number(note[1]);
    }
    expect(whole).toBe(text);
  });

  test("cuts a line that is too long for all, and says how to go on", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "a.js": `${"x".repeat(500)}\nend` }, { resultChars: 100 });
    const { output } = await call("read_file", { path: "a.js" });
    expect(output).toBe(
      `${"x".repeat(100)}\n[Line 1 of 2 has 501 characters; only the first 100 are shown. Continue with line_start=2.]`,
    );
  });

  test("says what is no text, no file, too large, or not there", async () => {
    using temporary = new Temporary();
    const { call, seen, workspace } = await openBench(temporary, {
      "a.bin": "a\0b",
      "src/": "",
      latin: Buffer.from([0x61, 0xe9]),
      huge: "",
    });
    truncateSync(join(workspace.root, "huge"), 33 * 1024 * 1024);
    expect((await call("read_file", { path: "a.bin" })).error).toBe("a.bin is a binary file of 3 bytes, not text");
    expect((await call("read_file", { path: "src" })).error).toContain("Not a file: src");
    expect((await call("read_file", { path: "none" })).error).toContain("File not found: none.");
    expect(seen.get("none")).toEqual({ kind: "absent" });
    expect((await call("read_file", { path: "latin" })).output).toBe("a\uFFFD");
    expect((await call("read_file", { path: "huge" })).error).toContain("more than the");
  });
});

describe("write_file", () => {
  test("creates a file, parents included, also an empty one", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary);
    expect(await call("write_file", { path: "a/b.txt", content: "é" })).toMatchObject({
      success: true,
      output: "Wrote 2 bytes to a/b.txt",
    });
    expect(await call("write_file", { path: "a/empty", content: "" })).toMatchObject({
      success: true,
      output: "Wrote 0 bytes to a/empty",
    });
    expect(temporary.text("project/a/b.txt")).toBe("é");
  });

  test("replaces only what this subtask has seen, as it saw it", async () => {
    using temporary = new Temporary();
    const { call, workspace } = await openBench(temporary, { "a.txt": "old" });
    expect((await call("write_file", { path: "a.txt", content: "new" })).error).toContain("read it first");
    await call("read_file", { path: "a.txt" });
    expect(await call("write_file", { path: "a.txt", content: "new" })).toMatchObject({ success: true });
    expect(await call("write_file", { path: "a.txt", content: "newer" })).toMatchObject({ success: true });
    writeFileSync(join(workspace.root, "a.txt"), "someone else's");
    expect((await call("write_file", { path: "a.txt", content: "mine" })).error).toContain(
      "a.txt has changed since you last saw it",
    );
    expect(temporary.text("project/a.txt")).toBe("someone else's");
    chmodSync(join(workspace.root, "a.txt"), 0o755);
    await call("read_file", { path: "a.txt" });
    chmodSync(join(workspace.root, "a.txt"), 0o700);
    expect(await call("write_file", { path: "a.txt", content: "mine" })).toMatchObject({ success: true });
  });

  test("does not bring back what someone deleted, unless that was seen", async () => {
    using temporary = new Temporary();
    const { call, workspace } = await openBench(temporary, { "a.txt": "old" });
    await call("read_file", { path: "a.txt" });
    await workspace.apply(await workspace.planDelete("a.txt"));
    expect((await call("write_file", { path: "a.txt", content: "new" })).error).toContain(
      "a.txt is gone since you last saw it",
    );
    await call("read_file", { path: "a.txt" });
    expect(await call("write_file", { path: "a.txt", content: "new" })).toMatchObject({ success: true });
  });

  test("writes through a link that stays inside to what it points to", async () => {
    using temporary = new Temporary();
    const { call, prepare, workspace } = await openBench(temporary, { "src/a.txt": "old" });
    symlinkSync("a.txt", join(workspace.root, "src/link"));
    symlinkSync(join(workspace.root, "src/link"), join(workspace.root, "top"));
    await call("read_file", { path: "top" });
    expect((await prepare("write_file", { path: "top", content: "new" })).action.writes).toEqual(["src/a.txt"]);
    expect(await call("write_file", { path: "top", content: "new" })).toMatchObject({
      success: true,
      output: "Wrote 3 bytes to src/a.txt",
    });
  });

  test("prepares the change, with what stood there, and makes it only when run", async () => {
    using temporary = new Temporary();
    const { call, prepare, workspace } = await openBench(temporary, { "a.txt": "old" });
    await call("read_file", { path: "a.txt" });
    const prepared = await prepare("write_file", { path: "a.txt", content: "new" });
    expect(prepared).toMatchObject({ destructive: false, action: { tool: "write_file", writes: ["a.txt"] } });
    expect(prepared.change?.blobs).toHaveLength(2);
    expect(temporary.text("project/a.txt")).toBe("old");
    writeFileSync(join(workspace.root, "a.txt"), "else");
    expect(await prepared.run(new AbortController().signal)).toMatchObject({
      success: false,
      error: expect.stringContaining("has changed since this was planned") as unknown,
    });
    expect(temporary.text("project/a.txt")).toBe("else");
  });

  test("is refused over a folder and over its size", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "src/": "" });
    expect((await call("write_file", { path: "src", content: "x" })).error).toContain("it is a folder");
    await expect(call("write_file", { path: "a", content: "x".repeat(1024 * 1024 + 1) })).rejects.toThrow('"content"');
  });
});

describe("delete_file and move_file", () => {
  test("take away and put elsewhere", async () => {
    using temporary = new Temporary();
    const { call, prepare, seen } = await openBench(temporary, { "a.txt": "a", "b.txt": "b", "empty/": "" });
    expect((await prepare("delete_file", { path: "a.txt" })).action).toMatchObject({ deletes: ["a.txt"], writes: [] });
    expect((await call("delete_file", { path: "a.txt" })).output).toBe("Deleted file: a.txt");
    expect((await call("delete_file", { path: "empty" })).output).toBe("Deleted empty directory: empty");
    expect(seen.get("a.txt")).toEqual({ kind: "absent" });
    expect((await call("move_file", { source: "b.txt", destination: "new/b.txt" })).output).toBe(
      "Moved b.txt -> new/b.txt",
    );
    expect(Object.keys(snapshot(temporary.at("project")))).toEqual(["new", "new/b.txt"]);
    expect(seen.has("new/b.txt")).toBe(false);
  });

  test("a move to a folder that is there is one into it", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "a.txt": "a", "docs/b.txt": "b", "docs/a/": "", "empty/": "" });
    expect((await call("move_file", { source: "a.txt", destination: "docs" })).output).toBe(
      "Moved a.txt -> docs/a.txt",
    );
    expect((await call("move_file", { source: "docs", destination: "empty/" })).output).toBe(
      "Moved docs -> empty/docs",
    );
    expect((await call("move_file", { source: "empty", destination: "empty" })).success).toBe(false);
    expect((await call("move_file", { source: "empty", destination: "empty/docs" })).success).toBe(false);
    expect(temporary.text("project/empty/docs/a.txt")).toBe("a");
  });

  test("carry what was seen along with a move", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "a.txt": "a" });
    await call("read_file", { path: "a.txt" });
    await call("move_file", { source: "a.txt", destination: "b.txt" });
    expect(await call("write_file", { path: "b.txt", content: "b" })).toMatchObject({ success: true });
  });

  test("are refused on what has changed since it was seen", async () => {
    using temporary = new Temporary();
    const { call, workspace } = await openBench(temporary, { "a.txt": "a" });
    await call("read_file", { path: "a.txt" });
    writeFileSync(join(workspace.root, "a.txt"), "changed");
    expect((await call("delete_file", { path: "a.txt" })).error).toContain("has changed");
    expect((await call("move_file", { source: "a.txt", destination: "b.txt" })).error).toContain("has changed");
  });

  test("say why not", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, { "a.txt": "a", "src/b.txt": "b", ".git/HEAD": "x" });
    expect((await call("delete_file", { path: "none" })).error).toContain("Path not found: none");
    expect((await call("delete_file", { path: "src" })).error).toContain("Directory not empty. Remove contents first.");
    expect((await call("delete_file", { path: "." })).error).toContain("root of the workspace");
    expect((await call("delete_file", { path: ".git/HEAD" })).error).toContain("it belongs to git");
    expect((await call("move_file", { source: "a.txt", destination: "src/b.txt" })).error).toContain(
      "Destination already exists",
    );
  });
});

describe("list_directory", () => {
  test("draws the tree, two levels deep", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, {
      "b.txt": "",
      "src/deep/er/x": "",
      "src/a.ts": "",
      ".git/HEAD": "",
      "empty/": "",
    });
    expect((await call("list_directory", {})).output).toBe("empty/\nsrc/\n  deep/\n  a.ts\nb.txt");
    expect((await call("list_directory", { path: "src/deep" })).output).toBe("er/\n  x");
    expect((await call("list_directory", { path: "" })).output).toContain("src/");
    expect((await call("list_directory", { path: "empty" })).output).toBe("(empty directory)");
    expect((await call("list_directory", { path: "b.txt" })).error).toContain("not a folder");
    expect((await call("list_directory", { path: "none" })).error).toContain("Path not found");
  });

  test("ends at its limit, and says so", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(
      temporary,
      Object.fromEntries(Array.from({ length: 520 }, (_, n) => [`f${n}`, ""])),
    );
    const { output } = await call("list_directory", {});
    expect(output.split("\n")).toHaveLength(501);
    expect(output).toContain("[Only the first 500 entries are shown.");
  });
});

describe("a long result", () => {
  test("keeps its head and its tail within the limit, and no half characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), fc.integer({ min: 60, max: 200 }), (text, max) => {
        const shown = cut(text, max);
        expect(shown.length).toBeLessThanOrEqual(Math.max(max, text.length <= max ? text.length : 0));
        expect(shown.isWellFormed() || !text.isWellFormed()).toBe(true);
      }),
    );
    expect(cut("abcdefghij".repeat(20), 80)).toMatch(/^abcdefghij.*\n\[… \d+ characters left out …\]\n.*ij$/s);
  });
});
