/** Spend: what a task has used and set aside, what it may use, and which cap is reached first. */
import { z } from "zod";

export const Budget = z.strictObject({
  tokens: z.int().min(1).max(1e12).optional(),
  model_calls: z.int().min(1).max(1e9).optional(),
  tool_calls: z.int().min(1).max(1e9).optional(),
  wall_seconds: z.number().positive().max(31_536_000).optional(),
  usd: z.number().positive().max(1e9).optional(),
});
export type Budget = z.infer<typeof Budget>;

const tokens = z.int().min(0);

/** What one model call used. Tokens as the provider reported them, else estimated; whole micro-dollars, where its price is known. */
export const CallUsage = z.strictObject({
  input_tokens: tokens,
  output_tokens: tokens,
  cached_tokens: tokens.optional(),
  cost_micro_usd: z.number().min(0).optional(),
  estimated: z.boolean().optional(),
});
export type CallUsage = z.infer<typeof CallUsage>;

/** What was set aside for a model call before it began: all of its prompt, and the longest reply that it may give. */
export const Reserved = z.strictObject({
  input_tokens: tokens,
  output_tokens: tokens,
  cost_micro_usd: z.int().min(0).optional(),
});
export type Reserved = z.infer<typeof Reserved>;

/** What was set aside for one call. */
export interface Reservation {
  readonly usage: Reserved;
  /** Its day is that of the account that it was charged to. */
  readonly at: number;
  /** Already counted as used, since nobody may ever say: what the call says later is set right by the difference. */
  readonly lapsed: boolean;
}

export type Reservations = ReadonlyMap<string, Reservation>;

/** Whose daily budget a task draws on beside its own. Days are those of UTC; a cap that is absent is none. */
export const Account = z.strictObject({
  id: z.string().min(1).max(200),
  tokens_per_day: z.int().min(1).optional(),
  micro_usd_per_day: z.int().min(1).optional(),
});
export type Account = z.infer<typeof Account>;

/** Tokens and money, however they were spent. */
export interface Charge {
  readonly tokens: number;
  readonly microUsd: number;
}

export const nothing: Charge = { tokens: 0, microUsd: 0 };

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
    costMicroUsd: usage.costMicroUsd + chargeOf(call).microUsd,
  };
}

/** Logs of 2026 hold fractions of a micro-dollar: each call is rounded up, as it is now when it is metered. */
export function chargeOf(call: CallUsage | Reserved): Charge {
  return { tokens: call.input_tokens + call.output_tokens, microUsd: Math.ceil(call.cost_micro_usd ?? 0) };
}

export function sum(a: Charge, b: Charge): Charge {
  return { tokens: a.tokens + b.tokens, microUsd: a.microUsd + b.microUsd };
}

export function difference(a: Charge, b: Charge): Charge {
  return { tokens: a.tokens - b.tokens, microUsd: a.microUsd - b.microUsd };
}

export function microUsdOf(usd: number): number {
  return Math.round(usd * 1e6);
}

export interface Exhausted {
  readonly budget_name: keyof Budget | "tokens_per_day" | "usd_per_day";
  readonly observed: number;
  readonly limit: number;
}

/**
 * The caps that a step reaches by being one more, or by coming too late; what a model call may take is granted apart.
 *
 * @param wallMs time since the task was opened, in milliseconds
 * @returns the first cap that leaves no room, or null
 */
export function exhausted(
  budget: Budget,
  usage: Usage,
  next: { readonly wallMs: number; readonly step: "model" | "tool" },
): Exhausted | null {
  const rows: readonly (readonly [keyof Budget, number, boolean])[] = [
    ["wall_seconds", next.wallMs / 1000, true],
    ["model_calls", usage.modelCalls, next.step === "model"],
    ["tool_calls", usage.toolCalls, next.step === "tool"],
  ];
  for (const [name, observed, matters] of rows) {
    const limit = budget[name];
    if (matters && limit !== undefined && observed >= limit) return { budget_name: name, observed, limit };
  }
  return null;
}
