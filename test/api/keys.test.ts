/** Keys that were made: who is let in, for what, how often, and what the audit log tells of it. */
import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { ruleFor } from "../../src/api/scopes.ts";
import { LoomError } from "../../src/lib/errors.ts";
import { type Scope, scopes } from "../../src/ports/access.ts";
import { FakeAccess } from "../support/fake-access.ts";
import { type Answer, type Problem, RunningApi } from "./running-api.ts";
import { asked } from "./samples.ts";

const problemOf = ({ body }: Answer) => body as Problem;

async function opened(
  options: { readonly apiKey?: string; readonly now?: () => number; readonly heartbeatMs?: number } = {},
) {
  const access = new FakeAccess();
  const { now, ...config } = options;
  return await RunningApi.open(config, { access, ...(now === undefined ? {} : { now }) });
}

/** A request with headers that `fetch` does not let one set. */
function ask(api: RunningApi, path: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(api.url + path, { headers }, (response) => resolve(response.resume().statusCode))
      .on("error", reject)
      .end();
  });
}

describe("a server for which a key was made", () => {
  test("wants one from everybody from then on, also when it is revoked", async () => {
    await using api = await opened();
    expect((await api.get("/tasks")).status).toBe(200);
    const key = api.access.make({ name: "ci" });
    expect(problemOf(await api.get("/tasks"))).toMatchObject({
      status: 401,
      hint: expect.stringContaining("loom keys create") as unknown,
    });
    expect((await api.get("/tasks", key.headers)).status).toBe(200);
    expect((await api.get("/tasks", { authorization: `Bearer ${key.text}` })).status).toBe(200);
    api.access.revoke(key.id);
    expect(problemOf(await api.get("/tasks", key.headers))).toMatchObject({
      status: 401,
      detail: 'The API key "ci" was revoked.',
    });
    expect((await api.get("/tasks")).status).toBe(401);
    expect((await api.get("/health")).status).toBe(200);
  });

  test("lets the configured one in beside it, with every scope", async () => {
    await using api = await opened({ apiKey: "a-configured-key" });
    const key = api.access.make({ scopes: ["submit"] });
    expect((await api.get("/config", { "x-api-key": "a-configured-key" })).status).toBe(200);
    expect((await api.get("/config", key.headers)).status).toBe(403);
  });

  test("takes no key that is nearly one", async () => {
    await using api = await opened();
    const { text } = api.access.make();
    const other = api.access.make();
    const swapped = `${text.slice(0, 16)}${other.text.slice(16)}`;
    const odd = [
      text.slice(0, -1),
      `${text}x`,
      text.toUpperCase(),
      swapped,
      `loom_${"0".repeat(10)}_${text.slice(16)}`,
    ];
    for (const key of odd) expect([key, (await api.get("/tasks", { "x-api-key": key })).status]).toEqual([key, 401]);
  });

  test("refuses a foreign page and a rebound name without a key, and asks no further of who shows one", async () => {
    await using api = await opened();
    const { headers, id } = api.access.make();
    const foreign = { host: "localhost", origin: "https://evil.example" };
    const rebound = { host: "evil.example" };
    for (const given of [foreign, rebound]) {
      expect(await ask(api, "/tasks", given)).toBe(403);
      expect(await ask(api, "/tasks", { ...given, "x-api-key": "loom_wrong" })).toBe(403);
      expect(await ask(api, "/tasks", { ...given, ...headers })).toBe(200);
    }
    api.access.revoke(id);
    for (const given of [foreign, rebound]) expect(await ask(api, "/tasks", { ...given, ...headers })).toBe(403);
  });

  test("notes when each was used, once a minute, and goes on when it cannot", async () => {
    let now = 1000;
    await using api = await opened({ now: () => now });
    const { headers, id } = api.access.make();
    for (const step of [0, 59_999, 1]) {
      now += step;
      await api.get("/tasks", headers);
    }
    expect(api.access.uses).toEqual([
      { id, at: 1000 },
      { id, at: 61_000 },
    ]);
    now += 60_000;
    api.access.failure = new Error("the disk is full");
    expect((await api.get("/tasks", headers)).status).toBe(200);
    expect(api.lines.some(({ message }) => message === "The use of a key could not be noted")).toBe(true);
  });
});

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

