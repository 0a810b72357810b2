/** Looking at a task: its view and its events, at once or by waiting. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { EventAnswer, TaskAnswer } from "../../src/api/answers.ts";
import { LoomError } from "../../src/lib/errors.ts";
import { type Problem, RunningApi } from "./running-api.ts";
import { completed, planned, started } from "./samples.ts";

let api: RunningApi;
beforeEach(async () => {
  api = await RunningApi.open();
});
afterEach(async () => await api.close());

describe("the view of a task", () => {
  test("is as the contract says, whatever phase it is in", async () => {
    const id = await api.task();
    TaskAnswer.parse((await api.get(`/tasks/${id}`)).body);
    api.loom.append(id, planned, completed);
    const view = TaskAnswer.parse((await api.get(`/tasks/${id}`)).body);
    expect(view).toMatchObject({ status: "completed", result: { answer: "42" }, progress: { total_subtasks: 1 } });
  });

  test("carries a version, and is not sent again while that stands", async () => {
    const id = await api.task();
    const first = await api.get(`/tasks/${id}`);
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toBe('"t-1"');
    for (const match of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const again = await api.get(`/tasks/${id}`, { "if-none-match": match });
      expect([again.status, again.text, again.headers.get("etag")]).toEqual([304, "", etag]);
    }
    api.loom.append(id, started("s1"));
    expect((await api.get(`/tasks/${id}`, { "if-none-match": etag })).status).toBe(200);
  });

  test.each([
    ["?wait=20", {}],
    ["", { prefer: "respond-async, wait=20" }],
  ])("with %s %o comes at the moment the task ends", async (query, headers) => {
    const id = await api.task();
    const waiting = api.get(`/tasks/${id}${query}`, headers);
    await heardOf("wait", id);
    api.loom.append(id, completed);
    const { body, headers: got } = await waiting;
    expect(body).toMatchObject({ status: "completed" });
    expect(got.get("preference-applied")).toBe(query === "" ? "wait=20" : null);
  });

  test("comes as it is when the time is up", async () => {
    const id = await api.task();
    expect((await api.get(`/tasks/${id}?wait=0.02`)).body).toMatchObject({ status: "pending" });
  });

  test("is refused while waiting, when Loom cannot wait", async () => {
    const id = await api.task();
    api.loom.failure = new LoomError("storage_locked", "Another process has it");
    expect((await api.get(`/tasks/${id}?wait=1`)).status).toBe(503);
  });

  test.each(["wait=-1", "wait=301", "wait=soon"])("refuses ?%s", async (query) => {
    const id = await api.task();
    expect((await api.get(`/tasks/${id}?${query}`)).status).toBe(422);
  });

  test.each(["task_0000zzzz", "abc", "task_", "TASK_1", "task_1%00", "x".repeat(99), "x".repeat(400), "..%2f..%2fetc"])(
    "of %s is a 404",
    async (id) => {
      const { status, body } = await api.get(`/tasks/${id}`);
      expect([status, (body as Problem).code]).toEqual([404, "not_found"]);
    },
  );
});

describe("the events of a task", () => {
  const path = (id: string, query = "") => `/tasks/${id}/events${query}`;
  const seqs = (body: unknown) =>
    z
      .array(EventAnswer)
      .parse(body)
      .map(({ seq }) => seq);

  test("come as an array of what the stream carries", async () => {
    const id = await api.task();
    api.loom.append(id, planned, started("s1"), completed);
    const events = z.array(EventAnswer).parse((await api.get(path(id))).body);
    expect(events.map(({ event_type }) => event_type)).toEqual([
      "task_created",
      "task_plan_ready",
      "subtask_started",
      "task_completed",
    ]);
    expect(events[2]).toMatchObject({
      task_id: id,
      run_id: id.replace("task_", "run_"),
      seq: 3,
      subtask_id: "s1",
      data: { attempt: 1 },
    });
  });

  test("come page by page", async () => {
    const id = await api.task();
    api.loom.append(id, ...Array.from({ length: 5 }, () => started("s1")));
    expect(seqs((await api.get(path(id, "?after=2&limit=3"))).body)).toEqual([3, 4, 5]);
    expect(seqs((await api.get(path(id, "?after=6"))).body)).toEqual([]);
  });

  test("are waited for when there are none yet", async () => {
    const id = await api.task();
    const waiting = api.get(path(id, "?after=1&wait=20"));
    await heardOf("events", id);
    api.loom.append(id, started("s1"));
    expect(seqs((await waiting).body)).toEqual([2]);
  });

  test("of no task are a 404", async () => {
    expect((await api.get(path("task_nope"))).status).toBe(404);
  });

  test.each(["after=-1", "after=x", "limit=0", "limit=1001", "wait=301"])("refuse ?%s", async (query) => {
    const id = await api.task();
    expect((await api.get(path(id, `?${query}`))).status).toBe(422);
  });
});

describe("a server that goes down", () => {
  test("answers whoever waits with what there is", async () => {
    const id = await api.task();
    const view = api.get(`/tasks/${id}?wait=60`);
    const events = api.get(`/tasks/${id}/events?after=1&wait=60`);
    await heardOf("wait", id);
    await heardOf("events", id);
    const began = performance.now();
    await api.close();
    expect(performance.now() - began).toBeLessThan(1500);
    expect((await view).body).toMatchObject({ status: "pending" });
    expect((await events).body).toEqual([]);
  });

  test("takes nothing new from a client that was still speaking, but tells it how it is", async () => {
    const ask = async (path: string) => {
      const socket = connect(api.port, "127.0.0.1");
      await once(socket, "connect");
      const begun = `GET ${path} HTTP/1.1\r\nhost: localhost\r\n`;
      await new Promise((resolve) => socket.write(begun, resolve));
      let text = "";
      socket.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      return async () => {
        socket.write("\r\n");
        await once(socket, "close");
        return text;
      };
    };
    const finish = [await ask("/tasks"), await ask("/health")];
    await api.get("/health");
    const closing = api.close();
    const [tasks, health] = await Promise.all(finish.map((end) => end()));
    await closing;
    expect(tasks).toMatch(/^HTTP\/1.1 503 [\s\S]*"code":"shutting_down"/);
    expect(health).toMatch(/^HTTP\/1.1 200 /);
  });
});

/** Resolves once Loom was asked, so that what happens next happens while the client waits. */
async function heardOf(member: "wait" | "events", taskId: string): Promise<void> {
  const isHeard = () => api.loom.calls.some(([name, id]) => name === member && id === taskId);
  await expect.poll(isHeard, { interval: 2 }).toBe(true);
}
