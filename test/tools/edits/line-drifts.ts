/** Drifts that take nothing away and add nothing: blanks, tabs, indentation, line ends, marks, signs, escapes. */
import type { Drift, Drifted } from "./drift.ts";
import type { Random } from "./random.ts";
import {
  goneLines,
  indentOf,
  isAscii,
  isBlankLine,
  rightLines,
  rightText,
  type TrueEdit,
  textsOf,
} from "./true-edits.ts";
import { filled, type LineDrift, seenAs, type View } from "./views.ts";

const joined = ({ old, fresh }: View): Drifted => ({
  old: `${old.join("\n")}\n`,
  fresh: fresh.map((line) => `${line}\n`).join(""),
});

/** A drift of every line; null where it would change none. */
function byLine(edit: TrueEdit, drift: LineDrift): Drifted | null {
  const view = seenAs(edit, drift);
  return view.old.join("\n") === textsOf(edit).old.join("\n") ? null : joined(view);
}

const allLines = (edit: TrueEdit): readonly string[] => {
  const { old, fresh } = textsOf(edit);
  return filled([...old, ...fresh]);
};

function commonIndent(edit: TrueEdit): string {
  return allLines(edit).reduce(
    (least, line) => {
      const indent = indentOf(line);
      return indent.length < least.length ? indent : least;
    },
    indentOf(allLines(edit)[0] ?? ""),
  );
}

/** Indentation in whole levels, so that another unit has a counterpart for each. */
const isWhole = (edit: TrueEdit): boolean =>
  allLines(edit).every((line) => indentOf(line).replaceAll(edit.source.unit, "") === "");

function rescaled(edit: TrueEdit, unit: string): Drifted | null {
  if (!isWhole(edit) || unit === edit.source.unit) return null;
  return byLine(edit, (line) => indentOf(line).replaceAll(edit.source.unit, unit) + line.slice(indentOf(line).length));
}

function dedented(edit: TrueEdit): Drifted | null {
  const common = commonIndent(edit);
  if (common === "" || !allLines(edit).every((line) => line.startsWith(common))) return null;
  return byLine(edit, (line) => (isBlankLine(line) ? line : line.slice(common.length)));
}

function dedentedOldOnly(edit: TrueEdit): Drifted | null {
  const drifted = dedented(edit);
  const { old, fresh } = textsOf(edit);
  // At least one kept line must show how the new text stands, and more than one line what was lost.
  const kept = old.length - goneLines(edit).length;
  return drifted === null || kept < 2 ? null : { ...joined({ old, fresh }), old: drifted.old };
}

const typographic: readonly (readonly [RegExp, string])[] = [
  [/'/g, "\u2019"],
  [/"([^"]*)"/g, "\u201c$1\u201d"],
  [/-/g, "\u2013"],
  [/\.\.\./g, "\u2026"],
  [/ /g, "\u00a0"],
];

function withSigns(edit: TrueEdit, [sign, other]: readonly [RegExp, string]): Drifted | null {
  // A kind that only new lines show has nothing to be known by.
  const { old, fresh } = textsOf(edit);
  const gone = goneLines(edit);
  const isShown = old.some((line, at) => !gone.includes(at) && line.trim().search(sign) !== -1);
  if (!isShown || [...old, ...fresh].some((line) => !isAscii(line))) return null;
  return byLine(edit, (line) => line.replaceAll(sign, other));
}

function plainInsteadOfSigns(edit: TrueEdit): Drifted | null {
  const lines = [...edit.source.lines];
  const kept = textsOf(edit).old.flatMap((_, at) => (goneLines(edit).includes(at) ? [] : [at]));
  for (const at of kept) {
    const line = lines[edit.start + at] ?? "";
    lines[edit.start + at] = line.replaceAll("'", "\u2019").replaceAll("...", "\u2026");
  }
  const source = { ...edit.source, lines };
  const file = lines.map((line) => `${line}\n`).join("");
  if (lines.join("\n") === edit.source.lines.join("\n")) return null;
  return { ...joined(textsOf(edit)), file, right: rightText({ ...edit, source }) };
}

