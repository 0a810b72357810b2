/** The process: argv, signals and the terminal in, the exit code out. Holds what the command line is given from outside. */
import { mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { openLoom, sandboxOf, serveLoom, version } from "./app.ts";
import { auditedLoom } from "./cli/audited-loom.ts";
import { cli } from "./cli/cli.ts";
import { demo } from "./cli/demo.ts";
import type { Config } from "./config/schema.ts";
import type { SandboxStanding } from "./ports/sandbox.ts";
import { isRedactable } from "./safety/redact.ts";
import { createAccessCare } from "./storage/access-care.ts";
import { createDatabaseCare } from "./storage/care.ts";
import { killStarted } from "./tools/processes.ts";

const stop = new AbortController();

/** The first signal asks to go down in good order; the second does not wait for it. */
function onSignal(): void {
  if (stop.signal.aborted) process.exit(130);
  stop.abort();
}
process.on("SIGINT", onSignal);
process.on("SIGTERM", onSignal);
// Also at an end in haste, by a second signal or an error that nobody caught, nothing stays behind.
process.on("exit", killStarted);
// A reader that goes away (`loom tools | head`) is no error of ours.
process.stdout.on("error", () => stop.abort());

const env = { ...process.env };

/** Beside a database of its own, since that of a running Loom has folders that are in use. */
async function triedSandbox(config: Config): Promise<SandboxStanding> {
  const place = mkdtempSync(join(tmpdir(), "loom-doctor-"));
  const silent = { info: () => undefined, warn: () => undefined };
  try {
    const own = { ...config, memory: { ...config.memory, database_path: join(place, "loom.db") } };
    await using sandbox = await sandboxOf(own, { env }, { log: silent, now: Date.now });
    return sandbox.standing;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** A container may run as a user that nobody wrote down. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "?");
  }
}

process.exitCode = await cli(process.argv.slice(2), {
  open: async (config, problems = [], configFile = null) => {
    const opened = await openLoom(config, { env, problems, configFile });
    const loom = auditedLoom(opened.loom, { audit: opened.audit, user: userName(), now: Date.now });
    return { ...loom, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
  },
  serve: (config, problems = [], configFile = null) => serveLoom(config, { env, problems, configFile }),
  sandbox: triedSandbox,
  database: createDatabaseCare(),
  access: createAccessCare(),
  demo,
  isRedactable,
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env,
  cwd: process.cwd(),
  home: homedir(),
  version,
  isTerminal: process.stdin.isTTY && process.stdout.isTTY,
  signal: stop.signal,
});
