/** A machine in small for sandbox tests: a home with a key, a database of Loom's, a workspace, a server, and a process to be hurt. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Sandbox } from "../../src/ports/sandbox.ts";
import { openSandbox, type SandboxOptions } from "../../src/safety/sandbox/sandbox.ts";
import { type CommandSpec, type ConfinedEnd, runConfined } from "../../src/tools/run-confined.ts";
import { Temporary } from "../workspace/temporary.ts";

const mebibyte = 1024 * 1024;
export const limits = { memoryBytes: 512 * mebibyte, processes: 40, fileBytes: 4 * mebibyte };
export const isRoot = process.getuid?.() === 0;

/** Debian's package `bubblewrap`; `.ci/run` installs it. */
export const hasBubblewrap = (process.env["PATH"] ?? "").split(":").some((folder) => {
  try {
    accessSync(join(folder, "bwrap"), constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

export class SandboxPlace extends Temporary {
  readonly said: string[] = [];
  readonly root = this.at("home/project");

  constructor() {
    super();
    this.write({
      "home/.ssh/id_ed25519": "PRIVATE KEY\n",
      "home/.gitconfig": "[user]\n\tname = Ada\n\temail = ada@example.org\n[url]\n\tinsteadOf = token\n",
      "home/project/": "",
      "loom/loom.db": "DATABASE\n",
      "loom/loom.toml": "KEYS\n",
    });
  }

  async open(changes: Partial<SandboxOptions> = {}): Promise<Sandbox> {
    const { PATH } = process.env;
    const log = { info: () => undefined, warn: (_facts: unknown, text: string) => this.said.push(text) };
    const own = { database: this.at("loom/loom.db"), ownFiles: [this.at("loom/loom.toml")] };
    const inherited = { PATH, HOME: this.at("home") };
    const usual = { mode: "require", network: false, limits, readable: [], systemHome: this.at("home") } as const;
    return await openSandbox({ ...usual, ...own, inherited, ...changes }, { log, now: Date.now });
  }

  async run(sandbox: Sandbox, line: string, changes: Partial<CommandSpec> = {}): Promise<ConfinedEnd> {
    const inherited = { PATH: process.env["PATH"], HOME: this.at("home"), TMPDIR: this.path };
    const shell = { file: "/bin/bash", args: ["-c", line], root: this.root, taskId: "task_1", network: false };
    const spec = { ...shell, marker: `sandbox:${process.pid}:${this.path}`, timeoutMs: 20_000, ...changes };
    return await runConfined({ sandbox, inherited }, spec, new AbortController().signal);
  }
}

/** A server on this machine that counts who came. */
export async function openDoor(): Promise<{ readonly port: number; readonly visits: () => number } & AsyncDisposable> {
  let visits = 0;
  const server = createServer((_request, response) => {
    visits += 1;
    response.end("hello");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    visits: () => visits,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A process of this user with a secret in its environment, as a server would be. */
export async function openVictim(): Promise<{ readonly pid: number; readonly isAlive: () => boolean } & Disposable> {
  const child: ChildProcess = spawn("sleep", ["654"], { env: { PATH: process.env["PATH"], API_KEY: "SECRET" } });
  await once(child, "spawn");
  const { pid } = child;
  if (pid === undefined) throw new Error("sleep has not been started");
  return {
    pid,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    [Symbol.dispose]: () => void child.kill("SIGKILL"),
  };
}
