/**
 * What of an entry for the memory was seen. Small models copy the example of their prompt and make names up, and what stands
 * in the memory is told to later subtasks as known: so a sentence stays only if every name in it stands in the material. Pure.
 */

import type { MemoryEntry } from "../../domain/report.ts";
import { isCommonWord, namesIn } from "../../lib/words.ts";

/**
 * @param material all that the extractor was shown
 * @returns the entry with what the material bears out of it, each sentence once; null where nothing of its summary is left,
 * or where that has no word of its own in common with the material
 */
export function borneOut(entry: MemoryEntry, material: string): MemoryEntry | null {
  const shown = material.toLowerCase();
  const said = new Sentences((sentence) => namesIn(sentence).every((name) => standsIn(shown, name)));
  const summary = said.left(entry.summary);
  if (!isAbout(shown, summary)) return null;
  const detail = said.left(entry.detail);
  const known = `${shown}\n${summary}\n${detail}`.toLowerCase();
  return {
    ...entry,
    summary,
    detail,
    tags: entry.tags.filter((tag) => tag !== "" && known.includes(tag.toLowerCase())),
  };
}

/** Sentences that hold and were not said yet. */
class Sentences {
  readonly #holds: (sentence: string) => boolean;
  readonly #said: string[] = [];

  constructor(holds: (sentence: string) => boolean) {
    this.#holds = holds;
  }

  left(text: string): string {
    const lines = text.split(/\n+/).map((line) => this.#leftOfLine(line));
    return lines.filter((line) => line !== "").join("\n");
  }

  #leftOfLine(line: string): string {
    const sentences = line.split(/(?<=[.!?])\s+|(?<=[。！？])/).map((sentence) => sentence.trim());
    return sentences.filter((sentence) => this.#isNew(sentence)).join(" ");
  }

  /** The last time round, a repetition breaks off. */
  #isNew(sentence: string): boolean {
    const plain = sentence.toLowerCase();
    if (plain === "" || this.#said.some((other) => other.startsWith(plain)) || !this.#holds(sentence)) return false;
    this.#said.push(plain);
    return true;
  }
}

/** A path may be put together from a folder and a name that stand apart. */
function standsIn(shown: string, name: string): boolean {
  return shown.includes(name) || (name.includes("/") && name.split("/").every((part) => shown.includes(part)));
}

const words = new Intl.Segmenter("en", { granularity: "word" });
/** So much of a word is the same in its forms. */
const stemLength = 4;
/** Shorter ones say little by themselves. Scripts without spaces have short words. */
const lettersMin = { latin: 4, other: 2 } as const;

/** Is there a word in it that says something by itself and stands, in one form or another, in what was shown? */
function isAbout(shown: string, text: string): boolean {
  for (const { segment, isWordLike } of words.segment(text.toLowerCase())) {
    const isLong = segment.length >= lettersMin[isLatin(segment) ? "latin" : "other"];
    if (isWordLike !== true || !isLong || isCommonWord(segment)) continue;
    if (shown.includes(segment.slice(0, stemLength))) return true;
  }
  return namesIn(text).some((name) => standsIn(shown, name));
}

function isLatin(text: string): boolean {
  return /^[\p{Script=Latin}\d_.'-]+$/u.test(text);
}
