/** A Loom as a process of its own, so that it can be killed: `loom serve` on a home that outlives it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Client, clientOf } from "./scenario.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const binary = fileURLToPath(new URL("../../bin/loom.mjs", import.meta.url));

export interface Spawned extends AsyncDisposable {
  readonly client: Client;
  readonly process: ChildProcess;
  /** Sends the signal and waits until the process is gone. @returns its exit code, or the signal that ended it */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<number | string | null>;
}

/** Starts `loom serve` and resolves once it has said where it listens. */
export async function spawnLoom(options: {
  readonly config: string;
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  /** As the README starts it: `process` is npm's then. */
  readonly throughNpm?: boolean;
}): Promise<Spawned> {
  const [program, ...before] =
    options.throughNpm === true
      ? (["npm", "--prefix", root, "run", "-s", "loom", "--"] as const)
      : ([process.execPath, binary] as const);
  const child = spawn(program, [...before, "serve", "--config", options.config], {
    cwd: options.home,
    env: { ...process.env, HOME: options.home, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk.toString("utf8")));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      said.push(line);
      const found = /http:\/\/[^\s]+:\d+/.exec(line)?.[0];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", (code) => reject(new Error(`loom serve ended with ${code}: ${said.join("\n")}`)));
  });
  const end = async (signal: "SIGKILL" | "SIGTERM"): Promise<number | string | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
    return child.exitCode ?? child.signalCode;
  };
  return { client: clientOf(url), process: child, end, [Symbol.asyncDispose]: async () => void (await end("SIGKILL")) };
}
