/** Requests that are sent again, because the server died before it answered: each is done once. */
import { describe, expect, test } from "vitest";
import { type LastingLoom, postUntilAnswered, startLastingLoom } from "../support/lasting-loom.ts";
import { startModelServer } from "../support/model-server.ts";
import { clientOf, createPlace } from "../support/scenario.ts";
import { ending, plan, works } from "../support/story.ts";

const story = [
  plan({ id: "greet", description: "Say the greeting.", kind: "answer" }),
  ...works("Say the greeting.", "Hello."),
  ...ending,
];
const clients = 50;

/** All of them send the same at once; the server is killed as soon as one was answered. */
async function pressed(loom: LastingLoom, path: string, body: unknown) {
  const key = `key of ${path}`.replaceAll(/[^a-z]/g, "-");
  const sent = Array.from({ length: clients }, () => postUntilAnswered(`${loom.url}${path}`, body, key));
  await Promise.race(sent);
  await loom.kill();
  const replies = await Promise.all(sent);
  expect(replies.filter(({ replayed }) => !replayed).length).toBeLessThanOrEqual(1);
  const [first, ...others] = replies.map((reply) => ({ status: reply.status, body: reply.body }));
  for (const other of others) expect(other).toEqual(first);
  return first;
}

describe("50 clients that send one request at once, while the server is killed", () => {
  test("make one task, and tell, steer and decide once", { timeout: 60_000 }, async () => {
    using place = createPlace();
    await using model = await startModelServer({ script: { replies: story } });
    await using loom = await startLastingLoom({ config: place.configure({ url: model.url }), home: place.home });
    const client = clientOf(loom.url);
    const submission = { goal: "Greet", approve_plan: true };
    const created = await pressed(loom, "/tasks", submission);
    expect(created?.status).toBe(201);
    const tasks = await client.get<{ readonly task_id: string }[]>("/tasks");
    expect(tasks).toHaveLength(1);
    const taskId = tasks[0]?.task_id ?? "";
    expect(created?.body).toMatchObject({ task_id: taskId });
    await client.until(taskId, ({ event_type }) => event_type === "approval_requested");

    for (const [path, body] of [
      ["message", { message: "Be brief." }],
      ["steer", { instruction: "Be kind." }],
      ["approve", { subtask_id: "plan", approved: true }],
    ] as const)
      expect([path, (await pressed(loom, `/tasks/${taskId}/${path}`, body))?.status]).toEqual([path, 200]);

    expect((await client.closed(taskId)).status).toBe("completed");
    const events = await client.events(taskId);
    const count = (type: string) => events.filter(({ event_type }) => event_type === type).length;
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(["conversation_message", "steer_instruction", "approval_received"].map(count)).toEqual([1, 1, 1]);
  });
});
