/** Figures of the store: durable appends, replay, the first event after a SIGKILL, and what a thousand tasks take on the disk. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fold } from "../src/domain/evolve.ts";
import { readLog } from "../src/engine/log-reading.ts";
import { createClock } from "../src/observability/runtime.ts";
import { createDatabaseCare } from "../src/storage/care.ts";
import { type OpenedStorage, openStorage } from "../src/storage/opened-storage.ts";
import { submit } from "./client.ts";
import { print } from "./figures.ts";
import { type RunningLoom, startLoom } from "./loom-process.ts";
import type { RunningModel } from "./model-process.ts";
import { writeTask } from "./stored-tasks.ts";

const clock = createClock();
const now = (): number => clock.now();

async function inTemporaryStorage(work: (opened: OpenedStorage) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "loom-bench-"));
  try {
    await using opened = openStorage(join(folder, "loom.db"), { clock, retentionDays: 0 });
    await work(opened);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** 64 tasks at a time, each waiting for one event before it writes the next: as many drivers would. */
export async function appendRate(): Promise<void> {
  const tasks = 64;
  const each = 500;
  await inTemporaryStorage(async ({ store }) => {
    const writing = { store, events: each, together: 1, now, close: true };
    const began = performance.now();
    await Promise.all(Array.from({ length: tasks }, (_, nth) => writeTask({ ...writing, taskId: `task_${nth}` })));
    const rate = (tasks * each) / ((performance.now() - began) / 1000);
    print({ name: "durable events, 64 tasks", value: rate, unit: "/s", mark: { kind: ">=", value: 4000 } });
  });
}

export async function replayTime(): Promise<void> {
  await inTemporaryStorage(async ({ store }) => {
    const taskId = "task_long";
    await writeTask({ store, taskId, events: 100_000, together: 1000, now, close: false });
    const began = performance.now();
    fold(taskId, await readLog(store, taskId, 0));
    const seconds = (performance.now() - began) / 1000;
    print({ name: "replay of 100 000 events", value: seconds, unit: "s", mark: { kind: "<=", value: 1 } });
  });
}

/** From the start of the process to an event that the killed one had not written. */
export async function resumeAfterKill(model: RunningModel): Promise<void> {
  await using loom = await startLoom(model.url);
  await model.latency(50);
  const workspace = join(loom.home, "work", "killed");
  mkdirSync(workspace, { recursive: true });
  const taskId = await submit(loom.url, { goal: "Write six files.", workspace });
  await eventsAfter(loom, taskId, 20);
  await loom.kill();
  const last = (await createDatabaseCare().status(join(loom.home, "loom.db"))).content?.events ?? 0;
  const began = Date.now();
  await using again = await startLoom(model.url, loom);
  const writtenAt = await eventsAfter(again, taskId, last);
  const seenAt = Date.now();
  await model.latency(0);
  const name = "first new event after SIGKILL";
  print({ name: `${name}, in the log`, value: (writtenAt - began) / 1000, unit: "s" });
  print({ name: `${name}, at a client`, value: (seenAt - began) / 1000, unit: "s", mark: { kind: "<=", value: 1 } });
}

/** @returns when the log went on behind `after` (epoch ms) */
async function eventsAfter(loom: RunningLoom, taskId: string, after: number): Promise<number> {
  for (;;) {
    const answer = await fetch(`${loom.url}/tasks/${taskId}/events?after=${after}&wait=5`);
    const [first] = (await answer.json()) as readonly { readonly timestamp: string }[];
    if (first !== undefined) return Date.parse(first.timestamp);
  }
}

/** The file and its blobs, by the tasks that were run in it. */
export async function databaseSize(loom: RunningLoom): Promise<void> {
  const path = join(loom.home, "loom.db");
  const { bytes, blobFiles, content } = await createDatabaseCare().status(path);
  const perThousand = ((bytes + blobFiles.bytes) / (content?.closedTasks ?? Number.NaN)) * 1000;
  print({ name: "database size per 1 000 tasks", value: perThousand / 1024 / 1024, unit: "MiB" });
}
