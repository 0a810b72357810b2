/** Where a path that a model wrote may lead, and where not. */
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LoomError } from "../../src/lib/errors.ts";
import { isInside } from "../../src/workspace/confinement.ts";
import { openWorkspaces } from "../../src/workspace/workspaces.ts";
import { openProject, snapshot, Temporary } from "./temporary.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

describe("a path inside the workspace", () => {
  test.each([
    ["a.txt", "a.txt"],
    ["./src//b.txt", "src/b.txt"],
    ["src/../a.txt", "a.txt"],
    [".", "."],
    ["src/..", "."],
    ["src/", "src"],
    ["new/deep/c.txt", "new/deep/c.txt"],
    ["project/a.txt", "a.txt"],
    ["project/src/new.txt", "src/new.txt"],
    ["project", "."],
    ["project/none.txt", "project/none.txt"],
    ["../project/a.txt", "a.txt"],
    ["ünïcode/☃.txt", "ünïcode/☃.txt"],
    ["inner/b.txt", "src/b.txt"],
    ["link.txt", "link.txt"],
    ["dangling.txt", "dangling.txt"],
    ["...", "..."],
    ["src/..b", "src/..b"],
    ["~x", "~x"],
  ])("is found: %s", async (path, place) => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "a.txt": "a", "src/b.txt": "b" });
    symlinkSync("src", join(workspace.root, "inner"));
    symlinkSync("a.txt", join(workspace.root, "link.txt"));
    symlinkSync("src/later.txt", join(workspace.root, "dangling.txt"));
    expect(await workspace.resolve(path)).toBe(place);
  });

  test("may be absolute, or come in through a link from outside", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "a.txt": "a" });
    symlinkSync(workspace.root, temporary.at("alias"));
    expect(await workspace.resolve(join(workspace.root, "a.txt"))).toBe("a.txt");
    expect(await workspace.resolve(temporary.at("alias/a.txt"))).toBe("a.txt");
    expect(await workspace.resolve(temporary.at("alias"))).toBe(".");
  });

  test("keeps a leading name that is a folder inside", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "project/": "", "a.txt": "a" });
    expect(await workspace.resolve("project/a.txt")).toBe("project/a.txt");
  });
});

describe("a path that leads elsewhere", () => {
  test.each([
    [""],
    ["../secret.txt"],
    ["src/../../secret.txt"],
    ["/etc/passwd"],
    ["/"],
    ["~"],
    ["~/x"],
    ["..//secret.txt"],
    ["a\0b"],
    ["a/".repeat(2049)],
    ["a".repeat(300)],
    ["out/secret.txt"],
    ["out"],
    ["leak.txt"],
    ["chain"],
    ["nowhere"],
    ["nowhere/x"],
    ["loop"],
    ["loop/x"],
    ["pipe"],
    ["../project-twin/a.txt"],
    ["/proc/self/root/etc/passwd"],
  ])("is refused: %j", async (path) => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "a.txt": "a", "src/b.txt": "b" });
    temporary.write({ "secret.txt": "secret", "project-twin/a.txt": "twin" });
    symlinkSync("..", join(workspace.root, "out"));
    symlinkSync("../secret.txt", join(workspace.root, "leak.txt"));
    symlinkSync("chain2", join(workspace.root, "chain"));
    symlinkSync(temporary.at("not-yet"), join(workspace.root, "chain2"));
    symlinkSync(temporary.at("gone"), join(workspace.root, "nowhere"));
    symlinkSync("loop", join(workspace.root, "loop"));
    execFileSync("sh", ["-c", 'mkfifo "$0"', join(workspace.root, "pipe")]);
    const before = snapshot(temporary.path);
    for (const use of [
      () => workspace.resolve(path),
      () => workspace.state(path),
      () => workspace.read(path, 1000),
      () => workspace.list(path, { depth: 1, limit: 10 }),
      () => workspace.planWrite(path, utf8("x")),
      () => workspace.planDelete(path),
      () => workspace.planMove("a.txt", path),
      () => workspace.planMove(path, "b.txt"),
    ]) {
      await expect(use()).rejects.toMatchObject({ code: "path_refused" });
    }
    expect(snapshot(temporary.path)).toEqual(before);
  });

  test.each([
    ".git",
    ".git/config",
    "sub/.git/hooks/pre-commit",
    ".GIT/config",
    ".git./config",
    ".g\u200cit/config",
    "GIT~1/config",
    ".",
  ])("is not written: %j", async (path) => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { ".git/config": "[core]", "a.txt": "a" });
    await expect(workspace.planWrite(path, utf8("x"))).rejects.toMatchObject({ code: "path_refused" });
    await expect(workspace.planDelete(path)).rejects.toMatchObject({ code: "path_refused" });
    await expect(workspace.planMove("a.txt", path)).rejects.toMatchObject({ code: "path_refused" });
    await expect(workspace.planMove(path, "b.txt")).rejects.toMatchObject({ code: "path_refused" });
    const change = { path, before: { kind: "absent" }, after: { kind: "link", target: "x" } } as const;
    await expect(workspace.apply({ changes: [change], blobs: [] })).rejects.toMatchObject({ code: "path_refused" });
  });

  test("never gets anything read or written outside, whatever it is made of", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, {
      "a.txt": "inside",
      "src/b.txt": "inside",
      "project2/c.txt": "inside",
    });
    temporary.write({ "secret.txt": "secret", "other/secret.txt": "secret" });
    symlinkSync("../other", join(workspace.root, "src/away"));
    symlinkSync("../secret.txt", join(workspace.root, "leak"));
    symlinkSync("src", join(workspace.root, "near"));
    const before = outsideOf(temporary);
    const part = fc.oneof(
      fc.constantFrom(
        "..",
        ".",
        "~",
        "",
        "a.txt",
        "src",
        "near",
        "away",
        "leak",
        "secret.txt",
        "other",
        "project",
        "SRC",
        "\0",
        ".git",
      ),
      fc.constantFrom(temporary.path, workspace.root, "/proc/self/cwd", "/dev/fd/0", "/etc"),
      fc.string({ unit: "binary", maxLength: 4 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 6 }), async (parts) => {
        const path = parts.join("/");
        const text = await workspace.read(path, 1000).then(
          (bytes) => new TextDecoder().decode(bytes),
          () => "",
        );
        expect(text).not.toContain("secret");
        const plan = await workspace.planWrite(path, utf8("inside")).catch(refusalOnly);
        if (plan !== null) await workspace.apply(plan).catch(refusalOnly);
      }),
      { numRuns: 120 },
    );
    expect(outsideOf(temporary)).toEqual(before);
  });
});

