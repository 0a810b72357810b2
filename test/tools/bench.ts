/** A workspace with all tools at hand: what a model's call comes to, from its arguments to its result. */
import type { FileState } from "../../src/domain/change.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import type { PreparedCall, Tool, ToolContext, ToolResult, Tools } from "../../src/ports/tool.ts";
import type { Workspace } from "../../src/ports/workspace.ts";
import { createEgress } from "../../src/safety/egress.ts";
import { unconfined } from "../../src/safety/sandbox/sandbox.ts";
import { createTools, type ToolsOptions } from "../../src/tools/catalog.ts";
import { textDiff } from "../../src/workspace/text-diff.ts";
import { openProject, type Temporary } from "../workspace/temporary.ts";

export interface Bench {
  readonly workspace: Workspace;
  readonly tools: Tools;
  readonly seen: Map<string, FileState>;
  readonly context: ToolContext;
  readonly tool: (name: string) => Tool;
  /** @throws when the arguments are refused */
  readonly prepare: (name: string, args: JsonObject | string) => Promise<PreparedCall>;
  /** What the model would read: result, or the refusal of its arguments, or of its path. */
  readonly call: (name: string, args: JsonObject | string, signal?: AbortSignal) => Promise<ToolResult>;
}

export const never = new AbortController().signal;

export async function openBench(
  temporary: Temporary,
  files: Readonly<Record<string, string | Uint8Array>> = {},
  options: Partial<ToolsOptions> = {},
): Promise<Bench> {
  const workspace = await openProject(temporary, files);
  const { PATH } = process.env;
  const inherited = { PATH, HOME: temporary.at("home"), TMPDIR: temporary.path };
  temporary.write({ "home/": "" });
  const tools = createTools({
    artifacts: { read: () => Promise.resolve(null) },
    egress: createEgress(),
    textDiff,
    inherited,
    allowPrivateHosts: true,
    sandbox: unconfined(),
    ...options,
  });
  const seen = new Map<string, FileState>();
  const marker = `test:${process.pid}:${temporary.path}`;
  const context: ToolContext = { taskId: "task_1", subtaskId: "s1", workspace, seen, signal: never, marker };
  const tool = (name: string) => {
    const found = tools.all().find(({ schema }) => schema.name === name);
    if (found === undefined) throw new Error(`No tool ${name}`);
    return found;
  };
  const prepare = async (name: string, args: JsonObject | string) => {
    const prepared = await tool(name).prepare(args, context);
    if (!prepared.ok) throw new Error(prepared.error);
    return prepared.value;
  };
  const call = async (name: string, args: JsonObject | string, signal = never) => {
    const prepared = await prepare(name, args);
    if (prepared.failure === undefined) return await prepared.run(signal);
    // As the loop does, once the model has been told.
    for (const [path, state] of Object.entries(prepared.failure.seen ?? {})) seen.set(path, state);
    return prepared.failure;
  };
  return { workspace, tools, seen, context, tool, prepare, call };
}
