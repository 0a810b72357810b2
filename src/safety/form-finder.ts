/**
 * Finds forms in text, all of them in one pass: the first three characters of every form are known, and nearly no place in
 * ordinary text begins with any of them, so that what it costs hardly grows with the number of secrets.
 */
import type { Form } from "./secret-forms.ts";

export interface Found {
  readonly start: number;
  /** Null: the text ends before it is known whether a form stands here. */
  readonly end: number | null;
}

const headLength = 3;
/** A quarter of a megabyte: few heads share a bucket, and it stays near the processor. */
const bucketCount = 1 << 18;
const none = -1;
/** The text ended while the form still fitted. */
const cut = -2;

export class FormFinder {
  readonly #buckets = new Uint8Array(bucketCount);
  readonly #byHead = new Map<string, Form[]>();
  /** The first one or two characters of any form. */
  readonly #beginnings = new Set<string>();

  constructor(forms: readonly Form[]) {
    for (const form of forms) for (const head of headsOf(form)) this.#know(head, form);
  }

  /**
   * The first place at or behind `from` where a form stands, the longest of those that do.
   *
   * @param isWhole no more text will follow: what is cut short is no form
   */
  next(text: string, from: number, isWhole: boolean): Found | null {
    const last = text.length - headLength;
    for (let at = from; at <= last; at += 1) {
      if (this.#buckets[bucketAt(text, at)] === 0) continue;
      const end = this.#endAt(text, at, isWhole);
      if (end !== none) return { start: at, end: end === cut ? null : end };
    }
    if (isWhole) return null;
    for (let at = Math.max(from, last + 1); at < text.length; at += 1)
      if (this.#beginnings.has(text.slice(at))) return { start: at, end: null };
    return null;
  }

  #know(head: string, form: Form): void {
    this.#buckets[bucketAt(head, 0)] = 1;
    this.#byHead.set(head, [...(this.#byHead.get(head) ?? []), form]);
    for (let length = 1; length < headLength; length += 1) this.#beginnings.add(head.slice(0, length));
  }

  #endAt(text: string, at: number, isWhole: boolean): number {
    const forms = this.#byHead.get(text.slice(at, at + headLength)) ?? [];
    let longest = none;
    for (const form of forms) {
      const end = endOf({ form, text, isWhole, known: new Map() }, { unit: 0, at });
      if (end === cut) return cut;
      longest = Math.max(longest, end);
    }
    return longest;
  }
}

interface Match {
  readonly form: Form;
  readonly text: string;
  readonly isWhole: boolean;
  /** What came of the branches so far, so that none is followed twice: rows of backslashes would take for ever. */
  readonly known: Map<string, number>;
}

/** @returns where the form that is followed from `unit` on ends; `cut`; `none` */
function endOf(match: Match, from: { readonly unit: number; readonly at: number }): number {
  const { units } = match.form;
  let { at } = from;
  for (let { unit } = from; unit < units.length; unit += 1) {
    const ways = waysOf(match, unit, at);
    const [way = none, other] = ways;
    // An escape may begin like what it escapes: both are followed.
    if (other !== undefined) return best(ways.map((end) => branch(match, { unit: unit + 1, at: end })));
    if (way < 0) return way;
    at = way;
  }
  return at;
}

function branch(match: Match, from: { readonly unit: number; readonly at: number }): number {
  if (from.at < 0) return from.at;
  const place = `${from.unit} ${from.at}`;
  const end = match.known.get(place) ?? endOf(match, from);
  match.known.set(place, end);
  return end;
}

function best(ends: readonly number[]): number {
  return ends.includes(cut) ? cut : Math.max(...ends);
}

/** Where the next unit may end that begins at `at`, with or without glue before it. */
function waysOf({ form, text, isWhole }: Match, unit: number, at: number): number[] {
  const spellings = form.units[unit] ?? [];
  const starts = unit === 0 ? [at] : [at, ...form.glue.flatMap((glue) => placesBehind(text, glue, at))];
  const ends = starts.flatMap((start) =>
    start === cut ? [cut] : spellings.flatMap((spelling) => placesBehind(text, spelling, start)),
  );
  return isWhole ? ends.filter((end) => end !== cut) : [...new Set(ends)];
}

/** @returns where `piece` ends that stands at `at`, `cut` where the text ends within it, nothing where it does not stand */
function placesBehind(text: string, piece: string, at: number): number[] {
  if (text.startsWith(piece, at)) return [at + piece.length];
  return text.length - at < piece.length && piece.startsWith(text.slice(at)) ? [cut] : [];
}

/** Every way in which the first three characters of a form can be written. */
function headsOf({ units, glue }: Form): ReadonlySet<string> {
  let open = new Set([""]);
  const heads = new Set<string>();
  for (const [index, spellings] of units.entries()) {
    const pieces =
      index === 0 ? spellings : [...spellings, ...glue.flatMap((each) => spellings.map((spelt) => each + spelt))];
    const longer = [...open].flatMap((head) => pieces.map((piece) => (head + piece).slice(0, headLength)));
    for (const head of longer) if (head.length === headLength) heads.add(head);
    open = new Set(longer.filter((head) => head.length < headLength));
    if (open.size === 0) break;
  }
  return heads;
}

function bucketAt(text: string, at: number): number {
  return (text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 6) ^ (text.charCodeAt(at + 2) << 11)) & (bucketCount - 1);
}
