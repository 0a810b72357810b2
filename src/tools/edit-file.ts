/** edit_file: exact replacements in a file, all or none. Works on bytes, so that everything not named stays as it was. */
import { z } from "zod";
import { LoomError } from "../lib/errors.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { PreparedCall, Tool, ToolContext, ToolResult } from "../ports/tool.ts";
import type { ChangeMade, TextDiff } from "../ports/workspace.ts";
import { actionOf, defineTool, failing, failureOf } from "./definition.ts";
import { cut } from "./output.ts";
import { changing, digestOf, staleness } from "./seen-files.ts";

const editedBytesMax = 32 * 1024 * 1024;
const linesNamed = 10;
const contextLines = 3;

const edit = z.strictObject({ old_str: z.string(), new_str: z.string() });
type Edit = z.output<typeof edit>;

const parameters = z.strictObject({
  path: z.string(),
  old_str: z.string().optional().describe("exact text, found once"),
  new_str: z.string().optional(),
  edits: z.array(edit).min(1).max(100).optional().describe("several, in order; instead of old_str and new_str"),
});
type Args = z.output<typeof parameters>;

interface EditOptions {
  readonly textDiff: TextDiff;
  readonly resultChars: number;
}

export function editFileTool(options: EditOptions): Tool {
  return defineTool({
    name: "edit_file",
    description: "Replace text that occurs exactly once in a file. All edits are made, or none.",
    parameters,
    example: { path: "src/app.py", old_str: "x = 1", new_str: "x = 2" },
    aliases: {
      file_path: "path",
      filepath: "path",
      file: "path",
      filename: "path",
      old_string: "old_str",
      old_text: "old_str",
      new_string: "new_str",
      new_text: "new_str",
    },
    effectClass: "workspace",
    risk: "medium",
    timeoutMs: 10_000,
    prepare: async (args, context) => {
      const place = await context.workspace.place(args.path);
      const edits = editsOf(args);
      if (!edits.ok) return failing(actionOf("edit_file", { writes: [place] }), failureOf(edits.error));
      return await prepareEdit(edits.value, { place, context, options });
    },
  });
}

function editsOf({ old_str, new_str, edits }: Args): Result<readonly Edit[], string> {
  if (edits !== undefined)
    return old_str === undefined && new_str === undefined
      ? ok(edits)
      : err("Provide either old_str/new_str or an edits array, not both");
  if (old_str === undefined || new_str === undefined) return err("Provide either old_str/new_str or an edits array");
  return ok([{ old_str, new_str }]);
}

interface Editing {
  readonly place: string;
  readonly context: ToolContext;
  readonly options: EditOptions;
}

async function prepareEdit(edits: readonly Edit[], { place, context, options }: Editing): Promise<PreparedCall> {
  let before: Buffer = Buffer.alloc(0);
  let after: Buffer = before;
  const refusal = async (): Promise<ToolResult | null> => {
    const current = await context.workspace.state(place);
    const stale = staleness(context, place, current);
    if (stale !== null) return failureOf(stale);
    const creates = current.kind === "absent" && edits.length === 1 && edits[0]?.old_str === "";
    if (!creates) before = Buffer.from(await context.workspace.read(place, editedBytesMax));
    const edited = creates ? ok(Buffer.from(edits[0]?.new_str ?? "")) : editAll(before, edits, place);
    if (!edited.ok) return failureOf(edited.error);
    after = edited.value;
    return null;
  };
  return await changing(context, [place], {
    tool: "edit_file",
    refusal,
    plan: async () => onto(before, await context.workspace.planWrite(place, after), place),
    done: () => ({ success: true, output: report(edits.length, { place, before, after }, options) }),
  });
}

/** The plan is made on what stands there now: it must be what was edited. */
function onto(before: Buffer, planned: ChangeMade, place: string): ChangeMade {
  const state = planned.changes[0]?.before;
  if (state?.kind === "file" && state.digest !== digestOf(before))
    throw new LoomError("wrong_state", `${place} changed while it was edited`, { hint: "Read it again" });
  return planned;
}

function editAll(content: Buffer, edits: readonly Edit[], place: string): Result<Buffer, string> {
  let edited = content;
  for (const [index, edit] of edits.entries()) {
    const result = editOnce(edited, edit, place);
    if (!result.ok) return err(edits.length === 1 ? result.error : `edit[${index}]: ${result.error} No edit was made.`);
    edited = result.value;
  }
  return ok(edited);
}

function editOnce(content: Buffer, { old_str, new_str }: Edit, place: string): Result<Buffer, string> {
  if (old_str === "") return err("old_str cannot be empty.");
  if (old_str === new_str) return err("old_str and new_str are the same.");
  const { old, fresh } = inLineEndingsOf(content, { old: Buffer.from(old_str), fresh: Buffer.from(new_str) });
  const at = content.indexOf(old);
  if (at === -1)
    return err(
      `old_str not found in ${place}. It must be the exact text, spaces and line breaks included.${closest(content, old_str)}`,
    );
  const all = occurrences(content, old);
  if (all.length > 1) {
    const lines = all.slice(0, linesNamed).map((offset) => lineAt(content, offset));
    return err(
      `old_str appears ${all.length} times in ${place} (lines ${lines.join(", ")}${all.length > linesNamed ? " …" : ""}). Provide more surrounding context to make it unique.`,
    );
  }
  return ok(Buffer.concat([content.subarray(0, at), fresh, content.subarray(at + old.length)]));
}

/** Models write line feeds. In a file of CRLF lines nothing else can be meant. */
function inLineEndingsOf(content: Buffer, texts: { old: Buffer; fresh: Buffer }): { old: Buffer; fresh: Buffer } {
  if (content.includes(texts.old) || !content.includes("\r\n") || texts.old.includes("\r")) return texts;
  const old = withCarriageReturns(texts.old);
  return content.includes(old) ? { old, fresh: withCarriageReturns(texts.fresh) } : texts;
}

function withCarriageReturns(text: Buffer): Buffer {
  return Buffer.from(text.toString("utf8").replaceAll(/\r?\n/g, "\r\n"));
}

function occurrences(content: Buffer, text: Buffer): number[] {
  const found: number[] = [];
  for (let at = content.indexOf(text); at !== -1; at = content.indexOf(text, at + 1)) found.push(at);
  return found;
}

function lineAt(content: Buffer, offset: number): number {
  return occurrences(content.subarray(0, offset), Buffer.from("\n")).length + 1;
}

/** The place that the first line of what was looked for comes nearest to. */
function closest(content: Buffer, wanted: string): string {
  const first = wanted
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line !== "");
  const lines = content.toString("utf8").split("\n");
  const at = first === undefined ? -1 : lines.findIndex((line) => line.includes(first));
  if (at === -1) return "";
  const start = Math.max(at - contextLines, 0);
  const snippet = lines
    .slice(start, at + contextLines + 1)
    .map((line, index) => `${start + index + 1}: ${line.slice(0, 200)}`);
  return ` Closest match:\n${snippet.join("\n")}`;
}

function report(
  count: number,
  edited: { place: string; before: Buffer; after: Buffer },
  { textDiff, resultChars }: EditOptions,
): string {
  const { place, before, after } = edited;
  const diff = textDiff(place, before.toString("utf8"), after.toString("utf8"));
  return cut(
    `Edited ${place}: ${count} ${count === 1 ? "replacement" : "replacements"}\n\n${diff}`.trimEnd(),
    resultChars,
  );
}
