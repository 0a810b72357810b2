/** The sandbox: what a command finds in it, what it keeps between commands, what is allowed in, and what is done without one. */
import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { probe } from "../../src/safety/sandbox/probe.ts";
import { unconfined } from "../../src/safety/sandbox/sandbox.ts";
import { seccompFilter } from "../../src/safety/sandbox/seccomp.ts";
import { lackOf, standingOf } from "../../src/safety/sandbox/standing.ts";
import { processesIn } from "../support/processes-in.ts";
import { hasBubblewrap, isRoot, limits, openDoor, SandboxPlace } from "./sandbox-place.ts";

describe.skipIf(!hasBubblewrap)("a command in the sandbox", () => {
  test("stands in its workspace, at its own path, and what it writes there stays", async () => {
    using place = new SandboxPlace();
    await using sandbox = await place.open();
    expect(await place.run(sandbox, "pwd; echo kept >file; exit 3")).toEqual({
      exitCode: 3,
      stdout: `${place.root}\n`,
      stderr: "",
      timedOut: false,
      sandbox: "bubblewrap",
    });
    expect(place.text("home/project/file")).toBe("kept\n");
  });

  test("has the tools of this machine, threads, pipes and its own /proc", async () => {
    using place = new SandboxPlace();
    await using sandbox = await place.open();
    const line =
      "git --version | cut -c1-3; python3 -c 'import threading as t; x = t.Thread(target=print, args=(7,)); x.start(); x.join()'; ls -d /proc/[0-9]* | wc -l";
    const { stdout, stderr } = await place.run(sandbox, line);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^git\n7\n\d\n$/);
  });

  test("finds an empty home at the path of its own, and a /tmp, kept for its task and no other", async () => {
    using place = new SandboxPlace();
    await using sandbox = await place.open();
    await place.run(sandbox, 'echo a >"$HOME/a"; echo b >/tmp/b');
    const look = 'echo "$HOME" "$TMPDIR"; ls -A "$HOME" /tmp';
    expect((await place.run(sandbox, look)).stdout).toMatch(
      new RegExp(`^${place.at("home")} /tmp\n/tmp:\nb\n[^]*${place.at("home")}:\n.gitconfig\na\nproject\n`),
    );
    const other = await place.run(sandbox, 'cat "$HOME/a" /tmp/b', { taskId: "task_2" });
    expect(other).toMatchObject({ exitCode: 1, stdout: "" });
    expect(readdirSync(place.at("home")).toSorted()).toEqual([".gitconfig", ".ssh", "project"]);
  });

  test("leaves nothing behind when Loom is done", async () => {
    using place = new SandboxPlace();
    const sandbox = await place.open();
    await place.run(sandbox, "echo x >/tmp/x");
    expect(existsSync(place.at("loom/loom.db.sandbox"))).toBe(true);
    await sandbox[Symbol.asyncDispose]();
    expect(existsSync(place.at("loom/loom.db.sandbox"))).toBe(false);
  });

  test("cannot make namespaces, trace, mount or gain rights", async () => {
    using place = new SandboxPlace();
    await using sandbox = await place.open();
    const python = `import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for name, args in (("ptrace", (0, 0, 0, 0)), ("unshare", (0x10000000,)), ("mount", (b"a", b"/tmp", b"tmpfs", 0, 0)), ("setns", (0, 0))):
    print(name, getattr(libc, name)(*args), ctypes.get_errno())
print("clone", libc.syscall(56 if os.uname().machine == "x86_64" else 220, 0x10000011, 0, 0, 0, 0), ctypes.get_errno())
print("clone3", libc.syscall(435, 0, 0), ctypes.get_errno())`;
    const { stdout } = await place.run(
      sandbox,
      `python3 -c '${python}'; grep -E 'CapEff|NoNewPrivs' /proc/self/status`,
    );
    expect(stdout).toBe(
      "ptrace -1 1\nunshare -1 1\nmount -1 1\nsetns -1 1\nclone -1 1\nclone3 -1 38\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n",
    );
  });

  test("takes all that it started with it when it ends", async () => {
    using place = new SandboxPlace();
    await using sandbox = await place.open();
    const began = performance.now();
    const { stdout } = await place.run(sandbox, "setsid nohup sleep 432 & echo over");
    expect(stdout).toBe("over\n");
    expect(performance.now() - began).toBeLessThan(5000);
    await expect.poll(() => processesIn(place.root)).toEqual([]);
  });

  test("reaches the network when it was allowed to, and else not even this machine", async () => {
    using place = new SandboxPlace();
    await using door = await openDoor();
    await using sandbox = await place.open();
    const line = `exec 3<>/dev/tcp/127.0.0.1/${door.port} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && tail -1 <&3`;
    expect((await place.run(sandbox, line)).exitCode).not.toBe(0);
    expect(door.visits()).toBe(0);
    expect((await place.run(sandbox, line, { network: true })).stdout).toBe("hello");
    await using open = await place.open({ network: true, database: place.at("other.db") });
    expect((await place.run(open, line)).stdout).toBe("hello");
  });

  test("does not see Loom's own files where they lie in its workspace", async () => {
    using place = new SandboxPlace();
    place.write({
      "home/project/own/loom.db": "DATABASE\n",
      "home/project/own/loom.db-wal": "DATABASE\n",
      "home/project/own/blobs/ab/x": "DATABASE\n",
      "home/project/loom.toml": "KEYS\n",
    });
    const database = join(place.root, "own/loom.db");
    await using sandbox = await place.open({ database, ownFiles: [join(place.root, "loom.toml")] });
    const { stdout } = await place.run(sandbox, "cat loom.toml own/loom.db* own/blobs/*/*; find own -type f -size +0");
    expect(stdout).toBe("");
    expect((await place.run(sandbox, "rm -rf loom.toml own; echo x >own/loom.db")).exitCode).not.toBe(0);
    expect(place.text("home/project/own/loom.db")).toBe("DATABASE\n");
  });

  test("may read further folders that the configuration names", async () => {
    using place = new SandboxPlace();
    place.write({ "tools/word": "here\n" });
    await using sandbox = await place.open({ readable: [place.at("tools"), place.at("nothing")] });
    const { stdout } = await place.run(sandbox, `cat ${place.at("tools/word")}; echo x >${place.at("tools/word")}`);
    expect(stdout).toBe("here\n");
    expect(place.text("tools/word")).toBe("here\n");
  });

  test("has toolchains under home and the folders of PATH, to read", async () => {
    using place = new SandboxPlace();
    place.write({ "home/.nvm/word": "nvm\n", "home/.aws/word": "aws\n", "bin/tool": "#!/bin/sh\necho tool\n" });
    execFileSync("chmod", ["+x", place.at("bin/tool")]);
    const PATH = `${process.env["PATH"]}:${place.at("bin")}`;
    await using sandbox = await place.open({ inherited: { PATH, HOME: place.at("home") } });
    const { stdout } = await place.run(
      sandbox,
      `cat ~/.nvm/word ~/.aws/word; ${place.at("bin/tool")}; echo x >~/.nvm/word`,
    );
    expect(stdout).toBe("nvm\ntool\n");
    expect(place.text("home/.nvm/word")).toBe("nvm\n");
  });

  test.runIf(isRoot)("writes as root to a workspace that another user owns", async () => {
    using place = new SandboxPlace();
    chownSync(place.root, 12_345, 12_345);
    await using sandbox = await place.open();
    const line = `echo x >file && cat file; cat ${place.at("home/.ssh/id_ed25519")} /etc/shadow; echo y >/proc/sys/kernel/core_pattern; mount -t tmpfs x /tmp; unshare -U true`;
    expect((await place.run(sandbox, line)).stdout).toBe("x\n");
    expect(place.text("home/project/file")).toBe("x\n");
  });
});

