/** A few tools over the port, with the rules of the real ones that matter to a loop: seen files, plans of changes, gates, questions. */
import type { FileState } from "../../src/domain/change.ts";
import { sameState } from "../../src/domain/change.ts";
import { isJsonObject, type JsonObject } from "../../src/lib/json.ts";
import { err, ok } from "../../src/lib/result.ts";
import type { Artifacts } from "../../src/ports/artifacts.ts";
import type { EffectClass } from "../../src/ports/event-store.ts";
import type { Action, PreparedCall, Tool, ToolContext, ToolResult } from "../../src/ports/tool.ts";

export interface Shell {
  /** Every line that ran. */
  readonly lines: string[];
  answer: (
    line: string,
    signal?: AbortSignal,
  ) => { readonly exitCode: number; readonly output: string; readonly whole?: string } | never;
  artifacts?: Artifacts;
  wait?: (signal: AbortSignal) => Promise<void>;
  timeoutMs?: number;
  /** Called when a file was written, before the tool has said so. */
  afterWrite?: () => void;
}

type Prepare = (args: Readonly<Record<string, string>>, context: ToolContext) => Promise<PreparedCall | string>;

export function benchTools(shell: Shell): Tool[] {
  return [
    tool("read_file", "pure", ["path"], readFile),
    tool("write_file", "workspace", ["path", "content"], (args, context) => writeFile(args, context, shell)),
    tool("edit_file", "workspace", ["path", "old_str", "new_str"], editFile),
    {
      ...tool("shell_execute", "external", ["command"], (args) =>
        Promise.resolve(shellCall(shell, args["command"] ?? "")),
      ),
      timeoutMs: shell.timeoutMs ?? 1000,
    },
    ...(shell.artifacts === undefined ? [] : [tool("read_artifact", "pure", ["id"], readArtifact(shell.artifacts))]),
    tool("ask_user", "pure", ["question"], (args) => Promise.resolve(askUser(args["question"] ?? ""))),
  ];
}

function tool(name: string, effectClass: EffectClass, required: readonly string[], prepare: Prepare): Tool {
  const properties = Object.fromEntries(required.map((key) => [key, { type: "string" }]));
  return {
    schema: {
      name,
      description: `${name} for tests`,
      parameters: { type: "object", properties, required: [...required] },
    },
    effectClass,
    risk: "low",
    timeoutMs: 1000,
    prepare: async (args, context) => {
      const flaw = flawOf(args, required);
      if (flaw !== null || typeof args === "string") return err(flaw ?? "not an object");
      const prepared = await prepare(args as Readonly<Record<string, string>>, context);
      return typeof prepared === "string" ? err(prepared) : ok(prepared);
    },
  };
}

function flawOf(args: JsonObject | string, required: readonly string[]): string | null {
  if (!isJsonObject(args))
    return `The arguments are not a JSON object; give {${required.map((key) => `"${key}": "…"`).join(", ")}}`;
  const missing = required.find((key) => typeof args[key] !== "string");
  return missing === undefined ? null : `"${missing}" is missing`;
}

const nothing: Omit<Action, "tool"> = { reads: [], writes: [], deletes: [], hosts: [] };

function readArtifact(artifacts: Artifacts): Prepare {
  return async ({ id = "" }, { taskId }) => ({
    action: { ...nothing, tool: "read_artifact" },
    destructive: false,
    run: async () => {
      const text = await artifacts.read(taskId, id);
      return text === null ? { success: false, output: "", error: "none" } : { success: true, output: text };
    },
  });
}

async function readFile({ path = "" }: Readonly<Record<string, string>>, context: ToolContext): Promise<PreparedCall> {
  const at = await context.workspace.resolve(path);
  const state = await context.workspace.state(at);
  const action = { ...nothing, tool: "read_file", reads: [at] };
  const failure: ToolResult = { success: false, output: "", error: `File not found: ${at}` };
  return {
    action,
    destructive: false,
    ...(state.kind === "file" ? {} : { failure }),
    run: async () => {
      const text = new TextDecoder().decode(await context.workspace.read(at, 1_000_000));
      return { success: true, output: text, seen: { [at]: state } };
    },
  };
}

async function writeFile(
  { path = "", content = "" }: Readonly<Record<string, string>>,
  context: ToolContext,
  shell: Shell,
): Promise<PreparedCall> {
  const at = await context.workspace.resolve(path);
  const state = await context.workspace.state(at);
  const prepared = await changing("write_file", at, { state, content }, context);
  const run = async (signal: AbortSignal) => {
    const result = await prepared.run(signal);
    shell.afterWrite?.();
    return result;
  };
  return { ...prepared, run };
}

async function editFile(args: Readonly<Record<string, string>>, context: ToolContext): Promise<PreparedCall> {
  const { path = "", old_str = "", new_str = "" } = args;
  const at = await context.workspace.resolve(path);
  const state = await context.workspace.state(at);
  const text = state.kind === "file" ? new TextDecoder().decode(await context.workspace.read(at, 1_000_000)) : "";
  const found = text.includes(old_str);
  return changing(
    "edit_file",
    at,
    { state, content: text.replace(old_str, () => new_str), failure: found ? null : `"${old_str}" is not in ${at}` },
    context,
  );
}

interface NewContent {
  readonly state: FileState;
  readonly content: string;
  readonly failure?: string | null;
}

async function changing(
  name: string,
  at: string,
  { state, content, failure = null }: NewContent,
  context: ToolContext,
): Promise<PreparedCall> {
  const seen = context.seen.get(at) ?? { kind: "absent" as const };
  const action = { ...nothing, tool: name, writes: [at] };
  const why = failure ?? (sameState(seen, state) ? null : `Read ${at} before you write it`);
  const run = () => Promise.reject<ToolResult>(new Error("A call that cannot succeed was run"));
  if (why !== null) return { action, destructive: false, failure: { success: false, output: "", error: why }, run };
  const change = await context.workspace.planWrite(at, new TextEncoder().encode(content));
  return {
    action,
    destructive: false,
    change,
    run: async () => {
      await context.workspace.apply(change);
      const seenNow = Object.fromEntries(change.changes.map(({ path, after }) => [path, after]));
      return { success: true, output: `Done: ${at}`, seen: seenNow };
    },
  };
}

function shellCall(shell: Shell, command: string): PreparedCall {
  return {
    action: { ...nothing, tool: "shell_execute", command },
    destructive: command.includes("rm "),
    run: async (signal) => {
      shell.lines.push(command);
      await shell.wait?.(signal);
      const { exitCode, output, whole } = shell.answer(command, signal);
      return {
        success: exitCode === 0,
        output,
        ...(whole === undefined ? {} : { whole }),
        exitCode,
        ...(exitCode === 0 ? {} : { error: `Exit code: ${exitCode}` }),
      };
    },
  };
}

function askUser(question: string): PreparedCall {
  return {
    action: { ...nothing, tool: "ask_user" },
    destructive: false,
    question: {
      question,
      question_type: "single_choice",
      options: [
        { id: "y", label: "Yes please", description: "" },
        { id: "n", label: "No thanks", description: "" },
      ],
      allow_custom_response: true,
      context_note: "",
      urgency: "normal",
      default_option_id: "n",
    },
    run: () => Promise.reject(new Error("A question was run")),
  };
}
