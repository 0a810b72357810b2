/**
 * The law of budgets, on the rules alone: whatever is asked for side by side, at whatever price, and wherever Loom dies, what
 * counts as used stays within the cap as long as servers stay within what was set aside for them; else it passes the cap by
 * no more than the calls in flight had too much.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Charge, chargeOf, microUsdOf, nothing, type Reservation, sum } from "../../src/domain/budget.ts";
import type { Event } from "../../src/domain/event.ts";
import { evolve, fold } from "../../src/domain/evolve.ts";
import { costMicroUsd, type Price } from "../../src/domain/price.ts";
import type { Report } from "../../src/domain/report.ts";
import { chargedTo, type Quote, reservedBy } from "../../src/domain/reservation.ts";
import { settle } from "../../src/domain/settle.ts";
import { mustWait } from "../../src/domain/spending.ts";
import { isClosed, type Task } from "../../src/domain/task.ts";
import { viewOf } from "../../src/domain/view.ts";
import { given, taskId } from "../support/given.ts";
import { created, executing, modelCall, started } from "../support/happenings.ts";
import { Luck } from "./luck.ts";

const ids = ["a", "b", "c"] as const;
type Id = (typeof ids)[number];
const capTokens = 20_000;
const capUsd = 0.05;

interface Call {
  readonly quote: Quote;
  readonly reserved: Reservation["usage"];
}

/** Three subtasks at work side by side; each has one model call in flight at a time. */
class Spending {
  task: Task;
  readonly #luck: Luck;
  readonly #excessOneIn: number;
  readonly #calls = new Map<Id, Call>();
  readonly #log;
  #now: number;
  /** By subtask: a step that was cut short is begun again under its name. */
  readonly #turns = new Map<Id, number>();
  /** What calls had too much that were in flight when something was granted last. */
  excess: Charge = nothing;
  /** What servers really did, for calls that never said so too. */
  done: Charge = nothing;
  granted = 0;

  /** @param excessOneIn how often a server uses more than was set aside; 0: never */
  constructor(luck: Luck, excessOneIn: number) {
    const first = created({ budget: { tokens: capTokens, usd: capUsd } });
    const story = given(first, executing(...ids), ...ids.map((id) => started(id)));
    this.#log = [...story.log];
    this.task = story.task;
    this.#now = story.now;
    this.#luck = luck;
    this.#excessOneIn = excessOneIn;
  }

