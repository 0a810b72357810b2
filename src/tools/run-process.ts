/** Runs one program in its own process group, with closed input, bounded output, and an end that leaves nothing running. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout as wait } from "node:timers/promises";
import { Capture } from "./capture.ts";
import { endProcesses, markerVariable, startedHere } from "./processes.ts";

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
  /** What the program reads from descriptors 3, 4, …, each to its end. */
  readonly inputs?: readonly Uint8Array[];
  /** All that it starts dies with it: there is nobody to ask to end first. */
  readonly diesWhole?: boolean;
}

export interface ProcessEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

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
  const { child, streams } = started(spec);
  const { marker, diesWhole = false } = spec;
  using _running = startedHere({ leader: child.pid, marker, diesWhole });
  const [stdout, stderr] = [captured(streams[0]), captured(streams[1])];
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
      await endProcesses({ leader: child.pid, marker, exited, diesWhole });
      await exited;
    }
    await drained(streams);
    if (first === "aborted") signal.throwIfAborted();
    return { exitCode: child.exitCode, stdout: stdout.text(), stderr: stderr.text(), timedOut: first === "timed out" };
  } finally {
    over.abort();
  }
}

interface Started {
  readonly child: ChildProcess;
  readonly streams: readonly [stdout: Readable, stderr: Readable];
}

function started({ file, args, cwd, environment, inputs = [] }: ProcessSpec): Started {
  const child = spawn(file, args, {
    cwd,
    env: environment,
    detached: true,
    stdio: ["ignore", "pipe", "pipe", ...inputs.map(() => "pipe" as const)],
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("A process was started without its pipes");
  for (const [index, bytes] of inputs.entries()) {
    // A descriptor that is asked for as a pipe is one that can be written.
    const pipe = child.stdio[index + 3] as Writable;
    // A program that ends before it has read all breaks the pipe; its exit says enough.
    pipe.on("error", () => undefined);
    pipe.end(bytes);
  }
  return { child, streams: [stdout, stderr] };
}

function captured(stream: Readable): Capture {
  const capture = new Capture(streamBytesMax);
  stream.on("data", (chunk: Buffer) => capture.add(chunk));
  stream.on("error", () => undefined);
  return capture;
}

async function drained(streams: Started["streams"]): Promise<void> {
  const ended = Promise.all(streams.map(async (stream) => await finished(stream).catch(() => undefined)));
  await Promise.race([ended, wait(drainMs)]);
  for (const stream of streams) stream.destroy();
}
