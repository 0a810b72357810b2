/** Tools: what a model may do, each with its parameters, its effect class, and the action a policy judges before it runs. */

import type { QuestionAsk } from "../domain/approval.ts";
import type { FileState } from "../domain/change.ts";
import type { SandboxLayer } from "../domain/event.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import type { Result } from "../lib/result.ts";
import type { EffectClass } from "./event-store.ts";
import type { ToolSchema } from "./model.ts";
import type { ChangeMade, Workspace } from "./workspace.ts";

/** What a call would do, derived from its arguments. The policy reads this and nothing else. */
export interface Action {
  readonly tool: string;
  /** Paths relative to the workspace. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly deletes: readonly string[];
  /** A shell line, as it would be handed to the shell; the policy parses it. */
  readonly command?: string;
  /** An argument vector that runs without a shell. */
  readonly argv?: readonly string[];
  readonly hosts: readonly string[];
  /** Absolute root of the workspace, so that absolute paths in a command can be told apart; absent: each counts as outside. */
  readonly root?: string;
  /** The call's arguments as its tool understood them, for rules about them. */
  readonly arguments?: JsonObject;
}

/** What one subtask has seen of the files: path → what it last read or wrote there. A write to anything else is refused. */
export interface SeenFiles {
  get(path: string): FileState | undefined;
  set(path: string, state: FileState): void;
}

export interface ToolContext {
  readonly taskId: string;
  readonly subtaskId: string;
  readonly workspace: Workspace;
  readonly seen: SeenFiles;
  readonly signal: AbortSignal;
  /** Marks processes of this step in their environment, so that they can be found again. */
  readonly marker: string;
}

export interface ToolResult {
  readonly success: boolean;
  /** For the model; already cut to the tool's cap, head and tail kept, with a note of what was left out. */
  readonly output: string;
  /** All of it, where `output` is cut: kept as an artifact, to be read on. */
  readonly whole?: string;
  readonly error?: string;
  readonly exitCode?: number;
  /** What held the command, for calls that ran one. */
  readonly sandbox?: SandboxLayer;
  /** What the subtask has now seen at these paths; kept with the step, so that a replay sees the same. */
  readonly seen?: Readonly<Record<string, FileState>>;
  /** Facts beside the text, small. */
  readonly data?: Json;
}

/** What the policy, or a person, let one call do beyond what every call may. */
export interface Grant {
  readonly network: boolean;
}

/** A call made ready: arguments parsed, its action known, and for `workspace` tools the change it will make. */
export interface PreparedCall {
  readonly action: Action;
  /** The arguments as the tool understood them. */
  readonly arguments?: JsonObject;
  /** Rules by which the arguments were understood, where they were not written as they should be. */
  readonly repaired?: readonly string[];
  /** Removes or overwrites without a copy elsewhere; counts against confidence. */
  readonly destructive: boolean;
  /** The effect class of this one call, where it is milder than its tool's: `git status` only reads. */
  readonly effectClass?: EffectClass;
  /** Present for `workspace` tools, unless the call fails before it would change anything (`failure`). */
  readonly change?: ChangeMade;
  /** The call cannot succeed; this is its result, and nothing runs. */
  readonly failure?: ToolResult;
  /** Present for `ask_user`: the call waits for a person instead of running. */
  readonly question?: Omit<QuestionAsk, "question_id">;
  /** Without a grant, a command has no network where a sandbox can hold it off. */
  run(signal: AbortSignal, grant?: Grant): Promise<ToolResult>;
}

export interface Tool {
  readonly schema: ToolSchema;
  readonly effectClass: EffectClass;
  readonly risk: "low" | "medium" | "high";
  readonly timeoutMs: number;
  /**
   * Checks arguments and derives the action. Reads, never changes anything.
   *
   * @returns an error for the model, saying what was wrong and showing the right form
   * @throws LoomError path_refused for a path outside the workspace
   */
  prepare(args: JsonObject | string, context: ToolContext): Promise<Result<PreparedCall, string>>;
}

export interface Tools {
  /** The tools of a task, in a fixed order, the same for all its subtasks. @see DECISIONS 24 */
  forTask(task: { readonly workspace: Workspace; readonly someoneCanAnswer: boolean }): Promise<readonly Tool[]>;
  /** All there are, for `/tools`. */
  all(): readonly Tool[];
}

/** Runs a command line for the harness itself: checks of a plan or of a task. Same confinement as the shell tool. */
export interface CommandRunner {
  run(
    command: string,
    options: {
      readonly cwd: string;
      readonly timeoutMs: number;
      readonly marker: string;
      readonly signal: AbortSignal;
      readonly network?: boolean;
    },
  ): Promise<{
    readonly exitCode: number | null;
    readonly output: string;
    readonly timedOut: boolean;
    readonly sandbox?: SandboxLayer;
  }>;
  /** Kills every process whose environment carries a marker with this prefix. @returns how many were found */
  reap(markerPrefix: string): Promise<number>;
}
