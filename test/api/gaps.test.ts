/** Streams and their twin where retention has taken what is asked for. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EventAnswer } from "../../src/api/answers.ts";
import type { Event } from "../../src/domain/event.ts";
import { type Frame, RunningApi } from "./running-api.ts";
import { completed, delivered, failed, planned, started } from "./samples.ts";

let api: RunningApi;
beforeEach(async () => {
  api = await RunningApi.open();
});
afterEach(async () => await api.close());

const told = (frames: readonly Frame[]) =>
  frames.flatMap(({ event, id }) => (event === undefined ? [] : [[event, id]]));
const dataOf = ({ data }: Frame): { readonly data: unknown } => JSON.parse(data ?? "") as { readonly data: unknown };

describe("a task whose log is gone", () => {
  const cancelled: Event = { type: "task_cancelled", completed: 0, total: 1, reason: "enough" };
  test.each<Event>([completed, failed, cancelled])("tells of the gap and of its end: %o", async (end) => {
    const id = await api.task();
    api.loom.append(id, planned, end, delivered);
    api.loom.takeLog(id);
    await using stream = await api.stream(`/tasks/${id}/stream`, { "last-event-id": "1" });
    const frames = (await stream.rest()).filter(({ event }) => event !== undefined);
    expect(told(frames)).toEqual([
      ["stream_gap", undefined],
      [end.type, "4"],
    ]);
    const [gap, last] = frames.map((frame) => dataOf(frame));
    expect(gap?.data).toEqual({ from: 1, first_available: null, last_seq: 4 });
    EventAnswer.parse(gap);
    EventAnswer.parse(last);
    expect((await api.get(`/tasks/${id}/stream`, { "last-event-id": "4" })).status).toBe(204);
  });

  test("tells it by /events too, at once", async () => {
    const id = await api.task();
    api.loom.append(id, planned, completed);
    api.loom.takeLog(id);
    const { body } = await api.get(`/tasks/${id}/events?wait=30`);
    expect((body as { event_type: string }[]).map(({ event_type }) => event_type)).toEqual([
      "stream_gap",
      "task_completed",
    ]);
  });

  test("tells only of the gap when its end is not among the wanted types", async () => {
    const id = await api.task();
    api.loom.append(id, completed);
    api.loom.takeLog(id);
    await using stream = await api.stream(`/tasks/${id}/stream?types=subtask_started`);
    expect(told(await stream.rest())).toEqual([["stream_gap", undefined]]);
  });
});

describe("a log that has lost its beginning", () => {
  test("tells of the gap, then goes on with what there is", async () => {
    const id = await api.task();
    api.loom.append(id, planned, started("s1"), completed);
    api.loom.takeLog(id, 2);
    await using stream = await api.stream(`/tasks/${id}/stream?after=1`);
    expect(told(await stream.rest())).toEqual([
      ["stream_gap", undefined],
      ["subtask_started", "3"],
      ["task_completed", "4"],
    ]);
    const { body } = await api.get(`/tasks/${id}/events?after=1`);
    expect(body).toMatchObject([{ data: { from: 1, first_available: 3, last_seq: 4 } }, { seq: 3 }, { seq: 4 }]);
    await using whole = await api.stream(`/tasks/${id}/stream?after=2`);
    expect(told(await whole.rest())).toEqual([
      ["subtask_started", "3"],
      ["task_completed", "4"],
    ]);
  });
});

describe("the stream of all tasks", () => {
  test("tells that what came right after the last id is gone", async () => {
    const [first, second] = [await api.task(), await api.task()];
    api.loom.append(first, completed);
    api.loom.append(second, completed);
    api.loom.log.all.splice(1, 2);
    await using stream = await api.stream("/stream", { "last-event-id": "g1" });
    const [, gap, next] = await stream.take(3);
    expect(dataOf(gap ?? {}).data).toEqual({ from: "g1", first_available: "g4" });
    expect([gap?.id, next?.id]).toEqual([undefined, "g4"]);
    await using start = await api.stream("/stream");
    expect((await start.take(3)).slice(1).map(({ id }) => id)).toEqual(["g1", "g4"]);
  });
});
