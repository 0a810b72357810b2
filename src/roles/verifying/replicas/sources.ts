/**
 * Whether what was written comes from the job and from what stood there. What a small model adds of its own it mostly adds in
 * every play alike: the value of an example, the path of the file as its contents. Pure.
 */

import { wordsOf } from "../../../lib/words.ts";
import type { Files } from "./copied-files.ts";
import { inLetters, type PlayOutcome } from "./outcome.ts";

/** @param before the files of the workspace */
export function comesFromTheJob(job: string, { changes }: Pick<PlayOutcome, "changes">, before: Files): boolean {
  const own = new Set([...changes.keys()].flatMap((path) => [path, path.split("/").at(-1) ?? path]).flatMap(wordsOf));
  const sources = new Set([
    ...wordsOf(job).filter((word) => !own.has(word)),
    ...[...before.values()].flatMap((bytes) => wordsOf(Buffer.from(bytes).toString("utf8"))),
  ]);
  return [...changes.values()].every(
    (text) => text === null || wordsOf(inLetters(text)).every((word) => sources.has(word)),
  );
}
