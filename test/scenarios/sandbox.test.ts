import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hasBubblewrap, openDoor } from "../safety/sandbox-place.ts";
import { startModelServer } from "../support/model-server.ts";
import { processesIn } from "../support/processes-in.ts";
import { createPlace, type Scenario, startScenario, type WireEvent } from "../support/scenario.ts";
import { spawnLoom } from "../support/spawned.ts";
import { calls, ending, plan, works } from "../support/story.ts";

const isShellEnd = ({ event_type, data }: WireEvent): boolean =>
  event_type === "tool_call_completed" && data.tool === "shell_execute";
const isAsked = ({ event_type }: WireEvent): boolean => event_type === "approval_requested";

/** A model that runs one command line, and then says that it is done. */
async function startRunning(command: string, extra = ""): Promise<Scenario> {
  const turns = [calls("shell_execute", { command }), "It has run."];
  const replies = [plan({ id: "run", description: "Run it." }), ...works("Run it.", ...turns), ...ending];
  return await startScenario({ script: { replies } }, { extra });
}

const harm = (place: { readonly home: string }, port: number): string => `
cat ../loom.toml ../loom.db* ../../*/loom.toml /etc/shadow ~/.ssh/* /proc/${process.pid}/environ
echo harm >>../loom.db; echo harm >${place.home}/harm; echo harm >/etc/harm
(echo >/dev/tcp/127.0.0.1/${port}) && echo REACHED
kill -9 ${process.pid}
kill -9 1
setsid nohup sleep 765 >/dev/null 2>&1 &
(setsid sh -c 'trap "" TERM HUP; sleep 765' &)
echo over
`;

describe.skipIf(!hasBubblewrap)("a task whose model runs a script that means harm", () => {
  test("goes on, and nothing has come of it but the script's own words", async () => {
    await using door = await openDoor();
    await using scenario = await startRunning("bash harm.sh 2>/dev/null");
    const { client, place } = scenario;
    place.write("harm.sh", harm(place, door.port));
    const checks = [{ name: "looks", run: "test -f harm.sh" }];
    const taskId = await client.submit({ goal: "Run it", workspace: place.workspace, checks });
    await client.closed(taskId);
    const ended = (await client.events(taskId)).filter(({ event_type }) => event_type === "tool_call_completed");
    expect(ended.map(({ data }) => [data.tool, data.sandbox, data.output.trim()])).toEqual([
      ["shell_execute", "bubblewrap", "over"],
      ["check", "bubblewrap", ""],
    ]);
    expect(await client.get(`/tasks/${taskId}`)).toMatchObject({ status: "completed" });
    expect(door.visits()).toBe(0);
    expect(existsSync(join(place.home, "harm")) || existsSync("/etc/harm")).toBe(false);
    await expect.poll(() => processesIn(place.workspace)).toEqual([]);
    expect(await client.get("/health")).toMatchObject({ status: "ok" });
    await scenario.restart();
    expect(await scenario.client.get(`/tasks/${taskId}`)).toMatchObject({ status: "completed" });
  });
});

describe.skipIf(!hasBubblewrap)("the network in a task", () => {
  test("is there for the one command that a person said yes to", async () => {
    await using door = await openDoor();
    await using scenario = await startRunning(`rm -rf build; curl -s http://127.0.0.1:${door.port}/`);
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Run it", workspace: place.workspace });
    await client.until(taskId, isAsked);
    expect(door.visits()).toBe(0);
    await client.post(`/tasks/${taskId}/approve`, { subtask_id: "run", approved: true });
    const ended = await client.until(taskId, isShellEnd);
    expect(ended.data).toMatchObject({ success: true, output: "hello", sandbox: "bubblewrap" });
    expect(door.visits()).toBe(1);
  });

  test("is not there for a command that nobody was asked about, and the model is told why", async () => {
    await using scenario = await startRunning("python3 fetch.py");
    const { client, place, model } = scenario;
    place.write("fetch.py", "import urllib.request\nurllib.request.urlopen('http://example.invalid/')\n");
    const taskId = await client.submit({ goal: "Run it", workspace: place.workspace });
    const ended = await client.until(taskId, isShellEnd);
    expect(ended.data).toMatchObject({ success: false, sandbox: "bubblewrap" });
    await client.closed(taskId);
    expect(JSON.stringify(model.requests.map(({ messages }) => messages))).toContain("The sandbox has no network.");
  });

  test("is asked for by what fetches packages", async () => {
    await using scenario = await startRunning("cd web && npm install");
    const { client, place } = scenario;
    const taskId = await client.submit({ goal: "Run it", workspace: place.workspace });
    const asked = await client.until(taskId, isAsked);
    expect(asked.data).toMatchObject({
      risk_level: "low",
      reason: expect.stringContaining('"npm install" needs the network'),
    });
    await client.post(`/tasks/${taskId}/cancel`);
  });
});

describe("a server that must have a sandbox", () => {
  test("does not start without one: exit 78, and what to do", async () => {
    using place = createPlace();
    await using model = await startModelServer({ script: { replies: [...ending] } });
    const config = place.configure({ url: model.url });
    const env = { PATH: "/nowhere", LOOM_SANDBOX__MODE: "require" };
    await expect(spawnLoom({ config, home: place.home, env })).rejects.toThrow(
      /78[\s\S]*\[sandbox\] mode is "require", but bubblewrap \(bwrap\) is not installed[\s\S]*apt install bubblewrap/,
    );
  });

  test("starts without one where it may, and says on /health what follows", async () => {
    using place = createPlace();
    await using model = await startModelServer({ script: { replies: [...ending] } });
    const config = place.configure({ url: model.url });
    await using loom = await spawnLoom({ config, home: place.home, env: { PATH: "/nowhere" } });
    expect(await loom.client.get("/health")).toMatchObject({
      status: "degraded",
      ready: true,
      problems: [expect.stringContaining("No sandbox: bubblewrap (bwrap) is not installed")],
    });
  });
});
