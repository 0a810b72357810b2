/** Drifts after which nobody could say what is right: the edit must be refused. */
import { declaredName } from "../../../src/tools/edits/likeness.ts";
import type { Drift, Drifted } from "./drift.ts";
import type { Random } from "./random.ts";
import { goneLines, indentOf, isBlankLine, type TrueEdit, textsOf, withOtherWord } from "./true-edits.ts";
import { filled, misremembered, seenAs, type View, without } from "./views.ts";

const refused = ({ old, fresh }: View, file?: readonly string[]): Drifted => ({
  old: `${old.join("\n")}\n`,
  fresh: fresh.map((line) => `${line}\n`).join(""),
  right: null,
  ...(file === undefined ? {} : { file: file.map((line) => `${line}\n`).join("") }),
});

/** The file as it is after someone changed lines of the block. */
function changedSince(edit: TrueEdit, changes: ReadonlyMap<number, string>): string[] {
  return edit.source.lines.map((line, at) => changes.get(at - edit.start) ?? line);
}

function saidOtherwise(random: Random, edit: TrueEdit, lines: readonly number[]): Map<number, string> {
  const { old } = textsOf(edit);
  return new Map(
    lines.flatMap((at) => {
      const line = isBlankLine(old[at] ?? "") ? null : misremembered(random, old[at] ?? "");
      return line === null ? [] : [[at, line] as const];
    }),
  );
}

/** A second copy of the block elsewhere in the file. */
function duplicated(edit: TrueEdit, copy = textsOf(edit).old): string[] {
  return [...edit.source.lines, "", ...copy];
}

function elided(random: Random, edit: TrueEdit, view: View, side: "fresh" | "both"): Drifted | null {
  const kept = edit.fresh.flatMap((line, at) => ("kept" in line && !isBlankLine(view.fresh[at] ?? "") ? [at] : []));
  const from = kept[Math.floor(kept.length / 2)] ?? 0;
  const { source } = edit;
  const [sign, close] = source.commentSign === "<!--" ? ["<!--", " -->"] : [source.commentSign, ""];
  const words = random.pick([
    "... rest unchanged",
    "... existing code ...",
    "... the rest of the code ...",
    "rest of the code unchanged",
    "… other lines unchanged …",
  ]);
  const marker = `${indentOf(view.fresh[from] ?? "")}${sign} ${words}${close}`;
  const fresh = [...view.fresh.slice(0, from), marker];
  if (side === "fresh") return refused({ old: view.old, fresh });
  const lines = new Set(goneLines(edit));
  // Neither what stands before nor what stands behind is enough of the old text by itself.
  const start = Math.ceil(view.old.length * 0.35);
  const end = Math.floor(view.old.length * 0.65);
  const left = Array.from({ length: end - start }, (_, nth) => start + nth);
  if (left.some((at) => lines.has(at)) || filled(view.old.slice(start, end)).length < 5) return null;
  const short = without(edit, view, new Set(left));
  const place = edit.fresh.findIndex((line) => "kept" in line && line.kept === start);
  const before = edit.fresh.slice(0, place).filter((line) => !("kept" in line) || !left.includes(line.kept)).length;
  return refused({ old: short.old.toSpliced(start, 0, marker), fresh: short.fresh.toSpliced(before, 0, marker) });
}

