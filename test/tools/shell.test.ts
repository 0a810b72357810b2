/**
 * Commands: what they get, what they may not get, and that nothing of them is left when they are over. Long because all of
 * that is looked at with a sandbox and without.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Sandbox } from "../../src/ports/sandbox.ts";
import { openSandbox, unconfined } from "../../src/safety/sandbox/sandbox.ts";
import { Capture } from "../../src/tools/capture.ts";
import { createCommandRunner } from "../../src/tools/command-runner.ts";
import { commandEnvironment } from "../../src/tools/run-process.ts";
import { hasBubblewrap, limits } from "../safety/sandbox-place.ts";
import { Temporary } from "../workspace/temporary.ts";
import { type Bench, never, openBench } from "./bench.ts";

/** Law 4 allows 500 ms; a machine that runs many tests at a time gets four times that. */
const deadWithinMs = 2000;

describe("a shell command", () => {
  test("runs in the workspace, with its output and its errors told apart", async () => {
    using temporary = new Temporary();
    const { call, workspace } = await openBench(temporary);
    expect(await call("shell_execute", { command: "pwd; echo bad >&2" })).toEqual({
      success: true,
      output: `${workspace.root}\n[stderr]\nbad`,
      exitCode: 0,
      sandbox: "none",
      data: { exit_code: 0 },
    });
    expect(await call("shell_execute", { cmd: "true" })).toMatchObject({ output: "(no output)" });
    expect((await call("shell_execute", { command: "echo only >&2" })).output).toBe("[stderr]\nonly");
  });

  test("that fails keeps its output", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary);
    expect(await call("shell_execute", { command: "echo out; exit 3" })).toEqual({
      success: false,
      output: "out",
      error: "Exit code: 3",
      exitCode: 3,
      sandbox: "none",
      data: { exit_code: 3 },
    });
    expect(await call("shell_execute", { command: "kill -9 $$" })).toMatchObject({
      success: false,
      error: "Ended by a signal",
    });
  });

  test("sees no key of the server, only what it needs and the marker of its step", async () => {
    using temporary = new Temporary();
    process.env["LOOM_TEST_SECRET_KEY"] = "sk-secret";
    const { call, context } = await openBench(temporary);
    const { output } = await call("shell_execute", { command: "env" });
    delete process.env["LOOM_TEST_SECRET_KEY"];
    const names = output.split("\n").map((line) => line.split("=")[0] ?? "");
    expect(names.toSorted()).toEqual([
      "CI",
      "HOME",
      "LANG",
      "LOOM_STEP",
      "PATH",
      "PWD",
      "SHLVL",
      "TERM",
      "TMPDIR",
      "_",
    ]);
    expect(output).toContain(`LOOM_STEP=${context.marker}`);
    expect(commandEnvironment({ LC_ALL: "C" }, "m")).toMatchObject({
      LC_ALL: "C",
      LANG: "C.UTF-8",
      LOOM_STEP: "m",
      TERM: "dumb",
    });
    expect(commandEnvironment({}, "m")["PATH"]).toContain("/usr/bin");
  });

  test("gets no input", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary);
    expect(await call("shell_execute", { command: 'cat; read x; echo "[$x]"' })).toMatchObject({
      success: true,
      output: "[]",
    });
  });

  test("is shown within bounds, head and tail kept, however much it says", async () => {
    using temporary = new Temporary();
    const { call } = await openBench(temporary);
    const { output } = await call("shell_execute", {
      command: "echo first; yes 0123456789 | head -c 20000000; echo; echo last",
    });
    expect(output.length).toBeLessThanOrEqual(8000);
    expect(output).toMatch(/^first\n0123.*\[… \d+ characters left out …\].*last$/s);
  });

  test("is asked for by its line, and is destructive by its words", async () => {
    using temporary = new Temporary();
    const { prepare, tool } = await openBench(temporary);
    const { action, destructive } = await prepare("shell_execute", { command: "ls -l" });
    expect({ action, destructive }).toEqual({
      action: { tool: "shell_execute", reads: [], writes: [], deletes: [], hosts: [], command: "ls -l" },
      destructive: false,
    });
    for (const command of ["rm x", "psql -c 'DROP TABLE x'", "rmdir x", "truncate -s0 x"]) {
      expect((await prepare("shell_execute", { command })).destructive).toBe(true);
    }
    expect((await prepare("shell_execute", { command: "npm run format" })).destructive).toBe(false);
    expect(tool("shell_execute")).toMatchObject({ effectClass: "external", risk: "high" });
    expect(tool("shell_execute").timeoutMs).toBeGreaterThan(1_800_000);
  });

  test("that is none, or cannot be started, is said to be so", async () => {
    using temporary = new Temporary();
    const { call, workspace } = await openBench(temporary);
    expect((await call("shell_execute", { command: "  " })).error).toBe("Empty command");
    expect((await call("shell_execute", { command: "a\0b" })).error).toContain("NUL");
    await expect(call("shell_execute", { command: "x", timeout_seconds: 1801 })).rejects.toThrow('"timeout_seconds"');
    await expect(call("shell_execute", { command: "x", timeout: 5 })).rejects.toThrow('unknown argument "timeout"');
    rmSync(workspace.root, { recursive: true });
    expect((await call("shell_execute", { command: "true" })).error).toContain("Failed to execute");
  });

  test("does not wait for what it left in the background with its pipes", async () => {
    using temporary = new Temporary();
    const { call, context } = await openBench(temporary);
    const started = performance.now();
    expect((await call("shell_execute", { command: "sleep 30 & echo done" })).output).toBe("done");
    expect(performance.now() - started).toBeLessThan(2000);
    expect(await createCommandRunner({ sandbox: unconfined(), inherited: {} }).reap(context.marker)).toBe(1);
  });
});

