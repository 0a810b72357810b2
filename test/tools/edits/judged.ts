/** What became of one case of the corpus. */
import { edited } from "../../../src/tools/edits/edit.ts";
import { bytesOf, fileTextOf } from "../../../src/tools/edits/file-text.ts";
import type { EditCase } from "./corpus.ts";

export type Judgement = "right" | "wrong" | "refusedRightly" | "refusedWrongly";

export function judged(one: EditCase): Judgement {
  const outcome = edited(fileTextOf(one.file), { old: one.old, fresh: one.fresh, replaceAll: one.replaceAll });
  if (outcome.kind === "refused") return one.right === null ? "refusedRightly" : "refusedWrongly";
  const after = outcome.kind === "edited" ? bytesOf(outcome.file) : one.file;
  return one.right !== null && after.equals(one.right) ? "right" : "wrong";
}
