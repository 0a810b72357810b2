/** Runs ripgrep below one place of the workspace: no links followed, no configuration read, the same bulk left out as in listings. */
import { LoomError, messageOf } from "../lib/errors.ts";
import type { ToolContext } from "../ports/tool.ts";
import { commandEnvironment, type InheritedEnvironment, type ProcessEnd, runProcess } from "./run-process.ts";

export const searchMs = 30_000;

export interface Ripgrep {
  readonly path: string;
  readonly inherited: InheritedEnvironment;
}

/** Last, so that no pattern of the model's brings them back. */
const leftOut = [
  ".git",
  "node_modules",
  "__pycache__",
  ".venv",
  "venv",
  ".tox",
  ".mypy_cache",
  ".pytest_cache",
  ".ruff_cache",
].flatMap((name) => ["--glob", `!${name}`]);
const settings = ["--no-config", "--no-follow", "--no-messages", "--hidden", "--no-ignore", "--color=never"];

export interface Search {
  readonly args: readonly string[];
  readonly globs: readonly string[];
  /** Where ripgrep runs, absolute. */
  readonly cwd: string;
  /** What it searches, relative to `cwd`. */
  readonly target: string;
}

export async function runRipgrep(
  ripgrep: Ripgrep,
  search: Search,
  { context, signal }: { context: ToolContext; signal: AbortSignal },
): Promise<ProcessEnd> {
  const globs = search.globs.flatMap((glob) => ["--glob", glob]);
  const spec = {
    file: ripgrep.path,
    args: [...settings, ...search.args, ...globs, ...leftOut, "--", search.target],
    cwd: search.cwd,
    environment: commandEnvironment(ripgrep.inherited, context.marker),
    marker: context.marker,
    timeoutMs: searchMs,
  };
  try {
    return await runProcess(spec, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new LoomError("not_found", `ripgrep cannot be run at ${ripgrep.path}: ${messageOf(error)}`, {
      cause: error,
      hint: "Use shell_execute with grep or find",
    });
  }
}

/** @returns the lines of `stdout`, the `./` that ripgrep puts in front taken off; a last one that was cut off left out */
export function linesOf({ stdout }: ProcessEnd): string[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (line.startsWith("./") ? line.slice(2) : line));
}
