/** search_files and glob_find: ripgrep over the workspace, and nothing outside it. */
import { symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Temporary } from "../workspace/temporary.ts";
import { openBench } from "./bench.ts";

const files = {
  "src/a.py": "import os\ndef total(x):\n    return x\n",
  "src/b.ts": "const total = 1;\n",
  "notes/total.md": "the total\n",
  ".hidden/c.py": "total = 3\n",
  "node_modules/x/index.js": "total\n",
  ".git/config": "total\n",
};

describe("search_files", () => {
  test("names file, line and text, relative to the workspace, in the order of paths", async () => {
    using temporary = new Temporary();
    const { call, prepare } = await openBench(temporary, files);
    expect(await call("search_files", { pattern: "total" })).toEqual({
      success: true,
      output:
        ".hidden/c.py:1: total = 3\nnotes/total.md:1: the total\nsrc/a.py:2: def total(x):\nsrc/b.ts:1: const total = 1;",
      data: { count: 4, truncated: false },
    });
    expect((await prepare("search_files", { pattern: "x", path: "./src" })).action.reads).toEqual(["src"]);
  });

  test("looks where it is told, in files of the names it is told, with any regular expression", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, files);
    expect((await call("search_files", { pattern: "^def \\w+", path: "src", file_pattern: "*.py" })).output).toBe(
      "src/a.py:2: def total(x):",
    );
    expect((await call("search_files", { pattern: "total", path: "src/b.ts" })).output).toBe(
      "src/b.ts:1: const total = 1;",
    );
    expect((await call("search_files", { pattern: "(?<=const )total" })).output).toBe("src/b.ts:1: const total = 1;");
    expect(
      (await call("search_files", { pattern: "total", file_pattern: "*.{py,ts}", path: "" })).output.split("\n"),
    ).toHaveLength(3);
    expect((await call("search_files", { pattern: "total", file_pattern: ".git/**" })).output).toBe(
      "No matches found for pattern: total",
    );
  });

  test("says when nothing matches, and when the expression or the path is none", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, files);
    expect(await call("search_files", { pattern: "nowhere" })).toMatchObject({
      success: true,
      output: "No matches found for pattern: nowhere",
    });
    expect((await call("search_files", { pattern: "--files" })).output).toBe("No matches found for pattern: --files");
    expect((await call("search_files", { pattern: "(" })).error).toMatch(/^Invalid regex: .*unclosed group/s);
    expect((await call("search_files", { pattern: "x", path: "none" })).error).toBe("Path not found: none");
  });

  test("ends at its limit, and keeps long lines short", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, {
      "a.txt": "x\n".repeat(150),
      "b.txt": "x\n".repeat(150),
      "long.txt": `y${"z".repeat(5000)}`,
    });
    const many = await call("search_files", { pattern: "x" });
    expect(many.data).toEqual({ count: 200, truncated: true });
    expect(many.output).toMatch(/\[Only the first 200 matches are shown\. Narrow the pattern or the path\.\]$/);
    expect((await call("search_files", { pattern: "y" })).output.length).toBeLessThan(400);
  });

  test("does not follow links, read configuration, or show files of keys that were not asked for by name", async () => {
    using temporary = new Temporary();
    const { call, workspace } = await openBench(temporary, {
      ".env": "KEY=1",
      "deploy/.env.local": "KEY=2",
      "secrets/a.txt": "KEY=3",
      "src/server.PEM": "KEY=4",
      "a.txt": "KEY=5",
      ".rgignore": "a.txt",
      ".gitignore": "a.txt",
    });
    temporary.write({ "outside/a.txt": "KEY=6" });
    symlinkSync("../outside", join(workspace.root, "out"));
    symlinkSync("../outside/a.txt", join(workspace.root, "leak.txt"));
    for (const file_pattern of [undefined, "*", ".env*", "**/.env"]) {
      const { output } = await call("search_files", {
        pattern: "KEY",
        ...(file_pattern === undefined ? {} : { file_pattern }),
      });
      expect(output).not.toMatch(/KEY=[12346]/);
    }
    expect((await call("search_files", { pattern: "KEY" })).output).toBe("a.txt:1: KEY=5");
    expect((await call("search_files", { pattern: "KEY", path: ".env" })).output).toBe(".env:1: KEY=1");
    await expect(call("search_files", { pattern: "KEY", path: "out" })).rejects.toMatchObject({ code: "path_refused" });
    await expect(call("search_files", { pattern: "KEY", path: "leak.txt" })).rejects.toMatchObject({
      code: "path_refused",
    });
  });

  test("that is stopped ends at once, and one without ripgrep says so", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary, files);
    await expect(call("search_files", { pattern: "x" }, AbortSignal.abort(new Error("over")))).rejects.toThrow("over");
    using other = new Temporary();
    const broken = await openBench(other, files, { ripgrepPath: "/nowhere/rg" });
    expect((await broken.call("search_files", { pattern: "x" })).error).toContain("ripgrep cannot be run");
    expect((await broken.call("glob_find", { pattern: "x" })).error).toContain("ripgrep cannot be run");
  });
});

describe("glob_find", () => {
  test("finds files by their path, the newest first", async () => {
    using temporary = new Temporary();
    const { call, workspace } = await openBench(temporary, files);
    utimesSync(join(workspace.root, "src/a.py"), 1_000_000, 1_000_000);
    utimesSync(join(workspace.root, ".hidden/c.py"), 2_000_000, 2_000_000);
    expect(await call("glob_find", { pattern: "**/*.py" })).toEqual({
      success: true,
      output: ".hidden/c.py\nsrc/a.py",
      data: { count: 2, truncated: false },
    });
    expect((await call("glob_find", { pattern: "*.py", path: "src" })).output).toBe("src/a.py");
    expect((await call("glob_find", { pattern: "src/*.ts", path: "" })).output).toBe("src/b.ts");
    expect((await call("glob_find", { pattern: "*.rs" })).output).toBe("No files matched.");
    expect((await call("glob_find", { pattern: "../**" })).output).toBe("No files matched.");
    expect((await call("glob_find", { pattern: "node_modules/**" })).output).toBe("No files matched.");
  });

  test("ends at its limit, and says what it cannot do", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(
      temporary,
      Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`f${n}`, ""])),
    );
    const many = await call("glob_find", { pattern: "f*" });
    expect(many.data).toEqual({ count: 500, truncated: true });
    expect(many.output).toContain("[Only the 500 newest files are shown.]");
    expect((await call("glob_find", { pattern: "{a" })).error).toContain("Invalid glob");
    expect((await call("glob_find", { pattern: "*", path: "none" })).error).toBe("Path not found: none");
    expect((await call("glob_find", { pattern: "*", path: "f1" })).error).toBe("Not a folder: f1");
  });
});
