/** Runs one program in its own process group, with closed input, bounded output, and an end that leaves nothing running. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout as wait } from "node:timers/promises";
import { Capture } from "./capture.ts";
import { endProcesses, markerVariable } from "./processes.ts";

/** What the server's own environment gives to commands; all else, keys above all, stays out. */
export interface InheritedEnvironment {
  readonly PATH?: string | undefined;
  readonly HOME?: string | undefined;
  readonly LANG?: string | undefined;
  readonly LC_ALL?: string | undefined;
  readonly TMPDIR?: string | undefined;
}

export interface ProcessSpec {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly marker: string;
  readonly timeoutMs: number;
}

export interface ProcessEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

const streamBytesMax = 1024 * 1024;
/** A background process may hold the pipes open for ever; what it had to say by then is all that is waited for. */
const drainMs = 100;
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export function commandEnvironment(inherited: InheritedEnvironment, marker: string): Record<string, string> {
  return {
    PATH: inherited.PATH ?? searchPath,
    HOME: inherited.HOME ?? homedir(),
    LANG: inherited.LANG ?? "C.UTF-8",
    ...(inherited.LC_ALL === undefined ? {} : { LC_ALL: inherited.LC_ALL }),
    TMPDIR: inherited.TMPDIR ?? tmpdir(),
    TERM: "dumb",
    CI: "1",
    [markerVariable]: marker,
  };
}

/** The shell that people mean when they write a command line. */
export function shellCommand(command: string): { readonly file: string; readonly args: readonly string[] } {
  return { file: existsSync("/bin/bash") ? "/bin/bash" : "/bin/sh", args: ["-c", command] };
}

/** @throws the signal's reason when it fires, after everything is dead; the system's error when the program cannot start */
export async function runProcess(spec: ProcessSpec, signal: AbortSignal): Promise<ProcessEnd> {
  signal.throwIfAborted();
  const child = spawn(spec.file, spec.args, {
    cwd: spec.cwd,
    env: spec.environment,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = [captured(child.stdout), captured(child.stderr)];
  const exited = once(child, "exit");
  const over = new AbortController();
  try {
    const first = await Promise.race([
      exited.then(() => "exited" as const),
      wait(spec.timeoutMs, "timed out" as const, { signal: over.signal }),
      new Promise<"aborted">((resolve) =>
        signal.addEventListener("abort", () => resolve("aborted"), { once: true, signal: over.signal }),
      ),
    ]);
    if (first !== "exited" && child.pid !== undefined) {
      await endProcesses({ leader: child.pid, marker: spec.marker, exited });
      await exited;
    }
    await drained(child);
    if (first === "aborted") signal.throwIfAborted();
    return { exitCode: child.exitCode, stdout: stdout.text(), stderr: stderr.text(), timedOut: first === "timed out" };
  } finally {
    over.abort();
  }
}

function captured(stream: Readable): Capture {
  const capture = new Capture(streamBytesMax);
  stream.on("data", (chunk: Buffer) => capture.add(chunk));
  stream.on("error", () => undefined);
  return capture;
}

async function drained(child: Child): Promise<void> {
  const ended = Promise.all(
    [child.stdout, child.stderr].map(async (stream) => await finished(stream).catch(() => undefined)),
  );
  await Promise.race([ended, wait(drainMs)]);
  child.stdout.destroy();
  child.stderr.destroy();
}
