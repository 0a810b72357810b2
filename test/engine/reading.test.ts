import { describe, expect, test } from "vitest";
import type { TaskRow } from "../../src/ports/event-store.ts";
import { LoomRoom } from "../support/engine-loom.ts";
import { passed, taskIdOf } from "../support/engine-samples.ts";

const never = new AbortController().signal;

describe("waiting for a task", () => {
  test("ends with the task", async () => {
    await using room = new LoomRoom();
    const taskId = await room.submit();
    const waited = room.loom.wait(taskId, { timeoutMs: 30_000, signal: never });
    await room.loom.message(taskId, { message: "m", by: "p" });
    await room.loom.cancel(taskId, { by: "p" });
    expect((await waited).status).toBe("cancelled");
    expect(room.bench.clock.sleepers).toBe(0);
    expect((await room.loom.wait(taskId, { timeoutMs: 0, signal: never })).status).toBe("cancelled");
  });

  test("ends when the time is up, when the caller gives up, and when Loom goes down", async () => {
    await using room = new LoomRoom();
    const taskId = await room.submit();
    const timed = room.loom.wait(taskId, { timeoutMs: 30_000, signal: never });
    await room.bench.clock.advance(30_000);
    expect((await timed).status).toBe("planning");
    const caller = new AbortController();
    const left = room.loom.wait(taskId, { timeoutMs: 30_000, signal: caller.signal });
    await room.bench.store.quiet();
    caller.abort();
    expect((await left).status).toBe("planning");
    const cut = room.loom.wait(taskId, { timeoutMs: 30_000, signal: never });
    await room.bench.store.quiet();
    await room.supervisor.drain(0);
    expect((await cut).status).toBe("planning");
  });
});

describe("polling for events", () => {
  test("answers at once with what is there, and else with what comes", async () => {
    await using room = new LoomRoom();
    const taskId = await room.submit();
    const poll = (after: number, waitMs: number) =>
      room.loom.events(taskId, { after, limit: 10, waitMs, signal: never });
    expect((await poll(0, 0)).map(({ type }) => type)).toEqual(["task_created", "task_planning"]);
    expect(await room.loom.events(taskId, { after: 0, limit: 1, waitMs: 0, signal: never })).toHaveLength(1);
    const next = poll(2, 30_000);
    await room.bench.store.quiet();
    await room.loom.message(taskId, { message: "m", by: "p" });
    expect((await next).map(({ seq, type }) => [seq, type])).toEqual([[3, "conversation_message"]]);
    expect(room.bench.clock.sleepers).toBe(0);
  });

  test("answers with nothing when the time is up or Loom goes down", async () => {
    await using room = new LoomRoom();
    const taskId = await room.submit();
    const poll = () => room.loom.events(taskId, { after: 2, limit: 10, waitMs: 1000, signal: never });
    const timed = poll();
    await room.bench.clock.advance(1000);
    expect(await timed).toEqual([]);
    const cut = poll();
    await room.bench.store.quiet();
    await room.supervisor.drain(0);
    expect(await cut).toEqual([]);
  });

  test("is what the feed says too", async () => {
    await using room = new LoomRoom();
    const taskId = await room.submit();
    const cut = new AbortController();
    const types: string[] = [];
    for await (const item of room.loom.subscribe(taskId, { after: 0, tokens: false, signal: cut.signal })) {
      if (item.kind === "event") types.push(item.event.type);
      if (types.length === 2) cut.abort();
    }
    expect(types).toEqual(["task_created", "task_planning"]);
    const all = new AbortController();
    for await (const { g } of room.loom.subscribeAll({ after: 0, signal: all.signal })) if (g === 2) all.abort();
    expect(await room.loom.lastGlobal()).toBe(2);
  });
});

describe("lists", () => {
  test("go from page to page, newest first", async () => {
    await using room = new LoomRoom();
    for (let nth = 0; nth < 3; nth += 1) {
      await room.submit();
      await room.bench.clock.advance(1);
    }
    await room.loom.cancel(taskIdOf(2), { by: "p" });
    const first = await room.loom.list({ limit: 2 });
    expect(first.tasks.map((row) => row.taskId)).toEqual([taskIdOf(3), taskIdOf(2)]);
    const second = await room.loom.list({ limit: 2, cursor: first.nextCursor ?? "" });
    expect(second).toMatchObject({ tasks: [{ taskId: taskIdOf(1) }], nextCursor: null });
    expect((await room.loom.list({ limit: 5, status: "cancelled" })).tasks).toHaveLength(1);
  });

  test("refuse a cursor that is none", async () => {
    await using room = new LoomRoom();
    await expect(room.loom.list({ limit: 1, cursor: "x" })).rejects.toMatchObject({ code: "invalid_request" });
  });
});

