/**
 * The soak: `npm run soak [events]` writes a million events with retention on and readers always attached, and prints what
 * became of the file, of the write-ahead log and of the memory. Tasks close and are dropped 10 s later.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { createFeed } from "../src/feed/feed.ts";
import { createClock } from "../src/observability/runtime.ts";
import { type OpenedStorage, openStorage } from "../src/storage/opened-storage.ts";
import { print } from "./figures.ts";
import { blobOf, stepWith, writeTask } from "./stored-tasks.ts";

const eventsOfTask = 60;
const together = 3;
const writers = 32;
const retentionDays = 10 / 86_400;
const mib = 1024 * 1024;
const clock = createClock();

interface Peaks {
  wal: number;
  rss: number;
  file: number;
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** A body at every append, a small blob at every fourth, and once a task one that is a file. */
function beside(task: number): NonNullable<Parameters<typeof writeTask>[0]["beside"]> {
  return (seq) => {
    const small = seq % 12 === 0 ? [blobOf(`small ${task} ${seq} `.repeat(100))] : [];
    const large = seq === 30 && task % 10 === 0 ? [blobOf(`large ${task} `.repeat(10_000))] : [];
    const blobs = [...small, ...large];
    return { steps: [stepWith(`turn-${seq}`, 1500, blobs)], blobs };
  };
}

async function writeAll({ store }: OpenedStorage, tasks: number, told: (done: number) => void): Promise<void> {
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < tasks) {
      const nth = next;
      next += 1;
      const taskId = `task_${nth.toString(36).padStart(8, "0")}`;
      await writeTask({
        store,
        taskId,
        events: eventsOfTask,
        together,
        now: () => clock.now(),
        beside: beside(nth),
        close: true,
      });
      told(nth + 1);
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
}

async function follow(store: OpenedStorage["store"], signal: AbortSignal): Promise<number> {
  await using feed = createFeed({ store });
  let seen = 0;
  for await (const _event of feed.subscribeAll({ after: 0, signal })) seen += 1;
  return seen;
}

async function keepInOrder({ maintenance }: OpenedStorage, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await maintenance.round();
    await clock.sleepUntil(clock.now() + 500, signal).catch(() => undefined);
  }
}

function line(share: number, path: string): void {
  const file = (sizeOf(path) / mib).toFixed(0);
  const rss = (process.memoryUsage.rss() / mib).toFixed(0);
  process.stdout.write(
    `${`${share} %`.padStart(6)}: file ${file} MiB, wal ${(sizeOf(`${path}-wal`) / mib).toFixed(1)} MiB, rss ${rss} MiB\n`,
  );
}

async function soak(path: string, events: number): Promise<void> {
  await using opened = openStorage(path, { clock, retentionDays });
  const ending = new AbortController();
  const peaks: Peaks = { wal: 0, rss: 0, file: 0 };
  const sample = setInterval(() => {
    peaks.wal = Math.max(peaks.wal, sizeOf(`${path}-wal`));
    peaks.file = Math.max(peaks.file, sizeOf(path));
    peaks.rss = Math.max(peaks.rss, process.memoryUsage.rss());
  }, 20);
  const reader = new Worker(new URL("./soak-reader.ts", import.meta.url), { workerData: { path } });
  const following = follow(opened.store, ending.signal);
  const keeping = keepInOrder(opened, ending.signal);
  const tasks = Math.ceil(events / eventsOfTask);
  let rssAtStart = 0;
  const began = performance.now();
  await writeAll(opened, tasks, (done) => {
    const at = (share: number): boolean => done === Math.ceil(tasks * share);
    if (at(0.1)) rssAtStart = process.memoryUsage.rss();
    for (const share of [0.1, 0.25, 0.5, 0.75, 1]) if (at(share)) line(share * 100, path);
  });
  const seconds = (performance.now() - began) / 1000;
  const rssAtEnd = process.memoryUsage.rss();
  clearInterval(sample);
  ending.abort();
  reader.postMessage("end");
  const [read] = await new Promise<[number]>((resolve) => reader.once("message", (count: number) => resolve([count])));
  await keeping;
  print({ name: "events written", value: tasks * eventsOfTask, unit: "" });
  print({ name: "events a second, retention on", value: (tasks * eventsOfTask) / seconds, unit: "/s" });
  print({ name: "events seen by the feed", value: await following, unit: "" });
  print({ name: "events seen by the other reader", value: read, unit: "" });
  print({ name: "file, peak", value: peaks.file / mib, unit: "MiB" });
  print({ name: "write-ahead log, peak", value: peaks.wal / mib, unit: "MiB", mark: { kind: "<=", value: 64 } });
  print({ name: "RSS at a tenth", value: rssAtStart / mib, unit: "MiB" });
  print({ name: "RSS at the end", value: rssAtEnd / mib, unit: "MiB" });
  print({ name: "RSS, peak", value: peaks.rss / mib, unit: "MiB" });
  const rest = Date.now() + 12_000;
  await clock.sleepUntil(rest, AbortSignal.timeout(60_000));
  for (let round = 0; round < 3; round += 1) await opened.maintenance.round();
  print({ name: "file, when all is dropped", value: sizeOf(path) / mib, unit: "MiB" });
}

const folder = mkdtempSync(join(tmpdir(), "loom-soak-"));
try {
  await soak(join(folder, "loom.db"), Number(process.argv[2] ?? 1_000_000));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
