/** Submitting and listing tasks. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ListAnswer, SubmittedAnswer } from "../../src/api/answers.ts";
import { type Problem, RunningApi } from "./running-api.ts";

let api: RunningApi;
beforeEach(async () => {
  api = await RunningApi.open();
});
afterEach(async () => await api.close());

describe("a submitted task", () => {
  test("is answered with 201, its place and its version", async () => {
    const answer = await api.post("/tasks", { goal: "Write a haiku" });
    expect(answer.status).toBe(201);
    const { task_id, applied_seq } = SubmittedAnswer.parse(answer.body);
    expect(answer.headers.get("location")).toBe(`/tasks/${task_id}`);
    expect(answer.headers.get("etag")).toBe(`"t-${applied_seq}"`);
  });

  test("reaches Loom with everything that was said, in Loom's names", async () => {
    await api.post("/tasks", {
      goal: "Refactor",
      workspace: "/projects/app",
      context: { constraints: ["none"] },
      metadata: { ticket: 7 },
      approval_mode: "manual",
      callback_url: "http://agent:8080/done",
      callback_events: ["approval_requested"],
      checks: [{ name: "unit", run: "npm test" }],
      budget: { tokens: 1000 },
      approve_plan: true,
      approvers: "none",
      approval_timeout_seconds: 60,
      auto_subfolder: false,
    });
    expect(api.loom.calls.at(-1)).toEqual([
      "submit",
      {
        goal: "Refactor",
        workspace: "/projects/app",
        context: { constraints: ["none"] },
        metadata: { ticket: 7 },
        approvalMode: "manual",
        callbackUrl: "http://agent:8080/done",
        callbackEvents: ["approval_requested"],
        checks: [{ name: "unit", run: "npm test" }],
        budget: { tokens: 1000 },
        approvePlan: true,
        approvers: "none",
        approvalTimeoutSeconds: 60,
        submittedBy: "api",
      },
    ]);
  });

  test("may leave fields out by null, as Python clients do", async () => {
    const answer = await api.post("/tasks", {
      goal: "x",
      workspace: null,
      callback_url: null,
      context: null,
      process: null,
    });
    expect(answer.status).toBe(201);
    expect(api.loom.calls.at(-1)).toEqual(["submit", { goal: "x", submittedBy: "api" }]);
  });

  test.each([
    ["process", "research"],
    ["auto_subfolder", true],
    ["result_schema", { type: "object" }],
  ])("is refused by name when it asks for %s, which is not built yet", async (field, value) => {
    const { status, body } = await api.post("/tasks", { goal: "x", [field]: value });
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: "not_available_yet", errors: [{ pointer: `#/${field}` }] });
    expect(api.loom.calls).toEqual([]);
  });

  test("may narrow the policy, in a field of its own and in its metadata", async () => {
    const [git, web] = [{ command: "git push", reason: "not today" }, { host: "*.example.com" }];
    const metadata = { policy: { ask: [web] }, mine: 1 };
    const both = await api.post("/tasks", { goal: "x", policy: { deny: [git] }, metadata });
    expect(both.status).toBe(201);
    expect(api.loom.calls.at(-1)).toMatchObject(["submit", { policy: { deny: [git], ask: [web] }, metadata }]);
    await api.post("/tasks", { goal: "x", metadata });
    expect(api.loom.calls.at(-1)).toMatchObject(["submit", { policy: { ask: [web] } }]);
    await api.post("/tasks", { goal: "x", policy: null, metadata: { policy: null } });
    expect(api.loom.calls.at(-1)).not.toHaveProperty("1.policy");
  });

  test("may not widen the policy, and is told so", async () => {
    const policy = { allow: [{ tool: "shell_execute" }] };
    for (const [body, pointer] of [
      [{ policy }, "#/policy/allow"],
      [{ metadata: { policy } }, "#/metadata/policy/allow"],
    ] as const) {
      const answer = await api.post("/tasks", { goal: "x", ...body });
      expect(answer.status).toBe(422);
      expect(answer.body).toMatchObject({
        errors: [{ pointer, detail: expect.stringContaining("only narrow") as string }],
      });
    }
    expect(api.loom.calls).toEqual([]);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["a rule without a condition", { goal: "x", policy: { deny: [{ reason: "no" }] } }, "#/policy/deny/0"],
    ["a rule with an empty condition", { goal: "x", policy: { deny: [{ equals: {} }] } }, "#/policy/deny/0"],
    ["a rule for a whole line", { goal: "x", policy: { ask: [{ command: "a | b" }] } }, "#/policy/ask/0/command"],
    ["an unknown condition", { goal: "x", policy: { deny: [{ file: "x", tool: "y" }] } }, "#/policy/deny/0/file"],
    ["an unknown decision", { goal: "x", policy: { refuse: [] } }, "#/policy/refuse"],
    [
      "too many rules",
      { goal: "x", policy: { deny: Array.from({ length: 101 }, () => ({ tool: "x" })) } },
      "#/policy/deny",
    ],
    ["a policy in its metadata that is none", { goal: "x", metadata: { policy: "deny" } }, "#/metadata/policy"],
    ["no goal", {}, "#/goal"],
    ["an empty goal", { goal: "" }, "#/goal"],
    ["a blank goal", { goal: " \n" }, "#/goal"],
    ["a goal that is too long", { goal: "x".repeat(100_001) }, "#/goal"],
    ["a relative workspace", { goal: "x", workspace: "app" }, "#/workspace"],
    ["a NUL in the workspace", { goal: "x", workspace: "/a\0b" }, "#/workspace"],
    ["an odd approval mode", { goal: "x", approval_mode: "yolo" }, "#/approval_mode"],
    ["a callback that is no URL", { goal: "x", callback_url: "agent" }, "#/callback_url"],
    ["a callback that is not HTTP", { goal: "x", callback_url: "file:///etc/passwd" }, "#/callback_url"],
    ["an unknown field", { goal: "x", gaol: "y" }, "#/gaol"],
    ["an unknown field with a slash", { goal: "x", "a/b~c": 1 }, "#/a~1b~0c"],
    ["an unknown field inside", { goal: "x", budget: { dollars: 1 } }, "#/budget/dollars"],
    ["a context that is no object", { goal: "x", context: [1] }, "#/context"],
  ])("is refused with %s, pointing at it", async (_what, body, pointer) => {
    const answer = await api.post("/tasks", body);
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: "invalid_request", errors: [{ pointer }] });
  });

  test("keeps unknown fields inside context and metadata", async () => {
    const answer = await api.post("/tasks", { goal: "x", context: { a: { b: [1, null] } }, metadata: { c: "d" } });
    expect(answer.status).toBe(201);
  });

  test("is refused in Loom's words when Loom refuses", async () => {
    const { status, body } = await api.post("/tasks", { goal: "x", workspace: "/missing/app" });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: "workspace_unusable", detail: 'No folder "/missing/app"', hint: "Create it" });
  });
});

describe("a submission that is sent again", () => {
  const body = { goal: "x", context: { a: 1, b: 2 } };

  test("under the same key is answered as the first time, and makes no second task", async () => {
    const first = await api.post("/tasks", body, { "idempotency-key": '"8e03978e-40d5"' });
    const second = await api.post(
      "/tasks",
      { context: { b: 2, a: 1 }, goal: "x" },
      { "idempotency-key": "8e03978e-40d5" },
    );
    expect(second.status).toBe(201);
    expect(second.text).toBe(first.text);
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(second.headers.get("location")).toBe(first.headers.get("location"));
    expect((await api.get("/tasks")).body).toHaveLength(1);
  });

  test("under the same key with another body is refused", async () => {
    await api.post("/tasks", body, { "idempotency-key": "k" });
    const { status, body: problem } = await api.post("/tasks", { goal: "y" }, { "idempotency-key": "k" });
    expect([status, (problem as Problem).code]).toEqual([422, "idempotency_conflict"]);
  });

  test.each(["", "   ", '""', "x".repeat(256), "a b"])("under the odd key %j is refused", async (key) => {
    const { status, body: problem } = await api.post("/tasks", body, { "idempotency-key": key });
    expect(status).toBe(422);
    expect(problem).toMatchObject({ errors: [{ pointer: "#/headers/idempotency-key" }] });
  });

  test("where nothing keeps the answer is refused as not available yet", async () => {
    const asked = [{ stream: "/stream" }, { "idempotency-key": "k" }] as const;
    const { status, body: problem } = await api.post("/stream-tickets", ...asked);
    expect([status, (problem as Problem).code]).toEqual([422, "not_available_yet"]);
  });

  test("on a version, where there is none yet, is refused", async () => {
    const { status, body: problem } = await api.post("/tasks", body, { "if-match": "*" });
    expect([status, (problem as Problem).code]).toEqual([412, "precondition_failed"]);
  });
});

describe("the list of tasks", () => {
  test("is an array, newest first", async () => {
    const ids = [await api.task(), await api.task(), await api.task()];
    const { status, body } = await api.get("/tasks");
    expect(status).toBe(200);
    expect(ListAnswer.parse(body).map(({ task_id }) => task_id)).toEqual(ids.toReversed());
  });

  test("goes on where Link says, with the same filter, until nothing is left", async () => {
    for (let made = 0; made < 5; made += 1) await api.task();
    const seen: string[] = [];
    let path: string | undefined = "/tasks?limit=2&status=pending";
    while (path !== undefined) {
      const { body, headers } = await api.get(path);
      seen.push(...ListAnswer.parse(body).map(({ task_id }) => task_id));
      path = /^<(?<next>[^>]+)>; rel="next"$/.exec(headers.get("link") ?? "")?.groups?.["next"];
    }
    expect(new Set(seen).size).toBe(5);
    expect(seen).toHaveLength(5);
  });

  test("shows the head of a very long goal", async () => {
    await api.task("long ".repeat(10_000));
    const [row] = ListAnswer.parse((await api.get("/tasks")).body);
    expect(row?.goal.length).toBeLessThan(2100);
    expect(row?.goal).toMatch(/… \[cut: 50000 bytes in all\]$/);
  });

  test.each(["status=done", "limit=0", "limit=201", "limit=x", "limit=1&limit=2", "cursor=bogus", "limit=", "page=2"])(
    "refuses ?%s",
    async (query) => {
      await api.task();
      const { status, body } = await api.get(`/tasks?${query}`);
      expect([status, (body as Problem).code]).toEqual([422, "invalid_request"]);
    },
  );
});
