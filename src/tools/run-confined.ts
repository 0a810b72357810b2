/** Runs a command in the sandbox that this machine has, and tells which that was. */
import type { Confined, Sandbox } from "../ports/sandbox.ts";
import { commandEnvironment, type InheritedEnvironment, type ProcessEnd, runProcess } from "./run-process.ts";

/** How commands of models are run, here and everywhere. */
export interface CommandSettings {
  readonly sandbox: Sandbox;
  readonly inherited: InheritedEnvironment;
}

export interface CommandSpec {
  readonly file: string;
  readonly args: readonly string[];
  /** Beside what every command gets. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly root: string;
  readonly taskId: string;
  readonly marker: string;
  readonly network: boolean;
  readonly timeoutMs: number;
}

export interface ConfinedEnd extends ProcessEnd {
  readonly sandbox: Confined["layer"];
}

/** @throws as `runProcess` does; the system's error when the sandbox cannot be prepared */
export async function runConfined(
  { sandbox, inherited }: CommandSettings,
  { file, args, environment, root, taskId, marker, network, timeoutMs }: CommandSpec,
  signal: AbortSignal,
): Promise<ConfinedEnd> {
  const whole = { ...commandEnvironment(inherited, marker), ...environment };
  using confined = sandbox.confine({ file, args, environment: whole, root, taskId, network });
  const end = await runProcess({ ...confined, cwd: root, marker, timeoutMs }, signal);
  return { ...end, sandbox: confined.layer };
}