  step(): void {
    const id = this.#luck.pick(ids);
    if (this.#luck.oneIn(12)) this.#die();
    else if (this.#calls.has(id)) this.#end(id);
    else this.#begin(id);
    this.#look();
  }

  refold(): Task {
    return fold(taskId, this.#log);
  }

  #begin(id: Id): void {
    const asked = this.#anyQuote();
    const event = modelCall("start", { subtask_id: id, step: this.#stepOf(id) });
    const report: Report = {
      type: "StepStarted",
      key: `work:${id}:1:1`,
      step: event.step,
      event,
      instructionSeqs: [],
      quote: asked,
    };
    const held = mustWait(this.task, report, { now: this.#now, inFlight: this.#calls.size });
    // It waits only for calls in flight, which all end.
    if (held) expect(reservedBy(this.task).tokens).toBeGreaterThan(0);
    else this.#report(report);
    const reserved = this.task.reservations.get(`${id}/1/${event.step}`)?.usage;
    if (held || reserved === undefined || isClosed(this.task)) return;
    expect(reserved.output_tokens).toBeGreaterThanOrEqual(Math.min(256, asked.outputTokens));
    this.#calls.set(id, { quote: asked, reserved });
    this.excess = nothing;
    this.granted += 1;
  }

  #end(id: Id): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    const step = this.#stepOf(id);
    const isFree = this.#luck.oneIn(10);
    const usage = this.#serve(call, isFree);
    const event = modelCall(isFree ? "failed" : "done", {
      subtask_id: id,
      step,
      ...(isFree ? {} : { usage }),
    });
    this.#report({ type: "StepEnded", key: `work:${id}:1:1`, step, events: [event] });
    if (isFree) return;
    this.#turns.set(id, (this.#turns.get(id) ?? 1) + 1);
    const over = { tokens: usage.input_tokens + usage.output_tokens, microUsd: usage.cost_micro_usd };
    const set = chargeOf(call.reserved);
    const more = Math.max(0, over.tokens - set.tokens);
    this.excess = sum(this.excess, { tokens: more, microUsd: Math.max(0, over.microUsd - set.microUsd) });
  }

  #stepOf(id: Id): string {
    return `turn-${this.#turns.get(id) ?? 1}`;
  }

  /** The server does its work, whether anybody hears of it or not. */
  #serve({ quote: { price }, reserved }: Call, isFree = false) {
    const isOver = this.#excessOneIn > 0 && this.#luck.oneIn(this.#excessOneIn);
    const [input, output] = isOver
      ? [reserved.input_tokens + this.#luck.draw(500), reserved.output_tokens + this.#luck.draw(3000)]
      : [this.#luck.draw(reserved.input_tokens + 1), this.#luck.draw(reserved.output_tokens + 1)];
    const cached = this.#luck.draw(input + 1);
    const cost = price === null ? 0 : costMicroUsd({ input, cached, output }, price);
    if (!isFree) this.done = sum(this.done, { tokens: input + output, microUsd: cost });
    return { input_tokens: input, output_tokens: output, cached_tokens: cached, cost_micro_usd: cost };
  }

  /** All that is in flight is lost; the servers went on all the same. */
  #die(): void {
    for (const call of this.#calls.values()) this.#serve(call);
    this.#calls.clear();
    // It dies more often than a task is let: that is another rule.
    this.task = { ...this.task, recoveries: 0 };
    this.#report({ type: "Recovered", stepsInFlight: [] });
  }

  #anyQuote(): Quote {
    const perToken = (): number => this.#luck.draw(5_000_000);
    const input = perToken();
    const price: Price = { input, cachedInput: this.#luck.draw(input + 1), output: perToken() };
    return { inputTokens: this.#luck.draw(2500), outputTokens: 1 + this.#luck.draw(9000), price };
  }

  #report(report: Report): void {
    this.#now += 1000;
    const events = settle(this.task, report, { now: this.#now, inFlight: this.#calls.size });
    for (const event of events) this.#say(event);
  }

  #say(event: Event): void {
    const stamped = { ...event, seq: this.task.lastSeq + 1, at: this.#now };
    this.#log.push(stamped);
    this.task = evolve(this.task, stamped);
  }

  #look(): void {
    const charged = chargedTo(this.task);
    expect(charged.tokens).toBeLessThanOrEqual(capTokens + this.excess.tokens);
    expect(charged.microUsd).toBeLessThanOrEqual(microUsdOf(capUsd) + this.excess.microUsd);
    const { settled, reserved } = viewOf(this.task).budget;
    expect(settled.tokens + reserved.tokens).toBe(charged.tokens);
  }
}

function spent(numbers: readonly number[], excessOneIn: number): Spending {
  const spending = new Spending(new Luck(numbers), excessOneIn);
  for (let step = 0; step < 400 && !isClosed(spending.task); step += 1) spending.step();
  return spending;
}

const anyLuck = fc.array(fc.nat(), { maxLength: 60 });

describe("whatever is asked for side by side, at whatever price, and wherever Loom dies,", () => {
  test("no cap is passed as long as servers stay within what was set aside", () => {
    let granted = 0;
    fc.assert(
      fc.property(anyLuck, (numbers) => {
        const spending = spent(numbers, 0);
        granted += spending.granted;
        expect(spending.excess).toEqual(nothing);
        expect(spending.task.excess).toEqual(nothing);
        expect(isClosed(spending.task)).toBe(true);
        expect(spending.task.failure?.reason).toBe("budget");
        // What nobody heard of is counted too.
        const { inputTokens, outputTokens, costMicroUsd: microUsd } = spending.task.usage;
        expect(inputTokens + outputTokens).toBeGreaterThanOrEqual(spending.done.tokens);
        expect(microUsd).toBeGreaterThanOrEqual(spending.done.microUsd);
        expect(spending.refold().usage).toEqual(spending.task.usage);
      }),
      { numRuns: 150 },
    );
    expect(granted).toBeGreaterThan(300);
  });

  test("a cap is passed by no more than the calls in flight had too much", () => {
    let over = 0;
    fc.assert(
      fc.property(anyLuck, (numbers) => {
        const { task } = spent(numbers, 2);
        const { tokens, microUsd } = chargedTo(task);
        if (tokens > capTokens || microUsd > microUsdOf(capUsd)) over += 1;
      }),
      { numRuns: 150 },
    );
    expect(over).toBeGreaterThan(0);
  });
});
