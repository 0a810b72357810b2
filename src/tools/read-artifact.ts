/** read_artifact: the rest of what was shown only in part; a long result, a long goal. Of the same task, and never more than fits. */
import { z } from "zod";
import type { Artifacts } from "../ports/artifacts.ts";
import type { Tool, ToolResult } from "../ports/tool.ts";
import { actionOf, defineTool, failureOf } from "./definition.ts";
import { headOf } from "./output.ts";

const parameters = z.strictObject({
  id: z.string().max(200).describe("as the note says that told of it"),
  offset: z.int().min(0).default(0).describe("first character, from 0"),
  limit: z.int().min(1).max(100_000).optional().describe("characters"),
});
type Args = z.output<typeof parameters>;

interface Options {
  readonly artifacts: Artifacts;
  readonly resultChars: number;
}

export function readArtifactTool({ artifacts, resultChars }: Options): Tool {
  return defineTool({
    name: "read_artifact",
    description: "Read more of a result or text that was shortened, by the id in its note.",
    parameters,
    onward: { arguments: ["id", "offset", "limit"], sign: "art_" },
    example: { id: "art_subtask_1_3_1", offset: 8000 },
    aliases: { artifact: "id", artifact_id: "id", start: "offset", length: "limit" },
    effectClass: "pure",
    risk: "low",
    timeoutMs: 10_000,
    prepare: async (args, { taskId }) => ({
      action: actionOf("read_artifact"),
      destructive: false,
      run: async () => part(await artifacts.read(taskId, args.id), args, resultChars),
    }),
  });
}

function part(text: string | null, { id, offset, limit }: Args, resultChars: number): ToolResult {
  if (text === null)
    return failureOf(`There is no artifact "${id}" in this task. Ids stand in the notes where something was left out`);
  if (offset >= text.length && text.length > 0)
    return failureOf(`offset ${offset} is behind the end: the artifact has ${text.length} characters`);
  const note = (end: number) =>
    end < text.length
      ? `\n[Characters ${offset}-${end} of ${text.length}. Continue with offset=${end}.]`
      : `\n[Characters ${offset}-${end} of ${text.length}: the end.]`;
  const room = Math.max(1, resultChars - note(text.length).length);
  const shown = headOf(text.slice(offset), Math.min(limit ?? room, room));
  // One character beyond the limit is better than none: an emoji is two.
  const output = shown === "" ? text.slice(offset, offset + 2) : shown;
  return { success: true, output: `${output}${note(offset + output.length)}` };
}
