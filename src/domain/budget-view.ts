/** What a task's budget looks like from outside: what it may use, what it has, what calls in flight have set aside. */
import type { Budget, Charge } from "./budget.ts";
import { reservedBy } from "./reservation.ts";
import type { Task } from "./task.ts";

interface Spent {
  readonly tokens: number;
  readonly usd?: number;
}

export interface BudgetView {
  /** As it was submitted. */
  readonly cap: Budget;
  readonly settled: Spent & {
    readonly model_calls: number;
    readonly tool_calls: number;
    readonly wall_seconds: number;
  };
  /** By model calls in flight. */
  readonly reserved: Spent;
  /** What calls used beyond their reservations, where any did: so far a cap may have been passed. */
  readonly excess?: Spent;
}

export function budgetView(task: Task): BudgetView {
  const { usage, excess, opened } = task;
  const settled = { tokens: usage.inputTokens + usage.outputTokens, microUsd: usage.costMicroUsd };
  return {
    cap: task.brief.budget,
    settled: {
      ...spentOf(settled),
      model_calls: usage.modelCalls,
      tool_calls: usage.toolCalls,
      wall_seconds: ((task.completedAt ?? task.updatedAt) - opened.at) / 1000,
    },
    reserved: spentOf(reservedBy(task)),
    ...(excess.tokens + excess.microUsd > 0 ? { excess: spentOf(excess) } : {}),
  };
}

function spentOf({ tokens, microUsd }: Charge): Spent {
  return { tokens, ...(microUsd > 0 ? { usd: microUsd / 1e6 } : {}) };
}
