/** Worked examples for planner and verifier: they must be read as they mean, in the form of what is really asked. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { planFlaws } from "../../../src/domain/plan.ts";
import { readJson } from "../../../src/models/json-reading.ts";
import type { Message } from "../../../src/ports/model.ts";
import { copyFlaws, planExamples } from "../../../src/roles/planning/plan-examples.ts";
import { planSchema } from "../../../src/roles/planning/plan-prompt.ts";
import { readPlan } from "../../../src/roles/planning/plan-reading.ts";
import { reviewExamples } from "../../../src/roles/verifying/review-examples.ts";
import { verdictSchema } from "../../../src/roles/verifying/review-prompt.ts";
import { readOpinion } from "../../../src/roles/verifying/review-reading.ts";

const replies = (messages: readonly Message[]) =>
  messages.filter(({ role }) => role === "assistant").map(({ content }) => content);
const headings = ({ content }: Message) => content.split("\n").filter((line) => line.startsWith("# "));

describe("examples of plans", () => {
  const shown = planExamples(["read_file", "write_file"]);

  test("are plans that would be taken, of one subtask each", () => {
    for (const text of replies(shown)) {
      const { flaws, repaired, subtasks } = readPlan(text, { readJson });
      expect({ flaws, repaired, count: subtasks.length }).toEqual({ flaws: [], repaired: false, count: 1 });
      expect(planFlaws(subtasks)).toEqual([]);
      expect(z.fromJSONSchema(planSchema).safeParse(JSON.parse(text)).error).toBeUndefined();
    }
  });

  test("are asked for as a plan is", () => {
    for (const message of shown.filter(({ role }) => role === "user"))
      expect(headings(message)).toEqual(["# Task", "# Tools that executors have", "# Files in the workspace"]);
  });
});

describe("a plan that was copied from an example", () => {
  const copied = (goal: string) =>
    replies(planExamples([])).map((text) => copyFlaws(readPlan(text, { readJson }).subtasks, goal).length);

  test("is sent back, whichever it was copied from", () => expect(copied("Water the plants")).toEqual([1, 1, 1]));
  test("is none where the goal speaks of the same", () =>
    expect(copied("How many boats does boats.md name?")).toEqual([0, 1, 1]));
});

describe("examples of verdicts", () => {
  const shown = reviewExamples();

  test("are read as they are meant, and are as often no as yes", () => {
    const opinions = replies(shown).map((text) => readOpinion({ text, isWhole: true }, { readJson })?.outcome);
    expect(opinions).toEqual(["pass", "fail", "fail", "pass", "fail", "pass"]);
    for (const text of replies(shown))
      expect(z.fromJSONSchema(verdictSchema).safeParse(JSON.parse(text)).error).toBeUndefined();
  });

  test("show what a verifier is shown", () => {
    for (const message of shown.filter(({ role }) => role === "user")) {
      expect(headings(message)).toEqual(
        expect.arrayContaining(["# Goal of the whole task", "# Tool calls of the executor, as recorded", "# Now"]),
      );
    }
  });
});
