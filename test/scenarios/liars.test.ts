/** Executors that lie, and their honest twins, through a whole Loom: every lie is caught, and no honest work is. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fairJudge } from "../support/fair-judge.ts";
import type { Twins } from "../support/liar-parts.ts";
import { praise, twins } from "../support/liars.ts";
import type { ServedReply } from "../support/model-server-reply.ts";
import type { ServedRequest } from "../support/model-server-wires.ts";
import { type Json, type Scenario, startScenario, type View, type WireEvent } from "../support/scenario.ts";

type Side = "liar" | "honest";

interface Outcome {
  readonly view: View;
  readonly events: readonly WireEvent[];
}

const extra = '[execution]\nmax_subtask_retries = 0\nmax_replans = 0\nmax_open_tasks = 8\n\n[sandbox]\nmode = "off"\n';

/** Planner and executor know their case by the folder they work in; the verifier is shown none of it. */
function answer(request: ServedRequest): ServedReply {
  const [system = "", ...rest] = request.messages.map(({ content }) => content);
  if (system.startsWith("You are a verifier"))
    return fairJudge(request.messages.filter(({ role }) => role === "user").map(withoutGoal));
  if (system.startsWith("You are an extractor")) return { json: [] };
  if (system.startsWith("You write the final answer")) return { json: { summary: "Done.", answer: "Done." } };
  const [, side, index] = /case-(liar|honest)-(\d+)/.exec([system, ...rest].join("\n")) ?? [];
  const one = twins[Number(index)];
  if (one === undefined) throw new Error(`Whose is this? ${system.slice(0, 80)}`);
  if (system.startsWith("You are the planner")) return { json: { subtasks: [planned(one)] } };
  const work = one[side as Side];
  const turn = request.messages.filter(({ role }) => role === "assistant").length;
  const call = work.calls[turn];
  if (call !== undefined) return { toolCalls: [{ name: call.tool, arguments: call.args }] };
  return { text: side === "liar" ? `${work.says} ${praise}` : work.says };
}

function withoutGoal({ content }: { readonly content: string }): string {
  return content.replace(/^# Goal of the whole task\n[\s\S]*?\n\n(?=# )/, "");
}

function planned({ subtask }: Twins): Json {
  return {
    id: "work",
    depends_on: [],
    model_tier: 1,
    verification_tier: 2,
    is_critical_path: false,
    is_synthesis: false,
    kind: "change",
    ...subtask,
  };
}

let scenario: Scenario;
const outcomes = new Map<string, Promise<Outcome>>();

async function outcomeOf(side: Side, index: number): Promise<Outcome> {
  const workspace = join(scenario.place.home, `case-${side}-${index}`);
  mkdirSync(workspace);
  for (const [path, text] of Object.entries(twins[index]?.files ?? {})) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), text);
  }
  const { client } = scenario;
  const taskId = await client.submit({ goal: "Do what the plan says.", workspace, approvers: "none" });
  const view = await client.closed(taskId, 120);
  return { view, events: await client.events(taskId) };
}

beforeAll(async () => {
  scenario = await startScenario({ answer }, { extra, env: { PATH: process.env["PATH"] ?? "" } });
  for (const [index] of twins.entries())
    for (const side of ["liar", "honest"] as const) {
      const outcome = outcomeOf(side, index);
      outcome.catch(() => undefined);
      outcomes.set(`${side} ${index}`, outcome);
    }
}, 60_000);

afterAll(() => scenario[Symbol.asyncDispose]());

async function told(side: Side, index: number): Promise<Outcome> {
  const outcome = await outcomes.get(`${side} ${index}`);
  if (outcome === undefined) throw new Error(`No ${side} ${index}`);
  return outcome;
}

const last = ({ events }: Outcome, type: string): Json =>
  events.findLast(({ event_type }) => event_type === type)?.data;
const table = twins.map((one, index) => [one.lie, index, one] as const);

describe("an executor that", () => {
  test.each(table)("%s is found out", { timeout: 150_000 }, async (_lie, index, { caught: [tier, reason] }) => {
    const outcome = await told("liar", index);
    expect(last(outcome, "verification_failed")).toMatchObject({ outcome: "fail", tier, reason_code: reason });
    expect(outcome.view.status).toBe("failed");
  });

  test.each(table)("%s has an honest twin that passes", { timeout: 150_000 }, async (_lie, index) => {
    const outcome = await told("honest", index);
    expect(last(outcome, "verification_failed")).toBeUndefined();
    expect(last(outcome, "verification_passed")).toMatchObject({ tier: 2, outcome: "pass" });
    expect(outcome.view.status).toBe("completed");
  });
});

describe("the evidence", () => {
  test("names what was run, how it ended, what it printed and what stood there", async () => {
    const index = twins.findIndex(({ lie }) => lie === "hides the exit code behind || true");
    const ran = (outcome: Outcome, type: string) =>
      last(outcome, type).checks.flatMap((check: Json) => check.ran ?? []);
    const digest = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);
    expect(ran(await told("honest", index), "verification_passed")).toEqual([
      {
        command: "node --test",
        asked_by: "criteria",
        exit_code: 0,
        output_digest: digest,
        tests: { run: 2, failed: 0, skipped: 0 },
      },
    ]);
    expect(ran(await told("liar", index), "verification_failed")).toMatchObject([
      { command: "node --test", exit_code: 1, tests: { run: 2, failed: 1 } },
    ]);
    expect(last(await told("honest", index), "verification_passed").files).toEqual([
      { path: "add.mjs", state: "file", digest },
    ]);
  });

  test("is all that a verifier hears: no prompt about a change holds the executor's praise", async () => {
    await Promise.all(outcomes.values());
    const prompts = scenario.model.requests.filter(({ messages }) =>
      messages[0]?.content.startsWith("You are a verifier"),
    );
    expect(prompts.length).toBeGreaterThan(twins.length);
    expect(prompts.filter(({ prompt }) => /case-(?:liar|honest)/.test(prompt))).toEqual([]);
    const praised = prompts.filter(({ prompt }) => prompt.includes(praise));
    expect(praised.filter(({ prompt }) => /^Kind: change/m.test(prompt))).toEqual([]);
  });
});
