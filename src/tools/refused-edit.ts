/** What a model is told when its edit is refused: the reason, what changed since it read the file, and small files whole. */
import type { Buffer } from "node:buffer";
import type { FileState } from "../domain/change.ts";
import type { ToolContext, ToolResult } from "../ports/tool.ts";
import type { TextDiff } from "../ports/workspace.ts";
import { failureOf } from "./definition.ts";
import { type Edit, edited } from "./edits/edit.ts";
import { type FileText, fileTextOf, joined, withoutEnds } from "./edits/file-text.ts";
import { cut } from "./output.ts";
import { countRefusal, versionsOf } from "./read-versions.ts";

/** After this many refusals a model does better with the whole file. */
const refusalsToWhole = 2;
const wholeShare = 0.7;
const diffShare = 0.4;

export interface RefusedEdit {
  readonly context: ToolContext;
  readonly place: string;
  readonly state: FileState & { readonly kind: "file" };
  readonly bytes: Buffer;
  readonly textDiff: TextDiff;
  readonly resultChars: number;
}

/** @param refused the edit, and the text as it stood when its turn came */
export function refusedEdit(
  about: RefusedEdit,
  { reason, edit, file }: { readonly reason: string; readonly edit: Edit; readonly file: FileText },
): ToolResult {
  const { context, place, state } = about;
  const told = [reason, alreadyMade(file, edit), readBefore(about, edit)].filter((part) => part !== "").join(" ");
  const whole = countRefusal(context.seen, place, context.marker) < refusalsToWhole ? null : wholeText(about);
  if (whole === null) return failureOf(told);
  const asked = `${told} ${place} is small, and stands below as a whole: make your change in it and write all of it with write_file.`;
  return { ...failureOf(asked), output: whole, seen: { [place]: state } };
}

function alreadyMade(file: FileText, { fresh }: Edit): string {
  const text = withoutEnds(fresh);
  const isLong = text.trim().length > 8;
  return isLong && joined(file).includes(text) ? "new_str stands in the file already: was this edit made before?" : "";
}

/** The text may have been there when the model read it: then what changed since says it all. */
function readBefore(about: RefusedEdit, edit: Edit): string {
  const { context, place, state } = about;
  const version = versionsOf(context.seen, place).find(
    ({ digest, bytes }) => digest !== state.digest && edited(fileTextOf(bytes), edit).kind === "edited",
  );
  if (version === undefined) return "";
  return `The text was there in a version you read, and changed since:\n${cut(diffSince(about, version.bytes), about.resultChars * diffShare)}\n`;
}

function diffSince({ place, bytes, textDiff }: RefusedEdit, before: Buffer): string {
  return textDiff(place, before.toString("utf8"), bytes.toString("utf8")).trimEnd();
}

/** Only text that write_file would give back as it is: with plain line ends, and no mark. */
function wholeText({ bytes, resultChars }: RefusedEdit): string | null {
  const { encoding, mark } = fileTextOf(bytes);
  if (encoding !== "utf8" || mark !== "" || bytes.includes("\r")) return null;
  const text = bytes.toString("utf8");
  return text.length <= resultChars * wholeShare ? text : null;
}

/**
 * An edit of a file that changed since the model saw it. Where the change can be shown whole, it counts as seen.
 *
 * @param stale what is said where the version that was read is not known any more
 */
export function staleEdit(about: RefusedEdit, stale: string, edits: readonly Edit[]): ToolResult {
  const { context, place, state, resultChars } = about;
  const seen = context.seen.get(place);
  const version = versionsOf(context.seen, place).find(({ digest }) => seen?.kind === "file" && seen.digest === digest);
  if (version === undefined) return failureOf(stale);
  const diff = diffSince(about, version.bytes);
  if (diff.length > resultChars * diffShare) return failureOf(stale);
  const lost = edits.find((edit) => edited(fileTextOf(about.bytes), edit).kind === "refused");
  const wasThere = lost !== undefined && edited(fileTextOf(version.bytes), lost).kind === "edited";
  const what = wasThere
    ? "The text of old_str was there and is not now: give it as it stands now."
    : "If your edit still fits what stands there now, repeat it.";
  return {
    ...failureOf(`${place} has changed since you last saw it. Nothing was edited. ${what} What changed:\n${diff}`),
    seen: { [place]: state },
  };
}
