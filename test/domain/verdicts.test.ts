import { describe, test } from "vitest";
import type { Verdict } from "../../src/domain/verdict.ts";
import { given } from "../support/given.ts";
import {
  change,
  changed,
  created,
  delivered,
  executing,
  file,
  started,
  toolEnded,
  verdict,
} from "../support/happenings.ts";

const verifying = [executing("a"), started("a"), delivered("a")];
const judged = (found: Partial<Verdict> = {}, nth = 1) =>
  ({ type: "Judged", key: `verify:a:1:${nth}`, verdict: verdict(found) }) as const;
const inconclusive = { outcome: "inconclusive", severity_class: "inconclusive", confidence: 0.5 } as const;
const unsure = { type: "verification_failed", subtask_id: "a", attempt: 1, try: 1, ...verdict(inconclusive) } as const;

describe("a verification", () => {
  test("is announced when it starts, and only then", () => {
    given(verifying)
      .reported({ type: "Started", key: "verify:a:1:1" })
      .records({ type: "verification_started", subtask_id: "a", attempt: 1, try: 1, target_tier: 2 })
      .reported({ type: "Started", key: "verify:a:1:1" })
      .recordsNothing();
  });

  test("that passes with high confidence completes the subtask", () => {
    given(verifying)
      .reported(judged())
      .records(
        { type: "verification_passed", try: 1, tier: 2 },
        { type: "subtask_completed", summary: "a is done", confidence: 0.985, flagged: false },
      )
      .wants("extract:a", "answer:1");
  });

  test("that passes with medium confidence completes it flagged, with the reason", () => {
    given(verifying)
      .reported(judged({ independent: false }))
      .records(
        { type: "verification_passed" },
        { type: "subtask_completed", flagged: true, flag_reason: "confidence is medium (0.98)" },
      )
      .subtaskIs("a", { status: "completed", flagged: true });
  });

  test("that passes with low confidence asks a person", () => {
    given(verifying, changed("a", "chg_a", change("a.txt", file("a"), file("b"))))
      .reported(judged({ confidence: 0.3 }))
      .records(
        { type: "verification_passed" },
        {
          type: "approval_requested",
          kind: "subtask",
          approval_id: "apr_a_1_0_0",
          summary: "a is done",
          risk: "high",
          action: { tool: "subtask", arguments: {}, paths: ["a.txt"], hosts: [] },
          digest: "d1",
        },
      )
      .wants()
      .viewIs({ status: "waiting_approval" });
  });

  test("that passes with no confidence to speak of is a failed attempt", () => {
    given(verifying)
      .reported(judged({ confidence: 0.1, feedback: "I doubt it." }))
      .records(
        { type: "verification_passed" },
        { type: "subtask_failed", class: "semantic", feedback: "Confidence in the result is 0.73. I doubt it." },
        { type: "subtask_retrying" },
      );
  });

  test("that fails is a failed attempt, with what it found as the critique", () => {
    given(verifying)
      .reported(judged({ outcome: "fail", feedback: "no test ran" }))
      .records(
        { type: "verification_failed", outcome: "fail" },
        {
          type: "subtask_failed",
          attempt: 1,
          final: false,
          class: "semantic",
          feedback: "no test ran",
          verification_tier: 2,
        },
        { type: "subtask_retrying", attempt: 2, feedback: "no test ran" },
      );
  });

  test("takes what the attempt did into account", () => {
    given(
      executing("a"),
      started("a"),
      toolEnded("a", { destructive: true }),
      toolEnded("a", { success: false }),
      delivered("a"),
    )
      .reported(judged())
      .records({ type: "verification_passed" }, { type: "subtask_completed", confidence: 0.835 });
  });
});

describe("a verification that could not tell", () => {
  test("is made once more", () => {
    given(verifying)
      .reported(judged(inconclusive))
      .records({ type: "verification_failed", outcome: "inconclusive", try: 1 })
      .wants("verify:a:1:2");
  });

  test("counts as low the second time: a person is asked", () => {
    given(verifying, unsure)
      .reported(judged(inconclusive, 2))
      .records({ type: "verification_failed", try: 2 }, { type: "approval_requested", kind: "subtask", risk: "high" });
  });

  test("does not pass a threshold that its score would reach", () => {
    given(created({ approval_mode: "confidence_threshold" }), verifying, unsure)
      .reported(judged(inconclusive, 2))
      .records({ type: "verification_failed", try: 2 }, { type: "approval_requested" });
  });

  test("is what a verifier that breaks down has found", () => {
    given(verifying)
      .reported({ type: "Failed", key: "verify:a:1:1", class: "internal", feedback: "boom" })
      .records({
        type: "verification_failed",
        outcome: "inconclusive",
        reason_code: "infra_verifier_error",
        feedback: "boom",
      })
      .wants("verify:a:1:2");
  });
});
