/** Budgets over real HTTP: each ends its task as it says, the view and the events agree, and a killed process forgets nothing. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { KeyWish } from "../../src/ports/access.ts";
import { createAccessCare } from "../../src/storage/access-care.ts";
import { startModelServer } from "../support/model-server.ts";
import {
  createPlace,
  type Json,
  type Scenario,
  startScenario,
  type View,
  type WireEvent,
} from "../support/scenario.ts";
import { spawnLoom } from "../support/spawned.ts";
import { calls, ending, plan, works } from "../support/story.ts";

const prices = "input_usd_per_million = 2.5\ncached_input_usd_per_million = 0.25\noutput_usd_per_million = 10\n";
const story = [
  plan(
    { id: "one", description: "Write the first file." },
    { id: "two", description: "Write the second file.", depends_on: ["one"] },
  ),
  ...works("Write the first file.", calls("write_file", { path: "one.txt", content: "1" }), "one.txt is written."),
  ...works("Write the second file.", calls("write_file", { path: "two.txt", content: "2" }), "two.txt is written."),
  ...ending,
];
const start = (options: Parameters<typeof startScenario>[1] = {}): Promise<Scenario> =>
  startScenario({ script: { replies: story } }, { maxTokens: 1000, modelKeys: prices, ...options });

interface Summed {
  tokens: number;
  microUsd: number;
  calls: number;
}

/** What the events say was used: of each call what it told, or, where it never did, what had been set aside. */
function summed(events: readonly WireEvent[]): Summed {
  const sum: Summed = { tokens: 0, microUsd: 0, calls: 0 };
  const inFlight = new Map<string, Json>();
  const add = (usage: Json): void => {
    sum.tokens += (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0);
    sum.microUsd += usage?.cost_micro_usd ?? 0;
  };
  for (const { event_type: type, data } of events) {
    const name = `${data.subtask_id}/${data.attempt}/${data.step}`;
    if (type === "task_recovered") {
      add(data.settled);
      inFlight.clear();
    } else if (type === "model_invocation" && data.phase === "start") {
      sum.calls += 1;
      inFlight.set(name, data.reserved);
    } else if (type === "model_invocation") {
      add(data.usage);
      inFlight.delete(name);
    }
  }
  for (const reserved of inFlight.values()) add(reserved);
  return sum;
}

function agrees(view: View, events: readonly WireEvent[]): void {
  const { tokens, microUsd, calls: modelCalls } = summed(events.filter(({ seq }) => seq <= view["last_seq"]));
  const { settled, reserved } = view["budget"];
  expect(settled).toMatchObject({ tokens, model_calls: modelCalls });
  expect(Math.round((settled.usd ?? 0) * 1e6)).toBe(microUsd);
  expect(reserved).toEqual({ tokens: 0 });
  expect(view["usage"].input_tokens + view["usage"].output_tokens).toBe(tokens);
}

async function ended(scenario: Scenario, budget: Json): Promise<{ view: View; events: readonly WireEvent[] }> {
  const { client, place } = scenario;
  const taskId = await client.submit({ goal: "Write both", workspace: place.workspace, budget });
  const view = await client.closed(taskId);
  const events = await client.events(taskId);
  agrees(view, events);
  return { view, events };
}

const exhausted = (events: readonly WireEvent[]): Json =>
  events.find(({ event_type: type }) => type === "task_budget_exhausted")?.data;

describe("a task with a budget that is enough", () => {
  test("is completed, says what it cost, and sets aside no more than it may", async () => {
    await using scenario = await start();
    const { view, events } = await ended(scenario, { tokens: 1_000_000, usd: 5, model_calls: 100, tool_calls: 100 });
    expect(view.status).toBe("completed");
    expect(view["usage"].usd).toBeGreaterThan(0);
    expect(view["budget"].cap).toEqual({ tokens: 1_000_000, usd: 5, model_calls: 100, tool_calls: 100 });
    expect(view["budget"].excess).toBeUndefined();
    const done = events.filter(({ event_type: type, data }) => type === "model_invocation" && data.phase === "done");
    for (const { data } of done) expect(data.usage).toMatchObject({ cost_micro_usd: expect.any(Number) as unknown });
    expect(done.some(({ data }) => data.usage.cached_tokens > 0)).toBe(true);
  });
});

