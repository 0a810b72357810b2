/**
 * The crash matrix: kills the server at every crash point, every time it comes there, starts it again, and compares the end
 * with that of an undisturbed run. `npm run crash-matrix`, or `-- --every 5` for a fifth of it, `-- append` for one point.
 */
import { parseArgs } from "node:util";
import { differences, type Outcome, openStage, type Stage } from "./scene.ts";

const effects = ["plan", "work", "verify", "revert", "extract", "check", "answer"];
const names = ["append", "model", "tool", "change", "request", "delivery", "blob", ...effects];
const points = names.flatMap((name) => [`${name}.before`, `${name}.after`]);
const atATime = 2;

interface Row {
  readonly point: string;
  readonly crashes: number;
  readonly wrong: readonly string[];
}

/** All counts of one point, from the first to the one that the task never comes to. */
async function rowOf(
  stage: Stage,
  point: string,
  run: { readonly undisturbed: Outcome; readonly every: number },
): Promise<Row> {
  const wrong: string[] = [];
  let crashes = 0;
  for (let count = 1; ; count += run.every) {
    const { outcome, crashed } = await stage.play(`${point}:${count}`);
    if (!crashed) return { point, crashes, wrong };
    crashes += 1;
    wrong.push(...differences(run.undisturbed, outcome).map((what) => `${point}:${count} ${what}`));
  }
}

const { values, positionals } = parseArgs({
  options: { every: { type: "string", default: "1" } },
  allowPositionals: true,
});
await using stage = await openStage();
const { outcome: undisturbed } = await stage.play(null);
const twice = differences(undisturbed, undisturbed);
if (undisturbed.status !== "task_completed" || twice.length > 0)
  throw new Error(`The undisturbed run is not well: ${JSON.stringify(undisturbed)} ${twice.join("; ")}`);

const queue = points.filter((point) => positionals.length === 0 || positionals.some((name) => point.startsWith(name)));
const rows: Row[] = [];
const workers = Array.from({ length: atATime }, async () => {
  for (let point = queue.shift(); point !== undefined; point = queue.shift()) {
    const row = await rowOf(stage, point, { undisturbed, every: Number(values.every) });
    rows.push(row);
    process.stdout.write(
      `${row.point.padEnd(18)} ${String(row.crashes).padStart(4)} crashes  ${row.wrong.length} wrong\n`,
    );
    for (const line of row.wrong) process.stdout.write(`  ${line}\n`);
  }
});
await Promise.all(workers);
const crashes = rows.reduce((sum, row) => sum + row.crashes, 0);
const wrong = rows.reduce((sum, row) => sum + row.wrong.length, 0);
process.stdout.write(`\n${crashes} combinations of point and count, ${wrong} differences\n`);
process.exitCode = wrong === 0 ? 0 : 1;
