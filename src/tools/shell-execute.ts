/** shell_execute: a command line in the workspace, cut off from the server's keys and input, and never left behind. */
import { z } from "zod";
import { messageOf } from "../lib/errors.ts";
import type { Grant, Tool, ToolContext, ToolResult } from "../ports/tool.ts";
import { joinedOutput } from "./command-runner.ts";
import { actionOf, defineTool, failing, failureOf } from "./definition.ts";
import { shown } from "./output.ts";
import { type CommandSettings, type ConfinedEnd, runConfined } from "./run-confined.ts";
import { shellCommand } from "./run-process.ts";

const timeoutSeconds = { usual: 120, most: 1800 };
/** What the tool itself may need beyond the command's own time. */
const marginMs = 5000;
const destructiveWords = /\b(?:rm|rmdir|drop|truncate|delete)\b/i;

const parameters = z.strictObject({
  command: z.string().max(100_000),
  timeout_seconds: z.int().min(1).max(timeoutSeconds.most).default(timeoutSeconds.usual),
});
type Args = z.output<typeof parameters>;

interface ShellOptions extends CommandSettings {
  readonly resultChars: number;
}

/** Where the kernel ends a command's whole family with it, nothing that it left behind is there for the next one. */
const background = {
  bubblewrap: "what it leaves in the background ends with it",
  none: "put programs that do not end in the background, output to a file",
};

export function shellExecuteTool(options: ShellOptions): Tool {
  return defineTool({
    name: "shell_execute",
    description: `Run a shell command in the workspace. No input; ${background[options.sandbox.standing.layer]}.`,
    parameters,
    example: { command: "python -m pytest -q", timeout_seconds: 120 },
    aliases: { cmd: "command", shell_command: "command", command_line: "command" },
    effectClass: "external",
    risk: "high",
    timeoutMs: timeoutSeconds.most * 1000 + marginMs,
    prepare: async (args, context) => {
      const action = actionOf("shell_execute", { command: args.command });
      if (args.command.trim() === "") return failing(action, failureOf("Empty command"));
      if (args.command.includes("\0")) return failing(action, failureOf("The command contains a NUL character"));
      return {
        action,
        destructive: destructiveWords.test(args.command),
        run: async (signal, grant) => await execute(args, { context, options, grant, signal }),
      };
    },
  });
}

interface Execution {
  readonly context: ToolContext;
  readonly options: ShellOptions;
  readonly grant: Grant | undefined;
  readonly signal: AbortSignal;
}

async function execute(
  { command, timeout_seconds }: Args,
  { context, options, grant, signal }: Execution,
): Promise<ToolResult> {
  const { marker, taskId, workspace } = context;
  const spec = {
    ...shellCommand(command),
    root: workspace.root,
    taskId,
    marker,
    network: grant?.network === true,
    timeoutMs: timeout_seconds * 1000,
  };
  try {
    const end = await runConfined(options, spec, signal);
    const { sandbox } = end;
    const result = shown(joinedOutput(end) + networkNote(end, spec.network), options.resultChars);
    if (end.timedOut)
      return {
        success: false,
        sandbox,
        ...result,
        error: `Timed out after ${timeout_seconds} s; everything it had started was ended`,
      };
    if (end.exitCode === 0)
      return {
        success: true,
        sandbox,
        ...result,
        output: result.output === "" ? "(no output)" : result.output,
        exitCode: 0,
        data: { exit_code: 0 },
      };
    if (end.exitCode === null) return { success: false, sandbox, ...result, error: "Ended by a signal" };
    return {
      success: false,
      sandbox,
      ...result,
      error: `Exit code: ${end.exitCode}`,
      exitCode: end.exitCode,
      data: { exit_code: end.exitCode },
    };
  } catch (error) {
    signal.throwIfAborted();
    return failureOf(`Failed to execute: ${messageOf(error)}`);
  }
}

/** What programs say when there is no network. */
const missedNetwork =
  /could ?n[o']t resolve|network is unreachable|temporary failure in name resolution|name or service not known|ENOTFOUND|EAI_AGAIN|ENETUNREACH|no route to host|dial tcp/i;

/** A model that does not know why there is no network tries again and again. */
function networkNote({ exitCode, sandbox, stdout, stderr }: ConfinedEnd, hasNetwork: boolean): string {
  const isMissed = sandbox !== "none" && !hasNetwork && exitCode !== 0 && missedNetwork.test(stderr + stdout);
  return isMissed
    ? "\n[The sandbox has no network. Commands that name what they fetch, like curl, git fetch or npm install, ask a person for it.]"
    : "";
}
