/** Verdicts: what follows when work was judged. Completion, a person's look, or a failed attempt. */
import { unreachable } from "../lib/result.ts";
import { askApproval } from "./asking.ts";
import { failAttempt } from "./attempts.ts";
import type { Draft } from "./draft.ts";
import type { EffectOf } from "./effect.ts";
import { approvalIdOf } from "./ids.ts";
import { bounds } from "./rules.ts";
import type { Subtask, Task } from "./task.ts";
import { type Band, type Confidence, confidenceOf, gateOf, type Verdict } from "./verdict.ts";

export function judge(draft: Draft, effect: EffectOf<"verify">, verdict: Verdict): void {
  const { attempt, subtaskId } = effect;
  const at = { subtask_id: subtaskId, attempt, try: effect.try };
  if (verdict.outcome === "fail") {
    draft.say({ type: "verification_failed", ...at, ...verdict });
    const { feedback, reason_code: reasonCode, tier } = verdict;
    failAttempt(draft, subtaskId, { class: "semantic", feedback, tier, reasonCode });
  } else if (verdict.outcome === "inconclusive") {
    draft.say({ type: "verification_failed", ...at, ...verdict });
    if (effect.try >= bounds.verificationTriesMax) gate(draft, subtaskId, verdict);
  } else {
    draft.say({ type: "verification_passed", ...at, ...verdict });
    gate(draft, subtaskId, verdict);
  }
}

function gate(draft: Draft, id: string, verdict: Verdict): void {
  const { approval_mode, rules } = draft.task.brief;
  const confidence = confidenceIn(draft.task, draft.subtask(id), verdict);
  const score = confidence.score.toFixed(2);
  const step = gateOf(approval_mode, confidence, rules);
  switch (step) {
    case "proceed":
      completeSubtask(draft, id, { verdict });
      break;
    case "flag":
      completeSubtask(draft, id, { verdict, flagReason: `confidence is ${confidence.band} (${score})` });
      break;
    case "reject": {
      const feedback = `Confidence in the result is ${score}. ${verdict.feedback}`.trim();
      failAttempt(draft, id, { class: "semantic", feedback, tier: verdict.tier });
      break;
    }
    case "ask":
      askAboutSubtask(draft, id, confidence);
      break;
    default:
      unreachable(step);
  }
}

function confidenceIn(task: Task, subtask: Subtask, verdict: Verdict): Confidence {
  return confidenceOf({
    verdict,
    retries: subtask.failures,
    retriesMax: task.brief.rules.max_subtask_retries,
    destructive: subtask.stats.destructive,
    toolCalls: subtask.stats.toolCalls,
    toolCallsFailed: subtask.stats.toolCallsFailed,
  });
}

const riskOf: Readonly<Record<Band, "low" | "medium" | "high" | "critical">> = {
  high: "low",
  medium: "medium",
  low: "high",
  zero: "critical",
};

function askAboutSubtask(draft: Draft, id: string, { band, score }: Confidence): void {
  const { attempt, changedPaths } = draft.subtask(id);
  const { digest, summary } = deliveryOf(draft, id);
  askApproval(
    draft,
    { subtaskId: id, attempt },
    {
      approval_id: approvalIdOf({ subtaskId: id, attempt, turn: 0, call: 0 }),
      kind: "subtask",
      summary: summary.slice(0, 4000),
      reason: `Verified with ${band} confidence (${score.toFixed(2)}); mode ${draft.task.brief.approval_mode}`,
      risk: riskOf[band],
      action: { tool: "subtask", arguments: {}, paths: changedPaths.slice(0, 100), hosts: [] },
      digest,
    },
  );
}

/** @param judged.flagReason why a person should look at it all the same; absent for work that nothing speaks against */
export function completeSubtask(
  draft: Draft,
  id: string,
  judged: { readonly verdict: Verdict; readonly flagReason?: string },
): void {
  const subtask = draft.subtask(id);
  const { flagReason, verdict } = judged;
  draft.say({
    type: "subtask_completed",
    subtask_id: id,
    status: "success",
    attempt: subtask.attempt,
    summary: deliveryOf(draft, id).summary,
    confidence: confidenceIn(draft.task, subtask, verdict).score,
    flagged: flagReason !== undefined,
    ...(flagReason === undefined ? {} : { flag_reason: flagReason }),
  });
}

function deliveryOf(draft: Draft, id: string): { readonly summary: string; readonly digest: string } {
  return { summary: "", digest: "", ...draft.subtask(id).delivery };
}
