/** A prompt that a server cut is told in the log, and spends nothing beyond its call. */
import { expect, test } from "vitest";
import { given } from "../support/given.ts";
import { executing, started } from "../support/happenings.ts";

test("a prompt that was cut is recorded with its step, and changes neither the usage nor what is wanted", () => {
  const event = {
    type: "model_context_truncated",
    subtask_id: "a",
    role: "executor",
    step: "turn-3",
    attempt: 1,
    iteration: 3,
    model: "hands",
    counted_tokens: 4096,
    window_tokens: 4096,
  } as const;
  const before = given(executing("a"), started("a"));
  const after = given(executing("a"), started("a"))
    .reported({ type: "StepEnded", key: "work:a:1:1", step: "turn-3", events: [event] })
    .records(event)
    .wants("work:a:1:1");
  expect(after.task.usage).toEqual(before.task.usage);
});
