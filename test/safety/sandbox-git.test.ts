/** Git where most of a machine is not there: its author, its linked work trees, the tree around a workspace. */
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { hasBubblewrap, SandboxPlace } from "./sandbox-place.ts";

describe.skipIf(!hasBubblewrap)("git in the sandbox", () => {
  const git = (folder: string, ...args: readonly string[]) =>
    execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@example.org", ...args], {
      cwd: folder,
      stdio: "pipe",
    });

  test("commits under the person's name, and knows nothing else of their settings", async () => {
    using place = new SandboxPlace();
    git(place.root, "init", "-q");
    await using sandbox = await place.open();
    const line = "git commit -q --allow-empty -m one && git log --format='%an %ae'; git config --get-regexp url";
    expect((await place.run(sandbox, line)).stdout).toBe("Ada ada@example.org\n");
  });

  test("works in a linked work tree, whose repository lies elsewhere", async () => {
    using place = new SandboxPlace();
    place.write({ "main/": "", "main/secret": "SECRET\n" });
    git(place.at("main"), "init", "-q");
    git(place.at("main"), "commit", "-q", "--allow-empty", "-m", "one");
    git(place.at("main"), "worktree", "add", "-q", place.at("tree"));
    await using sandbox = await place.open();
    const line = `git commit -q --allow-empty -m two && git log --format=%s; cat ${place.at("main/secret")}`;
    expect((await place.run(sandbox, line, { root: place.at("tree") })).stdout).toBe("two\none\n");
  });

  test("sees the tree around a workspace that is a part of it, and cannot write there", async () => {
    using place = new SandboxPlace();
    place.write({ "whole/part/": "", "whole/other": "other\n" });
    git(place.at("whole"), "init", "-q");
    await using sandbox = await place.open();
    const line = "git status --short; echo x >../other; echo x >../.git/config";
    expect((await place.run(sandbox, line, { root: place.at("whole/part") })).stdout).toBe("?? ../other\n");
    expect(place.text("whole/other")).toBe("other\n");
  });

  test("opens no folder because a file of the workspace points to it", async () => {
    using place = new SandboxPlace();
    place.write({ "home/project/.git": `gitdir: ${place.at("home/.ssh")}\n` });
    await using sandbox = await place.open();
    expect((await place.run(sandbox, `cat ${place.at("home/.ssh/id_ed25519")}`)).stdout).toBe("");
    place.write({
      "home/.ssh/worktrees/a/gitdir": "elsewhere\n",
      "home/project/.git": `gitdir: ${place.at("home/.ssh/worktrees/a")}\n`,
    });
    expect((await place.run(sandbox, `cat ${place.at("home/.ssh/id_ed25519")}`)).stdout).toBe("");
  });
});
