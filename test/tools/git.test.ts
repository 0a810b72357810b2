/** git_command: what may be asked, on real repositories; hooks, helpers and the outside stay out of reach. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openWorkspaces } from "../../src/workspace/workspaces.ts";
import { Temporary } from "../workspace/temporary.ts";
import { type Bench, openBench } from "./bench.ts";

function git(cwd: string, ...args: readonly string[]): string {
  const identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"];
  return execFileSync("git", [...identity, ...args], { cwd, encoding: "utf8" });
}

async function openRepository(
  temporary: Temporary,
): Promise<
  Bench & { readonly ask: (...args: string[]) => Promise<{ success: boolean; output: string; error?: string }> }
> {
  const bench = await openBench(temporary, { "a.txt": "one\n", "src/b.txt": "b\n" });
  temporary.write({ "home/.gitconfig": "[user]\n\tname = T\n\temail = t@example.org\n", "secret.txt": "the secret" });
  git(bench.workspace.root, "init", "-q");
  git(bench.workspace.root, "add", ".");
  git(bench.workspace.root, "commit", "-qm", "first");
  return { ...bench, ask: async (...args) => await bench.call("git_command", { args }) };
}

/** A signature makes git run the program of `gpg.program` wherever it shows one. */
function signHead(root: string): void {
  const commit = git(root, "cat-file", "commit", "HEAD");
  const signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n";
  const signed = commit.replace("\n\n", `\n${signature}\n`);
  const id = execFileSync("git", ["hash-object", "-t", "commit", "-w", "--stdin"], {
    cwd: root,
    input: signed,
    encoding: "utf8",
  });
  git(root, "reset", "-q", "--soft", id.trim());
}

