/** Tries a sandbox out before anything rests on it: a command must work in it, and what it shall hold off must fail. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { messageOf } from "../../lib/errors.ts";
import type { Command, Confined } from "../../ports/sandbox.ts";
import { textOf } from "./looking.ts";

const probeMs = 5000;
const shownChars = 300;

export interface Probed {
  /** Why it cannot be relied on; null when it can. */
  readonly failure: string | null;
  /** Whether that many processes, and no more, can be started. */
  readonly limitsProcesses: boolean;
}

/** Says what it finds; the last word proves that all before it has run. Two processes in all: it stands in the way of every start. */
function trials(outside: string): string {
  return [
    "echo works >inside",
    `(echo escaped >${outside}) 2>/dev/null`,
    "readlink /proc/self/ns/net /proc/self/ns/pid",
    'while read -r _ what soft _; do [ "$what" = processes ] && echo "limit $soft"; done </proc/self/limits',
    "echo done",
  ].join("\n");
}

/** @param processes the limit by the user's own count that shall be in force inside; 0: none */
export async function probe(confine: (command: Command) => Confined, processes: number): Promise<Probed> {
  const place = mkdtempSync(join(tmpdir(), "loom-probe-"));
  try {
    const at = { root: join(place, "workspace"), outside: join(place, "outside") };
    mkdirSync(at.root);
    const found = await run(confine, at);
    return {
      failure: failureOf(found, at),
      limitsProcesses: found.said.has(`limit ${processes}`),
    };
  } catch (error) {
    return { failure: messageOf(error), limitsProcesses: false };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

interface Place {
  readonly root: string;
  readonly outside: string;
}

interface Found {
  readonly said: ReadonlySet<string>;
  readonly complaint: string;
}

async function run(confine: (command: Command) => Confined, { root, outside }: Place): Promise<Found> {
  const environment = { PATH: "/usr/local/bin:/usr/bin:/bin" };
  const command = {
    file: "/bin/sh",
    args: ["-c", trials(outside)],
    environment,
    root,
    taskId: "probe",
    network: false,
  };
  using confined = confine(command);
  const child = spawn(confined.file, confined.args, {
    cwd: root,
    env: confined.environment,
    timeout: probeMs,
    killSignal: "SIGKILL",
    stdio: ["ignore", "pipe", "pipe", ...confined.inputs.map(() => "pipe" as const)],
  });
  for (const [index, bytes] of confined.inputs.entries()) feed(child.stdio[index + 3], bytes);
  const [stdout, stderr] = await Promise.all([allOf(child.stdout), allOf(child.stderr), once(child, "close")]);
  return { said: new Set(stdout.split("\n")), complaint: stderr.trim().slice(0, shownChars) };
}

/** A program that ends before it has read its input breaks the pipe; its exit says enough. */
function feed(stream: unknown, bytes: Uint8Array): void {
  const pipe = stream as Duplex;
  pipe.on("error", () => undefined);
  pipe.end(bytes);
}

async function allOf(stream: Readable | null): Promise<string> {
  return stream === null ? "" : await text(stream);
}

function failureOf({ said, complaint }: Found, { root, outside }: Place): string | null {
  if (!said.has("done")) return complaint === "" ? "a command in it did not end as it should" : complaint;
  if (textOf(join(root, "inside")) !== "works\n") return "a command in it cannot write to its workspace";
  if (existsSync(outside)) return "a command in it can write outside its workspace";
  if (![...said].some((word) => word.startsWith("net:["))) return "a command in it cannot look at its own /proc";
  if (said.has(readlinkSync("/proc/self/ns/net"))) return "a command in it has this machine's network";
  if (said.has(readlinkSync("/proc/self/ns/pid"))) return "a command in it sees this machine's processes";
  return null;
}