describe("a machine without a sandbox", () => {
  const without = { PATH: "/nowhere" };

  test("is refused where one is required, with what to do", async () => {
    using place = new SandboxPlace();
    const opening = place.open({ mode: "require", inherited: without });
    await expect(opening).rejects.toMatchObject({
      code: "config_invalid",
      message: '[sandbox] mode is "require", but bubblewrap (bwrap) is not installed',
    });
    await expect(opening).rejects.toHaveProperty("hint", expect.stringContaining("apt install bubblewrap"));
    expect(existsSync(place.at("loom/loom.db.sandbox"))).toBe(false);
  });

  test("says so at the start and once for each task", async () => {
    using place = new SandboxPlace();
    await using sandbox = await place.open({ mode: "auto", inherited: without });
    expect(sandbox.standing).toMatchObject({ layer: "none", lack: "bubblewrap (bwrap) is not installed" });
    for (const taskId of ["task_1", "task_1", "task_2"]) {
      expect(await place.run(sandbox, "ulimit -f", { taskId })).toMatchObject({ stdout: "4096\n", sandbox: "none" });
    }
    expect(place.said).toEqual([
      expect.stringMatching(/^No sandbox: bubblewrap \(bwrap\) is not installed\. .* Install bubblewrap/),
      ...["1", "2"].map(() => "Commands of this task run unconfined: there is no sandbox"),
    ]);
    expect(lackOf(sandbox.standing)).toHaveLength(1);
  });

  test("where bubblewrap is there and does not work, says what it says", async () => {
    using place = new SandboxPlace();
    place.write({ "bin/bwrap": "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n" });
    execFileSync("chmod", ["+x", place.at("bin/bwrap")]);
    const inherited = { PATH: `${place.at("bin")}:/usr/bin:/bin`, HOME: place.at("home") };
    await expect(place.open({ mode: "require", inherited })).rejects.toThrow("No permissions to create new namespace");
  });

  test("that has it turned off is not called lacking", async () => {
    using place = new SandboxPlace();
    await using sandbox = await place.open({ mode: "off" });
    expect(lackOf(sandbox.standing)).toEqual([]);
    expect(await place.run(sandbox, "ulimit -f")).toMatchObject({ stdout: "unlimited\n", sandbox: "none" });
  });
});

