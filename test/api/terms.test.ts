/** Writes that are sent again or under a condition, and reads of what a client has already. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Problem, RunningApi } from "./running-api.ts";

let api: RunningApi;
let id: string;
beforeEach(async () => {
  api = await RunningApi.open();
  id = await api.task();
});
afterEach(async () => await api.close());

const steering = { instruction: "Faster." };

describe("a write with an idempotency key", () => {
  test("that is sent again gets the first answer, and is done once", async () => {
    const first = await api.post(`/tasks/${id}/steer`, steering, { "idempotency-key": "k" });
    await api.post(`/tasks/${id}/message`, { message: "Meanwhile." });
    const again = await api.post(`/tasks/${id}/steer`, steering, { "idempotency-key": '"k"' });
    expect(again.body).toEqual(first.body);
    expect([first, again].map(({ headers }) => headers.get("idempotency-replayed"))).toEqual([null, "true"]);
    expect((await api.loom.view(id)).last_seq).toBe(3);
  });

  test("gets the first answer even when it was meant for a version that is over", async () => {
    const headers = { "idempotency-key": "k", "if-match": '"t-1"' };
    const first = await api.post(`/tasks/${id}/steer`, steering, headers);
    const again = await api.post(`/tasks/${id}/steer`, steering, headers);
    expect([again.status, again.body]).toEqual([200, first.body]);
  });

  test("with another body is refused", async () => {
    await api.post(`/tasks/${id}/steer`, steering, { "idempotency-key": "k" });
    const other = await api.post(`/tasks/${id}/steer`, { instruction: "Slower." }, { "idempotency-key": "k" });
    expect([other.status, (other.body as Problem).code]).toEqual([422, "idempotency_conflict"]);
  });

  test("is another one on another task, path or method", async () => {
    const other = await api.task();
    for (const [method, path] of [
      ["POST", `/tasks/${id}/steer`],
      ["POST", `/tasks/${other}/steer`],
      ["PATCH", `/tasks/${id}`],
    ] as const) {
      const { headers } = await api.send(method, path, { body: steering, headers: { "idempotency-key": "k" } });
      expect(headers.get("idempotency-replayed")).toBe(null);
    }
  });
});

describe("a read with If-None-Match", () => {
  test.each(["", "/subtasks", "/approvals", "/questions", "/changes"])(
    "of /tasks/{id}%s is answered only when something happened since",
    async (path) => {
      const first = await api.get(`/tasks/${id}${path}`);
      expect([first.status, first.headers.get("etag")]).toEqual([200, '"t-1"']);
      const headers = { "if-none-match": '"t-1"' };
      const known = await api.get(`/tasks/${id}${path}`, headers);
      expect([known.status, known.text]).toEqual([304, ""]);
      await api.post(`/tasks/${id}/message`, { message: "News." });
      expect((await api.get(`/tasks/${id}${path}`, headers)).status).toBe(200);
    },
  );
});
