import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { processesIn } from "../support/processes-in.ts";
import { startScenario } from "../support/scenario.ts";
import { calls, ending, plan, works } from "../support/story.ts";

const isShell = (event: { readonly event_type: string; readonly data: { readonly tool?: string } }): boolean =>
  event.event_type === "tool_call_started" && event.data.tool === "shell_execute";

/** A command that runs until a file appears, so that a test decides when it ends. */
const waits = calls("shell_execute", { command: "echo $$ > pid; while [ ! -f go ]; do sleep 0.05; done; echo went" });

const slowly = [
  plan({ id: "slow", description: "Wait for the sign." }),
  ...works("Wait for the sign.", waits, "The sign came."),
  ...ending,
];

describe("a running task", () => {
  test("takes an instruction before its next turn, with a receipt that names subtask and iteration", async () => {
    await using scenario = await startScenario({ script: { replies: slowly } });
    const { client, place, model } = scenario;
    const taskId = await client.submit({ goal: "Wait", workspace: place.workspace });
    await client.until(taskId, isShell);
    expect(await client.post(`/tasks/${taskId}/steer`, { instruction: "say it in French" })).toMatchObject({
      status: 200,
      body: { status: "ok" },
    });
    place.write("go", "");
    expect((await client.closed(taskId)).status).toBe("completed");
    const receipt = (await client.events(taskId)).find((event) => event.event_type === "steer_applied");
    expect(receipt).toMatchObject({ subtask_id: "slow", data: { attempt: 1, iteration: 2 } });
    expect(
      model.requests.filter((request) => JSON.stringify(request.messages).includes("say it in French")).length,
    ).toBeGreaterThan(0);
    expect((await client.post(`/tasks/${taskId}/steer`, { instruction: "too late" })).status).toBe(409);
  });

  test("is cut in the middle of a command by an interrupt, and goes on with the instruction", async () => {
    await using scenario = await startScenario({ script: { replies: slowly } });
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Wait", workspace: place.workspace });
    await client.until(taskId, isShell);
    await client.post(`/tasks/${taskId}/steer`, { instruction: "do not wait", mode: "interrupt" });
    const ended = await client.until(taskId, (event) => event.event_type === "tool_call_completed");
    expect(ended.data.success).toBe(false);
    await client.until(taskId, (event) => event.event_type === "steer_applied");
    expect(existsSync(join(place.workspace, "go"))).toBe(false);
    await client.post(`/tasks/${taskId}/cancel`);
  });

  test("pauses at its next step, keeps still, and goes on when it is resumed", async () => {
    await using scenario = await startScenario({ script: { replies: slowly } });
    const { client, place, model } = scenario;
    const taskId = await client.submit({ goal: "Wait", workspace: place.workspace });
    await client.until(taskId, isShell);
    expect((await client.post(`/tasks/${taskId}/pause`)).status).toBe(200);
    place.write("go", "");
    await client.until(taskId, (event) => event.event_type === "task_paused");
    expect(await client.get(`/tasks/${taskId}`)).toMatchObject({ status: "paused", awaiting: [{ kind: "resume" }] });
    const turns = model.requests.length;
    await scenario.restart();
    expect(await scenario.client.get(`/tasks/${taskId}`)).toMatchObject({ status: "paused" });
    expect(model.requests.length).toBe(turns);
    await scenario.client.post(`/tasks/${taskId}/resume`);
    expect((await scenario.client.closed(taskId)).status).toBe("completed");
  });

  test("stops with its processes when it is cancelled, and cancelling again changes nothing", async () => {
    await using scenario = await startScenario({ script: { replies: slowly } });
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Wait", workspace: place.workspace });
    await client.until(taskId, isShell);
    while (!existsSync(join(place.workspace, "pid")) || place.read("pid") === "")
      await new Promise((resolve) => setImmediate(resolve));
    expect(processesIn(place.workspace)).not.toEqual([]);
    const cancelled = await client.post(`/tasks/${taskId}/cancel`);
    expect(cancelled).toMatchObject({ status: 200, body: { status: "ok", task_status: "cancelled" } });
    expect(processesIn(place.workspace)).toEqual([]);
    expect((await fetch(`${client.url}/tasks/${taskId}`, { method: "DELETE" })).status).toBe(200);
    expect((await client.events(taskId)).filter((event) => event.event_type === "task_cancelled")).toHaveLength(1);
    expect(await client.get(`/tasks/${taskId}`)).toMatchObject({ status: "cancelled" });
  });

  test("that was cancelled goes on when it is retried, from what was finished", async () => {
    await using scenario = await startScenario({
      script: {
        replies: [
          plan(
            { id: "first", description: "Write the first." },
            { id: "slow", description: "Wait for the sign.", depends_on: ["first"] },
          ),
          ...works(
            "Write the first.",
            calls("write_file", { path: "first.txt", content: "1" }),
            "first.txt is written.",
          ),
          ...works("Wait for the sign.", waits, "The sign came."),
          ...ending,
        ],
      },
    });
    const { client, place, model } = scenario;
    const taskId = await client.submit({ goal: "Wait", workspace: place.workspace });
    await client.until(taskId, isShell);
    await client.post(`/tasks/${taskId}/cancel`);
    const plans = () =>
      model.requests.filter((request) => JSON.stringify(request.messages).includes("You are the planner of Loom"))
        .length;
    place.write("go", "");
    expect((await client.post(`/tasks/${taskId}/retry`)).status).toBe(200);
    const view = await client.closed(taskId);
    expect(view.status).toBe("completed");
    expect(plans()).toBe(1);
    expect(
      (await client.events(taskId)).filter(
        (event) => event.event_type === "subtask_started" && event.subtask_id === "first",
      ),
    ).toHaveLength(1);
  });

  test("ends when its budget is spent, and says which one", async () => {
    await using scenario = await startScenario({ script: { replies: slowly } });
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Wait", workspace: place.workspace, budget: { model_calls: 1 } });
    const view = await client.closed(taskId);
    expect(view.status).toBe("failed");
    expect(view.errors.at(-1)?.error).toContain("budget");
    expect(
      (await client.events(taskId)).find((event) => event.event_type === "task_budget_exhausted")?.data,
    ).toMatchObject({ budget_name: "model_calls", limit: 1 });
  });
});

