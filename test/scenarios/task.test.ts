import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startScenario, type Wire } from "../support/scenario.ts";
import { answers, approves, calls, ending, extractsNothing, plan, rejects, works } from "../support/story.ts";

const writesGreeting = [
  plan({ id: "greet", description: "Write the greeting.", expected_outputs: ["greeting.txt"] }),
  ...works(
    "Write the greeting.",
    calls("write_file", { path: "greeting.txt", content: "hello\n" }),
    "greeting.txt says hello.",
  ),
];

describe("a goal with a workspace", () => {
  test.each<Wire>(["openai_compatible", "ollama", "anthropic"])(
    "becomes verified files and an answer, over the wire of %s",
    async (wire) => {
      await using scenario = await startScenario({ script: { replies: [...writesGreeting, ...ending] } }, { wire });
      const { client, place } = scenario;
      const taskId = await client.submit({ goal: "Greet the world", workspace: place.workspace });
      const view = await client.closed(taskId);
      expect(view).toMatchObject({
        status: "completed",
        plan: { subtasks: [{ id: "greet", status: "completed", summary: "greeting.txt says hello." }] },
        progress: { total_subtasks: 1, completed: 1, percent_complete: 100 },
        result: { summary: "All is done.", answer: "All is done, as asked." },
        workspace_changes: { files_created: 1, files_modified: 0, files_deleted: 0 },
        awaiting: [],
      });
      expect(view["usage"].input_tokens).toBeGreaterThan(0);
      expect(place.read("greeting.txt")).toBe("hello\n");
      expect(await (await fetch(`${client.url}/tasks/${taskId}/files/greeting.txt`)).text()).toBe("hello\n");
      expect(await (await fetch(`${client.url}/tasks/${taskId}/changes.diff`)).text()).toContain("+hello");
    },
  );

  test("tells its story in the contract's order, gapless from 1", async () => {
    await using scenario = await startScenario({ script: { replies: [...writesGreeting, ...ending] } });
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Greet the world", workspace: place.workspace });
    await client.closed(taskId);
    const events = await client.events(taskId);
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
    const told = events
      .map((event) => event.event_type)
      .filter((type) => !["model_invocation", "tool_call_started"].includes(type));
    // An extract runs beside the answer: which of them ends first is nobody's law.
    const settled = told.indexOf("extraction_settled");
    expect(settled).toBeGreaterThan(told.indexOf("subtask_completed"));
    expect(told.toSpliced(settled, 1)).toEqual([
      "task_created",
      "task_planning",
      "task_plan_ready",
      "task_executing",
      "subtask_started",
      "tool_call_completed",
      "files_changed",
      "subtask_delivered",
      "verification_started",
      "verification_passed",
      "subtask_completed",
      "subtask_delivered",
      "task_completed",
    ]);
  });
});

describe("work that is not what was asked", () => {
  test("is done again with the critique, and the task tells of both", async () => {
    await using scenario = await startScenario({
      script: {
        replies: [
          plan({ id: "greet", description: "Write the greeting." }),
          ...works(
            "Write the greeting.",
            { ...calls("write_file", { path: "greeting.txt", content: "hello\n" }), times: 1 },
            { text: "done", times: 1 },
          ),
          ...works(
            "Write the greeting.",
            calls("read_file", { path: "greeting.txt" }),
            calls("write_file", { path: "greeting.txt", content: "Hello, world!\n" }),
            "It greets the world.",
          ),
          { ...rejects("It does not greet the world."), times: 1 },
          approves,
          extractsNothing,
          answers,
        ],
      },
    });
    const { client, model, place } = scenario;
    const taskId = await client.submit({ goal: "Greet the world", workspace: place.workspace });
    expect((await client.closed(taskId)).status).toBe("completed");
    expect(place.read("greeting.txt")).toBe("Hello, world!\n");
    const retrying = (await client.events(taskId)).find((event) => event.event_type === "subtask_retrying");
    expect(retrying?.data).toMatchObject({ attempt: 2, feedback: expect.stringContaining("does not greet the world") });
    const second = model.requests.filter((request) => JSON.stringify(request.messages).includes("Attempt 1 failed"));
    expect(second.length).toBeGreaterThan(0);
  });

  test("fails at tier 1 when it claims what no tool did, and no verifier is asked", async () => {
    await using scenario = await startScenario(
      {
        script: {
          replies: [
            plan({ id: "greet", description: "Write the greeting." }),
            ...works("Write the greeting.", "I wrote greeting.txt, it says hello."),
            ...ending,
          ],
        },
      },
      { extra: "[execution]\nmax_subtask_retries = 0\nmax_replans = 0\n" },
    );
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Greet the world", workspace: place.workspace });
    const view = await client.closed(taskId);
    expect(view.status).toBe("failed");
    expect(existsSync(join(place.workspace, "greeting.txt"))).toBe(false);
    const events = await client.events(taskId);
    expect(events.filter((event) => event.event_type === "verification_passed")).toEqual([]);
    expect(events.some((event) => event.data.role === "verifier")).toBe(false);
  });

  test("a flawed plan goes back with its flaws; after the third the goal itself is the plan", async () => {
    await using scenario = await startScenario({
      script: {
        replies: [
          plan({ id: "a", description: "A.", depends_on: ["b"] }, { id: "b", description: "B.", depends_on: ["a"] }),
          ...works(
            "Greet the world",
            calls("write_file", { path: "greeting.txt", content: "hello\n" }),
            "greeting.txt says hello.",
          ),
          ...ending,
        ],
      },
    });
    const { client, model, place } = scenario;
    const taskId = await client.submit({ goal: "Greet the world", workspace: place.workspace });
    const view = await client.closed(taskId);
    expect(view.status).toBe("completed");
    const types = (await client.events(taskId)).map((event) => event.event_type);
    expect(types.filter((type) => type === "task_plan_rejected")).toHaveLength(3);
    expect(types).toContain("task_plan_degraded");
    expect(model.requests.some((request) => JSON.stringify(request.messages).includes("a -> b -> a"))).toBe(true);
  });
});

describe("checks that come with a task", () => {
  test("must exit 0 at the end, and get a subtask of their own when they do not", async () => {
    await using scenario = await startScenario({
      script: {
        replies: [
          ...writesGreeting,
          ...works(
            "Make the task's own checks pass",
            calls("read_file", { path: "greeting.txt" }),
            calls("write_file", { path: "greeting.txt", content: "Hello\n" }),
            "It is capitalised.",
          ),
          ...ending,
        ],
      },
    });
    const { client, place } = scenario;
    const taskId = await client.submit({
      goal: "Greet the world",
      workspace: place.workspace,
      checks: [{ name: "capital", run: "grep -q Hello greeting.txt" }],
    });
    const view = await client.closed(taskId);
    expect(view.status).toBe("completed");
    expect(view.plan.subtasks.map((subtask) => subtask.id)).toContain("fix-checks-1");
    expect(place.read("greeting.txt")).toBe("Hello\n");
  });
});
