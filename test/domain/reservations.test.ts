import { describe, expect, test } from "vitest";
import { nothing } from "../../src/domain/budget.ts";
import { picoPerToken } from "../../src/domain/price.ts";
import type { Report } from "../../src/domain/report.ts";
import { accountCharge, type Quote } from "../../src/domain/reservation.ts";
import { mustWait, startedAs } from "../../src/domain/spending.ts";
import type { Brief } from "../../src/domain/task.ts";
import { epoch, given, type Happened } from "../support/given.ts";
import { completed, created, executing, modelCall, planning, started, toolStarted } from "../support/happenings.ts";

const price = { input: picoPerToken(1), cachedInput: picoPerToken(1), output: picoPerToken(10) };
const quote = (inputTokens: number, outputTokens: number, more: Partial<Quote> = {}): Quote => ({
  inputTokens,
  outputTokens,
  price: null,
  ...more,
});
const begins = (id: string, asked: Quote) =>
  ({
    type: "StepStarted",
    key: `work:${id}:1:1`,
    step: "turn-1",
    instructionSeqs: [],
    event: modelCall("start", { subtask_id: id }),
    quote: asked,
  }) as const satisfies Report;
const inFlight = (id: string, input: number, output: number, cost?: number) =>
  modelCall("start", {
    subtask_id: id,
    reserved: {
      input_tokens: input,
      output_tokens: output,
      ...(cost === undefined ? {} : { cost_micro_usd: cost }),
    },
  });
const ended = (id: string, input: number, output: number, cost?: number) =>
  modelCall("done", {
    subtask_id: id,
    usage: {
      input_tokens: input,
      output_tokens: output,
      ...(cost === undefined ? {} : { cost_micro_usd: cost }),
    },
  });
const atWork = (budget: Brief["budget"], ...more: readonly Happened[]) =>
  given(created({ budget }), executing("a", "b", "c"), started("a"), started("b"), ...more);

describe("a model call", () => {
  test("sets aside its prompt and its longest reply when it begins, where there is no budget too", () => {
    atWork({})
      .reported(begins("a", quote(100, 4000, { price })))
      .records({
        type: "model_invocation",
        reserved: { input_tokens: 100, output_tokens: 4000, cost_micro_usd: 40_100 },
      })
      .viewIs({
        usage: { model_calls: 1, input_tokens: 0, output_tokens: 0 },
        budget: { cap: {}, settled: { tokens: 0, model_calls: 1 }, reserved: { tokens: 4100, usd: 0.0401 } },
      });
  });

  test("gives back what it did not use when it ends", () => {
    const { task } = atWork({}, inFlight("a", 100, 4000, 41_000), ended("a", 90, 10, 190)).viewIs({
      usage: { input_tokens: 90, output_tokens: 10, usd: 0.00019 },
      budget: { settled: { tokens: 100, usd: 0.00019 }, reserved: { tokens: 0 } },
    });
    expect([task.reservations.size, task.excess]).toEqual([0, nothing]);
  });

  test("costs nothing where it was refused, and what it may have used where it was cut", () => {
    const reserved = { input_tokens: 100, output_tokens: 4000 };
    const free = modelCall("failed", { subtask_id: "a", error: "model_unavailable" });
    const cut = modelCall("failed", { subtask_id: "a", error: "stopped", usage: { ...reserved, estimated: true } });
    const failing = atWork({}, inFlight("a", 100, 4000));
    failing.and(free).viewIs({ budget: { settled: { tokens: 0 }, reserved: { tokens: 0 } } });
    failing.and(cut).viewIs({ budget: { settled: { tokens: 4100 }, reserved: { tokens: 0 } } });
    expect([...failing.and(free).task.stepsInFlight]).toEqual([]);
  });

  test("that used more than it had set aside is counted whole, and told", () => {
    atWork({ tokens: 1000 }, inFlight("a", 100, 400, 50), ended("a", 100, 1200, 90)).viewIs({
      budget: { settled: { tokens: 1300 }, excess: { tokens: 800, usd: 0.00004 } },
    });
  });

  test("of an old log, with fractions of a micro-dollar and nothing set aside, is read", () => {
    const old = atWork({}, modelCall("start", { subtask_id: "a" }), ended("a", 5, 5, 0.4));
    expect(old.task.usage).toMatchObject({ inputTokens: 5, costMicroUsd: 1 });
  });
});

