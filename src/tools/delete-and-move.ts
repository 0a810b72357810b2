/** delete_file and move_file: what is taken away or put elsewhere; the workspace keeps what stood there. */
import { posix } from "node:path";
import { z } from "zod";
import type { Tool } from "../ports/tool.ts";
import type { Workspace } from "../ports/workspace.ts";
import { pathAliases } from "./arguments.ts";
import { defineTool, failureOf } from "./definition.ts";
import { changing, staleness } from "./seen-files.ts";

export function deleteFileTool(): Tool {
  return defineTool({
    name: "delete_file",
    description: "Delete a file or an empty folder.",
    parameters: z.strictObject({ path: z.string() }),
    naming: { path: "any" },
    example: { path: "old/notes.txt" },
    aliases: pathAliases,
    effectClass: "workspace",
    risk: "medium",
    timeoutMs: 10_000,
    prepare: async ({ path }, context) => {
      const place = await context.workspace.resolve(path);
      return await changing(context, [place], {
        tool: "delete_file",
        deletes: true,
        refusal: async () => refusalOf(staleness(context, place, await context.workspace.state(place))),
        plan: async () => await context.workspace.planDelete(place),
        done: ({ changes }) => {
          const what = changes[0]?.before.kind === "folder" ? "empty directory" : "file";
          return { success: true, output: `Deleted ${what}: ${place}` };
        },
      });
    },
  });
}

export function moveFileTool(): Tool {
  return defineTool({
    name: "move_file",
    description: "Move or rename a file or folder. The destination must not exist, or be the folder to move into.",
    parameters: z.strictObject({ source: z.string(), destination: z.string() }),
    naming: { source: "any" },
    example: { source: "a.txt", destination: "docs/a.txt" },
    aliases: {
      src: "source",
      from: "source",
      source_path: "source",
      dest: "destination",
      dst: "destination",
      to: "destination",
      destination_path: "destination",
    },
    effectClass: "workspace",
    risk: "medium",
    timeoutMs: 10_000,
    prepare: async ({ source, destination }, context) => {
      const from = await context.workspace.resolve(source);
      const to = await placeFor(context.workspace, from, await context.workspace.resolve(destination));
      return await changing(context, [from, to], {
        tool: "move_file",
        refusal: async () => refusalOf(staleness(context, from, await context.workspace.state(from))),
        plan: async () => await context.workspace.planMove(from, to),
        done: () => ({ success: true, output: `Moved ${from} -> ${to}` }),
      });
    },
  });
}

/** What is moved to a folder that is there is moved into it, as `mv` does; one that is moved to itself stays. */
async function placeFor(workspace: Workspace, from: string, to: string): Promise<string> {
  if (from === to || (await workspace.state(to)).kind !== "folder") return to;
  return posix.join(to, posix.basename(from));
}

function refusalOf(stale: string | null): ReturnType<typeof failureOf> | null {
  return stale === null ? null : failureOf(stale);
}
