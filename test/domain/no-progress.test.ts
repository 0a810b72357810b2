/** What the attempt after a failure shall do about it, and when there is none because nothing moves any more. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FileState } from "../../src/domain/change.ts";
import { FailureClass } from "../../src/domain/event.ts";
import { strategyOf } from "../../src/domain/recovery.ts";
import { given } from "../support/given.ts";
import {
  absent,
  attemptFailed,
  change,
  changed,
  delivered,
  executing,
  file,
  planReady,
  replanning,
  retrying,
  spec,
  started,
  verdict,
} from "../support/happenings.ts";

const critique = "Test 12 of 14 fails after 0.31 s";
const failedIn = (attempt: number, feedback = critique, failure: FailureClass = "semantic") =>
  ({ type: "Failed", key: `work:a:${attempt}:1`, class: failure, feedback }) as const;
const wrote = (id: string, after: FileState, before: FileState = absent) =>
  changed("a", id, change("x", before, after));
const firstTry = [
  started("a"),
  wrote("chg_1", file("a")),
  attemptFailed("a", { feedback: critique }),
  retrying("a", 2),
];
const goesOn = [{ type: "subtask_failed", final: false }, { type: "subtask_retrying" }] as const;
const stops = [
  { type: "subtask_failed", final: true, no_progress: true },
  { type: "task_replanning", failed_subtask_id: "a" },
] as const;

describe("a second attempt that fails with the same critique", () => {
  test("and left the files as they were is the last one, though retries are left", () => {
    given(executing("a"), ...firstTry, started("a", 2))
      .reported(failedIn(2))
      .records(...stops);
  });

  test("is told from another only by its words, not by its numbers", () => {
    given(executing("a"), ...firstTry, started("a", 2))
      .reported(failedIn(2, "Test 3 of 14  fails\nafter 1.7 s"))
      .records(...stops);
    given(executing("a"), ...firstTry, started("a", 2))
      .reported(failedIn(2, "The build fails"))
      .records(...goesOn);
  });

  test("and came back to the same files on another way is the last one", () => {
    given(
      executing("a"),
      ...firstTry,
      started("a", 2),
      wrote("chg_2", file("b"), file("a")),
      wrote("chg_3", file("a"), file("b")),
    )
      .reported(failedIn(2))
      .records(...stops);
  });

  test.each([
    ["changed what stands there", [wrote("chg_2", file("b"), file("a"))]],
    ["changed another file too", [changed("a", "chg_2", change("y", absent, file("a")))]],
    ["took its file back", [wrote("chg_2", absent, file("a"))]],
    [
      "put another in its place",
      [changed("a", "chg_2", change("x", file("a"), absent), change("y", absent, file("a")))],
    ],
  ])("but %s is followed by a third", (_, changes) => {
    given(executing("a"), ...firstTry, started("a", 2), ...changes)
      .reported(failedIn(2))
      .records(...goesOn);
  });

  test("is the last one also when a verifier wrote the critique, and is not blamed for what others change", () => {
    const fails = verdict({ outcome: "fail", feedback: critique, reason_code: "check_failed" });
    given(executing("a", "b"), ...firstTry, started("a", 2), changed("b", "chg_b", change("z", absent, file("z"))))
      .and(delivered("a", 2))
      .reported({ type: "Judged", key: "verify:a:2:1", verdict: fails })
      .records({ type: "verification_failed" }, ...stops);
  });

  test("leads a critical subtask to its one remediation by the strongest model", () => {
    given(executing(spec("a", { is_critical_path: true })), ...firstTry, started("a", 2))
      .reported(failedIn(2))
      .records({ type: "subtask_failed", no_progress: true }, { type: "task_plan_ready", subtask_ids: ["fix-a"] })
      .wants("work:fix-a:1:1");
  });

  test("does not count under a new plan", () => {
    given(executing("a"), ...firstTry, replanning(2), planReady([spec("a")], { version: 2 }), started("a", 2))
      .reported(failedIn(2))
      .records(...goesOn);
  });

  test.each(["model", "timeout", "internal"] as const)("is no sign of standing still in class %s", (failure) => {
    given(executing("a"), started("a"), attemptFailed("a", { class: failure, feedback: critique }), retrying("a", 2), [
      started("a", 2),
    ])
      .reported(failedIn(2, critique, failure))
      .records(...goesOn);
  });

  test("of another class is followed by a third", () => {
    given(executing("a"), ...firstTry, started("a", 2))
      .reported(failedIn(2, critique, "loop"))
      .records(...goesOn);
  });
});

describe("a verdict", () => {
  test("keeps the files that were judged, the commands that ran, and what was noticed", () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const evidence = {
      files: [{ path: "x", state: "file", digest }],
      remarks: ["x:1 is a placeholder"],
      checks: [
        {
          name: "npm test",
          passed: true,
          detail: "",
          ran: { command: "npm test", asked_by: "claim", exit_code: 0, output_digest: digest },
        },
      ],
    } as const;
    const story = given(executing("a"), started("a"), delivered("a"));
    const judged = verdict({
      ...evidence,
      files: [...evidence.files],
      remarks: [...evidence.remarks],
      checks: [...evidence.checks],
    });
    expect(
      story.reported({ type: "Judged", key: "verify:a:1:1", verdict: judged }).task.subtasks.get("a")?.verdict,
    ).toMatchObject(evidence);
  });
});

describe("the way of the next attempt", () => {
  test.each([
    ["no_work_shown", "evidence_gap"],
    ["tests_lost", "restore"],
    ["check_failed", "checks"],
    ["output_empty", "targeted"],
    ["llm_semantic_failed", "semantic"],
  ])("after the verdict %s is %s, and the critique keeps it", (reason_code, strategy) => {
    const { task } = given(executing("a"), started("a"), delivered("a"))
      .reported({ type: "Judged", key: "verify:a:1:1", verdict: verdict({ outcome: "fail", reason_code }) })
      .records(
        { type: "verification_failed" },
        { type: "subtask_failed" },
        { type: "subtask_retrying", retry_strategy: strategy },
      );
    expect(task.subtasks.get("a")?.critiques.at(-1)).toMatchObject({ attempt: 1, strategy });
  });

  test("is named after the class of every other failure, whatever its reason code", () =>
    fc.assert(
      fc.property(fc.constantFrom(...FailureClass.options), fc.string(), (failure, code) => {
        fc.pre(failure !== "semantic");
        expect(strategyOf(failure, code)).toBe(failure);
      }),
    ));
});
