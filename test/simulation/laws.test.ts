/**
 * The laws of docs/ARCHITECTURE.md, 1 to 5, over random plans, luck, persons and blows. Each run follows from its seed.
 * LOOM_LAW_RUNS=2000 makes more of them than the gate has time for.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Brief } from "../../src/domain/task.ts";
import type { Meddling } from "../support/engine-meddling.ts";
import { brief } from "../support/engine-samples.ts";
import { type Outcome, type Scenario, simulate } from "../support/engine-simulation.ts";
import { endOf, tale } from "../support/engine-twin.ts";
import type { Blow } from "../support/engine-world.ts";

const numRuns = Number(process.env["LOOM_LAW_RUNS"] ?? "60");
const timeout = 20_000 + numRuns * 200;

const anyBlow: fc.Arbitrary<Blow> = fc.record({
  after: fc.integer({ min: 1, max: 25 }),
  kind: fc.constantFrom("before", "after", "before", "after", "refused", "doubt", "drain"),
});
const anyBlows = fc.array(anyBlow, { maxLength: 6 });

const anyMeddling: fc.Arbitrary<Scenario["meddling"]> = fc.array(
  fc.record({
    after: fc.integer({ min: 1, max: 15 }),
    what: fc.constantFrom<Meddling>(
      "pause",
      "resume",
      "steer",
      "interrupt",
      "message",
      "cancel",
      "undo",
      "retry",
      "approve",
    ),
  }),
  { maxLength: 8 },
);

const anyBrief: fc.Arbitrary<Brief> = fc
  .record({
    approval_mode: fc.constantFrom("auto", "auto", "manual", "confidence_threshold"),
    approve_plan: fc.boolean(),
    approvers: fc.constantFrom("wait", "wait", "wait", "none"),
    checks: fc.constantFrom<Brief["checks"]>([], [], [{ name: "c", run: "true" }]),
    budget: fc.constantFrom({}, {}, {}, { model_calls: 12 }, { wall_seconds: 40 }),
    retries: fc.integer({ min: 0, max: 3 }),
    replans: fc.integer({ min: 0, max: 2 }),
    slots: fc.integer({ min: 1, max: 4 }),
    attempts: fc.constantFrom(5, 50, 50),
    expiry: fc.constantFrom(0, 0, 20_000),
    on_timeout: fc.constantFrom("reject", "pause"),
    on_uncertain: fc.constantFrom("tell_model", "ask"),
  })
  .map(({ retries, replans, slots, attempts, expiry, on_timeout, on_uncertain, ...task }) =>
    brief({
      ...task,
      rules: {
        max_subtask_retries: retries,
        max_replans: replans,
        max_parallel_subtasks: slots,
        max_loop_iterations: attempts,
        approval_timeout_ms: expiry,
        model_wait_ms: 60_000,
        on_timeout,
        on_uncertain,
      },
    }),
  );

const anySeed = fc.integer({ min: 0, max: 0xffff_ffff });

/** What holds of every run, however it went. */
function lawful({ task, log, steps, effects, breaches }: Outcome): void {
  expect(breaches).toEqual([]);
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  expect(log[0]?.type).toBe("task_created");
  expect(task.phase).toBe("closed");
  expect(task.lastSeq).toBe(log.length);
  expect([...effects].filter(([, count]) => count > 1)).toEqual([]);
  const ends = log.flatMap((event) => endOf(event) ?? []);
  const repeated = ends.filter((end, index) => ends.indexOf(end) !== index);
  expect(repeated).toEqual([]);
  const open = steps.filter(({ ended, effectClass }) => ended === undefined && effectClass !== "pure");
  if (task.outcome === "completed") expect(open.filter(({ scope }) => isOfCompleted(scope, task))).toEqual([]);
}

/** A step of an attempt that completed its subtask has come to its end. */
function isOfCompleted(scope: string, task: Outcome["task"]): boolean {
  const [kind, subtaskId = "", attempt] = scope.split(":");
  const subtask = task.subtasks.get(subtaskId);
  return kind === "work" && subtask?.status.kind === "completed" && subtask.attempt === Number(attempt);
}

describe("laws 1 to 4, whatever executors, persons and power cuts do", () => {
  test(
    "the log has no gap and loses nothing, the task goes on or says what it waits for, ends, and nothing unwanted runs",
    async () => {
      const scenario: fc.Arbitrary<Scenario> = fc.record({
        seed: anySeed,
        shape: fc.constantFrom("wild", "chain"),
        brief: anyBrief,
        blows: anyBlows,
        meddling: anyMeddling,
      });
      await fc.assert(
        fc.asyncProperty(scenario, async (drawn) => lawful(await simulate(drawn))),
        { numRuns },
      );
    },
    timeout,
  );

  test(
    "a run follows from its seed",
    async () => {
      const scenario = fc.record({
        seed: anySeed,
        shape: fc.constant("wild" as const),
        brief: anyBrief,
        blows: anyBlows,
        meddling: anyMeddling,
      });
      await fc.assert(
        fc.asyncProperty(scenario, async (drawn) => {
          const [first, second] = [await simulate(drawn), await simulate(drawn)];
          expect(second.log).toEqual(first.log);
        }),
        { numRuns: Math.ceil(numRuns / 10) },
      );
    },
    timeout,
  );
});

describe("law 5, wherever Loom is killed", () => {
  const patient = anyBrief.map((drawn) =>
    brief({
      ...drawn,
      budget: {},
      approvers: "wait",
      rules: {
        ...drawn.rules,
        max_subtask_retries: Math.max(1, drawn.rules.max_subtask_retries),
        max_loop_iterations: 50,
        model_wait_ms: 3_600_000,
        on_uncertain: "tell_model",
      },
    }),
  );

  test.each(["steady", "chain"] as const)(
    "a %s task ends as it would have, each subtask by the same events, and every side effect took place at most once",
    async (shape) => {
      const blows = fc.array(anyBlow, { minLength: 1, maxLength: 8 });
      const scenario = fc.record({ seed: anySeed, brief: patient, blows });
      await fc.assert(
        fc.asyncProperty(scenario, async (drawn) => {
          const calm = await simulate({ ...drawn, shape, blows: [], meddling: [] });
          const disturbed = await simulate({ ...drawn, shape, meddling: [] });
          lawful(calm);
          lawful(disturbed);
          expect(disturbed.task.outcome).toBe(calm.task.outcome);
          expect(tale(disturbed.log)).toEqual(tale(calm.log));
          expect([...disturbed.effects.keys()].filter((what) => !calm.effects.has(what))).toEqual([]);
        }),
        { numRuns: Math.ceil(numRuns / 2) },
      );
    },
    timeout,
  );
});
