import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startScenario, type WireEvent } from "../support/scenario.ts";
import { answers, approves, calls, ending, extractsNothing, plan, works } from "../support/story.ts";

const isAsked = (event: WireEvent): boolean => event.event_type === "approval_requested";

const cleansUp = [
  plan({ id: "clean", description: "Clean the build up.", is_critical_path: false }),
  ...works(
    "Clean the build up.",
    calls("shell_execute", { command: "rm -rf build" }),
    "The build folder is gone, or a person would not have it.",
  ),
  ...ending,
];

describe("a command that must be approved", () => {
  test("waits, survives a restart while it waits, and runs only after the yes", async () => {
    await using scenario = await startScenario({ script: { replies: cleansUp } });
    const { place, model } = scenario;
    place.write("build/out.txt", "old");
    const taskId = await scenario.client.submit({ goal: "Clean up", workspace: place.workspace });
    const asked = await scenario.client.until(taskId, isAsked);
    expect(asked.data).toMatchObject({
      kind: "tool",
      risk_level: expect.any(String),
      action: { tool: "shell_execute", command: "rm -rf build" },
    });
    expect(await scenario.client.get(`/tasks/${taskId}`)).toMatchObject({
      status: "waiting_approval",
      awaiting: [{ kind: "approval", id: asked.data.approval_id }],
    });

    const turns = model.requests.length;
    await scenario.restart();
    expect(existsSync(join(place.workspace, "build/out.txt"))).toBe(true);
    expect(await scenario.client.get("/approvals")).toMatchObject([
      { task_id: taskId, subtask_id: "clean", status: "pending", action: { command: "rm -rf build" } },
    ]);
    expect(await scenario.client.get(`/tasks/${taskId}`)).toMatchObject({ status: "waiting_approval" });
    expect(model.requests.length).toBe(turns);

    const yes = await scenario.client.post(`/tasks/${taskId}/approve`, { subtask_id: "clean", approved: true });
    expect(yes).toMatchObject({ status: 200, body: { approved: true, resolved_pending: true } });
    expect((await scenario.client.closed(taskId)).status).toBe("completed");
    expect(existsSync(join(place.workspace, "build"))).toBe(false);
    const events = await scenario.client.events(taskId);
    const seqOf = (type: string, tool?: string): number =>
      events.find((event) => event.event_type === type && (tool === undefined || event.data.tool === tool))?.seq ??
      Number.NaN;
    expect(seqOf("tool_call_started", "shell_execute")).toBeGreaterThan(seqOf("approval_received"));
    expect(
      await scenario.client.post(`/tasks/${taskId}/approve`, { subtask_id: "clean", approved: true }),
    ).toMatchObject({ status: 200, body: { resolved_pending: false } });
    expect(
      (await scenario.client.post(`/tasks/${taskId}/approve`, { subtask_id: "clean", approved: false })).status,
    ).toBe(409);
    expect(
      (await scenario.client.post(`/tasks/${taskId}/approve`, { subtask_id: "nobody", approved: true })).status,
    ).toBe(404);
  });

  test("does not run after a no, and the model reads the reason", async () => {
    await using scenario = await startScenario(
      { script: { replies: cleansUp } },
      { extra: "[execution]\nmax_subtask_retries = 0\nmax_replans = 0\n" },
    );
    const { client, place, model } = scenario;
    place.write("build/out.txt", "old");
    const taskId = await client.submit({ goal: "Clean up", workspace: place.workspace });
    await client.until(taskId, isAsked);
    await client.post(`/tasks/${taskId}/approve`, {
      subtask_id: "clean",
      approved: false,
      reason: "the build is still needed",
    });
    await client.closed(taskId);
    expect(place.read("build/out.txt")).toBe("old");
    expect(
      model.requests.some((request) => JSON.stringify(request.messages).includes("the build is still needed")),
    ).toBe(true);
  });

  test("is refused at once where nobody answers", async () => {
    await using scenario = await startScenario(
      { script: { replies: cleansUp } },
      { extra: "[execution]\nmax_subtask_retries = 0\nmax_replans = 0\n" },
    );
    const { client, place } = scenario;
    place.write("build/out.txt", "old");
    const taskId = await client.submit({ goal: "Clean up", workspace: place.workspace, approvers: "none" });
    await client.closed(taskId);
    expect(place.read("build/out.txt")).toBe("old");
  });
});

