/** What the next attempt is told to do about the failure of the last. */
import { describe, expect, test } from "vitest";
import { strategyOf } from "../../../src/domain/recovery.ts";
import { executorBriefing } from "../../../src/roles/prompts.ts";
import { hintFor } from "../../../src/roles/working/recovery-hints.ts";
import { created, planned, spec, started, taskOf } from "../../support/role-task.ts";

describe("the hint", () => {
  test.each([
    ["no_work_shown", "Nothing was done.", "by calling tools"],
    ["tests_lost", "1 test removed", "Put back what was taken away"],
    ["check_failed", "exit code 1", "Run that command yourself"],
    ["llm_semantic_failed", '"a.py" does not parse: line 3', "Read the file around the place"],
    ["check_failed", "Error: Cannot find module 'x'", "Look at what is installed"],
    ["output_missing", '"a.txt" is expected and does not exist', "List the folder first"],
  ])("after %s (%s) says: %s", (code, feedback, hint) =>
    expect(hintFor({ strategy: strategyOf("semantic", code), feedback })).toContain(hint),
  );

  test("is left out where the critique says all", () => {
    expect(hintFor({ feedback: "The tone is wrong." })).toBe("");
  });

  test("of the last failure stands in the prompt behind the critiques", () => {
    const failed = (attempt: number, feedback: string, retry_strategy: string) =>
      [
        {
          type: "subtask_failed",
          subtask_id: "a",
          attempt,
          final: false,
          class: "semantic",
          feedback,
          verification_tier: 1,
        },
        {
          type: "subtask_retrying",
          subtask_id: "a",
          attempt: attempt + 1,
          escalated_tier: 1,
          feedback,
          retry_strategy,
        },
      ] as const;
    const task = taskOf([
      created(),
      ...planned([spec()]),
      started(),
      ...failed(1, "Nothing was done.", "evidence_gap"),
      started("a", 2),
      ...failed(2, "A test fails.", "checks"),
      started("a", 3),
    ]);
    const subtask = task.subtasks.get("a");
    if (subtask === undefined) throw new Error("a is not there");
    const text = executorBriefing({ task, subtask, memories: [] });
    expect(text).toContain("A test fails.\nRun that command yourself");
    expect(text).not.toContain("by calling tools");
  });
});
