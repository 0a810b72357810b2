import { describe, expect, test } from "vitest";
import { startModelServer } from "../support/model-server.ts";
import { createPlace } from "../support/scenario.ts";
import { spawnLoom } from "../support/spawned.ts";
import { calls, ending, plan, works } from "../support/story.ts";

const story = [
  plan(
    { id: "one", description: "Write the first file." },
    { id: "two", description: "Count to three.", depends_on: ["one"] },
  ),
  ...works("Write the first file.", calls("write_file", { path: "one.txt", content: "1" }), "one.txt is written."),
  ...works(
    "Count to three.",
    calls("write_file", { path: "two.txt", content: "2" }),
    calls("shell_execute", { command: "echo ran >> count.txt; touch started; while [ ! -f go ]; do sleep 0.05; done" }),
    calls("read_file", { path: "count.txt" }),
    "Counted.",
  ),
  ...ending,
];

const isShell = (event: { readonly event_type: string; readonly data: { readonly tool?: string } }): boolean =>
  event.event_type === "tool_call_started" && event.data.tool === "shell_execute";

describe("a server that is killed in the middle of a command", () => {
  test("goes on after its restart: no new plan, no finished model call twice, the command not repeated and said to be uncertain", async () => {
    using place = createPlace();
    await using model = await startModelServer({ script: { replies: story } });
    const config = place.configure({ url: model.url });
    await using first = await spawnLoom({ config, home: place.home });
    const taskId = await first.client.submit({ goal: "Count", workspace: place.workspace });
    await first.client.until(taskId, isShell);
    await expect.poll(() => place.read("count.txt"), { timeout: 5000 }).toBe("ran\n");
    const before = await first.client.events(taskId);
    const asked = model.requests.length;
    expect(await first.end("SIGKILL")).toBe("SIGKILL");

    await using second = await spawnLoom({ config, home: place.home });
    const view = await second.client.closed(taskId);
    expect(view.status).toBe("completed");
    expect(place.read("count.txt")).toBe("ran\n");
    const after = await second.client.events(taskId);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.map((event) => event.seq)).toEqual(after.map((_, index) => index + 1));
    const count = (type: string): number => after.filter((event) => event.event_type === type).length;
    expect(count("task_plan_ready")).toBe(1);
    expect(count("task_recovered")).toBe(1);
    expect(count("uncertain_effect")).toBe(1);
    expect(count("subtask_started")).toBe(2);
    const sent = model.requests.map((request) => JSON.stringify(request.messages));
    expect(new Set(sent).size).toBe(sent.length);
    expect(sent.length).toBeGreaterThan(asked);
  });
});

describe("SIGTERM", () => {
  test("reaches the server also where npm started it", async () => {
    using place = createPlace();
    await using model = await startModelServer({ script: { replies: story } });
    const config = place.configure({ url: model.url });
    await using loom = await spawnLoom({ config, home: place.home, throughNpm: true });
    expect(await loom.client.get("/health")).toMatchObject({ status: "ok" });
    await loom.end("SIGTERM");
    await expect.poll(() => loom.client.get("/health").catch(() => "gone"), { timeout: 8000 }).toBe("gone");
  });

  test("ends the server well within 8 s, and the task goes on after the next start", async () => {
    using place = createPlace();
    await using model = await startModelServer({ script: { replies: story } });
    const config = place.configure({ url: model.url });
    await using first = await spawnLoom({ config, home: place.home });
    const taskId = await first.client.submit({ goal: "Count", workspace: place.workspace });
    await first.client.until(taskId, isShell);
    const began = performance.now();
    expect(await first.end("SIGTERM")).toBe(0);
    expect(performance.now() - began).toBeLessThan(8000);
    await using second = await spawnLoom({ config, home: place.home });
    expect((await second.client.closed(taskId)).status).toBe("completed");
    expect(place.read("count.txt")).toBe("ran\n");
  });
});

describe("a second server on the same database", () => {
  test("is refused with a message that says what to do", async () => {
    using place = createPlace();
    await using model = await startModelServer({ script: { replies: story } });
    const config = place.configure({ url: model.url });
    await using _first = await spawnLoom({ config, home: place.home });
    await expect(spawnLoom({ config, home: place.home })).rejects.toThrow(/loom\.db/);
  });
});

describe("a server that is to listen beyond loopback", () => {
  test("does not start without a key, and says how to make one", async () => {
    using place = createPlace();
    await using model = await startModelServer({ script: { replies: story } });
    const config = place.configure({ url: model.url });
    const env = { LOOM_SERVER__HOST: "0.0.0.0" };
    await expect(spawnLoom({ config, home: place.home, env })).rejects.toThrow(/78[\s\S]*LOOM_SERVER__API_KEY/);
  });
});
