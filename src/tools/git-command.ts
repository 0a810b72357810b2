/** git_command: git without a shell, its hooks and helpers off, within the workspace. What may be asked is in `git-rules.ts` and `git-places.ts`. */
import { z } from "zod";
import { messageOf } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Grant, PreparedCall, Tool, ToolContext, ToolResult } from "../ports/tool.ts";
import { joinedOutput } from "./command-runner.ts";
import { actionOf, defineTool, failing, failureOf } from "./definition.ts";
import { placeRefusal, repositoryOf } from "./git-places.ts";
import { gitRefusal, isReadOnly, losesHistory } from "./git-rules.ts";
import { shown } from "./output.ts";
import { type CommandSettings, runConfined } from "./run-confined.ts";

const gitMs = 60_000;

/** What a repository's own configuration could make git run. Set on the command line, where it beats every file. */
const settings = [
  "--no-pager",
  ...[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.editor=true",
    "core.pager=cat",
    "sequence.editor=true",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "log.showSignature=false",
    "gpg.program=false",
    "gpg.openpgp.program=false",
    "gpg.x509.program=false",
    "gpg.ssh.program=false",
    "protocol.ext.allow=never",
    "safe.directory=*",
  ].flatMap((setting) => ["-c", setting]),
];
const neverAsk = {
  GIT_TERMINAL_PROMPT: "0",
  GIT_ASKPASS: "true",
  GIT_SSH_COMMAND: "ssh -oBatchMode=yes",
  GIT_EDITOR: "true",
  GIT_OPTIONAL_LOCKS: "0",
};

interface GitOptions extends CommandSettings {
  readonly resultChars: number;
}

export function gitCommandTool(options: GitOptions): Tool {
  return defineTool({
    name: "git_command",
    description: "Run git. Nothing that rewrites shared history or loses uncommitted work.",
    parameters: z.strictObject({ args: z.array(z.string().max(10_000)).max(200) }),
    example: { args: ["log", "--oneline", "-5"] },
    aliases: { arguments: "args", command: "args" },
    normalise: splitLine,
    effectClass: "external",
    risk: "medium",
    timeoutMs: gitMs,
    prepare: async ({ args: given }, context) => {
      const args = given[0] === "git" ? given.slice(1) : given;
      const action = actionOf("git_command", { argv: ["git", ...args] });
      const repository = repositoryOf(context.workspace.root);
      if (repository === null) return failing(action, failureOf("This workspace is not in a git repository"));
      const isWhole = repository === context.workspace.root;
      const refusal = gitRefusal(args) ?? (await placeRefusal(args, { workspace: context.workspace, isWhole }));
      if (refusal !== null) return failing(action, failureOf(refusal));
      return preparedCall(args, { action, context, options, isWhole });
    },
  });
}

/** A line without quotes can only be split at its blanks. */
function splitLine(args: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [
      name,
      typeof value === "string" && !/["'\\[]/.test(value) ? value.trim().split(/\s+/) : value,
    ]),
  );
}

interface Call {
  readonly action: PreparedCall["action"];
  readonly context: ToolContext;
  readonly options: GitOptions;
  /** The repository is the workspace itself, not one that it lies in. */
  readonly isWhole: boolean;
}

function preparedCall(args: readonly string[], { action, ...call }: Call): PreparedCall {
  const subcommand = args[0] ?? "";
  const prepared = {
    action,
    destructive: losesHistory(subcommand),
    run: async (signal: AbortSignal, grant?: Grant) => await runGit(args, { ...call, grant, signal }),
  };
  return isReadOnly(subcommand) ? { ...prepared, effectClass: "pure" } : prepared;
}

interface GitRun extends Omit<Call, "action"> {
  readonly grant: Grant | undefined;
  readonly signal: AbortSignal;
}

async function runGit(
  args: readonly string[],
  { context, options, isWhole, grant, signal }: GitRun,
): Promise<ToolResult> {
  const { marker, taskId, workspace } = context;
  const [subcommand = "", ...rest] = args;
  const shows = ["diff", "log", "show"].includes(subcommand);
  const guards = shows ? ["--no-ext-diff", "--no-textconv", ...(isWhole ? [] : ["--relative"])] : [];
  try {
    const end = await runConfined(
      options,
      {
        file: "git",
        args: [...settings, subcommand, ...guards, ...rest],
        environment: neverAsk,
        root: workspace.root,
        taskId,
        marker,
        network: grant?.network === true,
        timeoutMs: gitMs,
      },
      signal,
    );
    const result = shown(joinedOutput(end), options.resultChars);
    const { sandbox } = end;
    const data = { exit_code: end.exitCode, subcommand };
    if (end.timedOut)
      return { success: false, sandbox, ...result, error: `git did not end within ${gitMs / 1000} s`, data };
    if (end.exitCode === 0)
      return { success: true, sandbox, ...result, output: result.output || "(no output)", exitCode: 0, data };
    return {
      success: false,
      sandbox,
      ...result,
      error: `Git exit code: ${end.exitCode}`,
      ...(end.exitCode === null ? {} : { exitCode: end.exitCode }),
      data,
    };
  } catch (error) {
    signal.throwIfAborted();
    return failureOf(`Failed to execute git: ${messageOf(error)}`);
  }
}
