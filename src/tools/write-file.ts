/** write_file: the whole of a file at once. Overwrites only what this subtask has read or written itself. */
import { z } from "zod";
import type { Tool } from "../ports/tool.ts";
import { contentAliases, pathAliases } from "./arguments.ts";
import { defineTool, failureOf } from "./definition.ts";
import { changing, digestOf, staleness } from "./seen-files.ts";

const contentCharsMax = 1024 * 1024;

const parameters = z.strictObject({
  path: z.string(),
  content: z.string().max(contentCharsMax),
});

export function writeFileTool(): Tool {
  return defineTool({
    name: "write_file",
    description: "Create a file, or replace one you have read, with this content. Makes parent folders.",
    parameters,
    example: { path: "src/app.py", content: "print('hello')\n" },
    aliases: {
      ...pathAliases,
      ...contentAliases,
      file_content: "content",
      file_text: "content",
    },
    effectClass: "workspace",
    risk: "medium",
    timeoutMs: 10_000,
    prepare: async ({ path, content }, context) => {
      const place = await context.workspace.place(path);
      const bytes = Buffer.from(content, "utf8");
      return await changing(context, [place], {
        tool: "write_file",
        refusal: async () => {
          const current = await context.workspace.state(place);
          const stale = staleness(context, place, current);
          if (stale !== null) return failureOf(stale);
          const unseen =
            current.kind === "file" && context.seen.get(place) === undefined && current.digest !== digestOf(bytes);
          return unseen
            ? failureOf(
                `${place} exists and you have not read it: read it first, then write it, or change it with edit_file`,
              )
            : null;
        },
        plan: async () => await context.workspace.planWrite(place, bytes),
        done: () => ({ success: true, output: `Wrote ${bytes.length} bytes to ${place}` }),
      });
    },
  });
}
