/** The process: argv, signals and the terminal in, the exit code out. Holds what the command line is given from outside. */
import { homedir } from "node:os";
import { openLoom, serveLoom, version } from "./app.ts";
import { cli } from "./cli/cli.ts";
import { demo } from "./cli/demo.ts";
import { isRedactable } from "./safety/redact.ts";
import { createAccessCare } from "./storage/access-care.ts";
import { createDatabaseCare } from "./storage/care.ts";

const stop = new AbortController();

/** The first signal asks to go down in good order; the second does not wait for it. */
function onSignal(): void {
  if (stop.signal.aborted) process.exit(130);
  stop.abort();
}
process.on("SIGINT", onSignal);
process.on("SIGTERM", onSignal);
// A reader that goes away (`loom tools | head`) is no error of ours.
process.stdout.on("error", () => stop.abort());

const env = { ...process.env };

process.exitCode = await cli(process.argv.slice(2), {
  open: async (config, problems = []) => {
    const opened = await openLoom(config, { env, problems });
    return { ...opened.loom, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
  },
  serve: (config, problems = []) => serveLoom(config, { env, problems }),
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