describe("the trial of a sandbox", () => {
  test("finds out what holds nothing off", async () => {
    expect((await probe((command) => unconfined().confine(command), 0)).failure).toBe(
      "a command in it can write outside its workspace",
    );
  });

  test("tells what stands in the way of a command", async () => {
    const refuse = { file: "/bin/false", args: [], environment: {}, root: "/", taskId: "t", network: false };
    const confined = unconfined().confine(refuse);
    expect((await probe(() => confined, 0)).failure).toBe("a command in it did not end as it should");
    expect((await probe(() => ({ ...confined, file: "/no/such" }), 0)).failure).toContain("ENOENT");
  });
});

describe("what is said of a sandbox", () => {
  const footing = { kind: "bubblewrap", limits, network: false, isRoot: false, hasFilter: true } as const;

  test("names each limit that holds, and what does not", () => {
    expect(standingOf(footing).holds).toContain("more than 40 processes");
    const bare = standingOf({
      ...footing,
      limits: { memoryBytes: 0, processes: 0, fileBytes: 0 },
      network: true,
      hasFilter: false,
    });
    expect(bare.holds).toEqual([
      "writes outside the workspace",
      "reads of home, of keys and of Loom's own files",
      "processes that outlive their command",
    ]);
    expect(bare.leaves.slice(0, 2)).toEqual(["the network", "the number of processes"]);
    expect(bare.leaves[2]).toContain("no filter for");
    const uncounted = { ...footing, isRoot: true, limits: { ...limits, processes: 0 } };
    expect(standingOf(uncounted).leaves[0]).toBe("the number of processes, since Loom is root");
  });
});

describe("the filter of system calls", () => {
  test.each(["x64", "arm64"])("for %s jumps nowhere but to its own steps, and ends in an answer", (architecture) => {
    const filter = Buffer.from(seccompFilter(architecture) ?? []);
    const steps = Array.from({ length: filter.length / 8 }, (_, index) => filter.subarray(index * 8, index * 8 + 8));
    expect(steps.length).toBeGreaterThan(40);
    const targets = steps.flatMap((step, index) => {
      const isJump = (step.readUInt16LE(0) & 7) === 5;
      return isJump ? [index + 1 + Math.max(step.readUInt8(2), step.readUInt8(3))] : [];
    });
    expect(Math.max(...targets)).toBeLessThan(steps.length);
    expect(steps.at(-1)?.readUInt16LE(0)).toBe(6);
  });

  test("is not made for machines whose numbers are not known", () => expect(seccompFilter("s390x")).toBeNull());
});

describe.skipIf(!hasBubblewrap)("folders of tasks", () => {
  test("do not follow what a task id would lead to, nor a link that an earlier Loom left", async () => {
    using place = new SandboxPlace();
    place.write({ "precious/file": "kept\n" });
    mkdirSync(place.at("loom"), { recursive: true });
    symlinkSync(place.at("precious"), place.at("loom/loom.db.sandbox"));
    await using sandbox = await place.open();
    expect((await place.run(sandbox, "echo ok", { taskId: "../../precious" })).stdout).toBe("ok\n");
    expect(place.text("precious/file")).toBe("kept\n");
    expect(readdirSync(place.at("precious"))).toEqual(["file"]);
  });
});
