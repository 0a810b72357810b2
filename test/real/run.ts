/**
 * Loom against real models: llama.cpp with 135 million parameters, over its OpenAI and its Anthropic wire, and with 270 million,
 * two tasks at a time. Every task must end within its bounds, and none may be completed whose files do not bear it out. A
 * script of its own (`npm run test:real`; with `anthropic`, `openai_compatible` or `larger` for a part of it), since it takes minutes.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Client, createPlace, type View, type Wire, type WireEvent } from "../support/scenario.ts";
import { spawnLoom } from "../support/spawned.ts";
import { type Goal, goals } from "./goals.ts";
import { findLlama, type Llama, startLlama } from "./llama.ts";

/** Bounds of each task: more than enough for a small goal, little enough to end. */
const budget = { model_calls: 60, wall_seconds: 300 };
const atATime = 2;

interface Outcome {
  readonly goal: string;
  readonly status: string;
  readonly holds: boolean;
  readonly seconds: number;
  readonly why: string;
  readonly sent: number;
  readonly reused: number;
  readonly uncounted: number;
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
function reuse(events: readonly WireEvent[]): {
  readonly sent: number;
  readonly reused: number;
  readonly uncounted: number;
} {
  const later = events.filter(
    (event) =>
      event.event_type === "model_invocation" &&
      event.data.phase === "done" &&
      event.data.role === "executor" &&
      event.data.iteration > 1 &&
      event.data.usage !== undefined,
  );
  // Of a reply that Loom left, a server of OpenAI's wire reports nothing.
  const counted = later.filter((event) => event.data.usage.cached_tokens !== undefined);
  return {
    sent: counted.reduce((sum, event) => sum + event.data.usage.input_tokens, 0),
    reused: counted.reduce((sum, event) => sum + event.data.usage.cached_tokens, 0),
    uncounted: later.length - counted.length,
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
  // A schema is a tool on Anthropic's wire, and dropped with the tools.
  const spoken = wire === "anthropic" ? "text" : "json_schema";
  const models = await loom.client.get<{ tool_protocol: string; notes: string[] }[]>("/models");
  for (const model of models) process.stdout.write(`    /models: ${model.tool_protocol}; ${model.notes.join(" ")}\n`);
  return {
    outcomes,
    recognised: models.every((model) => model.tool_protocol === spoken && model.notes.length > 0),
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

interface Count {
  passed: number;
  failed: number;
}

function expectThat(count: Count, holds: boolean, what: string): void {
  if (holds) count.passed += 1;
  else count.failed += 1;
  process.stdout.write(`${holds ? "ok    " : "FAILED"} ${what}\n`);
}

/** How many ended how: the table that says what a harness is worth. */
function summary(outcomes: readonly Outcome[]): string {
  const count = (status: "completed" | "failed", holds: boolean): number =>
    outcomes.filter(
      (outcome) => (outcome.status === "completed") === (status === "completed") && outcome.holds === holds,
    ).length;
  return [
    `       completed and true ${count("completed", true)}, completed and false ${count("completed", false)}`,
    `not completed and not done ${count("failed", false)}, not completed though done ${count("failed", true)}\n`,
  ].join(", ");
}

async function judge(llama: Llama, wire: Wire, { name, count }: { readonly name: string; readonly count: Count }) {
  process.stdout.write(`\n${name}, ${wire}\n`);
  const { outcomes, recognised } = await overWire(llama, wire);
  const sent = outcomes.reduce((sum, outcome) => sum + outcome.sent, 0);
  const reused = outcomes.reduce((sum, outcome) => sum + outcome.reused, 0);
  const uncounted = outcomes.reduce((sum, outcome) => sum + outcome.uncounted, 0);
  const at = `${name}, ${wire}`;
  expectThat(count, outcomes.length === goals.length, `${at}: all ${goals.length} goals ended within their bounds`);
  expectThat(
    count,
    outcomes.every((outcome) => outcome.status !== "completed" || outcome.holds),
    `${at}: no task is completed whose files do not bear it out`,
  );
  expectThat(
    count,
    sent > 0 && reused / sent >= 0.9,
    `${at}: ${reused} of ${sent} prompt tokens of later turns were reused (${(reused / Math.max(1, sent)).toFixed(3)}); replies left uncounted: ${uncounted}`,
  );
  expectThat(count, recognised, `${at}: /models says that this server drops tools`);
  process.stdout.write(summary(outcomes));
  return outcomes;
}

const runs = [
  { size: "small", name: "135 million parameters", wire: "openai_compatible" },
  { size: "small", name: "135 million parameters", wire: "anthropic" },
  { size: "larger", name: "270 million parameters", wire: "openai_compatible" },
] as const;
const [only] = process.argv.slice(2);
const count: Count = { passed: 0, failed: 0 };
for (const { size, name, wire } of runs.filter((run) => only === undefined || run.wire === only || run.size === only)) {
  const files = findLlama(size);
  if (typeof files === "string") {
    process.stdout.write(`test:real, ${name} ${files}\n`);
    continue;
  }
  await using llama = await startLlama(files);
  const outcomes = await judge(llama, wire, { name, count });
  const done = outcomes.filter(({ status, holds }) => status === "completed" && holds).length;
  if (size === "larger") expectThat(count, done >= 10, `${name}: ${done} of ${goals.length} are completed and true`);
}
process.stdout.write(`\n${count.passed} passed, ${count.failed} failed\n`);
process.exitCode = count.failed === 0 ? 0 : 1;
