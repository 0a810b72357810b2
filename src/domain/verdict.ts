/** A verdict on delivered work, and the confidence that follows from it. */
import { z } from "zod";
import { unreachable } from "../lib/result.ts";
import { Digest } from "./ids.ts";
import type { ApprovalMode, Rules } from "./rules.ts";

/** What a test runner says of its run; `run` counts what was executed, skipped tests are none of it. */
export const TestCounts = z.strictObject({
  run: z.int().min(0),
  failed: z.int().min(0),
  skipped: z.int().min(0),
});
export type TestCounts = z.infer<typeof TestCounts>;

/** A command that the verifier ran itself. The whole of its output is kept as a blob under `output_digest`. */
export const CommandRun = z.strictObject({
  command: z.string().max(500),
  /** Who wants it run: the task, its plan, the acceptance criteria, or the executor, who says that it passes. */
  asked_by: z.enum(["task", "plan", "criteria", "claim"]),
  /** Null when it was killed or could not start. */
  exit_code: z.int().nullable(),
  output_digest: Digest,
  /** Absent where no runner's summary was found in the output. */
  tests: TestCounts.optional(),
});
export type CommandRun = z.infer<typeof CommandRun>;

export const CheckResult = z.strictObject({
  name: z.string().max(300),
  passed: z.boolean(),
  detail: z.string().max(2000),
  /** Of a check that is a command, and that the policy let run. */
  ran: CommandRun.optional(),
});
export type CheckResult = z.infer<typeof CheckResult>;

/** A file as it stood when it was judged. */
export const JudgedFile = z.strictObject({
  path: z.string().max(4096),
  state: z.enum(["absent", "file", "link", "folder"]),
  digest: Digest.optional(),
});
export type JudgedFile = z.infer<typeof JudgedFile>;

export const Severity = z.enum(["hard_invariant", "semantic", "inconclusive", "infra"]);

/** What a verification found. `tier` is the highest tier that ran; `confidence` is tier 2's own, when it ran. */
export const Verdict = z.strictObject({
  tier: z.int().min(0).max(3),
  outcome: z.enum(["pass", "pass_with_warnings", "partial_verified", "fail", "inconclusive"]),
  reason_code: z.string().max(100),
  severity_class: Severity,
  confidence: z.number().min(0).max(1).optional(),
  feedback: z.string().max(6000),
  issues: z.array(z.string().max(1000)).max(20),
  checks: z.array(CheckResult).max(100),
  independent: z.boolean(),
  /** Files that the work changed or had to bring, as they stood; the first of them where there are many. */
  files: z.array(JudgedFile).max(50).optional(),
  /** What was noticed and is no failure by itself, but a reason to look twice. */
  remarks: z.array(z.string().max(500)).max(20).optional(),
});
export type Verdict = z.infer<typeof Verdict>;

export type Band = "high" | "medium" | "low" | "zero";

export interface ConfidenceInput {
  readonly verdict: Verdict;
  readonly retries: number;
  readonly retriesMax: number;
  readonly destructive: boolean;
  readonly toolCalls: number;
  readonly toolCallsFailed: number;
}

export interface Confidence {
  readonly score: number;
  readonly band: Band;
}

/**
 * Confidence of verified work: a weighted mean of tier-1 share, tier-2 confidence, retries, harmlessness, tool success.
 *
 * @returns `score` in 0..1 and its band; tier-2 confidence under 0.2 is band zero and under 0.5 at best low, an
 * inconclusive verdict is at best low, one that is not independent at best medium
 * @see CONTRACT section 4, DECISIONS 10, 16, 19
 */
export function confidenceOf(input: ConfidenceInput): Confidence {
  const { verdict } = input;
  const tier2 = verdict.tier >= 2 ? verdict.confidence : undefined;
  const parts: (readonly [number, number])[] = [
    [0.2, 1 - Math.min(input.retries / Math.max(input.retriesMax, 1), 1)],
    [0.1, input.destructive ? 0 : 1],
    [0.1, 1 - input.toolCallsFailed / Math.max(input.toolCalls, 1)],
  ];
  if (verdict.checks.length > 0) {
    parts.push([0.3, verdict.checks.filter((check) => check.passed).length / verdict.checks.length]);
  }
  if (tier2 !== undefined) parts.push([0.3, tier2]);
  const weights = parts.reduce((sum, [weight]) => sum + weight, 0);
  const mean = parts.reduce((sum, [weight, value]) => sum + weight * value, 0) / weights;
  const score = Math.round(Math.min(1, Math.max(0, mean)) * 1e4) / 1e4;
  return { score, band: capped(bandOf(score), verdict, tier2) };
}

export function bandOf(score: number): Band {
  if (score >= 0.8) return "high";
  if (score >= 0.5) return "medium";
  return score >= 0.2 ? "low" : "zero";
}

/** From the least to the most. */
const bands: readonly Band[] = ["zero", "low", "medium", "high"];

function capped(band: Band, verdict: Verdict, tier2: number | undefined): Band {
  const caps: Band[] = [band];
  if (tier2 !== undefined && tier2 < 0.2) caps.push("zero");
  if (tier2 !== undefined && tier2 < 0.5) caps.push("low");
  if (verdict.outcome === "inconclusive") caps.push("low");
  if (tier2 !== undefined && !verdict.independent) caps.push("medium");
  return caps.reduce((least, cap) => (bands.indexOf(cap) < bands.indexOf(least) ? cap : least));
}

export type Gate = "proceed" | "flag" | "ask" | "reject";

/** What happens to verified work in a mode. @see CONTRACT section 4, the table */
export function gateOf(mode: ApprovalMode, confidence: Confidence, rules: Rules): Gate {
  switch (mode) {
    case "auto":
      return autoGate[confidence.band];
    case "manual":
      return "ask";
    case "confidence_threshold": {
      const counted = Math.min(confidence.score, countsAtMost[confidence.band]);
      return confidence.band !== "zero" && counted >= rules.auto_approve_confidence_threshold ? "proceed" : "ask";
    }
    default:
      return unreachable(mode);
  }
}

const autoGate: Readonly<Record<Band, Gate>> = { high: "proceed", medium: "flag", low: "ask", zero: "reject" };

/** A score counts as one of its band: what is held down to a lower band does not pass a threshold above that. */
const countsAtMost: Readonly<Record<Band, number>> = { high: 1, medium: 0.7999, low: 0.4999, zero: 0.1999 };
