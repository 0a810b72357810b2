/** The exact text, spliced literally. Lines that are in the old and the new text keep the ends they have in the file. */
import { type FileText, type LineEnd, withLines } from "./file-text.ts";
import { sharedLines } from "./line-difference.ts";

/** Where a text stands, also where two places overlap. */
export function exactPlaces(text: string, wanted: string): readonly number[] {
  const places: number[] = [];
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) places.push(at);
  return places;
}

/** @returns the line, from 1, that each place is on; places ascend */
export function lineNumbers(text: string, places: readonly number[]): readonly number[] {
  let [line, next] = [1, text.indexOf("\n")];
  return places.map((place) => {
    while (next !== -1 && next < place) {
      line += 1;
      next = text.indexOf("\n", next + 1);
    }
    return line;
  });
}

interface ExactEdit {
  readonly old: string;
  readonly fresh: string;
  readonly places: readonly number[];
}

/** @param text the file as `joined` gives it; `places` are where `old` stands in it, ascending; those that overlap one before are left */
export function exactlyEdited(file: FileText, text: string, { old, fresh, places }: ExactEdit): FileText {
  const parts: string[] = [];
  const ends: (LineEnd | "")[] = [];
  const origins = endOrigins(old, fresh);
  let [done, line] = [0, 0];
  const keepUntil = (place: number) => {
    for (let at = text.indexOf("\n", done); at !== -1 && at < place; at = text.indexOf("\n", at + 1)) {
      ends.push(file.ends[line] ?? "");
      line += 1;
    }
    parts.push(text.slice(done, place));
    done = place;
  };
  for (const place of places) {
    if (place < done) continue;
    keepUntil(place);
    parts.push(fresh);
    ends.push(...origins.fresh.map((origin) => (origin === -1 ? file.usualEnd : (file.ends[line + origin] ?? ""))));
    line += origins.lines;
    done = place + old.length;
  }
  keepUntil(text.length);
  const edited = parts.join("");
  return withLines(file, { ...linesAndEnds(edited, ends), isEnded: isEndedNow(file, { old, fresh, edited }) });
}

/** For each line end of the new text the one of the old text that it is, or -1. */
function endOrigins(old: string, fresh: string): { readonly lines: number; readonly fresh: readonly number[] } {
  const [lines, freshLines] = [old.split("\n"), fresh.split("\n")];
  const origins: number[] = Array.from({ length: freshLines.length - 1 }, () => -1);
  for (const [left, right] of sharedLines(lines, freshLines))
    if (right < origins.length && left < lines.length - 1) origins[right] = left;
  return { lines: lines.length - 1, fresh: origins };
}

function linesAndEnds(text: string, ends: readonly (LineEnd | "")[]) {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return { lines, ends };
}

/** The final newline stays as it was, unless it is all that the edit is about. */
function isEndedNow(file: FileText, { old, fresh, edited }: { old: string; fresh: string; edited: string }): boolean {
  const isAboutIt = fresh === `${old}\n` || old === `${fresh}\n`;
  return isAboutIt ? edited.endsWith("\n") : file.ends.at(-1) !== "";
}
