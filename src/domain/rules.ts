/** The rules a task runs under: recorded when it is created, so that a later change of configuration changes no running task. */
import { z } from "zod";

export const ApprovalMode = z.enum(["auto", "manual", "confidence_threshold"]);
export type ApprovalMode = z.infer<typeof ApprovalMode>;

export const Rules = z.strictObject({
  max_subtask_retries: z.int().min(0).max(20),
  max_replans: z.int().min(0).max(20),
  max_loop_iterations: z.int().min(1).max(10_000),
  max_parallel_subtasks: z.int().min(1).max(64),
  max_tool_iterations: z.int().min(1).max(500),
  auto_approve_confidence_threshold: z.number().min(0).max(1),
  tier1_enabled: z.boolean(),
  tier2_enabled: z.boolean(),
  tier3_enabled: z.boolean(),
  tier3_vote_count: z.int().min(1).max(9),
  model_wait_ms: z.int().min(0),
  approval_timeout_ms: z.int().min(0),
  on_timeout: z.enum(["reject", "pause"]),
  on_uncertain: z.enum(["ask", "tell_model"]),
});
export type Rules = z.infer<typeof Rules>;

/** Bounds that no configuration changes. @see DECISIONS 1, 9, 18 */
export const bounds = {
  planCallsMax: 3,
  recoveriesMax: 3,
  checkRoundsMax: 2,
  denialsMax: 3,
  verificationTriesMax: 2,
} as const;

/** @see DECISIONS: the rules of a task that was given none, as the guide's defaults have them */
export const defaultRules: Rules = {
  max_subtask_retries: 3,
  max_replans: 2,
  max_loop_iterations: 50,
  max_parallel_subtasks: 3,
  max_tool_iterations: 50,
  auto_approve_confidence_threshold: 0.8,
  tier1_enabled: true,
  tier2_enabled: true,
  tier3_enabled: false,
  tier3_vote_count: 3,
  model_wait_ms: 3_600_000,
  approval_timeout_ms: 0,
  on_timeout: "reject",
  on_uncertain: "tell_model",
};
