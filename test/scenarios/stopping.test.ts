/** Stop means stop: whatever a command has hidden, nothing of a task runs once its end has been told. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hasBubblewrap } from "../safety/sandbox-place.ts";
import { startModelServer } from "../support/model-server.ts";
import { processesIn } from "../support/processes-in.ts";
import { createPlace, type Place, startScenario, type WireEvent } from "../support/scenario.ts";
import { spawnLoom } from "../support/spawned.ts";
import { leaving, running, stayers, staying } from "../support/stopping-story.ts";

const off = '[sandbox]\nmode = "off"';
const grounds: readonly (readonly [string, string])[] = [
  ["off", off],
  ...(hasBubblewrap ? [["auto", ""] as const] : []),
];

const isShellEnd = ({ event_type, data }: WireEvent): boolean =>
  event_type === "tool_call_completed" && data.tool === "shell_execute";

/** The script is at its last line, and what it hides is there. */
async function hidden(place: Place, sign = "started"): Promise<void> {
  await expect.poll(() => existsSync(join(place.workspace, sign)), { timeout: 10_000 }).toBe(true);
  await expect.poll(() => processesIn(place.workspace).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(stayers);
}

describe.each(grounds)("with [sandbox] mode %s", (_mode, extra) => {
  test("nothing of a task is alive when its cancel is answered", async () => {
    await using scenario = await startScenario(running("bash hides.sh"), { extra });
    const { client, place } = scenario;
    place.write("hides.sh", staying);
    const taskId = await client.submit({ goal: "Run it", workspace: place.workspace });
    await hidden(place);
    const cancelled = await client.post(`/tasks/${taskId}/cancel`);
    expect(processesIn(place.workspace)).toEqual([]);
    expect(cancelled).toMatchObject({ status: 200, body: { message: `Task ${taskId} cancelled.` } });
  });

  test("nothing of a command is alive when it is told that its time was up", async () => {
    await using scenario = await startScenario(running({ command: "bash hides.sh", timeout_seconds: 2 }), { extra });
    const { client, place } = scenario;
    place.write("hides.sh", staying);
    const taskId = await client.submit({ goal: "Run it", workspace: place.workspace });
    const ended = await client.until(taskId, isShellEnd);
    expect(processesIn(place.workspace)).toEqual([]);
    expect(ended.data).toMatchObject({ success: false, error: expect.stringContaining("Timed out after 2 s") });
    expect(existsSync(join(place.workspace, "started"))).toBe(true);
  });

  test("what commands have left in the background is ended with the task", async () => {
    await using scenario = await startScenario(running("bash leaves.sh", "bash hides.sh"), { extra });
    const { client, place } = scenario;
    place.write("leaves.sh", leaving);
    place.write("hides.sh", staying);
    const taskId = await client.submit({ goal: "Run it", workspace: place.workspace });
    await client.until(taskId, isShellEnd);
    // Without a sandbox a model may count on what it has started, a server for its tests for example.
    if (extra === off) await hidden(place, "left");
    await hidden(place);
    await client.post(`/tasks/${taskId}/cancel`);
    expect(processesIn(place.workspace)).toEqual([]);
  });

  test("the same holds for a task that came to a good end", async () => {
    await using scenario = await startScenario(running("bash leaves.sh"), { extra });
    const { client, place } = scenario;
    place.write("leaves.sh", leaving);
    const taskId = await client.submit({ goal: "Run it", workspace: place.workspace });
    expect(await client.closed(taskId)).toMatchObject({ status: "completed" });
    expect(existsSync(join(place.workspace, "left"))).toBe(true);
    // A cancel of what is over already is answered when nothing of it runs any more, too.
    await client.post(`/tasks/${taskId}/cancel`);
    expect(processesIn(place.workspace)).toEqual([]);
  });
});

describe.each(grounds)("a server that goes down, with [sandbox] mode %s", (_mode, extra) => {
  test.each([
    ["in good order", false, 0],
    ["in haste, at a second signal,", true, 130],
  ])(
    "%s leaves nothing behind",
    async (_how, isHasty, code) => {
      using place = createPlace();
      await using model = await startModelServer(running("bash leaves.sh", "bash hides.sh"));
      await using loom = await spawnLoom({ config: place.configure({ url: model.url, extra }), home: place.home });
      const { client } = loom;
      place.write("leaves.sh", leaving);
      place.write("hides.sh", staying);
      await client.submit({ goal: "Run it", workspace: place.workspace });
      await hidden(place);
      const ended = loom.end("SIGTERM");
      await expect.poll(async () => (await client.get("/health")).status).toBe("draining");
      if (isHasty) loom.process.kill("SIGINT");
      expect(await ended).toBe(code);
      expect(existsSync(join(place.workspace, "left"))).toBe(true);
      // What is killed by what ends itself is not waited for by it.
      await expect.poll(() => processesIn(place.workspace)).toEqual([]);
    },
    20_000,
  );
});
