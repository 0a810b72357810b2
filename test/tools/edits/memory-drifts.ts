/** Drifts of memory that leave one right place: lines forgotten, made up or told in other words, where no change rests on them. */
import { declaredName } from "../../../src/tools/edits/likeness.ts";
import type { Drift, Drifted } from "./drift.ts";
import type { Random } from "./random.ts";
import { goneLines, indentOf, isAscii, isBlankLine, type TrueEdit, textsOf } from "./true-edits.ts";
import {
  filled,
  type LineDrift,
  misremembered,
  quietBlanks,
  quietLines,
  reworded,
  seenAs,
  type View,
  withInvented,
  without,
} from "./views.ts";

const plain: LineDrift = (line) => line;
const joined = ({ old, fresh }: View): Drifted => ({
  old: `${old.join("\n")}\n`,
  fresh: fresh.map((line) => `${line}\n`).join(""),
});

/** A quiet line of the block, said otherwise; null where there is none, or where it says what the block is. */
function otherLine(random: Random, edit: TrueEdit, quiet = quietLines(edit)): { at: number; line: string } | null {
  const { old } = textsOf(edit);
  const choices = quiet.filter((at) => declaredName((old[at] ?? "").trim()) === null);
  if (choices.length === 0) return null;
  const at = random.pick(choices);
  const line = misremembered(random, old[at] ?? "");
  return line === null ? null : { at, line };
}

function oneMisremembered(random: Random, edit: TrueEdit, drift: LineDrift = plain): Drifted | null {
  const other = otherLine(random, edit);
  if (other === null || usesNamesOf(edit, other)) return null;
  const { at, line } = other;
  return joined(seenAs(edit, (text, place) => drift(place === at ? line : text, place)));
}

/** New lines that use a name which only the wrong line has cannot be trusted. */
function usesNamesOf(edit: TrueEdit, { line }: { line: string }): boolean {
  const { old } = textsOf(edit);
  const names = (text: string): string[] => text.match(/\w+/g) ?? [];
  const known = new Set(old.flatMap(names));
  const made = names(line).filter((name) => !known.has(name));
  return edit.fresh.some((one) => "text" in one && names(one.text).some((name) => made.includes(name)));
}

function forgotten(random: Random, edit: TrueEdit, count: number, drift: LineDrift = plain): Drifted | null {
  const inner = quietLines(edit).filter((at) => at > 0 && at < edit.end - edit.start - 1 && !isRepeated(edit, at));
  if (inner.length < count) return null;
  const left = new Set<number>();
  while (left.size < count) left.add(random.pick(inner));
  const view = without(edit, seenAs(edit, drift), left);
  const filledLines = filled(view.old).length;
  return filledLines < 4 || count > Math.max(1, Math.floor(filledLines / 5)) ? null : joined(view);
}

/** A line like one beside it is not missed. */
function isRepeated(edit: TrueEdit, at: number): boolean {
  const { old } = textsOf(edit);
  const text = old[at]?.trim();
  return [...filled(old.slice(0, at)).slice(-1), ...filled(old.slice(at + 1)).slice(0, 1)].some(
    (line) => line.trim() === text,
  );
}

function invented(random: Random, edit: TrueEdit, drift: LineDrift = plain): Drifted | null {
  const quiet = quietLines(edit).filter((at) => at < edit.end - edit.start - 1 && quietLines(edit).includes(at + 1));
  const { old } = textsOf(edit);
  if (quiet.length === 0) return null;
  const behind = random.pick(quiet);
  const line = `${indentOf(old[behind] ?? "")}${random.pick(["checkInvariants(state);", "logger.debug(entry)", "counter += step", "validate(config)"])}`;
  return joined(withInvented(edit, seenAs(edit, drift), { behind, line: drift(line, -1) }));
}