describe("a cap", () => {
  test("lowers the reply that a call may give to what is left", () => {
    atWork({ tokens: 1000 }, inFlight("b", 100, 300))
      .reported(begins("a", quote(200, 4000)))
      .records({ type: "model_invocation", reserved: { input_tokens: 200, output_tokens: 400 } });
    atWork({ usd: 0.01 })
      .reported(begins("a", quote(2000, 4000, { price })))
      .records({ type: "model_invocation", reserved: { output_tokens: 800, cost_micro_usd: 10_000 } });
  });

  test("that leaves fewer than 256 tokens for a reply is spent, and the work stays", () => {
    atWork({ tokens: 1000 }, completed("b", { summary: "b is done" }), ended("b", 500, 100))
      .reported(begins("a", quote(145, 4000)))
      .records(
        { type: "task_budget_exhausted", budget_name: "tokens", observed: 600, limit: 1000 },
        { type: "subtask_skipped", subtask_id: "a" },
        { type: "subtask_skipped", subtask_id: "c" },
        {
          type: "task_failed",
          reason: "budget",
          message:
            "The budget for tokens is spent: 600 of 1000; the next model call needs 145 tokens for its prompt and at least 256 for its reply",
        },
      )
      .viewIs({
        status: "failed",
        result: {
          summary: "The budget was spent when 1 of 3 subtasks were done; what was done is kept",
          answer: "b: b is done\nNot done: a, c",
        },
      });
  });

  test("is not spent for a model that never says more than that", () => {
    atWork({ tokens: 1000 }, ended("b", 500, 300))
      .reported(begins("a", quote(100, 64)))
      .records({ type: "model_invocation", reserved: { output_tokens: 64 } });
  });

  test("that is spent before anything was done has no more to tell", () => {
    given(created({ budget: { tokens: 10 } }), planning)
      .reported({ ...begins("a", quote(100, 64)), key: "plan:1:1", event: modelCall("start") })
      .viewIs({ result: { summary: "The budget was spent when 0 of 0 subtasks were done; what was done is kept" } });
  });

  test("in dollars takes no call that has no price", () => {
    atWork({ usd: 1 })
      .reported(begins("a", quote(100, 4000)))
      .records(
        { type: "task_budget_exhausted", budget_name: "usd", observed: 0, limit: 1 },
        { type: "subtask_skipped" },
        { type: "subtask_skipped" },
        { type: "subtask_skipped" },
        { type: "task_failed", message: expect.stringContaining("has no price") },
      );
  });
});

describe("a call for which too little is left", () => {
  const crowded = atWork({ tokens: 5000 }, inFlight("b", 100, 4800));
  const now = { now: crowded.now, inFlight: 2 };
  const asked = begins("a", quote(100, 4000));

  test("waits while another may give something back, and nothing is said", () => {
    expect(mustWait(crowded.task, asked, now)).toBe(true);
    crowded.reported(asked).recordsNothing();
    const freed = crowded.and(ended("b", 100, 50));
    expect(mustWait(freed.task, asked, now)).toBe(false);
    freed.reported(asked).records({ type: "model_invocation", reserved: { output_tokens: 4000 } });
  });

  test("does not wait for what would be too little all the same", () => {
    expect(mustWait(crowded.task, begins("a", quote(4800, 4000)), now)).toBe(false);
  });

  test("does not wait when it is not wanted any more, or another cap is reached", () => {
    expect(mustWait(crowded.requested({ type: "CancelTask", by: "ada" }).task, asked, now)).toBe(false);
    const late = atWork({ tokens: 5000, wall_seconds: 1 }, inFlight("b", 100, 4800));
    expect(mustWait(late.task, asked, { now: late.now, inFlight: 2 })).toBe(false);
  });

  test("is a call: other steps and reports wait for nothing", () => {
    const event = toolStarted("a");
    const step = { type: "StepStarted", key: asked.key, step: "s", event, instructionSeqs: [] } as const;
    expect(mustWait(crowded.task, step, now)).toBe(false);
    expect(mustWait(crowded.task, { type: "Yielded", key: asked.key }, now)).toBe(false);
    expect(startedAs(step, [event])).toBe(event);
    expect(startedAs(step, [modelCall("start")])).toBeUndefined();
    expect(startedAs(asked, [{ type: "task_failed" }])).toBeUndefined();
  });
});