describe("a route", () => {
  test("has a scope, each one of the server", async () => {
    await using api = await opened();
    const { paths } = (await api.get("/openapi.json")).body as Described;
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path] as const),
    );
    expect(routes.length).toBeGreaterThan(40);
    for (const [method, path] of routes) {
      const url = path.replaceAll(/\{(\w+)\}/g, ":$1").replace("{*}", "*");
      expect([null, ...scopes]).toContain(ruleFor(method, url).scope);
    }
  });

  test("without one is not served", () => expect(() => ruleFor("GET", "/nowhere")).toThrow("has no scope"));

  const needs: readonly (readonly [string, string, Scope, unknown?])[] = [
    ["GET", "/tasks", "read"],
    ["HEAD", "/tasks", "read"],
    ["GET", "/tasks/ID", "read"],
    ["GET", "/tasks/ID/stream", "read"],
    ["GET", "/tasks/ID/subtasks/a/trace", "read"],
    ["GET", "/tasks/ID/files/a.txt", "read"],
    ["GET", "/stream", "read"],
    ["POST", "/stream-tickets", "read", { stream: "/stream" }],
    ["GET", "/docs", "read"],
    ["POST", "/tasks", "submit", { goal: "x" }],
    ["POST", "/tasks/ID/steer", "submit", { instruction: "x" }],
    ["PATCH", "/tasks/ID", "submit", { instruction: "x" }],
    ["POST", "/tasks/ID/cancel", "submit"],
    ["DELETE", "/tasks/ID", "submit"],
    ["DELETE", "/tasks/ID?purge=false", "submit"],
    ["POST", "/tasks/ID/pause", "submit"],
    ["POST", "/tasks/ID/resume", "submit"],
    ["POST", "/tasks/ID/retry", "submit"],
    ["POST", "/tasks/ID/undo", "submit", { scope: "task" }],
    ["POST", "/tasks/ID/message", "submit", { message: "x" }],
    ["POST", "/tasks/ID/feedback", "submit", { rating: 5 }],
    ["POST", "/tasks/ID/approve", "approve", { subtask_id: "a", approved: true }],
    ["POST", "/tasks/ID/questions/q/answer", "approve", { custom_response: "x" }],
    ["GET", "/config", "admin"],
    ["DELETE", "/tasks/ID?purge=true", "admin"],
    ["DELETE", "/tasks/ID?purge=YES", "admin"],
    ["POST", "/webhooks/deliveries/msg_1/redeliver", "admin"],
  ];
  test.each(needs.map(([method, path, needed, body]) => ({ method, path, needed, body })))(
    "$method $path asks for the scope $needed",
    async ({ method, path, needed, body }) => {
      await using api = await opened();
      const url = path.replace("ID", await api.task());
      const all = scopes.filter((scope) => scope !== needed);
      const without = api.access.make({ name: "without", scopes: all });
      const refused = await api.send(method, url, { body, headers: without.headers });
      expect(refused.status).toBe(403);
      const told = method === "HEAD" ? {} : { code: "forbidden", scope_needed: needed, scopes: all };
      expect(refused.body ?? {}).toMatchObject(told);
      const only = api.access.make({ name: "only", scopes: [needed] });
      await using streamed = await api.stream(method === "GET" ? url : "/health", only.headers);
      expect(streamed.response.status).not.toBe(403);
      const got = method === "GET" ? 200 : (await api.send(method, url, { body, headers: only.headers })).status;
      expect(got).not.toBe(403);
    },
  );
});

describe("a key with a rate", () => {
  test("is told to wait when its minute is spent, and how long; others go on", async () => {
    let now = 0;
    await using api = await opened({ now: () => now });
    const key = api.access.make({ name: "poller", ratePerMinute: 2 });
    const other = api.access.make({ ratePerMinute: 2 });
    const statuses = async () => (await api.get("/tasks", key.headers)).status;
    expect([await statuses(), await statuses()]).toEqual([200, 200]);
    const spent = await api.get("/tasks", key.headers);
    expect(problemOf(spent)).toMatchObject({ status: 429, code: "rate_limited" });
    expect(spent.headers.get("retry-after")).toBe("30");
    expect((await api.get("/tasks", other.headers)).status).toBe(200);
    now += 30_000;
    expect([await statuses(), await statuses()]).toEqual([200, 429]);
    now += 3_600_000;
    expect([await statuses(), await statuses(), await statuses()]).toEqual([200, 200, 429]);
  });
});