export const uncertainDrifts: readonly Drift[] = [
  {
    operator: "stale: the changed line changed",
    kinds: ["rename", "delete", "replace"],
    make: (random, edit) => {
      const changes = saidOtherwise(random, edit, goneLines(edit).slice(0, 1));
      const { fresh } = textsOf(edit);
      const isDone = [...changes.values()].some((line) => fresh.includes(line));
      return changes.size === 0 || isDone ? null : refused(textsOf(edit), changedSince(edit, changes));
    },
  },
  {
    operator: "stale: most of the block changed",
    needsDistance: true,
    make: (random, edit) => {
      const { old } = textsOf(edit);
      const changes = saidOtherwise(
        random,
        edit,
        old.map((_, at) => at).filter((at) => at % 2 === 0),
      );
      return changes.size <= filled(old).length * 0.3 ? null : refused(textsOf(edit), changedSince(edit, changes));
    },
  },
  {
    operator: "stale: the block is gone",
    needsDistance: true,
    make: (_, edit) =>
      refused(textsOf(edit), [...edit.source.lines.slice(0, edit.start), ...edit.source.lines.slice(edit.end)]),
  },
  { operator: "the block stands twice", make: (_, edit) => refused(textsOf(edit), duplicated(edit)) },
  {
    operator: "the block stands twice, blanks drifted",
    make: (_, edit) => {
      const view = seenAs(edit, (line) => (isBlankLine(line) ? line : `${line.replace(" ", "  ")} `));
      return refused(view, duplicated(edit));
    },
  },
  {
    operator: "the block stands twice, a line forgotten",
    lines: [7, 24],
    make: (random, edit) => {
      const inner = edit.fresh.flatMap((line) =>
        "kept" in line && line.kept > 0 && line.kept < edit.end - edit.start - 1 ? [line.kept] : [],
      );
      const choices = inner.filter((at) => !isBlankLine(textsOf(edit).old[at] ?? ""));
      if (choices.length === 0) return null;
      return refused(
        without(
          edit,
          seenAs(edit, (line) => line),
          new Set([random.pick(choices)]),
        ),
        duplicated(edit),
      );
    },
  },
  {
    operator: "two alike, the telling line misremembered",
    lines: [6, 20],
    kinds: ["insert", "rename"],
    make: (random, edit) => {
      const { old } = textsOf(edit);
      const gone = goneLines(edit);
      const tells = old.flatMap((line, at) => (gone.includes(at) || isBlankLine(line) ? [] : [at]));
      if (tells.length === 0) return null;
      const at = random.pick(tells);
      const [one, other] = [misremembered(random, old[at] ?? ""), misremembered(random, old[at] ?? "")];
      if (one === null || other === null || one === other) return null;
      const copy = old.toSpliced(at, 1, one);
      return refused(
        seenAs(edit, (line, place) => (place === at ? other : line)),
        duplicated(edit, copy),
      );
    },
  },
  {
    operator: "another function that looks alike",
    lines: [6, 24],
    make: (_, edit) => {
      const { old } = textsOf(edit);
      const name = declaredName((old[0] ?? "").trim());
      if (
        name === null ||
        /^\s*(\/\/|#|\*|\/\*|--|[*-] )/.test(old[0] ?? "") ||
        !/^\w+$/.test(name) ||
        goneLines(edit).includes(0)
      )
        return null;
      return refused(seenAs(edit, (line) => line.replaceAll(name, `${name}Twin`)));
    },
  },
  {
    operator: "names made up",
    lines: [5, 20],
    make: (random, edit) => {
      const { old } = textsOf(edit);
      const changed = [
        ...goneLines(edit).map((at) => old[at] ?? ""),
        ...edit.fresh.flatMap((line) => ("text" in line ? [line.text] : [])),
      ];
      const words = changed
        .flatMap((line) => line.match(/[A-Za-z_]\w{3,}/g) ?? [])
        .filter((word) =>
          old.some((line, at) => goneLines(edit).includes(at) && new RegExp(`\\b${word}\\b`).test(line)),
        );
      if (words.length === 0) return null;
      const word = random.pick(words);
      return refused(seenAs(edit, (line) => line.replaceAll(new RegExp(`\\b${word}\\b`, "g"), `${word}Made`)));
    },
  },
  {
    operator: "a name made up and used in new lines",
    lines: [6, 20],
    kinds: ["insert"],
    make: (random, edit) => {
      const { old } = textsOf(edit);
      const quiet = old.flatMap((line, at) => (isBlankLine(line) ? [] : [at]));
      const at = random.pick(quiet);
      const line = withOtherWord(random, old[at] ?? "");
      const made = line?.match(/\w+/g)?.find((name) => !old.join("\n").includes(name));
      if (line === null || made === undefined) return null;
      const view = seenAs(edit, (text, place) => (place === at ? line : text));
      const place = edit.fresh.findIndex((one) => "text" in one);
      return refused({
        old: view.old,
        fresh: view.fresh.toSpliced(place, 1, `${indentOf(view.fresh[place] ?? "")}use(${made});`),
      });
    },
  },
  {
    operator: "an invented line is to go",
    lines: [5, 20],
    kinds: ["rename", "insert"],
    make: (random, edit) => {
      const view = seenAs(edit, (line) => line);
      const at = random.between(1, view.old.length - 1);
      const line = `${indentOf(view.old[at] ?? "")}checkInvariants(state);`;
      return refused({ old: view.old.toSpliced(at, 0, line), fresh: view.fresh });
    },
  },
  {
    operator: "a forgotten line where new ones go",
    lines: [7, 24],
    kinds: ["insert"],
    make: (_, edit) => {
      const place = edit.fresh.findIndex((line) => "text" in line);
      const after = edit.fresh.slice(place).find((line) => "kept" in line);
      const { old } = textsOf(edit);
      if (
        after === undefined ||
        !("kept" in after) ||
        after.kept >= old.length - 1 ||
        isBlankLine(old[after.kept] ?? "")
      )
        return null;
      const view = without(
        edit,
        seenAs(edit, (line) => line),
        new Set([after.kept]),
      );
      const texts = old.map((line) => line.trim()).filter((line) => line !== "");
      const text = old[after.kept]?.trim() ?? "";
      if (texts.some((line, at) => line === text && (texts[at - 1] === text || texts[at + 1] === text))) return null;
      const brings = edit.fresh.some((line) => "text" in line && line.text.trim() === old[after.kept]?.trim());
      // What stands there word for word, if only from the middle of a line, is spliced.
      const isThere = edit.source.lines.join("\n").includes(view.old.join("\n"));
      return brings || isThere ? null : refused(view);
    },
  },
  {
    operator: "rest unchanged, in the new text",
    lines: [6, 24],
    make: (random, edit) =>
      elided(
        random,
        edit,
        seenAs(edit, (line) => line),
        "fresh",
      ),
  },
  {
    operator: "rest unchanged, in both texts",
    lines: [12, 30],
    make: (random, edit) =>
      elided(
        random,
        edit,
        seenAs(edit, (line) => line),
        "both",
      ),
  },
];