/** Ways to outlive one's parent. */
const escapes: readonly (readonly [string, string])[] = [
  ["a child", "sleep 987 & sleep 987"],
  ["one that ignores TERM", "trap '' TERM; sleep 987 & while :; do sleep 987; done"],
  ["a session of its own", "setsid sleep 987 & sleep 987"],
  ["nohup in the background", "nohup sleep 987 >/dev/null 2>&1 & sleep 987"],
  ["a double fork", "(setsid sh -c 'sleep 987 & sleep 987' &) ; sleep 987"],
  ["one that drops its environment", "env -i sleep 987 & sleep 987"],
  ["a group of its own", "set -m; sleep 987 & sleep 987"],
  ["a session without environment", "env -i setsid sleep 987 & sleep 987"],
];

const grounds: readonly (readonly [string, (temporary: Temporary) => Promise<Sandbox>])[] = [
  ["without a sandbox", () => Promise.resolve(unconfined())],
  ...(hasBubblewrap ? [["in the sandbox", openSandboxAt] as const] : []),
];

async function openSandboxAt(temporary: Temporary): Promise<Sandbox> {
  const { PATH } = process.env;
  const log = { info: () => undefined, warn: () => undefined };
  const room = { mode: "require", network: false, limits, readable: [], ownFiles: [] } as const;
  const home = temporary.at("home");
  const at = { database: temporary.at("loom.db"), systemHome: home, inherited: { PATH, HOME: home } };
  return await openSandbox({ ...room, ...at }, { log, now: Date.now });
}

describe.each(grounds)("a command that is stopped %s", (_name, open) => {
  test.each(escapes)("takes along %s", async (_name, command) => {
    using temporary = new Temporary();
    await using sandbox = await open(temporary);
    const bench = await openBench(temporary, {}, { sandbox });
    const stop = new AbortController();
    const running = bench.call("shell_execute", { command: `touch started; ${command}` }, stop.signal);
    await fileAppears(join(bench.workspace.root, "started"));
    const before = await sleepers(bench, (count) => count > 1);
    const stopped = performance.now();
    stop.abort(new Error("stopped by a person"));
    await expect(running).rejects.toThrow("stopped by a person");
    expect(performance.now() - stopped).toBeLessThan(deadWithinMs);
    expect(before).toBeGreaterThan(1);
    expect(sleepersIn(bench)).toBe(0);
  });

  test.each([0, 1, 2, 4, 8, 16])(
    "while it is still starting others leaves none of them, %i turns in",
    async (turns) => {
      using temporary = new Temporary();
      await using sandbox = await open(temporary);
      const bench = await openBench(temporary, {}, { sandbox });
      const stop = new AbortController();
      const command = "touch started; for n in 1 2 3 4 5 6; do env -i setsid sleep 987 & done; sleep 987";
      const running = bench.call("shell_execute", { command }, stop.signal);
      await fileAppears(join(bench.workspace.root, "started"));
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      stop.abort(new Error("stopped"));
      await expect(running).rejects.toThrow("stopped");
      expect(sleepersIn(bench)).toBe(0);
    },
  );

  test("because its time is up is dead as well, and its output is kept", async () => {
    using temporary = new Temporary();
    await using sandbox = await open(temporary);
    const bench = await openBench(temporary, {}, { sandbox });
    const started = performance.now();
    const result = await bench.call("shell_execute", {
      command: "echo before; setsid sleep 987 & sleep 987",
      timeout_seconds: 1,
    });
    expect(performance.now() - started).toBeLessThan(1000 + deadWithinMs);
    expect(result).toEqual({
      success: false,
      output: "before",
      sandbox: sandbox.standing.layer,
      error: "Timed out after 1 s; everything it had started was ended",
    });
    expect(sleepersIn(bench)).toBe(0);
  });

  test("before it began never begins", async () => {
    using temporary = new Temporary();
    await using sandbox = await open(temporary);
    const { call, workspace } = await openBench(temporary, {}, { sandbox });
    await expect(call("shell_execute", { command: "touch a" }, AbortSignal.abort(new Error("over")))).rejects.toThrow(
      "over",
    );
    expect(readdirSync(workspace.root)).toEqual([]);
  });
});

