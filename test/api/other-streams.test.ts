/** The streams beside that of one task: model text, and the events of every task. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EventAnswer } from "../../src/api/answers.ts";
import { type Frame, RunningApi } from "./running-api.ts";
import { completed, failed, started } from "./samples.ts";

let api: RunningApi;
beforeEach(async () => {
  api = await RunningApi.open({ heartbeatMs: 40 });
});
afterEach(async () => await api.close());

const ids = (frames: readonly Frame[]) => frames.flatMap(({ id }) => (id === undefined ? [] : [id]));
const events = (frames: readonly Frame[]) => frames.flatMap(({ event }) => (event === undefined ? [] : [event]));

describe("model text on a stream", () => {
  const token = (text: string, subtaskId = "s1") => ({ token: text, subtaskId, model: "fake-1" });

  test("comes without an id, so that resuming stays on the log", async () => {
    const id = await api.task();
    await using stream = await api.stream(`/tasks/${id}/stream?after=1`);
    await stream.next();
    await following(1);
    api.loom.token(id, token("Hel\nlo"));
    const frame = await nextEvent(stream);
    expect(frame.id).toBeUndefined();
    expect(frame.event).toBe("token_streamed");
    expect(JSON.parse(frame.data ?? "")).toEqual({
      event_type: "token_streamed",
      task_id: id,
      subtask_id: "s1",
      data: { token: "Hel\nlo", subtask_id: "s1", model: "fake-1" },
    });
  });

  test.each(["?tokens=false", "?types=task_completed", "?subtask=s2"])("is left out with %s", async (query) => {
    const id = await api.task();
    await using stream = await api.stream(`/tasks/${id}/stream${query}`);
    await stream.next();
    await following(1);
    api.loom.token(id, token("hidden"));
    api.loom.append(id, completed);
    expect(events(await stream.rest())).not.toContain("token_streamed");
  });

  test("has a stream of its own, which ends with the task", async () => {
    const id = await api.task();
    await using stream = await api.stream(`/tasks/${id}/tokens`);
    await stream.next();
    await following(1);
    api.loom.token(id, token("42"));
    expect(await nextEvent(stream)).toEqual({
      event: "token",
      data: '{"token":"42","subtask_id":"s1","model":"fake-1"}',
    });
    api.loom.append(id, started("s1"), completed);
    expect(events(await stream.rest())).toEqual([]);
    expect((await api.get(`/tasks/${id}/tokens`)).status).toBe(204);
  });

  test("of one subtask is had alone", async () => {
    const id = await api.task();
    await using stream = await api.stream(`/tasks/${id}/tokens?subtask=s2`);
    await stream.next();
    await following(1);
    api.loom.token(id, token("other", "s1"));
    api.loom.token(id, token("mine", "s2"));
    expect((await nextEvent(stream)).data).toContain("mine");
  });

  test("answers HEAD without a body", async () => {
    const id = await api.task();
    expect(await api.send("HEAD", `/tasks/${id}/tokens`)).toMatchObject({ status: 200, text: "" });
  });
});

describe("the stream of all tasks", () => {
  test("carries every task's events in one numbering, and resumes in it", async () => {
    const [first, second] = [await api.task(), await api.task()];
    api.loom.append(first, completed);
    await using stream = await api.stream("/stream");
    expect(ids(await stream.take(4))).toEqual(["g1", "g2", "g3"]);
    await using again = await api.stream("/stream", { "last-event-id": "g2" });
    api.loom.append(second, completed);
    const frames = (await again.take(3)).slice(1);
    expect(ids(frames)).toEqual(["g3", "g4"]);
    expect(frames.map(({ data }) => EventAnswer.parse(JSON.parse(data ?? "")).task_id)).toEqual([first, second]);
  });

  test("begins with what is new when asked to", async () => {
    const id = await api.task();
    await using stream = await api.stream("/stream?after=now&types=task_failed");
    await stream.next();
    api.loom.append(id, started("s1"), failed);
    expect(await nextEvent(stream)).toMatchObject({ id: "g3", event: "task_failed" });
  });

  test.each(["?after=x", "?after=g9", "?types=nope", "?tokens=false"])("refuses %s", async (query) => {
    expect((await api.get(`/stream${query}`)).status).toBe(422);
  });

  test("answers HEAD without a body", async () => {
    expect(await api.send("HEAD", "/stream?after=0")).toMatchObject({ status: 200, text: "" });
  });
});

async function following(count: number): Promise<void> {
  await expect.poll(() => api.loom.log.followers, { interval: 2, timeout: 5000 }).toBe(count);
}

async function nextEvent(stream: { next(): Promise<Frame | undefined> }): Promise<Frame> {
  for (;;) {
    const frame = await stream.next();
    if (frame === undefined) throw new Error("The stream ended");
    if (frame.event !== undefined) return frame;
  }
}
