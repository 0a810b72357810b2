import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Egress } from "../../src/ports/policy.ts";
import { LoomRoom } from "../support/engine-loom.ts";
import { taskIdOf } from "../support/engine-samples.ts";

describe("a submission", () => {
  test("makes a task under the rules in force, in a fresh folder where none is named", async () => {
    await using room = new LoomRoom();
    const submitted = await room.loom.submit({
      goal: "g",
      submittedBy: "me",
      approvalTimeoutSeconds: 60,
      approvers: "none",
    });
    expect(submitted).toEqual({
      kind: "created",
      task: { taskId: taskIdOf(1), runId: `run_${taskIdOf(1).slice(5)}`, appliedSeq: 1 },
    });
    const { brief } = await room.supervisor.task(taskIdOf(1));
    expect(brief).toMatchObject({
      goal: "g",
      approval_mode: "auto",
      approvers: "none",
      submitted_by: "me",
      checks: [],
    });
    expect(brief.rules.approval_timeout_ms).toBe(60_000);
    expect(brief.workspace).toBe(join(room.folder, "scratch", taskIdOf(1)));
  });

  test("takes what it says", async () => {
    await using room = new LoomRoom();
    const taskId = await room.submit({
      workspace: room.folder,
      context: { a: 1 },
      metadata: { b: 2 },
      approvalMode: "manual",
      callbackUrl: "https://example.test/",
      callbackEvents: ["approval_requested"],
      checks: [{ name: "c", run: "true" }],
      budget: { tokens: 5 },
      approvePlan: true,
      policy: { deny: [{ tool: "web_fetch" }] },
    });
    const { brief } = await room.supervisor.task(taskId);
    expect(brief).toMatchObject({
      workspace: room.folder,
      context: { a: 1 },
      metadata: { b: 2 },
      approval_mode: "manual",
      callback_url: "https://example.test/",
      callback_events: ["approval_requested"],
      checks: [{ name: "c", run: "true" }],
      budget: { tokens: 5 },
      approve_plan: true,
      policy: { deny: [{ tool: "web_fetch" }] },
      approvers: "wait",
    });
  });

  test("with an idempotency key is made once, and refused for another body", async () => {
    await using room = new LoomRoom();
    const submission = { goal: "g", submittedBy: "me", idempotency: { key: "k", fingerprint: "f" } };
    const [first, second] = await Promise.all([room.loom.submit(submission), room.loom.submit(submission)]);
    const third = await room.loom.submit(submission);
    expect([first, second].map(({ kind }) => kind).toSorted()).toEqual(["created", "replayed"]);
    expect(third.kind).toBe("replayed");
    expect(new Set([first, second, third].map(({ task }) => task.taskId)).size).toBe(1);
    const other = { ...submission, idempotency: { key: "k", fingerprint: "other" } };
    await expect(room.loom.submit(other)).rejects.toMatchObject({ code: "idempotency_conflict" });
    expect((await room.loom.list({ limit: 10 })).tasks).toHaveLength(1);
  });

  test("is refused without a model for a needed role, before anything is made", async () => {
    await using room = new LoomRoom();
    room.missing = ["planner", "executor"];
    await expect(room.submit()).rejects.toMatchObject({ code: "no_model_configured" });
    expect((await room.loom.list({ limit: 10 })).tasks).toEqual([]);
  });

  test("is refused for a workspace that cannot be used", async () => {
    await using room = new LoomRoom();
    await expect(room.submit({ workspace: join(room.folder, "nowhere") })).rejects.toMatchObject({
      code: "workspace_unusable",
    });
  });

  test("is refused for a callback to a forbidden address", async () => {
    await using room = new LoomRoom();
    room.refusal = "it is private";
    const refused = room.submit({ callbackUrl: "http://10.0.0.1/" });
    await expect(refused).rejects.toMatchObject({ code: "callback_refused", errors: [{ pointer: "#/callback_url" }] });
  });

  test("is taken with a callback whose name does not resolve in time: each delivery looks again", async () => {
    const asked = Promise.withResolvers<void>();
    const egress: Egress = {
      fetch: () => Promise.reject(new Error("Nobody fetches here")),
      check: async (_url, { signal }) => {
        const aborted = once(signal, "abort");
        asked.resolve();
        await aborted;
        signal.throwIfAborted();
        return null;
      },
    };
    await using room = new LoomRoom({ egress });
    const submitted = room.submit({ callbackUrl: "http://slow.example/" });
    await asked.promise;
    await room.bench.clock.advance(5000);
    expect(await submitted).toMatch(/^task_/);
  });

  test("is refused while Loom goes down, and leaves no folder behind", async () => {
    await using room = new LoomRoom();
    await room.supervisor.drain(0);
    await expect(room.submit()).rejects.toMatchObject({ code: "shutting_down" });
    expect(room.loom.health()).toMatchObject({ status: "draining", ready: false });
  });
});
