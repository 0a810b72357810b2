/** list_directory: the tree below a folder, two levels deep. */
import { z } from "zod";
import type { Tool, ToolContext, ToolResult } from "../ports/tool.ts";
import type { Entry } from "../ports/workspace.ts";
import { actionOf, defineTool } from "./definition.ts";
import { failureAt } from "./near-paths.ts";
import { shown } from "./output.ts";

const depth = 2;
const entriesMax = 500;

export function listDirectoryTool({ resultChars }: { readonly resultChars: number }): Tool {
  return defineTool({
    name: "list_directory",
    description: "Show the tree below a folder, two levels deep.",
    parameters: z.strictObject({ path: z.string().default(".") }),
    simple: z.strictObject({ path: z.string() }),
    naming: { path: "folder" },
    example: { path: "src" },
    aliases: { directory: "path", dir: "path", folder: "path", dir_path: "path", directory_path: "path" },
    effectClass: "pure",
    risk: "low",
    timeoutMs: 10_000,
    prepare: async ({ path }, context) => {
      const place = await context.workspace.place(path === "" ? "." : path);
      return {
        action: actionOf("list_directory", { reads: [place] }),
        destructive: false,
        run: async () => await list(place, context, resultChars),
      };
    },
  });
}

async function list(place: string, context: ToolContext, resultChars: number): Promise<ToolResult> {
  try {
    const entries = await context.workspace.list(place, { depth, limit: entriesMax + 1 });
    if (entries.length === 0) return { success: true, output: "(empty directory)" };
    const lines = entries.slice(0, entriesMax).map((entry) => lineOf(entry, place));
    if (entries.length > entriesMax)
      lines.push(`[Only the first ${entriesMax} entries are shown. List a folder below, or use glob_find.]`);
    return { success: true, ...shown(lines.join("\n"), resultChars) };
  } catch (error) {
    return await failureAt(context.workspace, place, error);
  }
}

function lineOf({ path, kind }: Entry, place: string): string {
  const below = place === "." ? path : path.slice(place.length + 1);
  const names = below.split("/");
  return `${"  ".repeat(names.length - 1)}${names.at(-1)}${kind === "folder" ? "/" : ""}`;
}