describe("the command runner", () => {
  const runner = createCommandRunner({ sandbox: unconfined(), inherited: { PATH: process.env["PATH"] } });

  test("runs a check as the shell tool would", async () => {
    using temporary = new Temporary();
    const options = { cwd: temporary.path, timeoutMs: 5000, marker: `runner:${process.pid}`, signal: never };
    expect(await runner.run("pwd; echo no >&2; exit 2", options)).toEqual({
      exitCode: 2,
      output: `${temporary.path}\n[stderr]\nno`,
      timedOut: false,
      sandbox: "none",
    });
    expect(await runner.run("sleep 987", { ...options, timeoutMs: 50 })).toEqual({
      exitCode: null,
      output: "",
      timedOut: true,
      sandbox: "none",
    });
  });

  test("ends what carries a marker that begins with a prefix, and nothing else", async () => {
    const marker = `reap:${process.pid}`;
    const children = [`${marker}:a`, `${marker}:b`, `other:${process.pid}`].map(sleeper);
    await Promise.all(children.map((child) => once(child, "spawn") as Promise<unknown>));
    expect(await runner.reap(`${marker}:`)).toBe(2);
    await Promise.all(
      children.slice(0, 2).map(async (child) => child.exitCode ?? child.signalCode ?? (await once(child, "exit"))),
    );
    expect(children.map(({ signalCode }) => signalCode)).toEqual(["SIGKILL", "SIGKILL", null]);
    expect(await runner.reap(`other:${process.pid}`)).toBe(1);
    expect(await runner.reap(`${marker}:`)).toBe(0);
    await expect(runner.reap("")).rejects.toThrow("Without a prefix");
  });
});

describe("captured output", () => {
  test("is whole while it fits, and else its first and last bytes", () => {
    const whole = new Capture(10);
    for (const text of ["01", "234", "56789"]) whole.add(Buffer.from(text));
    expect(whole.text()).toBe("0123456789");
    whole.add(Buffer.from("abc"));
    expect(whole.text()).toBe("01234\n[… 3 bytes left out …]\n89abc");
    whole.add(Buffer.from("x".repeat(100)));
    expect(whole.text()).toBe("01234\n[… 103 bytes left out …]\nxxxxx");
  });
});

function sleeper(marker: string): ChildProcess {
  return spawn("sleep", ["987"], {
    env: { PATH: process.env["PATH"], LOOM_STEP: marker },
    detached: true,
    stdio: "ignore",
  });
}

async function fileAppears(path: string): Promise<void> {
  while (!existsSync(path)) await new Promise((resolve) => setImmediate(resolve));
}

async function sleepers(bench: Bench, enough: (count: number) => boolean): Promise<number> {
  while (!enough(sleepersIn(bench))) await new Promise((resolve) => setImmediate(resolve));
  return sleepersIn(bench);
}

/** Processes of this test that sleep: they stand in its workspace, whatever else they have thrown off. */
function sleepersIn({ workspace }: Bench): number {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isSleeper(name, workspace.root)).length;
}

function isSleeper(pid: string, root: string): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return command.startsWith("sleep\x00987") && readlinkSync(`/proc/${pid}/cwd`) === root;
  } catch {
    return false;
  }
}
