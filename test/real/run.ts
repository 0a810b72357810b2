/**
 * Loom against a real model: llama.cpp with 135 million parameters, over its OpenAI and its Anthropic wire, two tasks at a
 * time. Every task must end within its bounds, and none may be completed whose files do not bear it out. A script of its
 * own (`npm run test:real`, or `npm run test:real -- anthropic` for one wire), since it takes minutes.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Client, createPlace, type View, type Wire, type WireEvent } from "../support/scenario.ts";
import { spawnLoom } from "../support/spawned.ts";
import { type Goal, goals } from "./goals.ts";
import { findLlama, type Llama, startLlama } from "./llama.ts";

/** Bounds of each task: more than enough for a small goal, little enough to end. */
const budget = { model_calls: 40, wall_seconds: 120 };
const atATime = 2;

interface Outcome {
  readonly goal: string;
  readonly status: string;
  readonly holds: boolean;
  readonly seconds: number;
  readonly why: string;
  readonly sent: number;
  readonly reused: number;
}

async function runGoal(client: Client, goal: Goal, workspace: string): Promise<Outcome> {
  mkdirSync(workspace, { recursive: true });
  for (const [path, content] of Object.entries(goal.files)) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), content);
  }
  const began = performance.now();
  const taskId = await client.submit({ goal: goal.goal, workspace, budget, approvers: "none" });
  const view = await closed(client, taskId);
  const answer = String((view["result"] as { answer?: string } | null)?.answer ?? "");
  const events = await allEvents(client, taskId);
  return {
    goal: goal.goal,
    status: view.status,
    holds: goal.holds(workspace, answer),
    seconds: (performance.now() - began) / 1000,
    why: view.errors.at(-1)?.error.slice(0, 110) ?? "",
    ...reuse(events),
  };
}

async function closed(client: Client, taskId: string): Promise<View> {
  const until = performance.now() + (budget.wall_seconds + 30) * 1000;
  for (;;) {
    const view = await client.get<View>(`/tasks/${taskId}?wait=30`);
    if (["completed", "failed", "cancelled"].includes(view.status)) return view;
    if (performance.now() > until)
      throw new Error(`Task ${taskId} did not end within its bounds: ${JSON.stringify(view)}`);
  }
}

async function allEvents(client: Client, taskId: string): Promise<readonly WireEvent[]> {
  const events: WireEvent[] = [];
  for (;;) {
    const page = await client.get<WireEvent[]>(`/tasks/${taskId}/events?after=${events.at(-1)?.seq ?? 0}&limit=1000`);
    if (page.length === 0) return events;
    events.push(...page);
  }
}

/** Prompt tokens of each executor turn after an attempt's first, and how many of them the server had still in its cache. */
function reuse(events: readonly WireEvent[]): { readonly sent: number; readonly reused: number } {
  const later = events.filter(
    (event) =>
      event.event_type === "model_invocation" &&
      event.data.phase === "done" &&
      event.data.role === "executor" &&
      event.data.iteration > 1 &&
      event.data.usage !== undefined,
  );
  return {
    sent: later.reduce((sum, event) => sum + event.data.usage.input_tokens, 0),
    reused: later.reduce((sum, event) => sum + (event.data.usage.cached_tokens ?? 0), 0),
  };
}

async function overWire(
  llama: Llama,
  wire: Wire,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly recognised: boolean }> {
  using place = createPlace();
  const extra = "[execution]\nmax_subtask_retries = 1\nmax_replans = 0\n\n[limits.runner]\nmax_tool_iterations = 8\n";
  const config = place.configure({ url: llama.url, wire, extra, contextTokens: 0, maxTokens: 500 });
  await using loom = await spawnLoom({ config, home: place.home });
  const outcomes: Outcome[] = [];
  const queue = [...goals.entries()];
  const workers = Array.from({ length: atATime }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, goal] = next;
      const outcome = await runGoal(loom.client, goal, join(place.home, "work", String(index)));
      outcomes.push(outcome);
      say(outcome);
    }
  });
  await Promise.all(workers);
  const models = await loom.client.get<{ tool_protocol: string; notes: string[] }[]>("/models");
  for (const model of models) process.stdout.write(`    /models: ${model.tool_protocol}; ${model.notes.join(" ")}\n`);
  return {
    outcomes,
    recognised: models.every((model) => model.tool_protocol === "json_schema" && model.notes.length > 0),
  };
}

function say(outcome: Outcome): void {
  const verdict =
    outcome.status === "completed"
      ? outcome.holds
        ? "true"
        : "A LIE"
      : outcome.holds
        ? "done, not claimed"
        : "not done, not claimed";
  process.stdout.write(
    `  ${outcome.status.padEnd(10)} ${verdict.padEnd(22)} ${outcome.seconds.toFixed(0).padStart(4)} s  ${outcome.goal}${outcome.why === "" ? "" : `\n    ${outcome.why}`}\n`,
  );
}

const files = findLlama();
if (typeof files === "string") {
  process.stdout.write(`test:real ${files}\n`);
} else {
  await using llama = await startLlama(files);
  let failed = 0;
  let passed = 0;
  const expect = (holds: boolean, what: string): void => {
    if (holds) passed += 1;
    else failed += 1;
    process.stdout.write(`${holds ? "ok    " : "FAILED"} ${what}\n`);
  };
  const [only] = process.argv.slice(2);
  for (const wire of (["openai_compatible", "anthropic"] as const).filter(
    (each) => only === undefined || each === only,
  )) {
    process.stdout.write(`\n${wire}\n`);
    const { outcomes, recognised } = await overWire(llama, wire);
    const sent = outcomes.reduce((sum, outcome) => sum + outcome.sent, 0);
    const reused = outcomes.reduce((sum, outcome) => sum + outcome.reused, 0);
    expect(outcomes.length === goals.length, `${wire}: all ${goals.length} goals ended within their bounds`);
    expect(
      outcomes.every((outcome) => outcome.status !== "completed" || outcome.holds),
      `${wire}: no task is completed whose files do not bear it out`,
    );
    expect(
      sent > 0 && reused / sent >= 0.9,
      `${wire}: ${reused} of ${sent} prompt tokens of later turns were reused (${(reused / Math.max(1, sent)).toFixed(3)})`,
    );
    expect(recognised, `${wire}: /models says that this server drops tools`);
    process.stdout.write(
      `       ${outcomes.filter((outcome) => outcome.status === "completed").length} completed, ${outcomes.filter((outcome) => outcome.holds).length} done\n`,
    );
  }
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