describe("a task that runs out of", () => {
  test.each([
    ["tokens", { tokens: 5900 }],
    ["model_calls", { model_calls: 4 }],
    ["tool_calls", { tool_calls: 1 }],
    ["usd", { usd: 0.018 }],
  ])("%s ends there: what was done is kept and told, nothing goes on", async (name, budget) => {
    await using scenario = await start();
    const { view, events } = await ended(scenario, budget);
    const cap = Object.values(budget)[0] ?? 0;
    expect(view).toMatchObject({
      status: "failed",
      errors: [{ error: expect.stringContaining(`budget for ${name}`) as unknown }],
    });
    expect(exhausted(events)).toMatchObject({ budget_name: name, limit: cap });
    const failed = events.find(({ event_type: type }) => type === "task_failed");
    expect(failed?.data).toMatchObject({ reason: "budget", result: view["result"] });
    expect(view["result"].summary).toContain("what was done is kept");
    expect(view["budget"].settled[name]).toBeLessThanOrEqual(cap);
    expect(scenario.place.read("one.txt")).toBe("1");
    // Every call was allowed as many tokens as were set aside for it; one that was stopped in time was not sent.
    const reserved = events.flatMap(({ data }) => (data.phase === "start" ? [data.reserved.output_tokens] : []));
    const granted = scenario.model.requests.map(({ body }): unknown => body["max_tokens"]);
    expect(granted.length).toBeGreaterThanOrEqual(reserved.length - 1);
    expect(granted.filter((tokens) => !reserved.includes(tokens))).toEqual([]);
  });

  test("time ends when it is over, in the middle of a call, which counts as what it may have used", async () => {
    const slow = [{ role: "planner", text: "Never.", delay_ms: 60_000 }];
    await using scenario = await startScenario({ script: { replies: slow } }, { maxTokens: 1000, modelKeys: prices });
    const { client, place } = scenario;
    const budget = { wall_seconds: 4 };
    const taskId = await client.submit({ goal: "Write both", workspace: place.workspace, budget });
    const view = await client.closed(taskId);
    const failures = async () => (await client.events(taskId)).filter(({ data }) => data.phase === "failed");
    await expect.poll(failures).toHaveLength(1);
    const events = await client.events(taskId);
    agrees(await client.get(`/tasks/${taskId}`), events);
    expect(exhausted(events)).toMatchObject({ budget_name: "wall_seconds", limit: 4 });
    expect(view["budget"].settled.wall_seconds).toBeGreaterThanOrEqual(4);
    const begun = events.findLast(({ data }) => data.phase === "start");
    expect(events.find(({ data }) => data.phase === "failed")?.data.usage).toEqual({
      ...begun?.data.reserved,
      estimated: true,
    });
  });
});

describe("a budget in dollars", () => {
  test("is refused where a model has no price, with the keys to set", async () => {
    await using scenario = await start({ modelKeys: "" });
    const { client, place } = scenario;
    const answer = await client.post("/tasks", { goal: "x", workspace: place.workspace, budget: { usd: 1 } });
    expect(answer).toMatchObject({
      status: 422,
      body: {
        code: "invalid_request",
        detail: expect.stringContaining('model "hands"') as unknown,
        errors: [{ pointer: "#/budget/usd", detail: expect.stringContaining("[models.hands]") as unknown }],
      },
    });
  });
});

describe("keys with a daily budget", () => {
  const wish: KeyWish = {
    name: "anna",
    scopes: ["read", "submit"],
    ratePerMinute: null,
    tasksMax: null,
    tokensPerDay: 9000,
    microUsdPerDay: null,
  };

  test("share it over their tasks, run out of it together, and begin again with the day", async () => {
    await using scenario = await start();
    const { place } = scenario;
    const file = join(place.home, "loom.db");
    const { text } = await createAccessCare().createKey(file, wish);
    const ask = async (path: string, body?: object, key = text): Promise<Response> =>
      fetch(`${scenario.client.url}${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: { "x-api-key": key, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const submitted = await Promise.all([1, 2].map(() => ask("/tasks", { goal: "Write both" })));
    const ids = await Promise.all(submitted.map(async (answer) => ((await answer.json()) as Json).task_id as string));
    const views = await Promise.all(ids.map(async (id) => (await (await ask(`/tasks/${id}?wait=15`)).json()) as View));
    const used = views.reduce((sum, view) => sum + view["budget"].settled.tokens, 0);
    expect(used).toBeLessThanOrEqual(9000);
    const spent = views.filter(({ errors }) => errors.at(-1)?.error.includes('tokens_per_day of "anna"') === true);
    expect(spent.length).toBeGreaterThan(0);
    await scenario.restart();
    const spender = await createAccessCare().createKey(file, { ...wish, name: "ben", tokensPerDay: 200 });
    const refused = await ask("/tasks", { goal: "Write both" }, spender.text);
    expect([refused.status, Number(refused.headers.get("retry-after")) > 0]).toEqual([429, true]);
  });
});

describe("a server that is killed in the middle of a model call", () => {
  test("counts that call as what was set aside for it, once, and goes on", async () => {
    const slow = works("Write the first file.", { text: "Too late.", delay_ms: 60_000, times: 1 });
    using place = createPlace();
    await using model = await startModelServer({
      script: { replies: [...story.slice(0, 1), ...slow, ...story.slice(1)] },
    });
    const config = place.configure({ url: model.url, maxTokens: 1000, modelKeys: prices });
    await using first = await spawnLoom({ config, home: place.home });
    const budget = { tokens: 500_000, usd: 5 };
    const taskId = await first.client.submit({ goal: "Write both", workspace: place.workspace, budget });
    const begun = await first.client.until(taskId, ({ data }) => data.phase === "start" && data.role === "executor");
    const isAsked = ({ messages }: { readonly messages: unknown }): boolean =>
      JSON.stringify(messages).includes("You are an executor");
    await expect.poll(() => model.requests.some(isAsked), { timeout: 5000 }).toBe(true);
    await first.end("SIGKILL");

    await using second = await spawnLoom({ config, home: place.home });
    const view = await second.client.closed(taskId, 30);
    const events = await second.client.events(taskId);
    expect(view.status).toBe("completed");
    agrees(view, events);
    const recovered = events.filter(({ event_type: type }) => type === "task_recovered");
    expect(recovered.map(({ data }) => data.settled)).toEqual([{ ...begun.data.reserved, estimated: true }]);
    expect(view["budget"].excess).toBeUndefined();
  }, 60_000);
});