describe("what is done with a key", () => {
  test("carries its name into the task", async () => {
    await using api = await opened();
    const { headers } = api.access.make({ name: "anna", tasksMax: 3 });
    const { status, body } = await api.post("/tasks", { goal: "x" }, headers);
    const id = (body as { readonly task_id: string }).task_id;
    expect([status, api.loom.calls.at(-1)]).toEqual([
      201,
      ["submit", { goal: "x", submittedBy: "anna", openTasksMax: 3 }],
    ]);
    await api.post(`/tasks/${id}/steer`, { instruction: "left" }, headers);
    expect(api.loom.calls.at(-1)).toMatchObject(["steer", { source: "anna" }]);
    await api.post(`/tasks/${id}/retry`, undefined, headers);
    expect(api.loom.calls.at(-1)).toMatchObject(["retry", "anna"]);
  });

  test("names the key beside the person for whom it answers", async () => {
    await using api = await opened();
    const { headers } = api.access.make({ name: "anna" });
    const id = await api.task();
    api.loom.append(id, asked);
    const body = { custom_response: "x", answered_by: "the boss" };
    const answered = await api.post(`/tasks/${id}/questions/${asked.question_id}/answer`, body, headers);
    expect(answered.status).toBe(200);
    expect((await api.get(`/tasks/${id}/events`, headers)).text).toContain('"the boss via anna"');
  });

  test("is not mixed up with what another does under the same Idempotency-Key", async () => {
    await using api = await opened();
    const [anna, ben] = [api.access.make({ name: "anna" }), api.access.make({ name: "ben" })];
    const once = { "idempotency-key": "k1" };
    const first = await api.post("/tasks", { goal: "of anna" }, { ...anna.headers, ...once });
    const second = await api.post("/tasks", { goal: "of ben" }, { ...ben.headers, ...once });
    expect([first.status, second.status, second.headers.has("idempotency-replayed")]).toEqual([201, 201, false]);
  });

  test("is told to the audit log with its outcome, and nothing of what was said", async () => {
    await using api = await opened({ now: () => 77 });
    const anna = api.access.make({ name: "anna", scopes: ["read", "submit"] });
    const root = api.access.make({ name: "root" });
    const { body } = await api.post("/tasks", { goal: "the secret plan" }, { ...anna.headers, "idempotency-key": "k" });
    const id = (body as { readonly task_id: string }).task_id;
    await api.post("/tasks", { goal: "the secret plan" }, { ...anna.headers, "idempotency-key": "k" });
    await api.get(`/tasks/${id}`, anna.headers);
    await api.post(`/tasks/${id}/steer`, { instruction: "the secret plan" }, anna.headers);
    await api.post(`/tasks/${id}/approve`, { subtask_id: "a", approved: true }, anna.headers);
    await api.post("/tasks", { goal: 7 }, anna.headers);
    await api.get("/config", anna.headers);
    await api.get("/config", root.headers);
    await api.send("DELETE", "/tasks/..%2Fetc%20x", { headers: root.headers });
    await api.post(`/tasks/${id}/cancel`, undefined, { "x-api-key": "nobody's" });
    const who = { at: 77, actor: "anna", keyId: anna.id, remote: "127.0.0.1" };
    expect(api.access.rows).toEqual([
      { ...who, action: "task.submit", subject: id, outcome: "ok" },
      { ...who, action: "task.submit", subject: id, outcome: "replayed" },
      { ...who, action: "task.steer", subject: id, outcome: "ok" },
      { ...who, action: "approval.decide", subject: id, outcome: "refused:403" },
      { ...who, action: "task.submit", subject: null, outcome: "refused:422" },
      { ...who, action: "config.read", subject: null, outcome: "refused:403" },
      { ...who, actor: "root", keyId: root.id, action: "config.read", subject: null, outcome: "ok" },
      { ...who, actor: "root", keyId: root.id, action: "task.cancel", subject: null, outcome: "refused:404" },
    ]);
  });

  test("is not answered as done while it cannot be told", async () => {
    await using api = await opened();
    api.access.failure = new LoomError("storage_full", "The disk is full", { retryAfterMs: 5000 });
    const refused = await api.post("/tasks", { goal: "x" });
    expect(problemOf(refused)).toMatchObject({ status: 503, code: "storage_full" });
    expect([refused.headers.get("retry-after"), refused.headers.get("location")]).toEqual(["5", null]);
    expect((await api.get("/tasks")).status).toBe(200);
  });
});

describe("a stream", () => {
  test("of a key that is revoked ends, and its tickets open nothing", async () => {
    await using api = await opened({ heartbeatMs: 20 });
    const key = api.access.make({ scopes: ["read"] });
    const id = await api.task();
    const { body } = await api.post("/stream-tickets", { stream: `/tasks/${id}/stream` }, key.headers);
    const { url } = body as { readonly url: string };
    await using byTicket = await api.stream(url);
    await using byKey = await api.stream(`/tasks/${id}/stream`, key.headers);
    expect([byTicket.response.status, byKey.response.status]).toEqual([200, 200]);
    api.access.revoke(key.id);
    expect((await byTicket.rest()).length + (await byKey.rest()).length).toBeGreaterThan(0);
    expect((await api.get(url)).status).toBe(401);
  });

  test("is opened by a ticket for its own key only, and not by one from before there were keys", async () => {
    await using api = await opened();
    const early = (await api.post("/stream-tickets", { stream: "/stream" })).body as { readonly url: string };
    expect(await ask(api, early.url, {})).toBe(200);
    const [a, b] = [api.access.make(), api.access.make()];
    expect(await ask(api, early.url, {})).toBe(401);
    const { url } = (await api.post("/stream-tickets", { stream: "/stream" }, a.headers)).body as {
      readonly url: string;
    };
    expect((await api.send("HEAD", url)).status).toBe(200);
    expect((await api.send("HEAD", url.replace(a.id, b.id))).status).toBe(401);
    expect((await api.send("HEAD", url.replace(a.id, "api"))).status).toBe(401);
  });
});
