/** Edits of real code as a careful person would make them: a block of a real file, and what it becomes, line by line. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "./random.ts";

export interface Source {
  readonly name: string;
  readonly lines: readonly string[];
  /** Blanks of one level, or a tab. */
  readonly unit: string;
  readonly commentSign: string;
  readonly braces: boolean;
}

/** A line of the new block: one of the old block's, or a new one. */
export type NewLine = { readonly kept: number } | { readonly text: string };

export interface TrueEdit {
  readonly source: Source;
  /** The block: lines `[start, end)` of the source. */
  readonly start: number;
  readonly end: number;
  readonly fresh: readonly NewLine[];
}

export const isBlankLine = (line: string): boolean => line.trim() === "";
export const isAscii = (line: string): boolean => !/\P{ASCII}/u.test(line);
export const indentOf = (line: string): string => /^[ \t]*/.exec(line)?.[0] ?? "";
const identifier = /[A-Za-z_][A-Za-z0-9_]{3,}/g;

export function readSources(): readonly Source[] {
  const folder = join(import.meta.dirname, "sources");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".txt"))
    .toSorted()
    .map((file) => {
      const name = file.slice(0, -".txt".length);
      const lines = readFileSync(join(folder, file), "utf8").replace(/\n$/, "").split("\n");
      return {
        name,
        lines,
        unit: unitIn(lines),
        commentSign: commentSignOf(name),
        braces: !/\.(py|md|yml)$/.test(name),
      };
    });
}

function unitIn(lines: readonly string[]): string {
  if (lines.filter((line) => line.startsWith("\t")).length > lines.length / 5) return "\t";
  const steps = lines.slice(1).map((line, at) => indentOf(line).length - indentOf(lines[at] ?? "").length);
  const [two, four] = [2, 4].map((width) => steps.filter((step) => step === width).length);
  return (two ?? 0) > (four ?? 0) ? "  " : "    ";
}

function commentSignOf(name: string): string {
  if (/\.(py|yml)$/.test(name)) return "#";
  return name.endsWith(".md") ? "<!--" : "//";
}

export function textsOf({ source, start, end, fresh }: TrueEdit): { old: string[]; fresh: string[] } {
  const old = source.lines.slice(start, end);
  return { old, fresh: fresh.map((line) => ("kept" in line ? (old[line.kept] ?? "") : line.text)) };
}

/** Lines of the old block that do not stay. */
export function goneLines({ start, end, fresh }: TrueEdit): readonly number[] {
  const kept = new Set(fresh.flatMap((line) => ("kept" in line ? [line.kept] : [])));
  return Array.from({ length: end - start }, (_, at) => at).filter((at) => !kept.has(at));
}

/** Lines of the old block that a change touches, or stands beside. */
export function nearChanges(edit: TrueEdit): ReadonlySet<number> {
  const near = new Set(goneLines(edit).flatMap((at) => [at - 1, at, at + 1]));
  let before = -1;
  for (const [at, line] of edit.fresh.entries()) {
    if ("kept" in line) before = line.kept;
    else for (const one of [before, before + 1]) near.add(one);
    const next = edit.fresh[at + 1];
    if (!("kept" in line) && next !== undefined && "kept" in next) near.add(next.kept);
  }
  return near;
}

export interface Wanted {
  readonly lines: readonly [least: number, most: number];
  readonly kinds?: readonly EditKind[];
}

export type EditKind = "rename" | "insert" | "delete" | "replace" | "wrap";
const everyKind: readonly EditKind[] = ["rename", "rename", "insert", "delete", "replace", "wrap"];

/** @returns null where chance chose a block that cannot be edited so */
export function trueEdit(random: Random, source: Source, wanted: Wanted): TrueEdit | null {
  const length = random.between(...wanted.lines);
  const start = random.below(Math.max(source.lines.length - length, 1));
  const end = start + length;
  const old = source.lines.slice(start, end);
  if (end > source.lines.length || isBlankLine(old[0] ?? "") || isBlankLine(old.at(-1) ?? "")) return null;
  const fresh = freshOf(random, { source, old, kind: random.pick(wanted.kinds ?? everyKind) });
  if (fresh === null) return null;
  const edit = { source, start, end, fresh };
  const texts = textsOf(edit);
  return texts.old.join("\n") === texts.fresh.join("\n") ? null : edit;
}

