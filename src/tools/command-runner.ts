/** Runs command lines for the harness itself, the way the shell tool runs a model's: same environment, same end. */
import type { CommandRunner } from "../ports/tool.ts";
import { endMarked } from "./processes.ts";
import {
  commandEnvironment,
  type InheritedEnvironment,
  type ProcessEnd,
  runProcess,
  shellCommand,
} from "./run-process.ts";

export function createCommandRunner({ inherited }: { readonly inherited: InheritedEnvironment }): CommandRunner {
  return {
    run: async (command, { cwd, timeoutMs, marker, signal }) => {
      const environment = commandEnvironment(inherited, marker);
      const end = await runProcess({ ...shellCommand(command), cwd, environment, marker, timeoutMs }, signal);
      return { exitCode: end.exitCode, output: joinedOutput(end), timedOut: end.timedOut };
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
