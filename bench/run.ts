/**
 * The bench: Loom in one process, a model server that answers at once in another, the load here. Prints one line a
 * measurement, with the mark it is held against. Figures never decide a test.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { asked, finished, streamLatencies, submit } from "./client.ts";
import { percentile, print } from "./figures.ts";
import { leaveLoomsCore, type RunningLoom, startLoom } from "./loom-process.ts";
import { type RunningModel, startModel } from "./model-process.ts";
import { appendRate, databaseSize, replayTime, resumeAfterKill } from "./storage.ts";

const goal = "Write six files, each from what is read of the workspace, and check each of them.";

function workspaceOf(loom: RunningLoom, name: string): string {
  const path = join(loom.home, "work", name);
  mkdirSync(path, { recursive: true });
  return path;
}

async function runTask(loom: RunningLoom, name: string): Promise<number> {
  const began = performance.now();
  await finished(loom.url, await submit(loom.url, { goal, workspace: workspaceOf(loom, name) }));
  return performance.now() - began;
}

async function taskWall(loom: RunningLoom): Promise<void> {
  for (let warm = 0; warm < 10; warm += 1) await runTask(loom, `warm-${warm}`);
  const walls: number[] = [];
  for (let nth = 0; nth < 60; nth += 1) walls.push(await runTask(loom, `wall-${nth}`));
  print({
    name: "task wall, 6 subtasks x 3 tool calls, p50",
    value: percentile(walls, 0.5),
    unit: "ms",
    mark: { kind: "<=", value: 80 },
  });
  print({ name: "task wall, p95", value: percentile(walls, 0.95), unit: "ms" });
}

async function throughput(loom: RunningLoom): Promise<void> {
  const tasks = 160;
  let next = 0;
  const began = performance.now();
  const clients = Array.from({ length: 8 }, async () => {
    while (next < tasks) {
      next += 1;
      await runTask(loom, `many-${next}`);
    }
  });
  await Promise.all(clients);
  print({
    name: "tasks per second, 8 clients",
    value: tasks / ((performance.now() - began) / 1000),
    unit: "tasks/s",
    mark: { kind: ">=", value: 15 },
  });
}

async function prompts(loom: RunningLoom, model: RunningModel): Promise<void> {
  await model.reset();
  await runTask(loom, "prompts");
  const stats = await model.stats();
  print({
    name: "prompt characters, first executor request",
    value: stats.firstExecutorChars,
    unit: "chars",
    mark: { kind: "<=", value: 12_000 },
  });
  print({ name: "prompt characters, whole task", value: stats.totalChars, unit: "chars" });
  print({
    name: "executor prefix share, least",
    value: stats.prefixShareLeast,
    unit: "",
    mark: { kind: ">=", value: 0.98 },
  });
}

/** With 3 slots, 6 subtasks of 4 turns and a verdict take two rounds; a plan before, an answer behind. */
const callsOnLongestChain = 1 + 2 * 5 + 1;

async function criticalPath(loom: RunningLoom, model: RunningModel): Promise<void> {
  const modelMs = 50;
  await model.latency(modelMs);
  await model.reset();
  const walls: number[] = [];
  for (let nth = 0; nth < 15; nth += 1) walls.push(await runTask(loom, `critical-${nth}`));
  const { servedMs } = await model.stats();
  await model.latency(0);
  const ratio = percentile(walls, 0.5) / (callsOnLongestChain * modelMs);
  print({ name: "a 50 ms model, as it was, p50", value: percentile(servedMs, 0.5), unit: "ms" });
  print({
    name: "wall over critical path, 50 ms model, p50",
    value: ratio,
    unit: "x",
    mark: { kind: "<=", value: 1.15 },
  });
}

async function eventLatency(loom: RunningLoom, model: RunningModel): Promise<void> {
  await model.latency(50);
  const taskId = await submit(loom.url, { goal, workspace: workspaceOf(loom, "latency") });
  const streams = await Promise.all(Array.from({ length: 100 }, () => streamLatencies(loom.url, taskId)));
  await model.latency(0);
  const all = streams.flat();
  print({ name: "event to SSE subscriber, 100 streams, p50", value: percentile(all, 0.5), unit: "ms" });
  print({
    name: "event to SSE subscriber, 100 streams, p99",
    value: percentile(all, 0.99),
    unit: "ms",
    mark: { kind: "<=", value: 25 },
  });
}

/** 50 requests a second on a server that is idle but for them: the tasks queue behind one that waits for a person. */
async function postLatency(loom: RunningLoom): Promise<void> {
  const workspace = workspaceOf(loom, "post");
  await asked(loom.url, await submit(loom.url, { goal, workspace, approve_plan: true }));
  const times: number[] = [];
  const pending: Promise<void>[] = [];
  for (let nth = 0; nth < 500; nth += 1) {
    const due = performance.now() + 20;
    pending.push(timed(() => submit(loom.url, { goal, workspace }), times));
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
  }
  await Promise.all(pending);
  print({ name: "POST /tasks at 50/s, p50", value: percentile(times, 0.5), unit: "ms" });
  print({
    name: "POST /tasks at 50/s, p99",
    value: percentile(times, 0.99),
    unit: "ms",
    mark: { kind: "<=", value: 15 },
  });
}

async function timed(run: () => Promise<unknown>, into: number[]): Promise<void> {
  const began = performance.now();
  await run();
  into.push(performance.now() - began);
}

async function startAndRest(modelUrl: string): Promise<void> {
  const starts: number[] = [];
  for (let nth = 0; nth < 6; nth += 1) {
    await using loom = await startLoom(modelUrl);
    if (nth > 0) starts.push(loom.startMs);
    if (nth === 5) {
      await new Promise((resolve) => setTimeout(resolve, 3000));
      print({ name: "idle RSS", value: loom.rss(), unit: "MB", mark: { kind: "<=", value: 130 } });
    }
  }
  print({
    name: "cold start to healthy, median of 5",
    value: percentile(starts, 0.5),
    unit: "ms",
    mark: { kind: "<=", value: 700 },
  });
}

leaveLoomsCore();
await using model = await startModel();
await startAndRest(model.url);
{
  await using loom = await startLoom(model.url);
  await taskWall(loom);
  await throughput(loom);
  await prompts(loom, model);
  await criticalPath(loom, model);
  await eventLatency(loom, model);
  await databaseSize(loom);
}
{
  await using loom = await startLoom(model.url);
  await postLatency(loom);
}
await appendRate();
await replayTime();
await resumeAfterKill(model);
