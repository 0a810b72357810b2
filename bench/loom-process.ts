/** A Loom server in a process of its own, on one core where `taskset` is there, with a temporary home. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../test/support/free-port.ts";

const binary = fileURLToPath(new URL("../bin/loom.mjs", import.meta.url));
const hasTaskset = spawnSync("taskset", ["-V"]).status === 0;
const loomsCore = "0";

export interface RunningLoom extends AsyncDisposable {
  readonly url: string;
  readonly home: string;
  readonly startMs: number;
  /** Ends it as a crash would; its home stays. */
  kill(): Promise<void>;
  /** Resident memory in MB. */
  rss(): number;
}

/** Who measures, and the model server that it starts, run on the other cores. To be called before anything is started. @see DECISIONS 42 */
export function leaveLoomsCore(): void {
  const others = availableParallelism() - 1;
  if (hasTaskset && others > 0) spawnSync("taskset", ["-apc", `1-${others}`, String(process.pid)]);
}

/**
 * Starts `loom serve` and waits until /health answers 200.
 *
 * @param before one that was killed: its home is used again, and cleaned up by it
 */
export async function startLoom(modelUrl: string, before?: Pick<RunningLoom, "home">): Promise<RunningLoom> {
  const home = before?.home ?? mkdtempSync(join(tmpdir(), "loom-bench-"));
  const port = await freePort();
  writeFileSync(join(home, "loom.toml"), configOf({ port, home, modelUrl }));
  const command = [process.execPath, binary, "serve", "--config", join(home, "loom.toml")];
  const pinned = hasTaskset ? ["taskset", "-c", loomsCore, ...command] : command;
  const began = performance.now();
  const child = spawn(pinned[0] ?? "", pinned.slice(1), {
    cwd: home,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, HOME: home },
  });
  const url = `http://127.0.0.1:${port}`;
  await healthy(url, child);
  return {
    url,
    home,
    startMs: performance.now() - began,
    rss: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1] ?? 0) / 1024,
    kill: () => ended(child, "SIGKILL"),
    [Symbol.asyncDispose]: async () => {
      await ended(child, "SIGTERM");
      if (before === undefined) rmSync(home, { recursive: true, force: true });
    },
  };
}

async function ended(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}

async function healthy(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`loom serve ended with ${child.exitCode}`);
    const answer = await fetch(`${url}/health`).catch(() => null);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function configOf(at: { readonly port: number; readonly home: string; readonly modelUrl: string }): string {
  const model = (name: string, roles: string, tier: number) =>
    `[models.${name}]\nprovider = "openai_compatible"\nbase_url = "${at.modelUrl}"\nmodel = "${name}"\nroles = ${roles}\ntier = ${tier}\nmax_concurrency = 16\ncontext_tokens = 32768\n`;
  return [
    `[server]\nhost = "127.0.0.1"\nport = ${at.port}\n`,
    `[memory]\ndatabase_path = "${join(at.home, "loom.db")}"\n`,
    `[workspace]\nscratch_dir = "${join(at.home, "scratch")}"\n`,
    `[logging]\nlevel = "error"\n`,
    model("hands", '["executor", "extractor"]', 1),
    model("head", '["planner", "verifier"]', 2),
  ].join("\n");
}