describe("a subtask that must be approved", () => {
  const edits = (content: string) =>
    works(
      "Rewrite the page.",
      { ...calls("read_file", { path: "page.md" }), times: 1 },
      { ...calls("write_file", { path: "page.md", content }), times: 1 },
      { text: `page.md says ${content}`, times: 1 },
    );

  test("leaves the files as they were when it is rejected, and is done again with the reason", async () => {
    await using scenario = await startScenario({
      script: {
        replies: [
          plan({ id: "page", description: "Rewrite the page." }),
          ...edits("first"),
          ...edits("second"),
          approves,
          extractsNothing,
          answers,
        ],
      },
    });
    const { client, place } = scenario;
    place.write("page.md", "as it was\n");
    const taskId = await client.submit({ goal: "Rewrite", workspace: place.workspace, approval_mode: "manual" });
    const first = await client.until(taskId, isAsked);
    expect(first.data.kind).toBe("subtask");
    expect(place.read("page.md")).toBe("first");
    await client.post(`/tasks/${taskId}/approve`, { subtask_id: "page", approved: false, reason: "say second" });
    await client.until(taskId, (event) => event.event_type === "undo_applied");
    const second = await client.until(taskId, (event) => isAsked(event) && event.seq > first.seq);
    expect(second.data.attempt).toBe(2);
    const unnamed = await client.post(`/tasks/${taskId}/approve`, { subtask_id: "page", approved: true });
    expect(unnamed).toMatchObject({
      status: 409,
      body: { code: "approval_id_required", approval_id: second.data.approval_id },
    });
    await client.post(`/tasks/${taskId}/approve`, {
      subtask_id: "page",
      approved: true,
      approval_id: second.data.approval_id,
    });
    expect((await client.closed(taskId)).status).toBe("completed");
    expect(place.read("page.md")).toBe("second");
  });

  test("leaves the files as they were when it is rejected without a reason, and the task fails", async () => {
    await using scenario = await startScenario({
      script: { replies: [plan({ id: "page", description: "Rewrite the page." }), ...edits("first"), ...ending] },
    });
    const { client, place } = scenario;
    place.write("page.md", "as it was\n");
    const taskId = await client.submit({ goal: "Rewrite", workspace: place.workspace, approval_mode: "manual" });
    await client.until(taskId, isAsked);
    await client.post(`/tasks/${taskId}/approve`, { subtask_id: "page", approved: false });
    expect((await client.closed(taskId)).status).toBe("failed");
    expect(place.read("page.md")).toBe("as it was\n");
  });
});

describe("a plan that must be approved", () => {
  test("is shown, and nothing starts before the yes", async () => {
    await using scenario = await startScenario({
      script: {
        replies: [
          plan({ id: "a", description: "Write a." }),
          ...works("Write a.", calls("write_file", { path: "a", content: "a" }), "a is written."),
          ...ending,
        ],
      },
    });
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Write", workspace: place.workspace, approve_plan: true });
    const asked = await client.until(taskId, isAsked);
    expect(asked).toMatchObject({ subtask_id: "plan", data: { kind: "plan", summary: "a: Write a." } });
    expect((await client.events(taskId)).some((event) => event.event_type === "subtask_started")).toBe(false);
    await client.post(`/tasks/${taskId}/approve`, { subtask_id: "plan", approved: true });
    expect((await client.closed(taskId)).status).toBe("completed");
  });
});

describe("a question that a model asks", () => {
  test("parks the subtask until a person answers, and the answer reaches the model", async () => {
    await using scenario = await startScenario({
      script: {
        replies: [
          plan({ id: "name", description: "Name the file." }),
          ...works(
            "Name the file.",
            calls("ask_user", { question: "Which name?", question_type: "free_text" }),
            calls("write_file", { path: "named.txt", content: "x" }),
            "It is named.",
          ),
          ...ending,
        ],
      },
    });
    const { client, place, model } = scenario;
    const taskId = await client.submit({ goal: "Name it", workspace: place.workspace });
    const asked = await client.until(taskId, (event) => event.event_type === "ask_user_requested");
    expect(await client.get(`/tasks/${taskId}/questions`)).toMatchObject([
      { question_id: asked.data.question_id, status: "pending", question: "Which name?" },
    ]);
    const answer = await client.post(`/tasks/${taskId}/questions/${asked.data.question_id}/answer`, {
      custom_response: "call it named.txt",
    });
    expect(answer.status).toBe(200);
    expect((await client.closed(taskId)).status).toBe("completed");
    expect(model.requests.some((request) => JSON.stringify(request.messages).includes("call it named.txt"))).toBe(true);
  });
});
