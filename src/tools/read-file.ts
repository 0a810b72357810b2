/** read_file: the text of a file, or of some of its lines; never more than fits, and it says how to go on. */
import { z } from "zod";
import type { Tool, ToolContext, ToolResult } from "../ports/tool.ts";
import { pathAliases } from "./arguments.ts";
import { actionOf, defineTool, failureFrom, failureOf } from "./definition.ts";
import { nearPaths } from "./near-paths.ts";
import { headOf } from "./output.ts";
import { rememberVersion } from "./read-versions.ts";
import { withSeen } from "./seen-files.ts";

/** Larger files are searched, or read by the shell. */
const readBytesMax = 32 * 1024 * 1024;
const bytesPerCallMax = 256 * 1024;
const sniffedBytes = 8000;

const parameters = z.strictObject({
  path: z.string(),
  line_start: z.int().min(1).optional().describe("first line, from 1"),
  line_end: z.int().min(1).optional().describe("last line, inclusive"),
});
type Args = z.output<typeof parameters>;

const goOn = " Continue with line_start=";

export function readFileTool({ resultChars }: { readonly resultChars: number }): Tool {
  return defineTool({
    name: "read_file",
    description: "Read a text file. Long files come in parts; the note at the end says how to go on.",
    parameters,
    naming: { path: "file" },
    onward: { arguments: ["line_start", "line_end"], sign: goOn },
    example: { path: "src/app.py", line_start: 1, line_end: 80 },
    aliases: {
      ...pathAliases,
      start_line: "line_start",
      end_line: "line_end",
    },
    effectClass: "pure",
    risk: "low",
    timeoutMs: 10_000,
    prepare: async (args, context) => {
      const place = await context.workspace.place(args.path);
      return {
        action: actionOf("read_file", { reads: [place] }),
        destructive: false,
        run: async () => await read(args, { place, context, resultChars }),
      };
    },
  });
}

interface Reading {
  readonly place: string;
  readonly context: ToolContext;
  readonly resultChars: number;
}

async function read(args: Args, { place, context, resultChars }: Reading): Promise<ToolResult> {
  try {
    const { state, bytes } = await context.workspace.look(place, readBytesMax);
    if (state.kind === "absent") {
      const near = await nearPaths(context.workspace, place);
      return withSeen(context, failureOf(`File not found: ${args.path}.${near}`), { [place]: state });
    }
    if (state.kind === "folder") return failureOf(`Not a file: ${args.path}. list_directory shows what is in a folder`);
    if (bytes === undefined)
      return failureOf(`${args.path} has more than the ${readBytesMax} bytes that are read at once`);
    const seen = { [place]: state };
    if (state.kind === "file")
      rememberVersion(context.seen, { path: place, digest: state.digest, bytes: Buffer.from(bytes) });
    if (bytes.subarray(0, sniffedBytes).includes(0)) {
      return withSeen(context, failureOf(`${args.path} is a binary file of ${bytes.length} bytes, not text`), seen);
    }
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    return withSeen(context, part(text, args, Math.min(resultChars, bytesPerCallMax)), seen);
  } catch (error) {
    return failureFrom(error);
  }
}

const shortLinesMax = 100;

function part(text: string, { line_start = 1, line_end }: Args, charsMax: number): ToolResult {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  if (lines.length === 0) return { success: true, output: "(empty file)" };
  if (line_start > lines.length) {
    const behind = `line_start ${line_start} is behind the end: the file has ${lines.length} lines`;
    // Small models give line numbers because they can: a short file says more than where it ends.
    if (lines.length > shortLinesMax || text.length > charsMax) return failureOf(behind);
    const end = text.endsWith("\n") ? "" : "\n";
    return { success: true, output: `${text}${end}[${behind}, and all of it is shown.]` };
  }
  if (line_end !== undefined && line_end < line_start)
    return failureOf(`line_end ${line_end} is before line_start ${line_start}`);
  const wanted = lines.slice(line_start - 1, line_end);
  const shown = fitting(wanted, charsMax);
  const output = shown.join("");
  const last = line_start + shown.length - 1;
  if (shown.length === 0) {
    const [long = ""] = wanted;
    const note = `\n[Line ${line_start} of ${lines.length} has ${long.length} characters; only the first ${charsMax} are shown.${next(line_start, lines.length)}]`;
    return { success: true, output: `${headOf(long, charsMax)}${note}` };
  }
  const isAll = shown.length === wanted.length;
  return {
    success: true,
    output: isAll ? output : `${output}[Lines ${line_start}-${last} of ${lines.length}.${next(last, lines.length)}]`,
  };
}

function next(last: number, count: number): string {
  return last < count ? `${goOn}${last + 1}.` : "";
}

function fitting(lines: readonly string[], charsMax: number): readonly string[] {
  let chars = 0;
  const over = lines.findIndex((line) => {
    chars += line.length;
    return chars > charsMax;
  });
  return over === -1 ? lines : lines.slice(0, over);
}
