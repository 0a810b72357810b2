/** The patch of what changes came to: git can apply it, and a person can read it. */
import { execFileSync } from "node:child_process";
import { chmodSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createChanges } from "../../src/workspace/changes.ts";
import { hunksOf, textDiff } from "../../src/workspace/text-diff.ts";
import { History } from "./history.ts";
import { openProject, snapshot, Temporary } from "./temporary.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

describe("the diff of changes", () => {
  test("makes the old tree the new one when git applies it", async () => {
    using temporary = new Temporary();
    const files = {
      "a.txt": "one\ntwo\nthree\n",
      "open.txt": "no newline",
      "gone.txt": "gone\n",
      "empty-gone": "",
      "moved.txt": "moved\n",
      "crlf.txt": "a\r\nb\r\n",
      'we"ird\t.txt': "x\n",
    };
    temporary.write(Object.fromEntries(Object.entries(files).map(([name, text]) => [`copy/${name}`, text])));
    const workspace = await openProject(temporary, files);
    for (const root of [workspace.root, temporary.at("copy")]) symlinkSync("a.txt", join(root, "link"));
    const history = new History();
    const write = async (path: string, text: string) =>
      await history.apply(workspace, await workspace.planWrite(path, utf8(text)));
    await write("a.txt", "one\n2\nthree\n");
    await write("open.txt", "no newline\nyet");
    await write("new/file.txt", "new\n");
    await write("empty", "");
    await write("crlf.txt", "a\r\nc\r\n");
    await write('we"ird\t.txt', "y\n");
    for (const path of ["gone.txt", "empty-gone", "link"])
      await history.apply(workspace, await workspace.planDelete(path));
    await history.apply(workspace, await workspace.planMove("moved.txt", "new/moved.txt"));
    const diff = await createChanges({ blobs: history }).diff(history.all, 100_000);
    expect(diff).toContain("rename from moved.txt\nrename to new/moved.txt\n");
    temporary.write({ patch: diff });
    execFileSync("git", ["apply", "--whitespace=nowarn", temporary.at("patch")], { cwd: temporary.at("copy") });
    expect(snapshot(temporary.at("copy"))).toEqual(snapshot(workspace.root));
  });

  test("shows modes, names binary and large files, and leaves out what ended as it began", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, {
      "a.bin": "a\0b",
      "same.txt": "same",
      "big.txt": "x".repeat(2_200_000),
      "lost.txt": "lost",
    });
    const history = new History();
    const write = async (path: string, text: string) =>
      await history.apply(workspace, await workspace.planWrite(path, utf8(text)));
    await write("a.bin", "a\0c");
    await write("big.txt", "y");
    await write("same.txt", "other");
    await write("same.txt", "same");
    const [lost] = await write("lost.txt", "found");
    if (lost?.before.kind === "file") history.forget(lost.before.digest);
    const before = await workspace.state("same.txt");
    chmodSync(join(workspace.root, "same.txt"), 0o755);
    history.record(
      { changes: [{ path: "same.txt", before, after: await workspace.state("same.txt") }], blobs: [] },
      "s1",
    );
    expect(await createChanges({ blobs: history }).diff(history.all, 100_000)).toBe(
      [
        "diff --git a/a.bin b/a.bin\nBinary files a/a.bin and b/a.bin differ\n",
        "diff --git a/big.txt b/big.txt\nLarge files a/big.txt and b/big.txt differ\n",
        "diff --git a/lost.txt b/lost.txt\nFiles of unknown content a/lost.txt and b/lost.txt differ\n",
        "diff --git a/same.txt b/same.txt\nold mode 100644\nnew mode 100755\n",
      ].join(""),
    );
  });

  test("ends at its limit, and says so", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary);
    const history = new History();
    for (const name of ["a", "b", "c"])
      await history.apply(workspace, await workspace.planWrite(name, utf8(`${name}\n`.repeat(300))));
    const diff = await createChanges({ blobs: history }).diff(history.all, 1500);
    expect(Buffer.byteLength(diff)).toBeLessThanOrEqual(1500);
    expect(diff).toMatch(/\+b\n\n\[diff cut at 1500 bytes; 2 of the changed files not shown, or not whole\]\n$/);
    expect(Buffer.byteLength(await createChanges({ blobs: history }).diff(history.all, 120))).toBeLessThanOrEqual(120);
  });
});

describe("the diff of two texts", () => {
  test("is empty for the same text", () => expect(textDiff("a", "x\n", "x\n")).toBe(""));

  test("has git's headers and hunks", () => {
    expect(textDiff("a.txt", "one\ntwo\n", "one\n2")).toBe(
      "--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n\\ No newline at end of file\n",
    );
  });

  test("does not take forever over texts that share little", () => {
    const [a, b] = [0, 1].map((odd) =>
      Array.from({ length: 30_000 }, (_, n) => `${((n * 7919) % 30_011) + odd * 0.5} ${n % 3}`).join("\n"),
    );
    const started = performance.now();
    expect(hunksOf(a ?? "", b ?? "")).toMatch(/^@@ -1,30000 \+1,30000 @@\n/);
    expect(performance.now() - started).toBeLessThan(6000);
  });
});
