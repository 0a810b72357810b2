/** The two ways to Loom, over HTTP and in this process: what they answer is the same. */
import { describe, expect, test } from "vitest";
import { isThere, remoteService } from "../../src/cli/client.ts";
import { serverUrl } from "../../src/cli/connect.ts";
import { exitCodeOf, ServerRefusal } from "../../src/cli/exit-codes.ts";
import { localService } from "../../src/cli/local.ts";
import { liveScreen, styleOf } from "../../src/cli/screen.ts";
import type { Service } from "../../src/cli/service.ts";
import { loadConfig } from "../../src/config/load.ts";
import { LoomError } from "../../src/lib/errors.ts";
import { approvalAsked, completed, planned, questionAsked } from "./story.ts";
import { PlayedLoom, serveFake, Terminal } from "./terminal.ts";

const never = new AbortController().signal;
const order = {
  goal: "g",
  workspace: "/w",
  context: { a: 1 },
  approvalMode: "manual",
  approvePlan: true,
  approvers: "none",
} as const;

async function everything(service: Service, loom: PlayedLoom) {
  const id = await service.submit(order);
  const seen: string[] = [];
  const following = (async () => {
    for await (const event of service.follow(id, { after: 1, signal: never })) seen.push(event.event_type);
  })();
  await service.approve(id, { subtaskId: "a", approved: true });
  await service.answer(id, { questionId: "qst_a_1_1_1", optionIds: ["x"], text: "" });
  await service.steer(id, "left", "queue");
  const states = [await service.change(id, "pause"), await service.change(id, "resume")];
  const approvals = await service.approvals(id);
  const questions = await service.questions(id);
  const undone = await service.undo(id, { scope: "task", preview: true });
  // Tokens are kept by nobody, so one is sent when someone listens.
  while (loom.log.followers === 0) await new Promise((resolve) => setImmediate(resolve));
  loom.token(id, { token: "t", subtaskId: "a", model: "m" });
  while (!seen.includes("token_streamed")) await new Promise((resolve) => setImmediate(resolve));
  const cancelled = await service.cancel(id, "enough");
  await following;
  return {
    states,
    cancelled,
    seen: seen.filter((type) => type !== "token_streamed"),
    approvals: approvals.map(({ status }) => status),
    questions: questions.map(({ status }) => status),
    undone: undone.restored,
    view: (await service.view(id)).status,
    list: (await service.list()).map(({ goal, status }) => ({ goal, status })),
    models: (await service.models("first")).map(({ health }) => health),
    tools: (await service.tools()).map(({ name }) => name),
    health: (await service.health()).status,
  };
}

describe("a service", () => {
  const script = () => new PlayedLoom([...planned, ...approvalAsked], questionAsked, []);

  test("answers the same over HTTP and in this process", async () => {
    const near = script();
    await using local = localService(near);
    const far = script();
    await using server = await serveFake(far);
    await using remote = remoteService({ url: server.url, apiKey: "" });
    const answers = await everything(local, near);
    expect(await everything(remote, far)).toEqual(answers);
    expect(answers).toMatchObject({
      states: ["paused", "executing"],
      cancelled: "cancelled",
      approvals: ["approved"],
      questions: ["answered"],
      view: "cancelled",
      list: [{ goal: "g", status: "cancelled" }],
      models: ["up"],
      tools: ["read_file"],
      health: "ok",
    });
    expect(answers.seen.at(-1)).toBe("task_cancelled");
    expect(far.calls[0]).toEqual([
      "submit",
      expect.objectContaining({ approvalMode: "manual", approvers: "none", approvePlan: true }),
    ]);
  });

  test("has nothing left to follow behind the end of a task", async () => {
    const loom = new PlayedLoom(completed);
    await using server = await serveFake(loom);
    const service = remoteService({ url: server.url, apiKey: "" });
    const id = await service.submit(order);
    const events = [];
    for await (const event of service.follow(id, { after: 3, signal: never })) events.push(event);
    expect(events).toEqual([]);
  });

  test("hands on a refusal, and follows nothing that is not there", async () => {
    await using server = await serveFake(new PlayedLoom());
    const service = remoteService({ url: server.url, apiKey: "" });
    await expect(service.view("task_none")).rejects.toMatchObject({ code: "not_found", status: 404 });
    const following = service.follow("task_none", { after: 0, signal: never })[Symbol.asyncIterator]();
    await expect(following.next()).rejects.toMatchObject({ code: "not_found" });
    expect(await isThere("http://127.0.0.1:1", 100)).toBe(false);
  });
});

