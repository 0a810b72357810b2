/** Turning a running task another way: cancel, steer, pause, resume, retry. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as answers from "../../src/api/answers.ts";
import { type Problem, RunningApi } from "./running-api.ts";
import { completed, failed } from "./samples.ts";

let api: RunningApi;
let id: string;
beforeEach(async () => {
  api = await RunningApi.open();
  id = await api.task();
});
afterEach(async () => await api.close());

const codeOf = (body: unknown) => (body as Problem).code;

describe("cancelling", () => {
  test.each([
    ["POST", "/cancel"],
    ["DELETE", ""],
  ])("by %s %s ends the task, once", async (method, path) => {
    const first = await api.send(method, `/tasks/${id}${path}`);
    expect(first.status).toBe(200);
    expect(answers.StateAnswer.parse(first.body)).toEqual({
      status: "ok",
      message: `Task ${id} cancelled.`,
      task_status: "cancelled",
      applied_seq: 3,
    });
    expect((await api.send(method, `/tasks/${id}${path}`, { body: { reason: "again" } })).body).toEqual(first.body);
  });

  test("a task that is done leaves it done, and says so", async () => {
    api.loom.append(id, completed);
    expect((await api.post(`/tasks/${id}/cancel`)).body).toMatchObject({
      message: "Task already completed.",
      task_status: "completed",
    });
  });

  test("hands on the reason", async () => {
    await api.post(`/tasks/${id}/cancel`, { reason: "too dear" });
    expect(api.loom.calls.at(-1)).toEqual(["cancel", { by: "api", reason: "too dear" }]);
  });

  test("with an empty body that says it is JSON is cancelling all the same", async () => {
    expect(
      (await api.send("POST", `/tasks/${id}/cancel`, { headers: { "content-type": "application/json" } })).status,
    ).toBe(200);
  });

  test("does not erase: that is not available yet", async () => {
    const { status, body } = await api.send("DELETE", `/tasks/${id}?purge=true`);
    expect([status, codeOf(body)]).toEqual([422, "not_available_yet"]);
    expect((await api.get(`/tasks/${id}`)).body).toMatchObject({ status: "pending" });
  });
});

describe("steering", () => {
  test.each([
    ["POST", "/steer"],
    ["PATCH", ""],
  ])("by %s %s injects an instruction", async (method, path) => {
    const { status, body } = await api.send(method, `/tasks/${id}${path}`, { body: { instruction: "Login first" } });
    expect(status).toBe(200);
    expect(answers.DoneAnswer.parse(body)).toEqual({ status: "ok", message: "Instruction injected.", applied_seq: 2 });
    expect(api.loom.calls.at(-1)).toMatchObject([
      "steer",
      { instruction: "Login first", mode: "next_boundary", source: "api" },
    ]);
  });

  test.each([
    [{}],
    [{ instruction: "" }],
    [{ instruction: "  " }],
    [{ instruction: "x", mode: "now" }],
    [{ instruction: 1 }],
    [undefined],
    [null],
    [[]],
    ["x"],
  ])("refuses %j", async (body) => {
    expect((await api.post(`/tasks/${id}/steer`, body)).status).toBe(422);
  });

  test("a closed task is a conflict", async () => {
    api.loom.append(id, completed);
    const { status, body } = await api.post(`/tasks/${id}/steer`, { instruction: "x" });
    expect([status, codeOf(body)]).toEqual([409, "wrong_state"]);
    expect((body as Problem).hint).toBeDefined();
  });
});

describe("pausing, resuming and retrying", () => {
  test("answer with the state that follows", async () => {
    const paused = answers.StateAnswer.parse((await api.post(`/tasks/${id}/pause`)).body);
    expect(paused).toMatchObject({ message: `Task ${id} paused.`, task_status: "paused" });
    expect((await api.post(`/tasks/${id}/resume`, {})).body).toMatchObject({ task_status: "executing" });
    api.loom.pause = async () => ({ appliedSeq: 3, status: "executing" });
    expect((await api.post(`/tasks/${id}/pause`)).body).toMatchObject({
      message: `Task ${id} pauses as soon as its running steps have ended.`,
      task_status: "executing",
    });
    expect((await api.post(`/tasks/${id}/retry`)).status).toBe(409);
    api.loom.append(id, failed);
    expect((await api.post(`/tasks/${id}/retry`)).body).toMatchObject({
      message: `Task ${id} goes on.`,
      task_status: "executing",
    });
  });

  test("take no fields", async () => {
    expect((await api.post(`/tasks/${id}/pause`, { until: 3 })).body).toMatchObject({
      errors: [{ pointer: "#/until" }],
    });
  });

  test.each([['"t-2"'], ['"t-1", "t-2"'], ["*"]])("with If-Match %s are taken at that version", async (tags) => {
    await api.post(`/tasks/${id}/message`, { message: "hello" });
    const { status, headers } = await api.post(`/tasks/${id}/pause`, {}, { "if-match": tags });
    expect([status, headers.get("etag")]).toEqual([200, '"t-3"']);
  });

  test.each([['"t-2"'], ['W/"t-1"'], ["t-1"], ['"another"'], [""]])(
    "with If-Match %s are refused at t-1",
    async (tags) => {
      const { status, body } = await api.post(`/tasks/${id}/pause`, {}, { "if-match": tags });
      expect([status, codeOf(body)]).toEqual([412, "precondition_failed"]);
    },
  );
});
