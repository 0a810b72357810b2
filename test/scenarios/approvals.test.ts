import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startScenario, type WireEvent } from "../support/scenario.ts";
import { calls, ending, plan, works } from "../support/story.ts";

const names = ["s1", "s2", "s3", "s4", "s5", "s6", "s7"];
const described = (name: string): string => `Remove folder ${name}.`;
/** Long enough for a slow machine to ask seven times and be restarted. */
const expirySeconds = 20;

const story = [
  plan(...names.map((id) => ({ id, description: described(id), kind: "inspect" }))),
  ...names.flatMap((name) =>
    works(
      described(name),
      calls("read_file", { path: `${name}/kept.txt` }),
      calls("shell_execute", { command: `rm -rf ${name}` }),
      `${name} was looked at, and is gone or was denied.`,
    ),
  ),
  ...ending,
];

/** By what the clients were told: how many of them decided, and what was decided. */
interface Decided {
  readonly times: number;
  readonly approved: boolean;
}

describe("seven subtasks that each ask before they run a command", () => {
  test("are decided once each: by racing clients, over a restart, or by the clock", { timeout: 120_000 }, async () => {
    await using scenario = await startScenario({ script: { replies: story } });
    const { place } = scenario;
    for (const name of names) place.write(`${name}/kept.txt`, "old");
    const taskId = await scenario.client.submit({
      goal: "Remove seven folders",
      workspace: place.workspace,
      approval_timeout_seconds: expirySeconds,
    });
    const pending = async (): Promise<string[]> =>
      (await scenario.client.get<{ subtask_id: string }[]>("/approvals")).map(({ subtask_id }) => subtask_id).sort();
    // Three slots, seven who wait: who waits for a person holds none.
    await expect.poll(pending, { timeout: 30_000 }).toEqual(names);

    const race = async (subtask: string, answers: readonly boolean[]): Promise<Decided> => {
      const told = await Promise.all(
        answers.map(async (approved) => ({
          approved,
          ...(await scenario.client.post(`/tasks/${taskId}/approve`, { subtask_id: subtask, approved })),
        })),
      );
      for (const { status } of told) expect([200, 409]).toContain(status);
      const deciding = told.filter(({ status, body }) => status === 200 && body.resolved_pending === true);
      return { times: deciding.length, approved: deciding[0]?.approved ?? false };
    };
    const decided = new Map<string, Decided>();
    decided.set("s6", await race("s6", [true, true]));
    decided.set("s2", await race("s2", [false, true, false, true]));
    await scenario.restart();
    expect(await pending()).toEqual(["s1", "s3", "s4", "s5", "s7"]);
    decided.set("s7", await race("s7", [true, false, true]));
    decided.set("s1", await race("s1", [false, false]));
    expect([...decided.values()].map(({ times }) => times)).toEqual([1, 1, 1, 1]);
    expect(await race("s6", [true, false])).toMatchObject({ times: 0 });

    expect(await scenario.client.closed(taskId, 60)).toMatchObject({ status: "completed" });
    const events: readonly WireEvent[] = await scenario.client.events(taskId);
    const of = (type: string) =>
      events.flatMap(({ event_type, subtask_id }) => (event_type === type ? [String(subtask_id)] : [])).sort();
    expect(of("approval_requested")).toEqual(names);
    // What the clock decides is told as a decision, too: once.
    expect(of("approval_received")).toEqual(names);
    const rows = await scenario.client.get<{ subtask_id: string; status: string }[]>(`/tasks/${taskId}/approvals`);
    const stands = (name: string): string => {
      const known = decided.get(name);
      return known === undefined ? "expired" : known.approved ? "approved" : "rejected";
    };
    expect(Object.fromEntries(rows.map(({ subtask_id, status }) => [subtask_id, status]))).toEqual(
      Object.fromEntries(names.map((name) => [name, stands(name)])),
    );
    expect(of("approval_expired")).toEqual(["s3", "s4", "s5"]);
    for (const name of names)
      expect([name, existsSync(join(place.workspace, name))]).toEqual([name, decided.get(name)?.approved !== true]);
    const ran = events.filter(
      ({ event_type, data }) =>
        event_type === "tool_call_completed" && data.tool === "shell_execute" && data.exit_code === 0,
    );
    expect(ran).toHaveLength([...decided.values()].filter(({ approved }) => approved).length);
  });
});
