/** Clients of streams that are lost, slow or many, and streams when the server or its log goes. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Frame, RunningApi } from "./running-api.ts";
import { completed, started } from "./samples.ts";

let api: RunningApi;
beforeEach(async () => {
  api = await RunningApi.open({ heartbeatMs: 40 });
});
afterEach(async () => await api.close());

const ids = (frames: readonly Frame[]) => frames.flatMap(({ id }) => (id === undefined ? [] : [id]));
const events = (frames: readonly Frame[]) => frames.flatMap(({ event }) => (event === undefined ? [] : [event]));
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

describe("a client that is lost", () => {
  test("stops its subscription at once", async () => {
    const id = await api.task();
    const stream = await api.stream(`/tasks/${id}/stream`);
    await stream.take(2);
    expect(api.loom.log.followers).toBe(1);
    await stream[Symbol.asyncDispose]();
    await following(0);
  });
});

describe("a client that does not read", () => {
  test("holds nobody up, has nothing heaped up for it, and gets everything once it reads", async () => {
    const id = await api.task();
    const big = { ...started("s1"), type: "subtask_skipped", reason: "x".repeat(15_000) } as const;
    const { type, subtask_id, reason } = big;
    const socket = connect(api.port, "127.0.0.1");
    await once(socket, "connect");
    socket.pause();
    socket.write(`GET /tasks/${id}/stream HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await following(1);
    const count = 2000;
    const serialised = vi.spyOn(JSON, "stringify");
    for (let made = 0; made < count; made += 1) api.loom.append(id, { type, subtask_id, reason });
    api.loom.append(id, completed);
    await using other = await api.stream(`/tasks/${id}/stream?types=task_completed`);
    expect(events(await other.rest())).toEqual(["task_completed"]);
    // The kernel takes a few MB; the rest was not even put into text.
    expect(serialised.mock.calls.length).toBeLessThan(count * 1.5);
    serialised.mockRestore();
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text = (text + chunk).slice(-20_000);
    });
    socket.resume();
    await expect.poll(() => text.includes("event: task_completed"), { timeout: 10_000 }).toBe(true);
    expect(text).toContain(`id: ${count + 2}\n`);
    socket.destroy();
  });

  test("is cut off when the server goes down", async () => {
    const id = await api.task();
    const socket = connect(api.port, "127.0.0.1");
    await once(socket, "connect");
    socket.pause();
    socket.write(`GET /tasks/${id}/stream HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await following(1);
    for (let made = 0; made < 1500; made += 1) {
      api.loom.append(id, { type: "subtask_skipped", subtask_id: "s1", reason: "x".repeat(15_000) });
    }
    api.loom.append(id, completed);
    await using other = await api.stream(`/tasks/${id}/stream?types=task_completed`);
    await other.rest();
    expect(api.loom.log.followers).toBe(1);
    const began = performance.now();
    await api.close();
    expect(performance.now() - began).toBeLessThan(1500);
    await following(0);
    socket.destroy();
  });
});

describe("many clients of one task", () => {
  test("all get every event, which is put into text once", async () => {
    const id = await api.task();
    const streams = await Promise.all(Array.from({ length: 100 }, () => api.stream(`/tasks/${id}/stream?after=1`)));
    await following(100);
    const serialised = vi.spyOn(JSON, "stringify");
    api.loom.append(id, ...Array.from({ length: 50 }, () => started("s1")), completed);
    const all = await Promise.all(streams.map((stream) => stream.rest()));
    // Facts and envelope of each event, whoever reads it.
    expect(serialised.mock.calls.length).toBe(2 * 51);
    serialised.mockRestore();
    for (const frames of all) expect(ids(frames)).toEqual(numbers(2, 52));
  });
});

describe("streams when things go wrong", () => {
  test("end when the server goes down, and nobody waits for them", async () => {
    const id = await api.task();
    await using task = await api.stream(`/tasks/${id}/stream`);
    await using all = await api.stream("/stream");
    await Promise.all([task.take(2), all.take(2)]);
    const began = performance.now();
    await api.close();
    expect(performance.now() - began).toBeLessThan(1000);
    expect((await task.rest()).every(({ comment }) => comment === "hb")).toBe(true);
    expect((await all.rest()).every(({ comment }) => comment === "hb")).toBe(true);
  });

  test("that were about to open when the server went down open and end", async () => {
    const id = await api.task();
    const { promise, resolve } = Promise.withResolvers<void>();
    api.loom.hold = promise;
    const opening = api.stream(`/tasks/${id}/stream`);
    await expect.poll(() => api.loom.held, { interval: 2 }).toBe(1);
    const closing = api.close();
    const isDeaf = async () =>
      await api.get("/health").then(
        () => false,
        () => true,
      );
    await expect.poll(isDeaf, { interval: 2 }).toBe(true);
    resolve();
    await using stream = await opening;
    expect(await stream.rest()).toEqual([{ retry: "2000" }]);
    await closing;
  });

  test("end, and leave a line in the log, when the log cannot be read any further", async () => {
    const id = await api.task();
    await using stream = await api.stream(`/tasks/${id}/stream`);
    await stream.take(2);
    api.loom.failure = new Error("disk gone");
    api.loom.append(id, completed);
    await stream.rest();
    expect(api.lines).toContainEqual({ level: "error", facts: { error: "disk gone" }, message: "A stream broke off" });
  });
});

async function following(count: number): Promise<void> {
  await expect.poll(() => api.loom.log.followers, { interval: 2, timeout: 5000 }).toBe(count);
}
