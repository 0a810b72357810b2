/** glob_find: files whose path matches a glob, the newest first. */
import { join } from "node:path";
import { z } from "zod";
import type { Tool, ToolContext, ToolResult } from "../ports/tool.ts";
import { actionOf, defineTool, failureFrom, failureOf } from "./definition.ts";
import { shown } from "./output.ts";
import { linesOf, type Ripgrep, runRipgrep, searchMs } from "./ripgrep.ts";

const filesMax = 500;
/** ripgrep's exit code for an argument it does not understand. */
const badGlob = 2;

const parameters = z.strictObject({
  pattern: z.string().min(1).max(500).describe("glob, as src/**/*.py"),
  path: z.string().default("."),
});
type Args = z.output<typeof parameters>;

interface GlobOptions {
  readonly ripgrep: Ripgrep;
  readonly resultChars: number;
}

export function globFindTool(options: GlobOptions): Tool {
  return defineTool({
    name: "glob_find",
    description: "Find files by a glob, newest first.",
    parameters,
    example: { pattern: "**/*.py", path: "src" },
    aliases: { glob: "pattern", query: "pattern", directory: "path", dir: "path", folder: "path" },
    effectClass: "pure",
    risk: "low",
    timeoutMs: searchMs,
    prepare: async (args, context) => {
      const place = await context.workspace.place(args.path === "" ? "." : args.path);
      return {
        action: actionOf("glob_find", { reads: [place] }),
        destructive: false,
        run: async (signal) => await find(args, { ...options, place, context, signal }),
      };
    },
  });
}

interface Finding extends GlobOptions {
  readonly place: string;
  readonly context: ToolContext;
  readonly signal: AbortSignal;
}

async function find(args: Args, finding: Finding): Promise<ToolResult> {
  const { place, context, resultChars } = finding;
  try {
    const { kind } = await context.workspace.state(place);
    if (kind !== "folder")
      return failureOf(kind === "absent" ? `Path not found: ${args.path}` : `Not a folder: ${args.path}`);
    const end = await runRipgrep(
      finding.ripgrep,
      {
        args: ["--files", "--sortr=modified"],
        globs: [args.pattern],
        cwd: join(context.workspace.root, place),
        target: "./",
      },
      finding,
    );
    if (end.timedOut) return failureOf(`The search did not end within ${searchMs / 1000} s. Search a smaller folder`);
    if (end.exitCode === badGlob && end.stdout === "")
      return failureOf(`Invalid glob: ${end.stderr.trim().slice(0, 500)}`);
    const files = linesOf(end).map((path) => (place === "." ? path : join(place, path)));
    if (files.length === 0) return { success: true, output: "No files matched.", data: { count: 0, truncated: false } };
    const found = files.slice(0, filesMax);
    if (files.length > filesMax) found.push(`[Only the ${filesMax} newest files are shown.]`);
    return {
      success: true,
      ...shown(found.join("\n"), resultChars),
      data: { count: Math.min(files.length, filesMax), truncated: files.length > filesMax },
    };
  } catch (error) {
    return failureFrom(error);
  }
}
