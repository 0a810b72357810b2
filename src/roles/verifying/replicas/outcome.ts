/**
 * What came of a play of a job, so that two plays can be compared: what stands in the files that it changed, and which facts
 * its words take from what was read. How it got there, and how it says so, does not count. Pure.
 */
import { distinctWords, wordsOf } from "../../../lib/words.ts";

export interface PlayOutcome {
  /** Path → what stands there now, null where nothing does; paths that ended as they began are left out. */
  readonly changes: ReadonlyMap<string, string | null>;
  /** Words of the last text that were read and do not stand in the job. */
  readonly facts: ReadonlySet<string>;
}

export interface Played {
  readonly before: ReadonlyMap<string, Uint8Array>;
  readonly after: ReadonlyMap<string, Uint8Array>;
  /** The last text. */
  readonly said: string;
  /** What tools gave. */
  readonly shown: readonly string[];
}

export function outcomeOf(job: string, { before, after, said, shown }: Played): PlayOutcome {
  const paths = new Set([...before.keys(), ...after.keys()]);
  const changes = new Map<string, string | null>();
  for (const path of paths) {
    const [was, is] = [textOf(before.get(path)), textOf(after.get(path))];
    if (was !== is) changes.set(path, is);
  }
  return { changes, facts: factsOf(job, said, shown) };
}

/** How many line ends a file ends in is nobody's intent. Bytes as characters: what is no text is compared all the same. */
export function textOf(bytes: Uint8Array | undefined): string | null {
  if (bytes === undefined) return null;
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === lineFeed || bytes[end - 1] === carriageReturn)) end -= 1;
  return Buffer.from(bytes.subarray(0, end)).toString("latin1");
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

function factsOf(job: string, said: string, shown: readonly string[]): ReadonlySet<string> {
  const asked = new Set(wordsOf(job));
  const read = new Set(shown.flatMap(wordsOf));
  return new Set([...distinctWords(said)].filter((word) => read.has(word) && !asked.has(word)));
}

/** Two plays that did nothing and found nothing are no proof of anything. */
export function isTelling({ changes, facts }: PlayOutcome): boolean {
  return changes.size > 0 || facts.size > 0;
}

export function isSame(one: PlayOutcome, other: PlayOutcome): boolean {
  if (one.changes.size !== other.changes.size) return false;
  for (const [path, text] of one.changes)
    if (!other.changes.has(path) || other.changes.get(path) !== text) return false;
  // What was changed tells; only where nothing was do the words.
  return one.changes.size > 0 || sameWords(one.facts, other.facts);
}

function sameWords(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((word) => other.has(word));
}

const told = 600;

/** What a play did, for whoever did otherwise. */
export function tellOutcome({ changes, facts }: PlayOutcome): string {
  if (changes.size === 0) return `changed nothing, and said of what was read: ${[...facts].join(", ").slice(0, told)}`;
  return [...changes]
    .map(([path, text]) =>
      text === null ? `${path} was gone` : `${path} held ${JSON.stringify(inLetters(text).slice(0, told))}`,
    )
    .join("; ");
}

/** A changed file as text. */
export function inLetters(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
