/** Whatever a client sends is answered: no request makes the API fail. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ProblemShape, RunningApi } from "./running-api.ts";
import { approvalAsked, asked, planned } from "./samples.ts";

let api: RunningApi;
let id: string;
beforeEach(async () => {
  api = await RunningApi.open({ bodyLimitBytes: 64 * 1024 });
  id = await api.task();
  api.loom.append(id, planned, approvalAsked("apr_1"), asked);
});
afterEach(async () => await api.close());

describe("whatever a client sends", () => {
  const paths = [
    "/tasks",
    "/tasks/ID",
    "/tasks/ID/events",
    "/tasks/ID/stream",
    "/tasks/ID/tokens",
    ...[
      "cancel",
      "steer",
      "pause",
      "resume",
      "retry",
      "approve",
      "approvals",
      "questions",
      "feedback",
      "message",
      "conversation",
      "undo",
    ].map((name) => `/tasks/ID/${name}`),
    "/tasks/ID/questions/qst_s1_1_1_1/answer",
    "/tasks/ID/subtasks/s1",
    "/tasks/ID/subtasks/s1/trace",
    "/tasks/ID/memory",
    "/tasks/ID/changes",
    "/tasks/ID/changes.diff",
    "/tasks/ID/files/a",
    "/memory/search",
    "/approvals",
    "/stream",
    "/models",
    "/tools",
    "/config",
    "/health",
    "/openapi.json",
    "/docs/x",
    "/metrics",
    "/webhooks/deliveries/x/redeliver",
  ];
  const names = [
    "goal",
    "workspace",
    "context",
    "metadata",
    "budget",
    "checks",
    "callback_url",
    "instruction",
    "mode",
    "subtask_id",
    "approved",
    "rating",
    "comment",
    "scope",
    "id",
    "message",
    "selected_labels",
  ];
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.double(),
    fc.constantFrom("/tmp", "http://a/", "s1", "auto", "task", true, 1e308, -0, "\0", "x".repeat(5000), "\ud800"),
  );
  const body = fc.oneof(
    fc
      .dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), odd, { maxKeys: 6 })
      .map((value) => JSON.stringify(value)),
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.string({ unit: "binary" }),
    fc.constant(undefined),
  );
  const headerText = fc.stringMatching(/^[\x21-\x7e]{0,30}$/);
  const headers = fc.dictionary(
    fc.constantFrom(
      "content-type",
      "if-none-match",
      "prefer",
      "last-event-id",
      "idempotency-key",
      "if-match",
      "authorization",
      "accept",
      "origin",
      "x-api-key",
    ),
    fc.oneof(
      headerText,
      fc.constantFrom("application/json", "application/json; charset=latin1", "*", "wait=0", "5", "text/event-stream"),
    ),
    { maxKeys: 4 },
  );
  const query = fc.oneof(
    fc.constant(""),
    fc
      .tuple(
        fc.constantFrom(
          "after",
          "limit",
          "wait",
          "status",
          "cursor",
          "q",
          "types",
          "subtask",
          "purge",
          "tokens",
          "entry_type",
        ),
        fc.oneof(fc.string({ unit: "binary", maxLength: 12 }), fc.integer().map(String), fc.constantFrom("true", "0")),
      )
      .map(([name, value]) => (name === "wait" ? "?wait=0" : `?${name}=${encodeURIComponent(value.toWellFormed())}`)),
    fc.stringMatching(/^\?[!$-;=?-Z_a-z~%]{0,20}$/),
  );
  const oddId = fc.oneof(fc.constant("ID"), fc.constant("ID"), fc.stringMatching(/^[!$-.0-;=@-Z_a-z~%]{1,80}$/));
  const method = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS");

  test("is answered below 500, and refused with a problem", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        method,
        body,
        headers,
        query,
        oddId,
        async (path, verb, content, head, search, taskId) => {
          const stop = new AbortController();
          const carriesBody = content !== undefined && verb !== "GET" && verb !== "HEAD";
          const url = api.url + path.replace("ID", taskId.replace("ID", id)) + search;
          const type = carriesBody ? { "content-type": "application/json" } : {};
          const response = await fetch(url, {
            method: verb,
            headers: { ...type, ...head },
            signal: stop.signal,
            ...(carriesBody ? { body: content } : {}),
          });
          const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
          const text = isStream ? "" : await response.text();
          stop.abort();
          expect(response.status).toBeLessThan(500);
          expect(text).not.toMatch(/^\s+at /m);
          const isRefusal = response.status >= 400 && verb !== "HEAD";
          expect(isRefusal ? ProblemShape.parse(JSON.parse(text)).status : response.status).toBe(response.status);
        },
      ),
      { numRuns: 600 },
    );
    expect(api.lines.filter(({ level }) => level === "error")).toEqual([]);
  });
});
