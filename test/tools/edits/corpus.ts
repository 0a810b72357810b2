/** Cases of edits that drifted, made from real code by a seed: each knows the only right result, or that there is none. */
import type { Drift } from "./drift.ts";
import { drifts } from "./drifts.ts";
import { Random } from "./random.ts";
import { readSources, rightText, type Source, type TrueEdit, textsOf, trueEdit } from "./true-edits.ts";
import { filled } from "./views.ts";

export interface EditCase {
  readonly operator: string;
  readonly source: string;
  readonly file: Buffer;
  readonly old: string;
  readonly fresh: string;
  readonly replaceAll: boolean;
  /** The file as it must be after the edit; null where the edit must be refused. */
  readonly right: Buffer | null;
}

const triesMax = 4000;
const likeElsewhere = 0.6;

export function* corpus(seed: number, casesEach: number): Iterable<EditCase> {
  const sources = readSources();
  for (const [nth, drift] of drifts.entries()) {
    const random = new Random(seed * 1009 + nth);
    let made = 0;
    for (let tries = 0; made < casesEach && tries < triesMax; tries += 1) {
      const one = caseOf(random, random.pick(sources), drift);
      if (one === null) continue;
      made += 1;
      yield one;
    }
    if (made < casesEach) throw new Error(`${drift.operator}: ${made} cases of ${casesEach}`);
  }
}

function caseOf(random: Random, source: Source, drift: Drift): EditCase | null {
  const edit = trueEdit(random, source, {
    lines: drift.lines ?? [4, 20],
    ...(drift.kinds === undefined ? {} : { kinds: drift.kinds }),
  });
  if (edit === null || !isOnePlace(edit, drift.needsDistance === true)) return null;
  const made = drift.make(random, edit);
  if (made === null) return null;
  const { old, fresh, file = source.lines.map((line) => `${line}\n`).join(""), replaceAll = false } = made;
  if (old === fresh || old.trim() === "") return null;
  const right = made.right === undefined ? rightText(edit) : made.right;
  const isPlain = typeof file === "string";
  return {
    operator: drift.operator,
    source: source.name,
    file: isPlain ? Buffer.from(file) : file,
    old,
    fresh,
    replaceAll,
    right: right === null ? null : typeof right === "string" ? Buffer.from(right) : right,
  };
}

const bare = (line: string): string => line.replaceAll(/[^\p{L}\p{N}]+/gu, " ").trim();

/** Whether a careful person would find the block here and nowhere else, whatever blanks and signs they overlook. */
function isOnePlace(edit: TrueEdit, needsDistance: boolean): boolean {
  const block = filled(textsOf(edit).old).map((line) => bare(line) || line.trim());
  if (block.join("").replaceAll(" ", "").length < 8) return false;
  const lines = bareLines(edit.source);
  const file = [...lines.slice(0, edit.start), "\0", ...lines.slice(edit.end)].filter((line) => line !== "");
  const most = mostInCommon(file, block);
  return most < block.length * (needsDistance ? likeElsewhere : 1);
}

const known = new WeakMap<Source, readonly string[]>();

/** A line of signs alone is told by them. */
function bareLines(source: Source): readonly string[] {
  const lines = known.get(source) ?? source.lines.map((line) => bare(line) || line.trim());
  known.set(source, lines);
  return lines;
}

/** Lines of the block that a stretch of the file has, a quarter longer than the block, in whatever order. */
function mostInCommon(file: readonly string[], block: readonly string[]): number {
  const wanted = new Map<string, number>();
  for (const line of block) wanted.set(line, (wanted.get(line) ?? 0) + 1);
  const length = Math.ceil(block.length * 1.25);
  const inside = new Map<string, number>();
  let [common, most] = [0, 0];
  const count = (line: string | undefined, by: 1 | -1) => {
    const limit = wanted.get(line ?? "\0\0");
    if (line === undefined || limit === undefined) return;
    const before = inside.get(line) ?? 0;
    inside.set(line, before + by);
    common += Math.min(before + by, limit) - Math.min(before, limit);
  };
  for (let at = 0; at < file.length; at += 1) {
    count(file[at], 1);
    if (at >= length) count(file[at - length], -1);
    most = Math.max(most, common);
  }
  return most;
}