describe("calls in flight when Loom dies", () => {
  const dying = atWork({ tokens: 9000 }, inFlight("a", 100, 400, 70), inFlight("b", 50, 200));
  const recovered = dying.reported({ type: "Recovered", stepsInFlight: [] });

  test("count as what they had set aside, once", () => {
    recovered
      .records({
        type: "task_recovered",
        settled: { input_tokens: 150, output_tokens: 600, cost_micro_usd: 70, estimated: true },
      })
      .viewIs({ budget: { settled: { tokens: 750, usd: 0.00007 }, reserved: { tokens: 0 } } })
      .and(inFlight("a", 100, 400, 70), ended("a", 100, 10, 20))
      .viewIs({ budget: { settled: { tokens: 860, usd: 0.00009 }, reserved: { tokens: 0 } } })
      .reported({ type: "Recovered", stepsInFlight: [] })
      .records({ type: "task_recovered" })
      .viewIs({ budget: { settled: { tokens: 860 } } });
  });

  test("are told also where nothing else was going on", () => {
    given(created({}), planning, modelCall("done"), { type: "task_paused", reason: "requested" }, inFlight("a", 1, 2))
      .reported({ type: "Recovered", stepsInFlight: [] })
      .records({ type: "task_recovered", settled: { input_tokens: 1, output_tokens: 2 } });
  });

  test("count the same where the next life never said so", () => {
    dying.and(inFlight("a", 100, 300)).viewIs({ budget: { settled: { tokens: 500 }, reserved: { tokens: 650 } } });
  });
});

describe("calls in flight when a task ends", () => {
  test("count as what they had set aside, until they say what they used", () => {
    const cancelled = atWork({}, inFlight("a", 100, 400, 70)).requested({ type: "CancelTask", by: "ada" });
    cancelled.viewIs({ budget: { settled: { tokens: 500, usd: 0.00007 }, reserved: { tokens: 0 } } });
    cancelled
      .and(ended("a", 90, 20, 30))
      .viewIs({ budget: { settled: { tokens: 110, usd: 0.00003 }, reserved: { tokens: 0 } } });
    cancelled.and(modelCall("failed", { subtask_id: "a" })).viewIs({ budget: { settled: { tokens: 0 } } });
  });
});

describe("the account of a task", () => {
  const account = { id: "anna", tokens_per_day: 10_000, micro_usd_per_day: 50_000 };
  const paying = given(created({ account }), executing("a"), started("a"));
  const ask = (asked: Quote, ledger: { tokens: number; microUsd: number }) =>
    paying.charged(ledger).reported(begins("a", asked));

  test("lowers a reply as a budget does, by what all tasks of the day have taken", () => {
    ask(quote(100, 4000), { tokens: 9000, microUsd: 0 }).isRefusedFor("usd_per_day");
    ask(quote(100, 4000, { price }), { tokens: 9000, microUsd: 0 }).records({
      type: "model_invocation",
      reserved: { output_tokens: 900 },
    });
    ask(quote(100, 4000, { price }), { tokens: 0, microUsd: 46_000 }).records({
      type: "model_invocation",
      reserved: { output_tokens: 390 },
    });
  });

  test("says that the next day begins at midnight, when it is spent", () => {
    const spent = ask(quote(100, 4000, { price }), { tokens: 9700, microUsd: 0 });
    spent.isRefusedFor("tokens_per_day");
    expect(spent.task.failure?.message).toContain('tokens_per_day of "anna" is spent: 9700 of 10000');
    expect(spent.task.failure?.message).toContain("00:00 UTC");
  });

  test("is charged when a call begins, on that day, and set right on the same when it ends", () => {
    const before = paying.task;
    const start = { ...inFlight("a", 100, 400, 70), seq: before.lastSeq + 1, at: epoch };
    expect(accountCharge(before, start)).toEqual({ day: "2026-01-01", tokens: 500, microUsd: 70, reserves: true });
    const calling = paying.and(inFlight("a", 100, 400, 70)).task;
    const end = (event: ReturnType<typeof ended>) =>
      accountCharge(calling, { ...event, seq: 99, at: epoch + 86_400_000 * 3 });
    expect(end(ended("a", 90, 10, 20))).toEqual({ day: "2026-01-01", tokens: -400, microUsd: -50, reserves: false });
    expect(end(modelCall("failed", { subtask_id: "a" }))).toMatchObject({ tokens: -500, microUsd: -70 });
    expect(end(ended("b", 90, 10, 20))).toBeNull();
    expect(accountCharge(calling, { ...planning, seq: 99, at: epoch })).toBeNull();
    expect(accountCharge(calling, { ...modelCall("start"), seq: 99, at: epoch })).toBeNull();
  });

  test("may have only one of the two caps, or a budget beside it", () => {
    const thrifty = created({ account: { id: "anna", micro_usd_per_day: 5000 }, budget: { tokens: 100_000 } });
    given(thrifty, executing("a"), started("a"))
      .reported(begins("a", quote(1000, 4000, { price })))
      .records({ type: "model_invocation", reserved: { output_tokens: 400 } });
  });
});
