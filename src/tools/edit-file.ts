/** edit_file: replaces text where it stands, all edits or none. Finding the place is `edits/`; this reads, writes and tells. */
import { z } from "zod";
import { LoomError } from "../lib/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { PreparedCall, Tool, ToolContext, ToolResult } from "../ports/tool.ts";
import type { ChangeMade, TextDiff } from "../ports/workspace.ts";
import { pathAliases } from "./arguments.ts";
import { actionOf, defineTool, failing, failureOf } from "./definition.ts";
import { type Edit, edited } from "./edits/edit.ts";
import { bytesOf, type FileText, fileTextOf } from "./edits/file-text.ts";
import { explainedRefusal } from "./edits/refusals.ts";
import { cut } from "./output.ts";
import { forgetRefusals } from "./read-versions.ts";
import { refusedEdit, staleEdit } from "./refused-edit.ts";
import { changing, digestOf, staleness } from "./seen-files.ts";

const editedBytesMax = 32 * 1024 * 1024;

const givenEdit = z.strictObject({ old_str: z.string(), new_str: z.string(), replace_all: z.boolean().optional() });
type GivenEdit = z.output<typeof givenEdit>;

const parameters = z.strictObject({
  path: z.string(),
  old_str: z.string().optional().describe("lines copied from the file, enough to be found once"),
  new_str: z.string().optional().describe("all lines that are to stand there instead"),
  replace_all: z.boolean().optional(),
  edits: z.array(givenEdit).min(1).max(100).optional().describe("several, in order; instead of old_str and new_str"),
});
type Args = z.output<typeof parameters>;
const oneEdit = z.strictObject({ path: z.string(), old_str: z.string(), new_str: z.string() });

const editAliases: Readonly<Record<string, string>> = {
  old_string: "old_str",
  old_text: "old_str",
  new_string: "new_str",
  new_text: "new_str",
};

interface EditOptions {
  readonly textDiff: TextDiff;
  readonly resultChars: number;
}

export function editFileTool(options: EditOptions): Tool {
  return defineTool({
    name: "edit_file",
    description: "Replace text that stands in one place of a file. All edits are made, or none.",
    parameters,
    simple: oneEdit,
    naming: { path: "file" },
    example: { path: "src/app.py", old_str: "x = 1", new_str: "x = 2" },
    aliases: { ...pathAliases, ...editAliases },
    effectClass: "workspace",
    risk: "medium",
    timeoutMs: 10_000,
    normalise: withEditAliases,
    prepare: async (args, context) => {
      const place = await context.workspace.place(args.path);
      const edits = editsOf(args);
      if (!edits.ok) return failing(actionOf("edit_file", { writes: [place] }), failureOf(edits.error));
      return await prepareEdit(edits.value, { place, context, options });
    },
  });
}

/** The other names of old_str and new_str are understood within edits too. */
function withEditAliases(args: JsonObject): JsonObject {
  const { edits } = args;
  if (!Array.isArray(edits)) return args;
  const named = (edit: Json): Json =>
    isJsonObject(edit)
      ? Object.fromEntries(Object.entries(edit).map(([key, value]) => [editAliases[key] ?? key, value]))
      : edit;
  return { ...args, edits: edits.map(named) };
}

function editsOf({ old_str, new_str, replace_all, edits }: Args): Result<readonly Edit[], string> {
  if (edits !== undefined)
    return old_str === undefined && new_str === undefined
      ? ok(edits.map(editOf))
      : err("Provide either old_str/new_str or an edits array, not both");
  if (old_str === undefined || new_str === undefined) return err("Provide either old_str/new_str or an edits array");
  return ok([editOf({ old_str, new_str, replace_all })]);
}

function editOf({ old_str, new_str, replace_all = false }: GivenEdit): Edit {
  return { old: old_str, fresh: new_str, replaceAll: replace_all };
}

interface Editing {
  readonly place: string;
  readonly context: ToolContext;
  readonly options: EditOptions;
}

async function prepareEdit(edits: readonly Edit[], editing: Editing): Promise<PreparedCall> {
  const { place, context, options } = editing;
  let before: Buffer = Buffer.alloc(0);
  let made: Made = { bytes: before, places: 0, isWordForWord: true };
  const refusal = async (): Promise<ToolResult | null> => {
    const current = await context.workspace.state(place);
    const stale = staleness(context, place, current);
    if (current.kind === "absent" && edits.length === 1 && edits[0]?.old === "" && stale === null) {
      made = { bytes: Buffer.from(edits[0].fresh), places: 1, isWordForWord: true };
      return null;
    }
    if (current.kind !== "file" && stale !== null) return failureOf(stale);
    before = Buffer.from(await context.workspace.read(place, editedBytesMax));
    const digest = digestOf(before);
    const state = current.kind === "file" ? { ...current, digest, bytes: before.length } : null;
    if (state === null) return failureOf(`${place} is not a file`);
    const about = { context, place, state, bytes: before, ...options };
    if (stale !== null) return staleEdit(about, stale, edits);
    const all = editAll(before, edits, place);
    if (!all.ok) return refusedEdit(about, all.error);
    made = all.value;
    return null;
  };
  return await changing(context, [place], {
    tool: "edit_file",
    refusal,
    plan: async () => onto(before, await context.workspace.planWrite(place, made.bytes), place),
    done: () => {
      forgetRefusals(context.seen, place);
      return { success: true, output: report(made, { place, before }, options) };
    },
  });
}

/** The plan is made on what stands there now: it must be what was edited. */
function onto(before: Buffer, planned: ChangeMade, place: string): ChangeMade {
  const state = planned.changes[0]?.before;
  if (state?.kind === "file" && state.digest !== digestOf(before))
    throw new LoomError("wrong_state", `${place} changed while it was edited`, { hint: "Read it again" });
  return planned;
}

interface Made {
  readonly bytes: Buffer;
  readonly places: number;
  /** Whether every old_str stood in the file as it was given. */
  readonly isWordForWord: boolean;
}

interface Refused {
  readonly reason: string;
  readonly edit: Edit;
  readonly file: FileText;
}

function editAll(content: Buffer, edits: readonly Edit[], place: string): Result<Made, Refused> {
  let file = fileTextOf(content);
  let [places, isWordForWord] = [0, true];
  for (const [index, edit] of edits.entries()) {
    const outcome = edited(file, edit);
    if (outcome.kind === "refused") {
      const why = explainedRefusal(outcome.refusal, place);
      const reason = edits.length === 1 ? why : `edit[${index}]: ${why} No edit was made.`;
      return err({ reason, edit, file });
    }
    if (outcome.kind === "unchanged") continue;
    file = outcome.file;
    places += outcome.places;
    isWordForWord &&= outcome.how === "exact";
  }
  return ok({ bytes: places === 0 ? content : bytesOf(file), places, isWordForWord });
}

function report(
  { bytes, places, isWordForWord }: Made,
  { place, before }: { readonly place: string; readonly before: Buffer },
  { textDiff, resultChars }: EditOptions,
): string {
  if (places === 0) return `No change: ${place} stands as new_str has it, since old_str and new_str say the same.`;
  const diff = textDiff(place, before.toString("utf8"), bytes.toString("utf8"));
  const how = isWordForWord ? "" : " (old_str was not word for word; lines that it keeps stand as the file has them)";
  const count = `${places} ${places === 1 ? "replacement" : "replacements"}`;
  return cut(`Edited ${place}: ${count}${how}\n\n${diff}`.trimEnd(), resultChars);
}
