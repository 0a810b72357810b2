/**
 * append_file: lines behind the last one of a file. Small models overwrite what they should add to; this needs no reading
 * first, since nothing that stands there is touched.
 */
import { z } from "zod";
import type { Tool } from "../ports/tool.ts";
import { contentAliases, pathAliases } from "./arguments.ts";
import { defineTool } from "./definition.ts";
import { changing } from "./seen-files.ts";

const contentCharsMax = 1024 * 1024;
const fileBytesMax = 32 * 1024 * 1024;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

const parameters = z.strictObject({
  path: z.string(),
  content: z.string().min(1).max(contentCharsMax),
});

export function appendFileTool(): Tool {
  return defineTool({
    name: "append_file",
    description: "Add lines at the end of a file; what is there stays. Creates the file if there is none.",
    parameters,
    example: { path: "CHANGES.txt", content: "Fixed the parser.\n" },
    aliases: {
      ...pathAliases,
      ...contentAliases,
      line: "content",
      lines: "content",
    },
    effectClass: "workspace",
    risk: "medium",
    timeoutMs: 10_000,
    prepare: async ({ path, content }, context) => {
      const place = await context.workspace.place(path);
      const added: { bytes: number } = { bytes: 0 };
      return await changing(context, [place], {
        tool: "append_file",
        blind: true,
        plan: async () => {
          const { kind } = await context.workspace.state(place);
          const before = kind === "absent" ? Buffer.alloc(0) : await context.workspace.read(place, fileBytesMax);
          const after = appended(before, content);
          added.bytes = after.length - before.length;
          return await context.workspace.planWrite(place, after);
        },
        done: () => ({ success: true, output: `Added ${added.bytes} bytes at the end of ${place}` }),
      });
    },
  });
}

/** The first added line begins a line of its own, and the file ends with a line end where it did before, or was empty. */
function appended(before: Uint8Array, content: string): Buffer {
  const isClosed = before.length === 0 || before.at(-1) === lineFeed;
  const lineEnd = hasCrLf(before) ? "\r\n" : "\n";
  const lines = lineEnd === "\n" ? content : content.replaceAll(/\r?\n/g, lineEnd);
  const needsEnd = isClosed && !lines.endsWith("\n");
  return Buffer.concat([before, Buffer.from(`${isClosed ? "" : lineEnd}${lines}${needsEnd ? lineEnd : ""}`)]);
}

/** By its first line. */
function hasCrLf(bytes: Uint8Array): boolean {
  const at = bytes.indexOf(lineFeed);
  return at > 0 && bytes[at - 1] === carriageReturn;
}
