/** Which of the two the launcher starts: src/ as it stands, or dist/, which was built from it. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const sourced = "src/main.ts";
const built = "dist/loom/main.js";
const locked = "package-lock.json";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "loom-launcher-"));
  mkdirSync(join(root, "bin"));
  cpSync(join(import.meta.dirname, "../../bin/loom.mjs"), join(root, "bin/loom.mjs"));
  write("package.json", '{"type":"module"}');
  write(sourced, 'process.stdout.write("src")');
  write("src/api/tasks.ts", "");
  write(built, 'process.stdout.write("dist")');
  write(locked, "{}");
  for (const path of ["src/api/tasks.ts", "src/api", sourced, "src", locked]) changedAt(path, 1000);
  changedAt(built, 2000);
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function changedAt(path: string, seconds: number): void {
  utimesSync(join(root, path), seconds, seconds);
}

function started(): string {
  const { stdout, stderr } = spawnSync(process.execPath, [join(root, "bin/loom.mjs")], { encoding: "utf8" });
  return stdout + stderr;
}

test("what was built is started while nothing it was built from has changed", () => {
  expect(started()).toBe("dist");
});

test.each(["src/api/tasks.ts", locked])("a change of %s since then starts the source", (path) => {
  changedAt(path, 3000);
  expect(started()).toBe("src");
});

test("so does a change while it was built", () => {
  changedAt("src/api/tasks.ts", 2000);
  expect(started()).toBe("src");
});

test("so does a file that was taken away", () => {
  rmSync(join(root, "src/api/tasks.ts"));
  expect(started()).toBe("src");
});

test("a checkout in which nothing was built starts the source", () => {
  rmSync(join(root, "dist"), { recursive: true });
  expect(started()).toBe("src");
});

test("an installed package has only what was built", () => {
  rmSync(join(root, "src"), { recursive: true });
  rmSync(join(root, locked));
  expect(started()).toBe("dist");
});
