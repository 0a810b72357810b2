/** How edits that drifted fare, by operator, over a corpus made from real code; and how long one takes on 2 000 lines. */
import { edited } from "../src/tools/edits/edit.ts";
import { bytesOf, fileTextOf } from "../src/tools/edits/file-text.ts";
import { corpus, type EditCase } from "../test/tools/edits/corpus.ts";
import { judged } from "../test/tools/edits/judged.ts";

const [seed = 1, casesEach = 60, shown = 0] = process.argv.slice(2).map(Number);
const timedLines = 2000;
/** The best of them counts, so that what else the machine does stays out. */
const timedRuns = 3;

interface Row {
  cases: number;
  right: number;
  wrong: number;
  refusedRightly: number;
  refusedWrongly: number;
}

const rows = new Map<string, Row>();
const times: number[] = [];
let left = shown;
for (const one of corpus(seed, casesEach)) {
  const row = rows.get(one.operator) ?? { cases: 0, right: 0, wrong: 0, refusedRightly: 0, refusedWrongly: 0 };
  const kind = judged(one);
  row.cases += 1;
  row[kind] += 1;
  rows.set(one.operator, row);
  times.push(timeOn(one));
  if (left > 0 && (kind === "wrong" || kind === "refusedWrongly")) {
    left -= 1;
    show(one, kind);
  }
}

/** The same edit in a file of 2 000 lines: the source over and over would be ambiguous, so other lines stand before it. */
function timeOn(one: EditCase): number {
  const lines = one.file.toString("utf8").split("\n");
  const more = Math.max(timedLines - lines.length, 0);
  const padding = Array.from({ length: more }, (_, nth) => `${lines[nth % lines.length] ?? ""} /* ${nth} */`);
  const file = fileTextOf(Buffer.from([...padding, ...lines].join("\n")));
  const runs = Array.from({ length: timedRuns }, () => {
    const began = performance.now();
    edited(file, { old: one.old, fresh: one.fresh, replaceAll: one.replaceAll });
    return performance.now() - began;
  });
  return Math.min(...runs);
}

function show(one: EditCase, kind: string): void {
  const outcome = edited(fileTextOf(one.file), { old: one.old, fresh: one.fresh, replaceAll: one.replaceAll });
  console.log(`=== ${kind}: ${one.operator}, ${one.source}\n--- old\n${one.old}\n--- new\n${one.fresh}`);
  if (outcome.kind !== "edited") console.log(JSON.stringify(outcome));
  else {
    const [after, right] = [bytesOf(outcome.file).toString().split("\n"), one.right?.toString().split("\n") ?? []];
    const at = after.findIndex((line, nth) => line !== right[nth]);
    console.log(
      `at ${at + 1} (${outcome.how}):\n${JSON.stringify(after.slice(at, at + 4), null, 1)}\nright:\n${JSON.stringify(right.slice(at, at + 4), null, 1)}`,
    );
  }
}

const headings = ["cases", "right", "wrong", "refused rightly", "refused wrongly"];
const line = (name: string, row: Row) =>
  `${name.padEnd(46)}${[row.cases, row.right, row.wrong, row.refusedRightly, row.refusedWrongly].map((count, nth) => String(count).padStart((headings[nth] ?? "").length + 2)).join("")}`;
console.log(`${"operator".padEnd(46)}${headings.map((heading) => `  ${heading}`).join("")}`);
const total: Row = { cases: 0, right: 0, wrong: 0, refusedRightly: 0, refusedWrongly: 0 };
for (const [operator, row] of rows) {
  for (const key of Object.keys(total) as (keyof Row)[]) total[key] += row[key];
  console.log(line(operator, row));
}
console.log(line("all", total));
const clear = total.right + total.wrong + total.refusedWrongly;
const sorted = times.toSorted((one, other) => one - other);
const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
console.log(
  `right where there is one right place: ${((100 * total.right) / clear).toFixed(2)} %; on ${timedLines} lines p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(0.9999)} ms`,
);