const crlf = (lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join("");

function mixedEnds(random: Random, edit: TrueEdit): Drifted {
  const ends = edit.source.lines.map(() => (random.chance(0.85) ? "\r\n" : "\n"));
  const withEnds = (lines: readonly string[], of: (at: number) => string) =>
    lines.map((line, at) => line + of(at)).join("");
  const file = withEnds(edit.source.lines, (at) => ends[at] ?? "");
  const shift = edit.fresh.length - (edit.end - edit.start);
  const right = withEnds(rightLines(edit), (at) => {
    if (at < edit.start) return ends[at] ?? "";
    if (at >= edit.end + shift) return ends[at - shift] ?? "";
    const line = edit.fresh[at - edit.start];
    return line !== undefined && "kept" in line ? (ends[edit.start + line.kept] ?? "") : "\r\n";
  });
  return { ...joined(textsOf(edit)), file, right };
}

const escaped = (text: string): string => JSON.stringify(text).slice(1, -1);

export const lineDrifts: readonly Drift[] = [
  { operator: "exact", make: (_, edit) => joined(textsOf(edit)) },
  {
    operator: "exact, without the last newline",
    make: (_, edit) => {
      const { old, fresh } = textsOf(edit);
      return fresh.length === 0 ? null : { old: old.join("\n"), fresh: fresh.join("\n") };
    },
  },
  {
    operator: "trailing blanks",
    make: (random, edit) =>
      byLine(edit, (line) => (random.chance(0.5) ? `${line}${random.pick([" ", "  ", "\t"])}` : line)),
  },
  {
    operator: "trailing blanks in the file",
    kinds: ["rename", "insert", "delete", "replace"],
    make: (random, edit) => {
      const lines = edit.source.lines.map((line) => (random.chance(0.3) ? `${line}  ` : line));
      const source = { ...edit.source, lines };
      const { old } = textsOf(edit);
      const { fresh } = textsOf(edit);
      return {
        ...joined({ old, fresh }),
        file: lines.map((line) => `${line}\n`).join(""),
        right: rightText({ ...edit, source }),
      };
    },
  },
  {
    operator: "blanks doubled",
    make: (random, edit) =>
      allLines(edit).some((line) => /\S(?: {2,}|\t)\S/.test(line))
        ? null
        : byLine(
            edit,
            (line) => indentOf(line) + line.trimStart().replaceAll(" ", () => (random.chance(0.5) ? "  " : " ")),
          ),
  },
  {
    operator: "blanks made one",
    make: (_, edit) => {
      const isSafe = edit.fresh.every((line) => "kept" in line || !/\S(?: {2,}|\t)/.test(line.text));
      return isSafe ? byLine(edit, (line) => indentOf(line) + line.trim().replaceAll(/[ \t]+/g, " ")) : null;
    },
  },
  {
    operator: "tabs for blanks, or the other way",
    make: (random, edit) => rescaled(edit, edit.source.unit === "\t" ? random.pick(["  ", "    "]) : "\t"),
  },
  {
    operator: "another unit of indentation",
    make: (_, edit) => rescaled(edit, edit.source.unit === "  " ? "    " : "  "),
  },
  { operator: "indentation lost", make: (_, edit) => (isWhole(edit) ? dedented(edit) : null) },
  { operator: "indentation lost in the old text only", make: (_, edit) => dedentedOldOnly(edit) },
  {
    operator: "one level too deep",
    make: (_, edit) =>
      isWhole(edit) ? byLine(edit, (line) => (isBlankLine(line) ? line : edit.source.unit + line)) : null,
  },
  {
    operator: "the first line's indentation lost",
    make: (_, edit) => {
      const { old, fresh } = textsOf(edit);
      const [first] = edit.fresh;
      if (indentOf(old[0] ?? "") === "" || first === undefined || !("kept" in first) || isBlankLine(fresh[0] ?? ""))
        return null;
      return { old: `${old.join(" \n").trimStart()}\n`, fresh: `${fresh.join("\n").trimStart()}\n` };
    },
  },
  {
    operator: "CRLF in the file",
    make: (_, edit) => ({ ...joined(textsOf(edit)), file: crlf(edit.source.lines), right: rightText(edit, "\r\n") }),
  },
  {
    operator: "CRLF in the texts",
    make: (_, edit) => {
      const { old, fresh } = textsOf(edit);
      return { old: crlf(old), fresh: crlf(fresh) };
    },
  },
  { operator: "line ends mixed", make: mixedEnds },
  {
    operator: "CRLF in the file, and trailing blanks",
    make: (_, edit) => {
      const drifted = byLine(edit, (line) => `${line} `);
      return drifted && { ...drifted, file: crlf(edit.source.lines), right: rightText(edit, "\r\n") };
    },
  },
  {
    operator: "byte order mark",
    make: (random, edit) => {
      const { old, fresh } = joined(textsOf(edit));
      const mark = random.chance(0.5) ? "\uFEFF" : "";
      const file = `\uFEFF${edit.source.lines.map((line) => `${line}\n`).join("")}`;
      return { old: mark + old, fresh: mark + fresh, file, right: `\uFEFF${rightText(edit)}` };
    },
  },
  {
    operator: "no final newline",
    make: (_, edit) => {
      // The block is moved to the end, where the newline would be.
      const source = { ...edit.source, lines: edit.source.lines.slice(0, edit.end) };
      if (edit.fresh.length === 0) return null;
      const right = rightLines({ ...edit, source }).join("\n");
      return { ...joined(textsOf(edit)), file: source.lines.join("\n"), right: right.replace(/\n+$/, "") };
    },
  },
  ...typographic.map((sign, nth): Drift => {
    const operator = `typographic ${["apostrophes", "quotes", "dashes", "ellipses", "blanks"][nth]}`;
    return { operator, make: (_, edit) => withSigns(edit, sign) };
  }),
  { operator: "typographic signs in the file", make: (_, edit) => plainInsteadOfSigns(edit) },
  {
    operator: "escaped as JSON",
    make: (_, edit) => {
      const { old, fresh } = joined(textsOf(edit));
      return { old: escaped(old), fresh: escaped(fresh) };
    },
  },
  {
    operator: "escaped as JSON in the old text only",
    make: (_, edit) => {
      const { old, fresh } = joined(textsOf(edit));
      return fresh.trim().includes("\n") ? { old: escaped(old), fresh } : null;
    },
  },
  {
    operator: "line ends escaped",
    make: (_, edit) => {
      const { old, fresh } = textsOf(edit);
      const isClear = ![...old, ...fresh].some((line) => /[\\'"`]/.test(line));
      return isClear ? { old: old.join("\\n"), fresh: fresh.join("\\n") } : null;
    },
  },
  {
    operator: "quotes escaped",
    make: (_, edit) =>
      allLines(edit).some((line) => line.includes('\\"')) ? null : byLine(edit, (line) => line.replaceAll('"', '\\"')),
  },
];
