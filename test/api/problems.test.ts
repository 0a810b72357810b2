/** How the API refuses: one shape for every refusal, whoever raised it. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LoomError } from "../../src/lib/errors.ts";
import { type Problem, ProblemShape, RunningApi } from "./running-api.ts";

let api: RunningApi;
let id: string;
beforeEach(async () => {
  api = await RunningApi.open({ bodyLimitBytes: 64 * 1024 });
  id = await api.task();
});
afterEach(async () => await api.close());

async function refusal(
  method: string,
  path: string,
  init: RequestInit = {},
): Promise<{ readonly headers: Headers; readonly body: Problem }> {
  const response = await fetch(api.url + path, { method, ...init });
  expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  const body = ProblemShape.parse(await response.json()) as unknown as Problem;
  expect(body.status).toBe(response.status);
  return { headers: response.headers, body };
}

const json = (body: string | Uint8Array<ArrayBuffer>): RequestInit => ({
  body,
  headers: { "content-type": "application/json" },
});

describe("a request that cannot be taken", () => {
  test.each<[string, RequestInit, number, string]>([
    ["broken JSON", json("{"), 400, "malformed_json"],
    ["two values", json("{}{}"), 400, "malformed_json"],
    ["what is not UTF-8", json(Uint8Array.of(0x22, 0xff, 0x22)), 400, "malformed_json"],
    ["no body", {}, 422, "invalid_request"],
    ["an empty body", json(""), 422, "invalid_request"],
    ["a form", { body: new URLSearchParams({ goal: "x" }) }, 415, "unsupported_media_type"],
    ["text", { body: '{"goal":"x"}' }, 415, "unsupported_media_type"],
    ["a broken media type", { body: "{}", headers: { "content-type": "json" } }, 415, "unsupported_media_type"],
    ["too much", json(JSON.stringify({ goal: "x", context: { a: "x".repeat(70_000) } })), 413, "body_too_large"],
    [
      "brackets without end",
      json(`{"goal":"x","context":{"a":${"[".repeat(9000)}${"]".repeat(9000)}}}`),
      422,
      "invalid_request",
    ],
    ["a prototype", json('{"goal":"x","context":{"__proto__":{"a":1}}}'), 422, "invalid_request"],
    ["a list", json("[]"), 422, "invalid_request"],
  ])("for holding %s is told so", async (_what, init, status, code) => {
    const { body } = await refusal("POST", "/tasks", init);
    expect([body.status, body.code]).toEqual([status, code]);
    expect(body.hint).toBeDefined();
    expect(body.instance).toBe("/tasks");
    expect(api.loom.calls).toHaveLength(1);
  });

  test("for its path is told so", async () => {
    const { body } = await refusal("GET", "/taks?x=1");
    expect(body).toMatchObject({
      status: 404,
      code: "not_found",
      detail: 'There is nothing at "/taks".',
      instance: "/taks",
    });
    expect((await refusal("POST", "/nothing", { body: "x" })).body.status).toBe(404);
    expect((await refusal("GET", "/tasks/%zz")).body.status).toBe(400);
  });

  test.each([
    ["PUT", "/tasks", "GET, HEAD, POST, OPTIONS"],
    ["DELETE", "/tasks", "GET, HEAD, POST, OPTIONS"],
    ["PUT", "/tasks/task_1", "DELETE, GET, HEAD, PATCH, OPTIONS"],
    ["GET", "/tasks/task_1/cancel", "POST, OPTIONS"],
    ["POST", "/tasks/task_1/files/a/b", "GET, HEAD, OPTIONS"],
    ["POST", "/health", "GET, HEAD, OPTIONS"],
    ["PROPFIND", "/tasks", "GET, HEAD, POST, OPTIONS"],
  ])("for its method is told which there are: %s %s", async (method, path, allow) => {
    const { headers, body } = await refusal(method, path);
    expect([body.status, body.code, headers.get("allow")]).toEqual([405, "method_not_allowed", allow]);
  });

  test("by HEAD is refused without a body", async () => {
    const response = await fetch(`${api.url}/tasks/task_nope`, { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([404, ""]);
  });
});

describe("a refusal of Loom", () => {
  test("keeps its status, its words, its places and further members", async () => {
    api.loom.failure = new LoomError("approval_id_required", "Two wait", {
      hint: "Name one",
      errors: [{ pointer: "#/approval_id", detail: "is needed" }],
      extra: { approval_ids: ["a", "b"], status: 1 },
    });
    const { body } = await refusal("POST", `/tasks/${id}/approve`, json('{"subtask_id":"s1","approved":true}'));
    expect(body).toMatchObject({
      type: "urn:loom:problem:approval_id_required",
      title: "Approval id required",
      status: 409,
      detail: "Two wait",
      hint: "Name one",
      errors: [{ pointer: "#/approval_id" }],
      approval_ids: ["a", "b"],
    });
  });

  test.each([
    [new LoomError("storage_full", "No room", { retryAfterMs: 1 }), "1"],
    [new LoomError("storage_full", "No room", { retryAfterMs: 7400 }), "8"],
    [new LoomError("shutting_down", "Going"), "5"],
    [new LoomError("storage_newer", "Made by a newer Loom"), null],
  ])("says when to try again: %s, %s", async (failure, seconds) => {
    api.loom.failure = failure;
    const { headers, body } = await refusal("POST", "/tasks", json('{"goal":"x"}'));
    expect([body.status, headers.get("retry-after")]).toEqual([503, seconds]);
  });
});

describe("a failure that nobody foresaw", () => {
  test("is told without its insides, and logged with them", async () => {
    api.loom.failure = new Error("secret path /home/ada");
    const { body } = await refusal("GET", "/tasks");
    expect([body.status, body.code]).toEqual([500, "internal"]);
    expect(JSON.stringify(body)).not.toContain("ada");
    const line = api.lines.find(({ level }) => level === "error");
    expect(line?.facts).toMatchObject({
      method: "GET",
      route: "/tasks",
      error: "secret path /home/ada",
      stack: expect.stringContaining("at ") as unknown,
    });
  });
});

describe("what is not HTTP", () => {
  test.each([
    ["nonsense", "HELLO\r\n\r\n", 400],
    ["endless headers", `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(40_000)}\r\n\r\n`, 431],
  ])("is answered with a problem and hung up on: %s", async (_what, bytes, status) => {
    const socket = connect(api.port, "127.0.0.1");
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.write(bytes);
    await once(socket, "close");
    const [head, body] = text.split("\r\n\r\n");
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(ProblemShape.parse(JSON.parse(body ?? ""))).toMatchObject({ status });
  });

  test("and hangs up first leaves no line of failure", async () => {
    const socket = connect(api.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(
      "POST /tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
    );
    socket.resetAndDestroy();
    await refusal("GET", "/nothing");
    expect(api.lines.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("the log of requests", () => {
  test("has one line for each, without its query or body", async () => {
    await api.post(`/tasks/${id}/steer?key=secret`, { instruction: "secret" });
    await api.get("/nothing/secret");
    const isEnough = () => api.lines.length;
    await expect.poll(isEnough).toBe(2);
    expect(api.lines).toMatchObject([
      {
        level: "info",
        message: "request",
        facts: { method: "POST", route: "/tasks/:id/steer", status: 422, ms: expect.any(Number) as unknown },
      },
      { level: "info", message: "request", facts: { method: "GET", route: "none", status: 404 } },
    ]);
    expect(JSON.stringify(api.lines)).not.toContain("secret");
  });

  test("can be left out", async () => {
    await using quiet = await RunningApi.open({}, { accessLog: false });
    await quiet.get("/tasks");
    expect(quiet.lines).toEqual([]);
  });
});
