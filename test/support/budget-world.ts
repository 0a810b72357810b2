/**
 * A world that spends: a Loom in process over any store, with the real roles' way to call a model, models that a seed
 * scripts, several tasks of one account, and a process that dies at any append. Long because it is one world.
 */
import { expect } from "vitest";
import { type Charge, chargeOf, difference, nothing, sum } from "../../src/domain/budget.ts";
import type { EventOf, TaskEvent } from "../../src/domain/event.ts";
import { costMicroUsd, dearest, type Price } from "../../src/domain/price.ts";
import type { Report } from "../../src/domain/report.ts";
import { callName } from "../../src/domain/reservation.ts";
import { isClosed, type Task } from "../../src/domain/task.ts";
import { Supervisor } from "../../src/engine/supervisor.ts";
import { LoomError } from "../../src/lib/errors.ts";
import { unreachable } from "../../src/lib/result.ts";
import type { Append, AppendResult } from "../../src/ports/event-store.ts";
import type { Message, ModelReply, ModelRequest } from "../../src/ports/model.ts";
import { PromptMeter } from "../../src/roles/context/prompt-meter.ts";
import { askModel } from "../../src/roles/model-step.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { StepClock, turn } from "./clock.ts";
import type { Played } from "./engine-desk.ts";
import { brief, passed, proposed, spec, taskIdOf } from "./engine-samples.ts";

export interface Spending {
  readonly seed: number;
  /** So many appends after each other; then the process dies, with or without the last one kept. */
  readonly deaths: readonly { readonly after: number; readonly kept: boolean }[];
  /** How often a server uses more than it was granted; 0: never. */
  readonly excessShare: number;
  readonly tasks: number;
  readonly budget: { readonly tokens?: number; readonly usd?: number };
  readonly daily: { readonly tokens: number; readonly microUsd: number };
}

/** Never resolves: what a process that died would have done next. */
function nothingMore<T>(): Promise<T> {
  return new Promise(() => undefined);
}

export class BudgetWorld {
  /** What servers were asked for, and did: for calls that nobody heard the end of too. */
  done: Charge = nothing;
  /** Of calls that had too much, all of it. */
  excess: Charge = nothing;
  readonly breaches: string[] = [];
  deaths = 0;
  overdrawn = 0;
  readonly #store: Storage;
  readonly #spending: Spending;
  readonly #clock = new StepClock(turn);
  readonly #prices: readonly Price[];
  #life = { isDead: false };
  #appends = 0;
  #asked = 0;
  /** By all tasks, as the appends said. */
  #charged: Charge = nothing;
  readonly #reserved = new Map<string, Charge>();
  /** Of calls that ended since something was set aside last. */
  #recentExcess: Charge = nothing;