interface Making {
  readonly source: Source;
  readonly old: readonly string[];
  readonly kind: EditKind;
}

function freshOf(random: Random, { source, old, kind }: Making): NewLine[] | null {
  const fresh: NewLine[] = old.map((_, kept) => ({ kept }));
  const at = random.below(old.length);
  const line = old[at] ?? "";
  if (isBlankLine(line)) return null;
  switch (kind) {
    case "rename": {
      const changed = withOtherWord(random, line);
      if (changed === null) return null;
      fresh[at] = { text: changed };
      return fresh;
    }
    case "insert":
      fresh.splice(at + 1, 0, ...borrowed(random, source, line));
      return fresh;
    case "delete":
      fresh.splice(at, random.between(1, Math.min(2, old.length - at)));
      return fresh.length === 0 ? null : fresh;
    case "replace":
      fresh.splice(at, random.between(1, Math.min(2, old.length - at)), ...borrowed(random, source, line));
      return fresh;
    case "wrap":
      return wrapped(random, { source, old }, at);
    default:
      return null;
  }
}

/** Another name, number or word in one place of the line. */
export function withOtherWord(random: Random, line: string): string | null {
  const words = [...line.matchAll(identifier)];
  if (words.length === 0) return null;
  const word = random.pick(words);
  const other = `${word[0]}${random.pick(["Next", "Two", "_value", "Other", "X"])}`;
  return `${line.slice(0, word.index)}${other}${line.slice(word.index + word[0].length)}`;
}

/** Real lines from elsewhere in the file, indented as the line they come to stand beside. */
function borrowed(random: Random, source: Source, beside: string): NewLine[] {
  const count = random.between(1, 3);
  const from = random.below(Math.max(source.lines.length - count, 1));
  const lines = source.lines
    .slice(from, from + count)
    .filter((line) => !isBlankLine(line) && !/\S(?: {2,}|\t)/.test(line));
  const least = lines.reduce(
    (indent, line) => (indentOf(line).length < indent.length ? indentOf(line) : indent),
    indentOf(lines[0] ?? ""),
  );
  return lines
    .filter((line) => line.startsWith(least) && line.length - least.length > 0)
    .filter((line) => isWhole(indentOf(line).slice(least.length), source.unit))
    .map((line) => ({ text: indentOf(beside) + line.slice(least.length).trimEnd() }));
}

const isWhole = (indent: string, unit: string): boolean => indent.replaceAll(unit, "") === "";

function wrapped(random: Random, { source, old }: Pick<Making, "source" | "old">, at: number): NewLine[] | null {
  const end = Math.min(old.length, at + random.between(1, 4));
  const lines = old.slice(at, end);
  const outer = indentOf(lines[0] ?? "");
  if (lines.some((line) => !isBlankLine(line) && !line.startsWith(outer))) return null;
  const [open, close] = source.braces ? ["if (enabled) {", "}"] : ["if enabled:", null];
  return [
    ...old.slice(0, at).map((_, kept) => ({ kept })),
    { text: outer + open },
    ...lines.map((line, nth): NewLine => (isBlankLine(line) ? { kept: at + nth } : { text: source.unit + line })),
    ...(close === null ? [] : [{ text: outer + close }]),
    ...old.slice(end).map((_, nth) => ({ kept: end + nth })),
  ];
}

/** The source with the block as the true edit has it. */
export function rightText(edit: TrueEdit, end = "\n"): string {
  return rightLines(edit)
    .map((line) => line + end)
    .join("");
}

export function rightLines({ source, start, end, ...edit }: TrueEdit): string[] {
  const { fresh } = textsOf({ source, start, end, ...edit });
  return [...source.lines.slice(0, start), ...fresh, ...source.lines.slice(end)];
}