describe("the address of the server", () => {
  const config = (env: Record<string, string>) => loadConfig({ env, cwd: "/nowhere", home: "/nowhere" }).config;
  const world = (env: Record<string, string>) => ({ env });

  test("is what was named, else where the configuration puts it", () => {
    const defaults = config({});
    expect(serverUrl(world({}), defaults, {})).toEqual({ url: "http://127.0.0.1:9000", named: false });
    expect(serverUrl(world({ LOOM_URL: "https://loom.example/" }), defaults, {})).toEqual({
      url: "https://loom.example",
      named: true,
    });
    expect(serverUrl(world({ LOOM_URL: "http://a" }), defaults, { server: "http://b" })).toEqual({
      url: "http://b",
      named: true,
    });
    expect(serverUrl(world({}), config({ LOOM_SERVER__HOST: "0.0.0.0", LOOM_SERVER__PORT: "1" }), {}).url).toBe(
      "http://127.0.0.1:1",
    );
    expect(serverUrl(world({}), config({ LOOM_SERVER__HOST: "::1" }), {}).url).toBe("http://[::1]:9000");
  });
});

describe("the exit code of a failure", () => {
  test.each([
    [new LoomError("config_invalid", "m"), 78],
    [new LoomError("no_model_configured", "m"), 78],
    [new LoomError("server_unreachable", "m"), 69],
    [new LoomError("storage_full", "m"), 69],
    [new LoomError("wrong_state", "m"), 1],
    [new LoomError("workspace_unusable", "m"), 64],
    [new ServerRefusal({ code: "unauthorized", status: 401, message: "m" }), 78],
    [new ServerRefusal({ code: "not_found", status: 404, message: "m" }), 64],
    [new ServerRefusal({ code: "precondition_failed", status: 412, message: "m" }), 1],
    [new Error("bug"), 1],
  ])("%s is %i", (error, code) => expect(exitCodeOf(error)).toBe(code));
});

describe("the living line", () => {
  test("tells who works, tokens and time, stands below the lines, and is held while someone types", () => {
    using terminal = new Terminal({ isTerminal: true, env: { TERM: "dumb" } });
    let now = 0;
    const screen = liveScreen(terminal.world, () => now);
    const event = (event_type: string, subtask_id?: string) => ({
      event_type,
      task_id: "t",
      data: {},
      ...(subtask_id === undefined ? {} : { subtask_id }),
    });
    screen.event(event("subtask_started", "a"));
    screen.event(event("token_streamed", "a"));
    now = 5000;
    screen.event(event("task_planning"));
    expect(terminal.out.endsWith("· planning\n\r\u001B[K  a · 1 tokens · 5 s")).toBe(true);
    const release = screen.hold();
    terminal.out = "";
    screen.event(event("subtask_completed", "a"));
    screen.lines("said");
    expect(terminal.out).toBe("said\n");
    release();
    expect(terminal.out).toContain("said\n✔ a: \n");
    expect(terminal.out.endsWith("  working · 1 tokens · 5 s")).toBe(true);
    screen[Symbol.dispose]();
    expect(terminal.out.endsWith("\r\u001B[K")).toBe(true);
  });

  test("has colours only where they are wanted", () => {
    const style = (isTerminal: boolean, env: Record<string, string>) => styleOf({ isTerminal, env }).color;
    expect([
      style(true, {}),
      style(false, {}),
      style(true, { NO_COLOR: "1" }),
      style(true, { NO_COLOR: "" }),
      style(true, { TERM: "dumb" }),
    ]).toEqual([true, false, false, true, false]);
  });
});