  constructor(store: Storage, spending: Spending) {
    this.#store = store;
    this.#spending = spending;
    this.#prices = [1, 2].map((nth) => {
      const input = Math.floor(this.#luck("input", nth) * 6_000_000);
      const cachedInput = Math.floor(this.#luck("cached", nth) * input);
      return { input, cachedInput, output: Math.floor(this.#luck("output", nth) * 30_000_000) };
    });
  }

  /** All tasks to their ends, however often Loom dies on the way. */
  async run(): Promise<readonly Task[]> {
    const ids = Array.from({ length: this.#spending.tasks }, (_, index) => taskIdOf(index + 1));
    let supervisor = this.#spawn();
    const account = {
      id: "anna",
      tokens_per_day: this.#spending.daily.tokens,
      micro_usd_per_day: this.#spending.daily.microUsd,
    };
    const { budget } = this.#spending;
    for (const id of ids) {
      const rules = { max_parallel_subtasks: 3, max_subtask_retries: 1 };
      const its = brief({ account, budget, workspace: `/w/${id}`, rules });
      void supervisor.create(id, its).catch(() => undefined);
    }
    for (let moment = 0; moment < 3000; moment += 1) {
      for (let calm = 0; calm < 5; calm += 1) await turn();
      if (this.#life.isDead) {
        this.#life = { isDead: false };
        supervisor = this.#spawn();
        void supervisor.recover().catch(() => undefined);
        continue;
      }
      const rows = await this.#store.rows({ limit: 100 });
      if (rows.length === 0) return [];
      if (rows.every(({ open }) => !open)) return await Promise.all(rows.map(({ taskId }) => supervisor.task(taskId)));
      if (this.#clock.nextWake !== null) await this.#clock.advance(this.#clock.nextWake - this.#clock.now());
    }
    throw new Error("The tasks did not come to an end");
  }

  /** The same question has the same answer in every life. */
  #luck(...question: readonly (string | number)[]): number {
    let hash = 2166136261 ^ this.#spending.seed;
    for (const char of question.join("/")) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619);
    hash = Math.imul(hash ^ (hash >>> 15), 2246822507);
    hash = Math.imul(hash ^ (hash >>> 13), 3266489909);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
  }

  #spawn(): Supervisor {
    const life = this.#life;
    const alive = async <T>(work: () => Promise<T>): Promise<T> => {
      if (life.isDead) return await nothingMore();
      const result = await work();
      return life.isDead ? await nothingMore<T>() : result;
    };
    const store = this.#store;
    const play = (execution: Played): Promise<Report> => this.#play(execution, alive);
    return new Supervisor({
      store: {
        ...store,
        append: (batch) => alive(() => this.#append(batch, life)),
        read: (taskId, range) => alive(() => store.read(taskId, range)),
        steps: (taskId, scope) => alive(() => store.steps(taskId, scope)),
        openTasks: () => alive(() => store.openTasks()),
      },
      ledger: { charged: (account, day) => alive(() => store.charged(account, day)) },
      executors: {
        plan: play,
        work: play,
        verify: play,
        revert: play,
        extract: play,
        check: play,
        answer: play,
        undo: play,
      },
      clock: this.#clock,
      log: {
        debug: () => undefined,
        info: () => undefined,
        warn: () => undefined,
        error: (facts, message) => this.breaches.push(`${message} ${JSON.stringify(facts)}`),
      },
      redact: (value) => value,
      token: () => undefined,
      openTasksMax: 16,
      sharedWorkspaces: false,
      reap: () => Promise.resolve(0),
      sweep: () => Promise.resolve(0),
    });
  }

  async #append(batch: Append, life: { isDead: boolean }): Promise<AppendResult> {
    this.#appends += 1;
    const death = this.#spending.deaths[this.deaths];
    const isLast = death !== undefined && this.#appends >= death.after;
    if (isLast) {
      this.#appends = 0;
      this.deaths += 1;
      life.isDead = true;
      if (!death.kept) return await nothingMore();
    }
    const result = await this.#store.append(batch);
    if (result.kind === "overdrawn") this.overdrawn += 1;
    if (result.kind === "appended") this.#look(batch);
    return isLast ? await nothingMore() : result;
  }

  /** After every append, in the order of the commits: the day's caps hold, but for what calls in flight had too much. */
  #look({ taskId, events, ledger = [] }: Append): void {
    if (ledger.some(({ caps }) => caps !== undefined)) this.#recentExcess = nothing;
    for (const event of events) this.#observe(taskId, event);
    this.#charged = ledger.reduce<Charge>(sum, this.#charged);
    const { tokens, microUsd } = difference(this.#charged, this.#recentExcess);
    const { daily } = this.#spending;
    if (tokens > daily.tokens) this.breaches.push(`${tokens} of ${daily.tokens} tokens`);
    if (microUsd > daily.microUsd) this.breaches.push(`${microUsd} of ${daily.microUsd} micro-dollars`);
  }

  #observe(taskId: string, event: TaskEvent): void {
    if (event.type !== "model_invocation") return;
    const name = `${taskId}/${callName(event)}`;
    if (event.phase === "start" && event.reserved !== undefined) this.#reserved.set(name, chargeOf(event.reserved));
    if (event.phase === "start" || event.usage === undefined) return;
    const over = difference(chargeOf(event.usage), this.#reserved.get(name) ?? nothing);
    const more = { tokens: Math.max(0, over.tokens), microUsd: Math.max(0, over.microUsd) };
    this.#recentExcess = sum(this.#recentExcess, more);
  }

  async #play(execution: Played, alive: <T>(work: () => Promise<T>) => Promise<T>): Promise<Report> {
    const { effect } = execution;
    const { key } = effect;
    try {
      switch (effect.kind) {
        case "plan":
          await this.#ask(execution, alive, "plan");
          return proposed(
            key,
            ["a", "b", "c", "d"].map((id) => spec(id)),
          );
        case "work": {
          const meter = new PromptMeter();
          const messages: Message[] = [{ role: "user", content: "x".repeat(400) }];
          const turns = 1 + Math.floor(this.#luck(execution.task.id, key) * 4);
          for (let nth = 1; nth <= turns; nth += 1) {
            const text = await this.#ask(execution, alive, `turn-${nth}`, { messages: [...messages], meter });
            messages.push({ role: "assistant", content: text }, { role: "user", content: "and then?" });
          }
          return { type: "Delivered", key, summary: "done", digest: "" };
        }
        case "verify":
          await this.#ask(execution, alive, "review");
          return { type: "Judged", key, verdict: passed };
        case "extract":
          await this.#ask(execution, alive, "extract");
          return { type: "Extracted", key, entries: [] };
        case "answer":
          await this.#ask(execution, alive, "answer");
          return { type: "Answered", key, summary: "s", answer: "a" };
        case "revert":
        case "check":
        case "undo":
        case "wait":
          throw new Error(`${key} is not wanted here`);
        default:
          return unreachable(effect);
      }
    } catch (error) {
      if (!(error instanceof LoomError)) throw error;
      return { type: "Failed", key, class: "model", feedback: error.message };
    }
  }

  async #ask(
    execution: Played,
    alive: <T>(work: () => Promise<T>) => Promise<T>,
    step: string,
    { messages = [{ role: "user", content: "y".repeat(300) }] as Message[], meter = new PromptMeter() } = {},
  ): Promise<string> {
    const { effect, journal, stop, task } = execution;
    const subtaskId = "subtaskId" in effect ? effect.subtaskId : undefined;
    const terms = () => ({ maxTokens: 3000, price: dearest(this.#prices), showsExamples: false });
    const call = (_: unknown, request: ModelRequest) => alive(() => this.#serve(task.id, request));
    const reply = await askModel(
      journal,
      { models: { call, terms }, clock: this.#clock },
      {
        step,
        pick: { role: "executor", tier: 1, taskId: task.id, priority: "work" },
        request: { messages },
        at: { ...(subtaskId === undefined ? {} : { subtaskId }), attempt: 1, iteration: 1 },
        signal: stop.aborted,
        meter,
      },
    );
    return reply.text;
  }

  /** One of two models answers, at its own price, in its own time. */
  async #serve(taskId: string, request: ModelRequest): Promise<ModelReply> {
    this.#asked += 1;
    const nth = this.#asked;
    const luck = (what: string): number => this.#luck(taskId, nth, what);
    for (let hop = 0; hop < luck("pace") * 12; hop += 1) await turn();
    if (luck("fails") < 0.01) throw new LoomError("model_refused", "no");
    const granted = request.maxTokens ?? Number.NaN;
    const bytes = request.messages.reduce((total, { content }) => total + content.length, 0);
    const isOver = luck("over") < this.#spending.excessShare;
    const input = Math.floor((isOver ? 2 : 0.5) * (bytes / 2));
    const output = isOver ? granted + Math.floor(luck("more") * 2000) : Math.floor(luck("output") * (granted + 1));
    const price = this.#prices[nth % 2] ?? this.#prices[0];
    const cached = Math.floor(luck("cached") * input);
    const cost = price === undefined ? 0 : costMicroUsd({ input, cached, output }, price);
    const usage = { input_tokens: input, output_tokens: output, cached_tokens: cached, cost_micro_usd: cost };
    this.done = sum(this.done, chargeOf(usage));
    if (isOver) this.excess = sum(this.excess, chargeOf(usage));
    return {
      text: "z".repeat(Math.floor(luck("text") * 2000)),
      toolCalls: [],
      finish: "stop",
      usage,
      model: "m",
      repaired: [],
    };
  }

  /** What all tasks say they used is what the account was charged, and no less than what servers did. */
  async settle(tasks: readonly Task[]): Promise<void> {
    const used = tasks.reduce((total, { usage }) => {
      const tokens = usage.inputTokens + usage.outputTokens;
      return sum(total, { tokens, microUsd: usage.costMicroUsd });
    }, nothing);
    expect(await this.#store.charged("anna", "2026-01-01")).toEqual(used);
    expect(this.#charged).toEqual(used);
    // Nobody heard what a call had too much that was in flight when Loom died.
    expect(used.tokens + this.excess.tokens).toBeGreaterThanOrEqual(this.done.tokens);
    expect(used.microUsd + this.excess.microUsd).toBeGreaterThanOrEqual(this.done.microUsd);
    expect(tasks.every(isClosed)).toBe(true);
    expect(this.breaches).toEqual([]);
  }
}

export function endedBy(task: Task, events: readonly TaskEvent[]): string {
  const spent = events.find(
    (event): event is TaskEvent & EventOf<"task_budget_exhausted"> => event.type === "task_budget_exhausted",
  );
  return spent?.budget_name ?? task.outcome ?? "open";
}