describe("what people said", () => {
  test("is told in the order in which they said it", async () => {
    await using room = new LoomRoom();
    const taskId = await room.submit();
    await room.loom.message(taskId, { message: "first", by: "p" });
    await room.loom.steer(taskId, { instruction: "second", mode: "queue", by: "p" });
    const said = await room.loom.conversation(taskId);
    expect(said.map(({ role, kind, message }) => [role, kind, message])).toEqual([
      ["user", "conversation", "first"],
      ["user", "steer", "second"],
    ]);
    expect(await room.loom.memory(taskId, { limit: 10 })).toHaveLength(2);
    expect(await room.loom.searchMemory("second", { limit: 10 })).toHaveLength(1);
  });
});

describe("the trace of a subtask", () => {
  test("holds the steps of its attempts, verifications and extraction, and no secret", async () => {
    await using room = new LoomRoom();
    const { bench, loom } = room;
    const taskId = await room.working();
    const ask = async (key: string, step: string, attempt: number) => {
      const at = { subtask_id: "a", role: "r", step, attempt, iteration: 1 };
      await bench.desk.run(key).execution.journal.step(
        {
          step,
          effectClass: "pure",
          event: { type: "model_invocation", phase: "start", ...at },
          started: { prompt: "say hunter22-secret" },
        },
        () => Promise.resolve({ result: "hunter22-secret", events: [] }),
      );
      await bench.store.quiet();
    };
    await ask("work:a:1:1", "turn-1", 1);
    bench.desk.end({ type: "Delivered", key: "work:a:1:1", summary: "", digest: "" });
    await bench.store.quiet();
    await ask("verify:a:1:1", "judge", 1);
    bench.desk.end({ type: "Judged", key: "verify:a:1:1", verdict: passed });
    await bench.store.quiet();
    await ask("extract:a", "extract", 1);
    const trace = await loom.trace(taskId, "a");
    expect(trace.map(({ scope, step }) => [scope, step])).toEqual([
      ["work:a:1", "turn-1"],
      ["verify:a:1:1", "judge"],
      ["verify:a:1", "verdict"],
      ["extract:a", "extract"],
    ]);
    expect(trace[0]?.ended).not.toBeNull();
    expect(JSON.stringify(trace)).not.toContain("hunter22-secret");
    await expect(loom.trace(taskId, "b")).rejects.toMatchObject({ code: "not_found" });
    expect(await loom.subtasks(taskId)).toMatchObject([{ id: "a", status: "completed" }]);
  });
});

describe("a task whose log cannot be read", () => {
  async function broken(room: LoomRoom): Promise<string> {
    const taskId = taskIdOf(7);
    const row: TaskRow = {
      taskId,
      goal: "g",
      status: "executing",
      workspace: "/w",
      open: true,
      createdAt: 1,
      updatedAt: 2,
      lastSeq: 1,
    };
    const events = [{ type: "task_executing", version: 1, seq: 1, at: 1 }] as const;
    await room.bench.store.inner.append({ taskId, expectedSeq: 0, events, projection: row });
    return taskId;
  }

  test("keeps its last status, says so, and can only be read", async () => {
    await using room = new LoomRoom();
    const taskId = await broken(room);
    const view = await room.loom.view(taskId);
    expect(view).toMatchObject({ status: "executing", last_seq: 1, awaiting: [{ kind: "operator" }] });
    expect(view.errors[0]?.error).toMatch(/^log_corrupt: /);
    expect(await room.loom.wait(taskId, { timeoutMs: 1000, signal: never })).toEqual(view);
    expect(await room.loom.events(taskId, { after: 0, limit: 5, waitMs: 0, signal: never })).toHaveLength(1);
    await expect(room.loom.cancel(taskId, { by: "p" })).rejects.toMatchObject({ code: "log_corrupt" });
    expect(room.loom.health()).toMatchObject({ status: "degraded", ready: true });
  });
});
