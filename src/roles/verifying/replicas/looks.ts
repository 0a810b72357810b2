/**
 * Whether work that changed nothing looked where its job points, and tells what it saw there. All plays of a small model may
 * look in the same wrong place, read the same wrong line and leave out the same name: that they agree is no proof of it. Pure.
 */

import { distinctWords, wordsOf } from "../../../lib/words.ts";
import type { PastAttempt } from "../../records.ts";
import type { Files } from "./copied-files.ts";

type Looks = Pick<PastAttempt, "calls" | "finalText">;

interface Look {
  readonly tool: string;
  /** Places that it looked at, relative to the workspace. */
  readonly places: readonly string[];
  readonly output: string;
}

/** @param before the files of the workspace */
export function saysWhatWasAsked(job: string, attempt: Looks, before: Files): boolean {
  const looks = looksOf(attempt);
  return (
    looksWhereAsked(job, looks, before) &&
    tellsListings(looks, attempt.finalText) &&
    isOfLikeliestLine(job, looks, attempt.finalText)
  );
}

function looksOf({ calls }: Looks): readonly Look[] {
  return calls.flatMap(({ record, arguments: args }): Look[] => {
    if (!record.success) return [];
    const path = typeof args === "string" ? undefined : args["path"];
    const places = [...(typeof path === "string" ? [plainPath(path)] : []), ...Object.keys(record.seen ?? {})];
    return [
      {
        tool: record.tool,
        places: record.tool === "list_directory" && places.length === 0 ? ["."] : places,
        output: record.output,
      },
    ];
  });
}

/** Every path that the job names was looked at, and no file was that neither the job nor an earlier look had named. */
function looksWhereAsked(job: string, looks: readonly Look[], before: Files): boolean {
  const named = pathsNamed(job, before);
  const looked = new Set(looks.flatMap(({ places }) => places));
  if (!named.every((path) => looked.has(path))) return false;
  return looks.every(({ places }, index) =>
    places.every((place) => {
      const name = place.split("/").at(-1) ?? place;
      return (
        !before.has(place) ||
        named.includes(place) ||
        looks.slice(0, index).some(({ output }) => output.split(/[\s/:]+/).includes(name))
      );
    }),
  );
}

/** Files and folders that stand there, as far as the job names them. */
function pathsNamed(job: string, before: Files): readonly string[] {
  const folders = [...before.keys()].flatMap((path) => {
    const parts = path.split("/").slice(0, -1);
    return parts.map((_part, index) => parts.slice(0, index + 1).join("/"));
  });
  const standing = new Set([...before.keys(), ...folders]);
  const words = job
    .split(/\s+/)
    .flatMap((word) => [word, word.replace(/^["'`(]+/, "").replace(/[\])"'`.,;:?!]+$/, "")]);
  return [...new Set(words.map(plainPath))].filter((word) => standing.has(word));
}

function plainPath(path: string): string {
  return path.replace(/^\.\//, "").replace(/\/$/, "");
}

function tellsListings(looks: readonly Look[], said: string): boolean {
  return looks
    .filter(({ tool }) => tool === "list_directory")
    .flatMap(({ output }) => output.split("\n").map((line) => line.trim().replace(/\/$/, "")))
    .every((name) => said.includes(name));
}

/** Where some line of what was read has more words of the job than others, what is said must stand in one of those. */
function isOfLikeliestLine(job: string, looks: readonly Look[], said: string): boolean {
  const asked = distinctWords(job);
  const told = new Set(wordsOf(said));
  const lines = looks.flatMap(({ output }) => output.split("\n").map(wordsOf));
  const shared = (line: readonly string[]): number => new Set(line.filter((word) => asked.has(word))).size;
  const most = Math.max(0, ...lines.map(shared));
  if (most === 0) return true;
  return lines.some((line) => shared(line) === most && line.some((word) => told.has(word) && !asked.has(word)));
}
