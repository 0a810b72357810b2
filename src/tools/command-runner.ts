/** Runs command lines for the harness itself, the way the shell tool runs a model's: same environment, same end. */
import type { CommandRunner } from "../ports/tool.ts";
import { endMarked } from "./processes.ts";
import { type CommandSettings, runConfined } from "./run-confined.ts";
import { type ProcessEnd, shellCommand } from "./run-process.ts";

export function createCommandRunner(settings: CommandSettings): CommandRunner {
  return {
    run: async (command, { cwd, timeoutMs, marker, network = false, signal }) => {
      const taskId = marker.split(":")[0] ?? "";
      const spec = { ...shellCommand(command), root: cwd, taskId, marker, network, timeoutMs };
      const end = await runConfined(settings, spec, signal);
      return { exitCode: end.exitCode, output: joinedOutput(end), timedOut: end.timedOut, sandbox: end.sandbox };
    },
    reap: endMarked,
  };
}

/** What came out, errors after it under a heading. */
export function joinedOutput({ stdout, stderr }: Pick<ProcessEnd, "stdout" | "stderr">): string {
  const plain = stdout.trimEnd();
  if (stderr.trim() === "") return plain;
  return `${plain === "" ? "" : `${plain}\n`}[stderr]\n${stderr.trimEnd()}`;
}
