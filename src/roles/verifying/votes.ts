/** Votes: one opinion as a verdict, or several that settle by majority. Pure. */
import type { CheckResult, Verdict } from "../../domain/verdict.ts";
import type { Opinion } from "./review-reading.ts";

export interface Vote extends Opinion {
  /** Who cast it; empty when nobody could be understood. */
  readonly model: string;
  readonly independent: boolean;
}

export function alone(votes: readonly Vote[], checks: readonly CheckResult[]): Verdict {
  const [vote] = votes;
  if (vote === undefined) throw new Error("A review has at least one opinion");
  const { model: _, ...opinionOfOne } = vote;
  return { ...opinionOfOne, tier: 2, issues: [...vote.issues], checks: [...checks] };
}

export const passing: ReadonlySet<Verdict["outcome"]> = new Set(["pass", "pass_with_warnings", "partial_verified"]);

/** More than half must pass; a tie fails. */
export function together(votes: readonly Vote[], checks: readonly CheckResult[]): Verdict {
  const inFavour = votes.filter(({ outcome }) => passing.has(outcome));
  const against = votes.filter(({ outcome }) => !passing.has(outcome));
  const passed = inFavour.length > votes.length / 2;
  const voting: CheckResult = {
    name: "voting",
    passed,
    detail: `${inFavour.length} of ${votes.length} votes in favour`,
  };
  const feedback = against.map((vote) => vote.feedback).filter((text) => text !== "");
  const isUnread = !passed && against.every(({ outcome }) => outcome === "inconclusive");
  return {
    tier: 3,
    outcome: passed ? (against.length > 0 ? "pass_with_warnings" : "pass") : isUnread ? "inconclusive" : "fail",
    reason_code: passed ? "votes_passed" : "votes_failed",
    severity_class: isUnread ? "inconclusive" : "semantic",
    confidence: inFavour.length / votes.length,
    feedback: feedback.join("\n").slice(0, 6000),
    issues: votes.flatMap(({ issues }) => issues).slice(0, 20),
    checks: [...checks, voting],
    independent: votes.every(({ independent }) => independent),
  };
}