describe("git_command in a repository", () => {
  test("reads its state and its history", async () => {
    using temporary = new Temporary();
    const { ask, prepare, call } = await openRepository(temporary);
    temporary.write({ "project/a.txt": "two\n" });
    expect((await ask("status", "--short")).output).toBe(" M a.txt");
    expect((await ask("diff")).output).toContain("-one\n+two");
    expect((await ask("log", "--oneline")).output).toMatch(/^[0-9a-f]+ first$/);
    expect((await ask("show", "HEAD:a.txt")).output).toBe("one");
    expect((await ask("blame", "src/b.txt")).success).toBe(true);
    expect((await ask("rev-parse", "--verify", "HEAD")).success).toBe(true);
    expect((await ask("git", "ls-files")).output).toBe("a.txt\nsrc/b.txt");
    expect((await call("git_command", { args: "log -1 --format=%s" })).output).toBe("first");
    expect(await prepare("git_command", { args: ["status"] })).toMatchObject({
      effectClass: "pure",
      destructive: false,
      action: { argv: ["git", "status"] },
    });
  });

  test("adds, commits, branches and merges", async () => {
    using temporary = new Temporary();
    const { ask, prepare, workspace } = await openRepository(temporary);
    temporary.write({ "project/c.txt": "c\n" });
    for (const args of [
      ["switch", "-c", "feature/x"],
      ["add", "*.txt"],
      ["commit", "-am", "fix: ../x --force -F /etc/passwd"],
      ["commit", "--amend", "-m", "/better"],
      ["checkout", "main"],
      ["merge", "feature/x"],
      ["branch", "-d", "feature/x"],
      ["tag", "v1"],
      ["checkout", "-b", "other", "main"],
      ["reset", "--soft", "HEAD~1"],
      ["stash", "push", "-m", "later"],
      ["stash", "pop"],
    ]) {
      expect({ args, ...(await ask(...args)) }).toMatchObject({ args, success: true });
    }
    expect(git(workspace.root, "log", "--format=%s", "main")).toBe("/better\nfirst\n");
    expect((await prepare("git_command", { args: ["reset", "--soft", "HEAD"] })).destructive).toBe(true);
    expect((await prepare("git_command", { args: ["add", "."] })).effectClass).toBeUndefined();
  });

  test("says what git says when it fails", async () => {
    using temporary = new Temporary();
    const { ask } = await openRepository(temporary);
    expect(await ask("log", "nowhere")).toMatchObject({
      success: false,
      error: "Git exit code: 128",
      exitCode: 128,
      data: { exit_code: 128, subcommand: "log" },
    });
    expect((await ask("merge", "nowhere")).output).toContain("not something we can merge");
  });

  test("runs no hook and no helper of the repository's configuration", async () => {
    using temporary = new Temporary();
    const { ask, workspace } = await openRepository(temporary);
    const trap = temporary.at("trap.sh");
    signHead(workspace.root);
    temporary.write({
      "trap.sh": `#!/bin/sh\ntouch ${temporary.at("sprung")}\n`,
      "project/.git/hooks/pre-commit": `#!/bin/sh\ntouch ${temporary.at("sprung")}\n`,
      "project/.gitattributes": "*.txt diff=evil\n",
    });
    chmodSync(trap, 0o755);
    chmodSync(join(workspace.root, ".git/hooks/pre-commit"), 0o755);
    for (const key of [
      "core.fsmonitor",
      "core.editor",
      "core.pager",
      "diff.external",
      "diff.evil.textconv",
      "diff.evil.command",
      "gpg.program",
      "core.sshCommand",
      "core.askPass",
      "sequence.editor",
    ]) {
      git(workspace.root, "config", key, trap);
    }
    git(workspace.root, "config", "commit.gpgSign", "true");
    git(workspace.root, "config", "alias.log", `!${trap}`);
    git(workspace.root, "config", "alias.evil", `!${trap}`);
    temporary.write({ "project/a.txt": "two\n" });
    for (const args of [
      ["status"],
      ["diff"],
      ["log", "-p", "--format=%G?"],
      ["show"],
      ["add", "-A"],
      ["commit", "-m", "x"],
      ["commit", "--amend"],
      ["fetch", "git@127.0.0.1:x"],
      ["evil"],
    ])
      await ask(...args);
    expect(git(workspace.root, "-c", "core.fsmonitor=false", "log", "--format=%s")).toContain("x\n");
    expect(existsSync(temporary.at("sprung"))).toBe(false);
  });

  test("loses no uncommitted work", async () => {
    using temporary = new Temporary();
    const { ask } = await openRepository(temporary);
    temporary.write({ "project/a.txt": "unsaved\n" });
    for (const args of [
      ["checkout", "."],
      ["checkout", "a.txt"],
      ["checkout", "--", "a.txt"],
      ["checkout", "HEAD", "a.txt"],
      ["checkout", "HEAD", "--", "a.txt"],
      ["checkout", "-f", "main"],
      ["switch", "--discard-changes", "main"],
      ["reset", "--hard"],
    ]) {
      expect({ args, ...(await ask(...args)) }).toMatchObject({
        args,
        success: false,
        error: expect.stringMatching(/not allowed/) as unknown,
      });
    }
    expect(temporary.text("project/a.txt")).toBe("unsaved\n");
  });

  test("reads nothing outside the workspace", async () => {
    using temporary = new Temporary();
    const { ask, workspace } = await openRepository(temporary);
    symlinkSync("../secret.txt", join(workspace.root, "leak"));
    const secret = temporary.at("secret.txt");
    for (const args of [
      ["diff", secret, "a.txt"],
      ["diff", "a.txt", "../secret.txt"],
      ["diff", "src/../../secret.txt", "a.txt"],
      ["diff", "--", secret, "a.txt"],
      ["diff", "--no-index", secret, "a.txt"],
      ["diff", "--no-ind", "leak", "a.txt"],
      ["diff", "leak", "a.txt"],
      ["blame", "--contents", secret, "a.txt"],
      ["blame", `--contents=${secret}`, "a.txt"],
      ["blame", "--cont=../secret.txt", "a.txt"],
      ["commit", "--allow-empty", "-F", secret],
      ["commit", "--allow-empty", `--file=${secret}`],
      ["log", `--output=${temporary.at("written")}`],
      ["add", "--pathspec-from-file", secret],
      ["show", "HEAD:../secret.txt"],
      ["fetch", temporary.path],
      ["fetch", `file://${temporary.path}`],
      ["remote", "add", "x", "../elsewhere"],
    ]) {
      const result = await ask(...args).catch((error: unknown) => ({ success: false, output: String(error) }));
      expect({ args, ...result }).toMatchObject({ args, success: false });
      expect(result.output).not.toContain("the secret");
    }
    expect(existsSync(temporary.at("written"))).toBe(false);
    expect(git(workspace.root, "log", "--format=%s%b")).not.toContain("secret");
  });
});

describe("git_command in a part of a larger repository", () => {
  test("reads the history of its own part only, and changes nothing", async () => {
    using temporary = new Temporary();
    const { call, context } = await openRepository(temporary);
    temporary.write({ "project/a.txt": "the secret\n" });
    const inner = await openWorkspaces({ scratchDir: temporary.at("scratch") }).open(temporary.at("project/src"));
    const { tool } = await openBench(temporary);
    const ask = async (...args: string[]) => {
      const prepared = await tool("git_command").prepare({ args }, { ...context, workspace: inner });
      if (!prepared.ok) throw new Error(prepared.error);
      return prepared.value.failure ?? (await prepared.value.run(context.signal));
    };
    expect((await ask("log", "--format=%s")).output).toBe("first");
    expect((await ask("show", "HEAD:./b.txt")).output).toBe("b");
    for (const args of [
      ["diff"],
      ["diff", "HEAD"],
      ["show", "HEAD:a.txt"],
      ["diff", ":/"],
      ["diff", "--", ":(top)a.txt"],
    ]) {
      expect(`${args.join(" ")}: ${(await ask(...args)).output}`).not.toContain("secret");
    }
    expect((await ask("add", ".")).error).toContain("larger than the workspace");
    expect((await call("git_command", { args: ["status"] })).success).toBe(true);
  });
});

describe("git_command without a repository", () => {
  test("says so", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary);
    expect((await call("git_command", { args: ["status"] })).error).toBe("This workspace is not in a git repository");
  });
});
