/** The stream of one task: frames, resuming, ending, filters. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EventAnswer } from "../../src/api/answers.ts";
import type { Event } from "../../src/domain/event.ts";
import { type Frame, type Problem, RunningApi } from "./running-api.ts";
import { completed, delivered, failed, planned, reopened, started } from "./samples.ts";

let api: RunningApi;
beforeEach(async () => {
  api = await RunningApi.open({ heartbeatMs: 40 });
});
afterEach(async () => await api.close());

const ids = (frames: readonly Frame[]) => frames.flatMap(({ id }) => (id === undefined ? [] : [id]));
const events = (frames: readonly Frame[]) => frames.flatMap(({ event }) => (event === undefined ? [] : [event]));
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

describe("the stream of a task", () => {
  test("tells at once that it is open, and how to come back", async () => {
    const id = await api.task();
    await using stream = await api.stream(`/tasks/${id}/stream?after=1`);
    expect(stream.response.status).toBe(200);
    expect(Object.fromEntries(stream.response.headers)).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    });
    expect(await stream.next()).toEqual({ retry: "2000" });
  });

  test("carries each event with its id, its name and one line of JSON, then ends with the task", async () => {
    const id = await api.task();
    await using stream = await api.stream(`/tasks/${id}/stream`);
    await stream.take(2);
    api.loom.append(id, planned, started("s1"), completed);
    const frames = (await stream.rest()).filter(({ event }) => event !== undefined);
    expect(ids(frames)).toEqual(["2", "3", "4"]);
    const parsed = frames.map(({ data }) => EventAnswer.parse(JSON.parse(data ?? "")));
    expect(parsed.map(({ event_type }) => event_type)).toEqual(events(frames));
    expect(parsed[1]).toMatchObject({ task_id: id, seq: 3, subtask_id: "s1", timestamp: "2026-01-01T00:00:00.003Z" });
  });

  test("shows a sign of life while nothing happens", async () => {
    const id = await api.task();
    await using stream = await api.stream(`/tasks/${id}/stream?after=1`);
    expect(await stream.take(3)).toEqual([{ retry: "2000" }, { comment: "hb" }, { comment: "hb" }]);
  });

  test("replays a task that is closed, with what came after its end, and ends", async () => {
    const id = await api.task();
    api.loom.append(id, planned, completed, delivered);
    await using stream = await api.stream(`/tasks/${id}/stream`);
    expect(ids(await stream.rest())).toEqual(numbers(1, 4));
  });

  test("is not ended by an end that a retry has overtaken", async () => {
    const id = await api.task();
    api.loom.append(id, failed, reopened);
    await using stream = await api.stream(`/tasks/${id}/stream`);
    await stream.take(4);
    api.loom.append(id, completed);
    expect(events(await stream.rest())).toEqual(["task_completed"]);
  });

  test("ends with the task even when the view lags behind the log", async () => {
    const id = await api.task();
    api.loom.shown = await api.loom.view(id);
    await using stream = await api.stream(`/tasks/${id}/stream`);
    await stream.take(2);
    api.loom.append(id, started("s1"), completed);
    expect(ids(await stream.rest())).toEqual(["2", "3"]);
    await using again = await api.stream(`/tasks/${id}/stream?after=2`);
    expect(ids(await again.rest())).toEqual(["3"]);
  });

  test("of no task is a problem, not a stream", async () => {
    const { status, headers, body } = await api.get("/tasks/task_nope/stream");
    expect([status, (body as Problem).code]).toEqual([404, "not_found"]);
    expect(headers.get("content-type")).toContain("application/problem+json");
  });

  test("answers HEAD without a body", async () => {
    const id = await api.task();
    const { status, headers, text } = await api.send("HEAD", `/tasks/${id}/stream`);
    expect([status, text, headers.get("content-type")]).toEqual([200, "", "text/event-stream; charset=utf-8"]);
  });
});

describe("a stream that is resumed", () => {
  test.each<[string, string, Record<string, string>]>([
    ["Last-Event-ID", "", { "last-event-id": "3" }],
    ["after", "?after=3", {}],
    ["last_event_id", "?last_event_id=3", {}],
    ["Last-Event-ID rather than the query it began with", "?after=1", { "last-event-id": "3" }],
    ["the query when the header is empty", "?after=3", { "last-event-id": "" }],
  ])("by %s goes on strictly after that event", async (_by, query, headers) => {
    const id = await api.task();
    api.loom.append(id, planned, started("s1"), started("s1"), completed);
    await using stream = await api.stream(`/tasks/${id}/stream${query}`, headers);
    expect(ids(await stream.rest())).toEqual(["4", "5"]);
  });

  test("misses nothing and repeats nothing, wherever it broke off and whatever happens meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 6 }), async (breaks) => {
        const id = await api.task();
        const seen: string[] = [];
        for (const count of breaks) {
          api.loom.append(id, ...Array.from({ length: count }, (): Event => started("s1")));
          if (count === 0) continue;
          await using stream = await api.stream(`/tasks/${id}/stream`, { "last-event-id": seen.at(-1) ?? "" });
          const wanted = 1 + Math.max(1, Math.floor(count / 2));
          seen.push(...ids(await stream.take(wanted)));
        }
        api.loom.append(id, completed);
        await using stream = await api.stream(`/tasks/${id}/stream?after=${seen.at(-1) ?? 0}`);
        seen.push(...ids(await stream.rest()));
        const view = await api.loom.view(id);
        expect(seen).toEqual(numbers(1, view.last_seq));
      }),
      { numRuns: 25 },
    );
  });

  test("on a closed task with nothing left is told not to come back", async () => {
    const id = await api.task();
    api.loom.append(id, completed, delivered);
    const left = await api.get(`/tasks/${id}/stream`, { "last-event-id": "2" });
    expect([left.status, left.text.includes("webhook_delivered")]).toEqual([200, true]);
    const { status, text } = await api.get(`/tasks/${id}/stream`, { "last-event-id": "3" });
    expect([status, text]).toEqual([204, ""]);
  });

  test("on a closed task with nothing left of the wanted types is told not to come back, however long the log", async () => {
    const id = await api.task();
    api.loom.append(id, completed, ...Array.from({ length: 1200 }, () => delivered));
    expect((await api.get(`/tasks/${id}/stream?types=task_completed&after=2`)).status).toBe(204);
    api.loom.append(id, completed);
    expect((await api.get(`/tasks/${id}/stream?types=task_completed&after=2`)).status).toBe(200);
  });

  test.each<[string, Record<string, string>, string]>([
    ["", { "last-event-id": "abc" }, "#/headers/last-event-id"],
    ["", { "last-event-id": "g3" }, "#/headers/last-event-id"],
    ["?after=-1", {}, "#/query/after"],
    ["?after=1.5", {}, "#/query/after"],
    ["?last_event_id=x", {}, "#/query/last_event_id"],
    ["?after=99", {}, "#/query/after"],
  ])("from %s %o, where there is nothing, is refused", async (query, headers, pointer) => {
    const id = await api.task();
    const { status, body } = await api.get(`/tasks/${id}/stream${query}`, headers);
    expect(status).toBe(422);
    expect(body).toMatchObject({ errors: [{ pointer }], hint: expect.any(String) as unknown });
  });
});

describe("a stream of which not all is wanted", () => {
  test("carries the types that are named, and still ends", async () => {
    const id = await api.task();
    api.loom.append(id, planned, started("s1"), completed);
    await using stream = await api.stream(`/tasks/${id}/stream?types=task_plan_ready,%20subtask_started`);
    expect(events(await stream.rest())).toEqual(["task_plan_ready", "subtask_started"]);
  });

  test("carries one subtask", async () => {
    const id = await api.task();
    api.loom.append(id, planned, started("s1"), started("s2"), completed);
    await using stream = await api.stream(`/tasks/${id}/stream?subtask=s2`);
    expect(ids(await stream.rest())).toEqual(["4"]);
  });

  test.each(["types=task_done", "types=", "subtask=%20", "tokens=perhaps", "type=x"])("refuses ?%s", async (query) => {
    const id = await api.task();
    expect((await api.get(`/tasks/${id}/stream?${query}`)).status).toBe(422);
  });
});
