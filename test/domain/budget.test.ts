import { describe, expect, test } from "vitest";
import { addCall, type Budget, exhausted, noUsage } from "../../src/domain/budget.ts";
import { epoch, given } from "../support/given.ts";
import { created, executing, modelCall, started, toolStarted } from "../support/happenings.ts";

const usage = {
  inputTokens: 60,
  outputTokens: 40,
  cachedTokens: 0,
  modelCalls: 5,
  toolCalls: 7,
  costMicroUsd: 2_000_000,
};
const spent = (budget: Budget, step: "model" | "tool", wallMs = 0) =>
  exhausted(budget, usage, { step, wallMs })?.budget_name ?? null;

describe("a budget", () => {
  test("that names nothing is never spent", () => {
    expect(spent({}, "model", 1e12)).toBeNull();
  });

  test("of model calls matters to model calls only", () => {
    expect(spent({ model_calls: 5 }, "model")).toBe("model_calls");
    expect(spent({ model_calls: 6 }, "model")).toBeNull();
    expect(spent({ model_calls: 5 }, "tool")).toBeNull();
  });

  test("of tool calls matters to tool calls only", () => {
    expect(spent({ tool_calls: 7 }, "tool")).toBe("tool_calls");
    expect(spent({ tool_calls: 8 }, "tool")).toBeNull();
    expect(spent({ tool_calls: 7 }, "model")).toBeNull();
  });

  test("of time matters to every step", () => {
    expect(spent({ wall_seconds: 2 }, "tool", 2000)).toBe("wall_seconds");
    expect(spent({ wall_seconds: 2 }, "model", 1999)).toBeNull();
  });

  test("says how much of it was used", () => {
    expect(exhausted({ model_calls: 3 }, usage, { step: "model", wallMs: 0 })).toEqual({
      budget_name: "model_calls",
      observed: 5,
      limit: 3,
    });
  });
});

describe("what a task has used", () => {
  test("adds up over its calls", () => {
    const once = addCall(noUsage, { input_tokens: 10, output_tokens: 2 });
    expect(addCall(once, { input_tokens: 5, output_tokens: 1, cached_tokens: 4, cost_micro_usd: 7 })).toEqual({
      inputTokens: 15,
      outputTokens: 3,
      cachedTokens: 4,
      modelCalls: 0,
      toolCalls: 0,
      costMicroUsd: 7,
    });
  });

  test("counts calls when they begin, and tokens when they end", () => {
    const tokens = { input_tokens: 10, output_tokens: 2 };
    given(executing("a"), started("a"), modelCall("start", { subtask_id: "a" }), toolStarted("a")).viewIs({
      usage: { model_calls: 1, tool_calls: 1, input_tokens: 0 },
    });
    given(executing("a"), modelCall("start"), modelCall("done", { usage: tokens })).viewIs({
      usage: { model_calls: 1, input_tokens: 10, output_tokens: 2 },
    });
    given(executing("a"), modelCall("start"), modelCall("done")).viewIs({ usage: { model_calls: 1, input_tokens: 0 } });
  });
});

describe("a task whose budget is spent", () => {
  const quote = { inputTokens: 1, outputTokens: 1, price: null };
  const step = { type: "StepStarted", key: "work:a:1:1", step: "s", instructionSeqs: [] } as const;

  test("ends before the next step that would spend more", () => {
    given(created({ budget: { tool_calls: 1 } }), executing("a", "b"), started("a"), toolStarted("a"))
      .reported({ ...step, event: toolStarted("a", "turn-2-call-1") })
      .records(
        { type: "task_budget_exhausted", budget_name: "tool_calls", observed: 1, limit: 1 },
        { type: "subtask_skipped", subtask_id: "a", reason: "task failed: budget" },
        { type: "subtask_skipped", subtask_id: "b" },
        { type: "task_failed", reason: "budget", message: "The budget for tool_calls is spent: 1 of 1" },
      )
      .wants();
  });

  test("takes steps that spend something else", () => {
    const event = modelCall("start", { subtask_id: "a" });
    given(created({ budget: { tool_calls: 1 } }), executing("a"), started("a"), toolStarted("a"))
      .reported({ ...step, event })
      .records({ type: "model_invocation" });
  });

  test("is told so by its planner's calls too", () => {
    given(created({ budget: { tokens: 5 } }), modelCall("done", { usage: { input_tokens: 5, output_tokens: 1 } }))
      .reported({ ...step, key: "plan:1:1", event: modelCall("start"), quote })
      .records({ type: "task_budget_exhausted", budget_name: "tokens", observed: 6 }, { type: "task_failed" });
  });
});

describe("a task with a budget of time", () => {
  const timed = given(created({ budget: { wall_seconds: 60 } }), executing("wall"), started("wall"));

  test("waits for its end beside the work", () => {
    timed.wants("work:wall:1:1", "wait:budget:wall:1");
  });

  test("ends when it is over", () => {
    timed
      .after(60_000)
      .reported({ type: "TimeReached", key: "wait:budget:wall:1" })
      .records(
        { type: "task_budget_exhausted", budget_name: "wall_seconds", observed: 64, limit: 60 },
        { type: "subtask_skipped" },
        { type: "task_failed" },
      );
  });

  test("is not ended by a subtask of that name whose wait is over", () => {
    timed
      .reported({ type: "Failed", key: "work:wall:1:1", class: "timeout", feedback: "slow" })
      .wants("wait:wall:7", "wait:budget:wall:1")
      .reported({ type: "TimeReached", key: "wait:wall:7" })
      .records({ type: "wait_elapsed", what: "wall" });
  });

  test("has all of it again when a person has it retried: a closed task spends no time", () => {
    const later = timed
      .requested({ type: "CancelTask", by: "ada" })
      .after(3_600_000)
      .requested({ type: "RetryTask", by: "ada" });
    expect(later.task.opened).toEqual({ seq: 9, at: epoch + 4000 + 3_600_000 });
    later
      .wants("work:wall:2:1", "wait:budget:wall:9")
      .after(59_000)
      .reported({
        type: "StepStarted",
        key: "work:wall:2:1",
        step: "s",
        event: toolStarted("wall"),
        instructionSeqs: [],
      })
      .records({ type: "tool_call_started" });
  });
});
