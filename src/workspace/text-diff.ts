/** The unified diff of two texts, as git writes its hunks; bounded in time, because an agent's diff must never hang a server. */
import { formatPatch, OMIT_HEADERS, structuredPatch } from "diff";
import type { TextDiff } from "../ports/workspace.ts";

const diffMsMax = 500;
const contextLines = 3;

export const textDiff: TextDiff = (path, before, after) => {
  const hunks = hunksOf(before, after);
  return hunks === "" ? "" : `--- a/${path}\n+++ b/${path}\n${hunks}`;
};

/** @returns the hunks without file headers; one that replaces everything where a closer look takes too long */
export function hunksOf(before: string, after: string): string {
  if (before === after) return "";
  const patch = structuredPatch("a", "b", before, after, undefined, undefined, {
    context: contextLines,
    timeout: diffMsMax,
  });
  return formatPatch(patch ?? wholeReplaced(before, after), OMIT_HEADERS);
}

function wholeReplaced(before: string, after: string): ReturnType<typeof structuredPatch> {
  const [old, fresh] = [linesOf(before), linesOf(after)];
  const lines = [...marked("-", old), ...marked("+", fresh)];
  const hunk = { oldStart: 1, oldLines: old.count, newStart: 1, newLines: fresh.count, lines };
  return { oldFileName: "a", newFileName: "b", oldHeader: undefined, newHeader: undefined, hunks: [hunk] };
}

interface Lines {
  readonly lines: readonly string[];
  readonly count: number;
  readonly endsOpen: boolean;
}

function linesOf(text: string): Lines {
  const endsOpen = text !== "" && !text.endsWith("\n");
  const lines = text === "" ? [] : (endsOpen ? text : text.slice(0, -1)).split("\n");
  return { lines, count: lines.length, endsOpen };
}

function marked(sign: string, { lines, endsOpen }: Lines): string[] {
  return [...lines.map((line) => `${sign}${line}`), ...(endsOpen ? ["\\ No newline at end of file"] : [])];
}
