/** When lines of context may differ from the file: what a change rests on must be there, and nothing it names be made up. */

import type { Placed } from "./fresh-lines.ts";
import { commentMark, declaredName } from "./likeness.ts";
import { namesIn } from "./normalised-lines.ts";
import type { Refusal } from "./refusals.ts";

/** @returns why this edit cannot rest on its context, or null */
export function contextBreach(placed: Placed): Refusal | null {
  const { block, alignment, script } = placed;
  const drifted = block.at.filter((line) => alignment.fits[line] !== "equal");
  if (drifted.length === 0) return null;
  // Where only comments differ, every line has its place all the same.
  const onlyComments = drifted.every((line) => alignment.fits[line] === "comment");
  const declared = drifted.find((line) => isOther(placed, line));
  if (declared !== undefined) return differs(placed, declared);
  for (const change of script.changes) {
    const lost = drifted.find((line) => line >= change.from && line < change.to);
    if (lost !== undefined) return differs(placed, lost);
    if (onlyComments) continue;
    const beside = [lastBefore(block.at, change.from), block.at.find((line) => line >= change.to)];
    if (beside.every((line) => line === undefined || alignment.fits[line] !== "equal"))
      return differs(placed, beside.find((line) => line !== undefined) ?? 0);
  }
  const invented = inventedName(placed, drifted);
  return invented === null ? null : { kind: "name", name: invented };
}

function lastBefore(lines: readonly number[], end: number): number | undefined {
  return lines.findLast((line) => line < end);
}

function isOther({ index, block, alignment }: Placed, line: number): boolean {
  const text = block.lines[line] ?? "";
  const name = commentMark(text.trim()) === null ? declaredName(text.trim()) : null;
  const place = alignment.places[line] ?? -1;
  return name !== null && (place === -1 || declaredName((index.file.lines[place] ?? "").trim()) !== name);
}

function differs({ index, block, alignment }: Placed, line: number): Refusal {
  const place = alignment.places[line] ?? -1;
  return {
    kind: "differs",
    text: block.lines[line] ?? "",
    ...(place === -1 ? {} : { line: place + 1, found: index.file.lines[place] ?? "" }),
  };
}

/** Names of a line that code elsewhere may use; of a comment's words those that look like names. */
function usableNames(line: string): Iterable<string> {
  const names = [...namesIn(line)].filter((name) => name.length > 1);
  return commentMark(line.trim()) === null
    ? names
    : names.filter((name) => /[\d_$]|\p{Ll}\p{Lu}|\p{Lu}{2}\p{Ll}/u.test(name));
}

/** A name that new lines use and only lines that are remembered wrong have. */
function inventedName({ index, block, fresh, alignment, script }: Placed, drifted: readonly number[]): string | null {
  const stretch = index.file.lines.slice(alignment.start, alignment.end);
  const known = new Set(stretch.flatMap((line) => [...namesIn(line)]));
  const remembered = drifted.flatMap((line) => [...usableNames(block.lines[line] ?? "")]);
  const unknown = new Set(remembered.filter((name) => !known.has(name)));
  if (unknown.size === 0) return null;
  const lines = script.changes.flatMap(({ freshFrom, freshTo }) => fresh.slice(freshFrom, freshTo));
  return lines.flatMap((line) => [...namesIn(line)]).find((name) => unknown.has(name)) ?? null;
}
