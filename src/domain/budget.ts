/** Spend: what a task has used, what it may use, and which cap is reached first. */
import { z } from "zod";

export const Budget = z.strictObject({
  tokens: z.int().min(1).max(1e12).optional(),
  model_calls: z.int().min(1).max(1e9).optional(),
  tool_calls: z.int().min(1).max(1e9).optional(),
  wall_seconds: z.number().positive().max(31_536_000).optional(),
  usd: z.number().positive().max(1e9).optional(),
});
export type Budget = z.infer<typeof Budget>;

/** What one model call used. Tokens as the provider reported them, else estimated. */
export const CallUsage = z.strictObject({
  input_tokens: z.int().min(0),
  output_tokens: z.int().min(0),
  cached_tokens: z.int().min(0).optional(),
  cost_micro_usd: z.number().min(0).optional(),
  estimated: z.boolean().optional(),
});
export type CallUsage = z.infer<typeof CallUsage>;

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly modelCalls: number;
  readonly toolCalls: number;
  readonly costMicroUsd: number;
}

export const noUsage: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  modelCalls: 0,
  toolCalls: 0,
  costMicroUsd: 0,
};

export function addCall(usage: Usage, call: CallUsage): Usage {
  return {
    ...usage,
    inputTokens: usage.inputTokens + call.input_tokens,
    outputTokens: usage.outputTokens + call.output_tokens,
    cachedTokens: usage.cachedTokens + (call.cached_tokens ?? 0),
    costMicroUsd: usage.costMicroUsd + (call.cost_micro_usd ?? 0),
  };
}

export interface Exhausted {
  readonly budget_name: keyof Budget;
  readonly observed: number;
  readonly limit: number;
}

/**
 * @param wallMs time since the task was created, in milliseconds
 * @param next what is about to be spent: a cap is reached when nothing of it is left for that
 * @returns the first cap that leaves no room, or null
 */
export function exhausted(
  budget: Budget,
  usage: Usage,
  next: { readonly wallMs: number; readonly step: "model" | "tool" },
): Exhausted | null {
  const rows: readonly (readonly [keyof Budget, number, boolean])[] = [
    ["wall_seconds", next.wallMs / 1000, true],
    ["tokens", usage.inputTokens + usage.outputTokens, next.step === "model"],
    ["usd", usage.costMicroUsd / 1e6, next.step === "model"],
    ["model_calls", usage.modelCalls, next.step === "model"],
    ["tool_calls", usage.toolCalls, next.step === "tool"],
  ];
  for (const [name, observed, matters] of rows) {
    const limit = budget[name];
    if (matters && limit !== undefined && observed >= limit) return { budget_name: name, observed, limit };
  }
  return null;
}