function comments(random: Random, edit: TrueEdit, drift: LineDrift = plain): Drifted | null {
  const { old } = textsOf(edit);
  const lines = old.flatMap((line, at) =>
    goneLines(edit).includes(at) || !/^\s*(\/\/|#|\*|--)\s/.test(line) ? [] : [at],
  );
  const allowed = Math.floor(filled(old).length / 4);
  const code = filled(old).filter((line) => !/^\s*(\/\/|#|\*|\/\*|--)/.test(line)).length;
  if (lines.length === 0 || allowed === 0 || code < 2) return null;
  const others = new Map<number, string>();
  for (const at of lines.slice(0, allowed)) {
    const line = reworded(random, old[at] ?? "");
    if (line !== null && line !== old[at]) others.set(at, line);
  }
  return others.size === 0 ? null : joined(seenAs(edit, (line, at) => drift(others.get(at) ?? line, at)));
}

const trailing: LineDrift = (line) => `${line} `;
const deeper =
  (unit: string): LineDrift =>
  (line) =>
    isBlankLine(line) ? line : unit + line;
const isWhole = (edit: TrueEdit): boolean =>
  filled([...textsOf(edit).old, ...textsOf(edit).fresh]).every(
    (line) => indentOf(line).replaceAll(edit.source.unit, "") === "",
  );

/** Blanks, tabs and signs at once, as far as each leaves one reading. */
function several(random: Random, edit: TrueEdit): LineDrift | null {
  const { old, fresh } = textsOf(edit);
  if ([...old, ...fresh].some((line) => !isAscii(line) || /\S(?: {2,}|\t)\S/.test(line)) || !isWhole(edit)) return null;
  // What only new lines would show has nothing to be known by.
  const showsIndent = quietLines(edit).filter((at) => indentOf(old[at] ?? "") !== "").length > 2;
  if (!showsIndent) return null;
  const showsApostrophe = quietLines(edit).filter((at) => old[at]?.includes("'")).length > 2;
  const parts: LineDrift[] = [
    trailing,
    random.chance(0.5)
      ? deeper(edit.source.unit)
      : (line) =>
          indentOf(line).replaceAll(edit.source.unit, edit.source.unit === "\t" ? "    " : "\t") +
          line.slice(indentOf(line).length),
    showsApostrophe ? (line) => line.replaceAll("'", "\u2019") : plain,
  ];
  return (line, at) => parts.reduce((text, part) => part(text, at), line);
}

export const memoryDrifts: readonly Drift[] = [
  {
    operator: "blank lines forgotten",
    lines: [6, 24],
    make: (_, edit) => {
      const left = new Set(quietBlanks(edit));
      return left.size === 0 ? null : joined(without(edit, seenAs(edit, plain), left));
    },
  },
  {
    operator: "blank lines added",
    lines: [6, 24],
    make: (random, edit) => {
      const quiet = quietLines(edit).filter((at) => at < edit.end - edit.start - 1);
      if (quiet.length === 0) return null;
      return joined(withInvented(edit, seenAs(edit, plain), { behind: random.pick(quiet), line: "" }));
    },
  },
  {
    operator: "a line forgotten",
    lines: [6, 24],
    needsDistance: true,
    make: (random, edit) => forgotten(random, edit, 1),
  },
  {
    operator: "lines forgotten",
    lines: [16, 40],
    needsDistance: true,
    make: (random, edit) => forgotten(random, edit, random.between(2, 3)),
  },
  { operator: "comments in other words", lines: [6, 24], make: (random, edit) => comments(random, edit) },
  {
    operator: "a kept line misremembered",
    lines: [5, 24],
    needsDistance: true,
    make: (random, edit) => oneMisremembered(random, edit),
  },
  { operator: "a line invented", lines: [5, 24], needsDistance: true, make: (random, edit) => invented(random, edit) },
  {
    operator: "blanks, indentation and signs at once",
    make: (random, edit) => {
      const drift = several(random, edit);
      return drift && joined(seenAs(edit, drift));
    },
  },
  {
    operator: "misremembered, blanks and indentation",
    lines: [6, 24],
    needsDistance: true,
    make: (random, edit) => {
      const drift = several(random, edit);
      return drift && oneMisremembered(random, edit, drift);
    },
  },
  {
    operator: "invented, blanks and indentation",
    lines: [6, 24],
    needsDistance: true,
    make: (random, edit) => {
      const drift = several(random, edit);
      return drift && invented(random, edit, drift);
    },
  },
  {
    operator: "forgotten, blanks and indentation",
    lines: [6, 24],
    needsDistance: true,
    make: (random, edit) => {
      const drift = several(random, edit);
      return drift && forgotten(random, edit, 1, drift);
    },
  },
  {
    operator: "comments, blanks and indentation",
    lines: [6, 24],
    needsDistance: true,
    make: (random, edit) => {
      const drift = several(random, edit);
      return drift && comments(random, edit, drift);
    },
  },
  {
    operator: "misremembered and forgotten",
    lines: [14, 30],
    needsDistance: true,
    make: (random, edit) => {
      const quiet = quietLines(edit).filter((at) => at > 0 && at < edit.end - edit.start - 1);
      const other = otherLine(random, edit, quiet);
      const far = quiet.filter((at) => other !== null && Math.abs(at - other.at) > 1);
      if (other === null || far.length === 0 || usesNamesOf(edit, other)) return null;
      const left = new Set([random.pick(far)]);
      return joined(
        without(
          edit,
          seenAs(edit, (line, at) => (at === other.at ? other.line : line)),
          left,
        ),
      );
    },
  },
];
