import { describe, expect, test } from "vitest";
import type { Loom } from "../../src/ports/loom.ts";
import { LoomRoom, model } from "../support/engine-loom.ts";
import { taskIdOf } from "../support/engine-samples.ts";

const never = new AbortController().signal;

const unknown = taskIdOf(99);

describe("an id of no task", () => {
  const calls: readonly (readonly [string, (loom: Loom, id: string) => Promise<unknown>])[] = [
    ["view", (loom, id) => loom.view(id)],
    ["wait", (loom, id) => loom.wait(id, { timeoutMs: 1, signal: never })],
    ["events", (loom, id) => loom.events(id, { after: 0, limit: 1, waitMs: 0, signal: never })],
    ["cancel", (loom, id) => loom.cancel(id, { by: "p" })],
    ["approvals", (loom, id) => loom.approvals(id)],
    ["questions", (loom, id) => loom.questions(id)],
    ["conversation", (loom, id) => loom.conversation(id)],
    ["subtasks", (loom, id) => loom.subtasks(id)],
    ["trace", (loom, id) => loom.trace(id, "a")],
    ["memory", (loom, id) => loom.memory(id, { limit: 1 })],
    ["changes", (loom, id) => loom.changes(id)],
    ["diff", (loom, id) => loom.diff(id)],
    ["undo", (loom, id) => loom.undo(id, { scope: "task", preview: true, by: "p" })],
    ["file", (loom, id) => loom.file(id, "f")],
  ];
  test.each(calls)("is not found by %s", async (_, call) => {
    await using room = new LoomRoom();
    await expect(call(room.loom, unknown)).rejects.toMatchObject({ code: "not_found" });
    await expect(call(room.loom, "../etc")).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("the house", () => {
  test("shows models, tools, configuration and health", async () => {
    await using room = new LoomRoom({ problems: ["No key is set"] });
    const { loom } = room;
    expect(loom.models()).toEqual([model]);
    expect(await loom.probeModels("first", never)).toMatchObject([{ health: "down" }]);
    expect(loom.tools()).toEqual([
      { name: "look", description: "Looks", parameters: {}, risk: "low", effect_class: "pure", timeout_seconds: 2 },
    ]);
    expect(loom.config()).toEqual({ server: { port: 1 } });
    expect(loom.health()).toMatchObject({ status: "degraded", version: "0.0.1", problems: ["No key is set"] });
    room.missing = ["planner"];
    expect(loom.health().problems[1]).toMatch(/^No model is configured for the role planner/);
  });

  test("is well when nothing is wrong", async () => {
    await using room = new LoomRoom();
    expect(room.loom.health()).toEqual({ status: "ok", version: "0.0.1", ready: true, problems: [] });
  });
});
