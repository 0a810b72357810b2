/** What the server tells of itself, and the script of the guide from end to end. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import * as answers from "../../src/api/answers.ts";
import { type Problem, RunningApi } from "./running-api.ts";
import { completed, planned } from "./samples.ts";

let api: RunningApi;
let id: string;
beforeEach(async () => {
  api = await RunningApi.open();
  id = await api.task();
});
afterEach(async () => await api.close());

const codeOf = (body: unknown) => (body as Problem).code;

describe("the server", () => {
  test("tells its models, and asks them first when wanted", async () => {
    expect(answers.ModelsAnswer.parse((await api.get("/models")).body)).toMatchObject([
      { name: "executor", health: "unknown" },
    ]);
    expect((await api.get("/models?probe=true")).body).toMatchObject([{ health: "up" }]);
    expect((await api.get("/models?probe=again")).body).toMatchObject([
      { health: "up", profile: { tools: { value: "yes" } } },
    ]);
    expect((await api.get("/models?probe=maybe")).status).toBe(422);
    expect(api.loom.probes).toEqual(["first", "again"]);
  });

  test("tells its tools and its configuration", async () => {
    expect(answers.ToolsAnswer.parse((await api.get("/tools")).body)).toMatchObject([{ name: "read_file" }]);
    expect((await api.get("/config")).body).toMatchObject({ server: { port: 9000 } });
  });

  test.each([
    [{ status: "ok", ready: true }, 200, 200],
    [{ status: "degraded", ready: false }, 200, 503],
    [{ status: "draining", ready: false }, 503, 503],
  ] as const)("that is %j answers /health with %i and /health/ready with %i", async (health, whole, ready) => {
    api.loom.current = { version: "1.2.3", problems: [], ...health };
    const answer = await api.get("/health");
    expect(answers.HealthAnswer.parse(answer.body)).toMatchObject(health);
    expect(answer.status).toBe(whole);
    expect((await api.get("/health/ready")).status).toBe(ready);
    expect((await api.get("/health/live")).body).toEqual({ status: "ok" });
  });

  test.each([
    ["GET", "/metrics"],
    ["GET", "/slo"],
    ["GET", "/processes"],
  ])("says of %s %s that it is not available yet", async (method, path) => {
    const { status, body } = await api.send(method, path);
    expect([status, codeOf(body)]).toEqual([422, "not_available_yet"]);
  });
});

describe("the guide's script", () => {
  test("submits, polls and gives feedback as printed", async () => {
    const submitted = await api.post("/tasks", {
      goal: "Refactor the authentication module to use JWT tokens",
      workspace: "/projects/myapp",
      context: { constraints: ["Don't break existing tests"], focus_dirs: ["src/auth"] },
      approval_mode: "auto",
      callback_url: "http://agent:8080/done",
    });
    const { task_id } = answers.SubmittedAnswer.parse(submitted.body);
    expect((await api.get("/tasks")).body).toHaveLength(2);
    api.loom.append(task_id, planned, completed);
    expect((await api.get(`/tasks/${task_id}`)).body).toMatchObject({ status: "completed", errors: [], progress: {} });
    expect((await api.post(`/tasks/${task_id}/feedback`, { rating: 4, comment: "Good" })).status).toBe(200);
  });

  test("follows the stream line by line, as httpx gives it", async () => {
    api.loom.append(id, planned, completed);
    const text = (await api.get(`/tasks/${id}/stream`)).text;
    const seen: unknown[] = [];
    for (const line of text.split("\n")) {
      if (line.trim() === "" || !line.startsWith("data: ")) continue;
      const event = z
        .object({ event_type: z.string(), data: z.unknown() })
        .parse(JSON.parse(line.slice("data: ".length)));
      seen.push(event.event_type);
    }
    expect(seen).toEqual(["task_created", "task_plan_ready", "task_completed"]);
  });
});
