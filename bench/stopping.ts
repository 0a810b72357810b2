/**
 * How fast stop is: from sending a cancel, to its answer, and to the end of the last process of a task whose command hides
 * children in every way it knows (setsid, nohup, double fork, ignored signals, an emptied environment). Law 4 allows 500 ms.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startModelServer } from "../test/support/model-server.ts";
import { processesIn } from "../test/support/processes-in.ts";
import { createPlace } from "../test/support/scenario.ts";
import { spawnLoom } from "../test/support/spawned.ts";
import { running, stayers, staying } from "../test/support/stopping-story.ts";
import { percentile, print } from "./figures.ts";

const rounds = 15;
const watcher = fileURLToPath(new URL("stop-watcher.ts", import.meta.url));

interface Round {
  readonly answeredMs: number;
  readonly goneMs: number;
}

async function round(mode: string): Promise<Round> {
  using place = createPlace();
  await using model = await startModelServer(running("bash hides.sh"));
  const config = place.configure({ url: model.url, extra: `[sandbox]\nmode = "${mode}"` });
  await using loom = await spawnLoom({ config, home: place.home });
  place.write("hides.sh", staying);
  const taskId = await loom.client.submit({ goal: "Run it", workspace: place.workspace });
  while (!existsSync(join(place.workspace, "started")) || processesIn(place.workspace).length < stayers) await wait(20);
  const { gone, child } = await watched(place.workspace);
  const sent = process.hrtime.bigint();
  await loom.client.post(`/tasks/${taskId}/cancel`);
  const answered = process.hrtime.bigint();
  const goneAt = await gone;
  child.kill();
  return { answeredMs: Number(answered - sent) / 1e6, goneMs: Number(goneAt - sent) / 1e6 };
}

async function watched(folder: string): Promise<{ readonly gone: Promise<bigint>; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [watcher, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  const gone = lines.next().then(({ value }) => BigInt(value ?? ""));
  return { gone, child };
}

for (const mode of ["off", "auto"]) {
  const all: Round[] = [];
  for (let nth = 0; nth < rounds; nth += 1) all.push(await round(mode));
  const gone = all.map(({ goneMs }) => goneMs);
  const answered = all.map(({ answeredMs }) => answeredMs);
  const name = `sandbox ${mode}, cancel sent to`;
  print({ name: `${name} last process gone, p50`, value: percentile(gone, 0.5), unit: "ms" });
  const mark = { kind: "<=", value: 500 } as const;
  print({ name: `${name} last process gone, worst of ${rounds}`, value: Math.max(...gone), unit: "ms", mark });
  print({ name: `${name} its answer, p50`, value: percentile(answered, 0.5), unit: "ms" });
}