describe("two tasks on one workspace", () => {
  test("run one after the other, and the second says what it waits for", async () => {
    await using scenario = await startScenario({ script: { replies: slowly } });
    const { client, place } = scenario;
    const first = await client.submit({ goal: "Wait", workspace: place.workspace });
    await client.until(first, isShell);
    const second = await client.submit({ goal: "Wait", workspace: place.workspace });
    expect(await client.get(`/tasks/${second}`)).toMatchObject({
      status: "pending",
      awaiting: [{ kind: "workspace", id: first }],
    });
    place.write("go", "");
    expect((await client.closed(first)).status).toBe("completed");
    expect((await client.closed(second)).status).toBe("completed");
  });
});

describe("a finished task", () => {
  test("can be undone whole, after a look at what that would do; what a person changed since stays and is named", async () => {
    await using scenario = await startScenario({
      script: {
        replies: [
          plan({ id: "edit", description: "Edit the pages." }),
          ...works(
            "Edit the pages.",
            calls("read_file", { path: "a.md" }),
            calls("write_file", { path: "a.md", content: "new a" }),
            calls("write_file", { path: "deep/b.md", content: "new b" }),
            "a.md and deep/b.md are written.",
          ),
          ...ending,
        ],
      },
    });
    const { client, place } = scenario;
    place.write("a.md", "old a");
    const taskId = await client.submit({ goal: "Edit", workspace: place.workspace });
    expect((await client.closed(taskId)).status).toBe("completed");
    place.write("deep/b.md", "a person was here");
    const preview = await client.post(`/tasks/${taskId}/undo`, { scope: "task", preview: true });
    expect(preview.body).toMatchObject({
      restored: ["a.md"],
      conflicts: expect.arrayContaining([expect.objectContaining({ path: "deep/b.md" })]),
    });
    expect(place.read("a.md")).toBe("new a");
    const undone = await client.post(`/tasks/${taskId}/undo`, { scope: "task" });
    expect(undone).toMatchObject({
      status: 200,
      body: { restored: ["a.md"], conflicts: expect.arrayContaining([expect.objectContaining({ path: "deep/b.md" })]) },
    });
    expect(place.read("a.md")).toBe("old a");
    expect(place.read("deep/b.md")).toBe("a person was here");
  });
});
