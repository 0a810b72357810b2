import { describe, expect, test } from "vitest";
import { startScenario } from "../support/scenario.ts";
import { calls, ending, plan, works } from "../support/story.ts";

describe("three independent subtasks and one that needs them", () => {
  test("overlap, and the fourth starts the moment the last of them is verified", async () => {
    const parts = ["a", "b", "c"];
    await using scenario = await startScenario({
      latencyMs: 20,
      script: {
        replies: [
          plan(...parts.map((id) => ({ id, description: `Write part ${id}.` })), {
            id: "join",
            description: "Join the parts.",
            depends_on: parts,
          }),
          ...parts.flatMap((id) =>
            works(
              `Write part ${id}.`,
              calls("write_file", { path: `${id}.txt`, content: id }),
              `${id}.txt is written.`,
            ),
          ),
          ...works(
            "Join the parts.",
            calls("shell_execute", { command: "cat a.txt b.txt c.txt > all.txt" }),
            "all.txt is written.",
          ),
          ...ending,
        ],
      },
    });
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Write all parts", workspace: place.workspace });
    const view = await client.closed(taskId);
    expect(view.status).toBe("completed");
    expect(place.read("all.txt")).toBe("abc");

    const events = await client.events(taskId);
    const at = (type: string, id: string): number =>
      events.find((event) => event.event_type === type && event.subtask_id === id)?.seq ?? Number.NaN;
    const started = parts.map((id) => at("subtask_started", id));
    const completed = parts.map((id) => at("subtask_completed", id));
    expect(Math.max(...started)).toBeLessThan(Math.min(...completed));
    expect(at("subtask_started", "join")).toBeGreaterThan(Math.max(...completed));
    const last = Math.max(...completed);
    const lastId = parts[completed.indexOf(last)];
    const between = events.filter(({ seq }) => seq > last && seq < at("subtask_started", "join"));
    // What others were about goes on while the last verdict is made durable. What begins because of it may be told first too;
    // nothing of that may have ended.
    const follows = between.filter(({ subtask_id }) => subtask_id === lastId);
    expect(follows.filter(({ data }) => data["phase"] !== "start")).toEqual([]);
  });
});
