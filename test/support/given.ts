/**
 * Given what happened to a task, when someone asks or an executor reports, then this is recorded. Every event that a rule
 * makes is held to its schema on the way.
 */
import { expect } from "vitest";
import { type Charge, nothing } from "../../src/domain/budget.ts";
import { decide } from "../../src/domain/decide.ts";
import { effects } from "../../src/domain/effects.ts";
import { type Event, type EventType, eventSchema, type TaskEvent } from "../../src/domain/event.ts";
import { fold } from "../../src/domain/evolve.ts";
import type { Circumstances, Report } from "../../src/domain/report.ts";
import type { Request } from "../../src/domain/request.ts";
import { settle } from "../../src/domain/settle.ts";
import type { Task } from "../../src/domain/task.ts";
import { type TaskView, viewOf } from "../../src/domain/view.ts";
import { created } from "./happenings.ts";

/** Events, or lists of them that belong together; without a `task_created` in front, the usual one is put there. */
export type Happened = Event | readonly Happened[];
/** An event by its type and those of its facts that matter here. */
export interface Expected {
  readonly type: EventType;
  readonly [fact: string]: unknown;
}

export const taskId = "task_01";
/** When a story begins; each event that is given comes a second after the one before. */
export const epoch = Date.UTC(2026, 0, 1);
const secondMs = 1000;

export function given(...happened: readonly Happened[]): Story {
  const events = flat(happened);
  const [first] = events;
  const log = first?.type === "task_created" ? events : [created(), ...events];
  const stamped = log.map((event, index): TaskEvent => ({ ...event, seq: index + 1, at: epoch + index * secondMs }));
  return new Story(stamped, { now: epoch + (log.length - 1) * secondMs, inFlight: 0 });
}

function flat(happened: readonly Happened[]): Event[] {
  return happened.flatMap((one) => ("type" in one ? [one] : flat(one)));
}

export class Story {
  readonly log: readonly TaskEvent[];
  readonly now: number;
  readonly #inFlight: number;
  readonly #ledger: Charge;

  constructor(log: readonly TaskEvent[], circumstances: Circumstances) {
    this.log = log;
    this.now = circumstances.now;
    this.#inFlight = circumstances.inFlight;
    this.#ledger = circumstances.ledger ?? nothing;
  }

  get task(): Task {
    return fold(taskId, this.log);
  }

  /** The same, so much later. */
  after(ms: number): Story {
    return new Story(this.log, { now: this.now + ms, inFlight: this.#inFlight });
  }

  /** The same, while so many other effects run. */
  whileRunning(others: number): Story {
    return new Story(this.log, { now: this.now, inFlight: others });
  }

  /** The same, where the account of the task was charged so much today. */
  charged(ledger: Charge): Story {
    return new Story(this.log, { now: this.now, inFlight: this.#inFlight, ledger });
  }

  /** The same, and then this. */
  and(...happened: readonly Happened[]): Story {
    return this.#said(flat(happened));
  }

  requested(request: Request): Outcome {
    const answer = decide(this.task, request, { now: this.now, inFlight: this.#inFlight });
    return new Outcome(this.#said(answer.ok ? answer.value : []), answer);
  }

  reported(report: Report): Outcome {
    const events = settle(this.task, report, { now: this.now, inFlight: this.#inFlight, ledger: this.#ledger });
    return new Outcome(this.#said(events), { ok: true, value: events });
  }

  /** All effects that are wanted, by their keys, in any order; `yields key` for one that shall end at its next step. */
  wants(...keys: readonly string[]): this {
    const wanted = effects(this.task).map(({ key, mode }) => (mode === "yield" ? `yields ${key}` : key));
    expect(wanted.toSorted()).toEqual(keys.toSorted());
    return this;
  }

  viewIs(view: { readonly [K in keyof TaskView]?: unknown }): this {
    expect(viewOf(this.task)).toMatchObject(view);
    return this;
  }

  subtaskIs(id: string, subtask: object): this {
    expect(viewOf(this.task).plan?.subtasks.find((one) => one.id === id)).toMatchObject(subtask);
    return this;
  }

  #said(events: readonly Event[]): Story {
    const log = [...this.log];
    for (const event of events) log.push({ ...event, seq: log.length + 1, at: this.now });
    for (const event of events) expectWellFormed(event);
    return new Story(log, { now: this.now, inFlight: this.#inFlight });
  }
}

/** What came of a request or a report, and the story as it then stands. */
export class Outcome extends Story {
  readonly #answer: ReturnType<typeof decide>;

  constructor(story: Story, answer: ReturnType<typeof decide>) {
    super(story.log, { now: story.now, inFlight: 0 });
    this.#answer = answer;
  }

  /** Exactly these events, in this order, with at least these facts. */
  records(...expected: readonly Expected[]): this {
    expect(this.#answer).toMatchObject({ ok: true });
    const events = this.#answer.ok ? this.#answer.value : [];
    expect(events.map(({ type }) => type)).toEqual(expected.map(({ type }) => type));
    expect(events).toMatchObject(expected);
    return this;
  }

  recordsNothing(): this {
    return this.records();
  }

  /** The task has failed, for this budget is spent. */
  isRefusedFor(budget: string): this {
    const events = this.#answer.ok ? this.#answer.value : [];
    expect(events.find(({ type }) => type === "task_budget_exhausted")).toMatchObject({ budget_name: budget });
    expect(this.task.failure?.reason).toBe("budget");
    return this;
  }

  isRefused(code: string, saying = "", hinting = ""): this {
    expect(this.#answer).toMatchObject({ ok: false, error: { code } });
    if (this.#answer.ok) return this;
    expect(this.#answer.error.message).toContain(saying);
    expect(this.#answer.error.hint ?? "").toContain(hinting);
    return this;
  }
}

function expectWellFormed(event: Event): void {
  const { type, ...facts } = event;
  const parsed = eventSchema(type).safeParse(facts);
  expect(parsed.success ? [] : parsed.error.issues, `the facts of ${type}`).toEqual([]);
}