describe("a path below a file", () => {
  test.each(["a.txt/b", "a.txt/b/c"])("is nothing, and nothing can be put there: %s", async (path) => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "a.txt": "a", "b.txt": "b" });
    expect(await workspace.state(path)).toEqual({ kind: "absent" });
    await expect(workspace.read(path, 10)).rejects.toMatchObject({ code: "not_found" });
    await expect(workspace.planWrite(path, utf8("x"))).rejects.toThrow("a.txt is not a folder");
    await expect(workspace.planMove("b.txt", path)).rejects.toThrow("a.txt is not a folder");
  });
});

describe("a folder that is swapped for a link after the check", () => {
  test("is not written through", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "src/a.txt": "a" });
    temporary.write({ "outside/a.txt": "a" });
    const plans = await Promise.all([
      workspace.planWrite("src/a.txt", utf8("x")),
      workspace.planWrite("src/new.txt", utf8("x")),
      workspace.planDelete("src/a.txt"),
    ]);
    renameSync(join(workspace.root, "src"), temporary.at("moved"));
    symlinkSync("../outside", join(workspace.root, "src"));
    for (const plan of plans) await expect(workspace.apply(plan)).rejects.toBeInstanceOf(LoomError);
    expect(snapshot(temporary.at("outside"))).toEqual(snapshot(temporary.at("moved")));
  });

  test("is not read or written through while it is swapped to and fro", async () => {
    using temporary = new Temporary();
    const workspace = await openProject(temporary, { "src/a.txt": "inside" });
    temporary.write({ "outside/a.txt": "secret" });
    const swapping = swapToAndFro(workspace.root, 300);
    for (let n = 0; n < 150; n += 1) {
      const text = await workspace.read("src/a.txt", 1000).then(
        (bytes) => new TextDecoder().decode(bytes),
        () => "",
      );
      expect(text).not.toBe("secret");
      const plan = await workspace.planWrite("src/a.txt", utf8(`inside ${n}`)).catch(() => null);
      if (plan !== null) await workspace.apply(plan).catch(() => undefined);
    }
    await swapping;
    expect(temporary.text("outside/a.txt")).toBe("secret");
  });
});

describe("a folder that is no workspace", () => {
  test.each(["/", homedir(), "/etc", "/usr", "/proc/self", "/nowhere/at/all", "relative"])(
    "is refused: %s",
    async (root) => {
      using temporary = new Temporary();
      await expect(openWorkspaces({ scratchDir: temporary.path }).open(root)).rejects.toMatchObject({
        code: "workspace_unusable",
      });
    },
  );

  test("is refused when it is a file", async () => {
    using temporary = new Temporary();
    temporary.write({ file: "" });
    await expect(openWorkspaces({ scratchDir: temporary.path }).open(temporary.at("file"))).rejects.toMatchObject({
      code: "workspace_unusable",
    });
  });

  test("holds nothing inside but itself when it is the root of the file system", () => {
    expect(isInside("/", "/etc")).toBe(true);
    expect(isInside("/a", "/ab")).toBe(false);
  });
});

describe("a scratch folder", () => {
  test("is fresh: an unused one of that name is taken, a used one is left alone", async () => {
    using temporary = new Temporary();
    const workspaces = openWorkspaces({ scratchDir: temporary.at("scratch") });
    const first = await workspaces.createScratch("task_1");
    expect(await workspaces.createScratch("task_1")).toBe(first);
    temporary.write({ "scratch/task_1/a.txt": "a" });
    expect(await workspaces.createScratch("task_1")).toBe(temporary.at("scratch/task_1-2"));
    await expect(workspaces.createScratch("../up")).rejects.toThrow("no name for a scratch folder");
  });
});

/** Nothing but a refusal may come of a bad path. */
function refusalOnly(error: unknown): null {
  expect(error).toBeInstanceOf(LoomError);
  return null;
}

function outsideOf(temporary: Temporary): Record<string, string> {
  return Object.fromEntries(Object.entries(snapshot(temporary.path)).filter(([path]) => !path.startsWith("project/")));
}

async function swapToAndFro(root: string, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    rmSync(join(root, "kept"), { recursive: true, force: true });
    renameSync(join(root, "src"), join(root, "kept"));
    rmSync(join(root, "src"), { recursive: true, force: true }); // the writer may have made it anew in between
    symlinkSync("../outside", join(root, "src"));
    await new Promise((resolve) => setImmediate(resolve));
    rmSync(join(root, "src"), { recursive: true, force: true });
    mkdirSync(join(root, "kept"), { recursive: true });
    renameSync(join(root, "kept"), join(root, "src"));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
