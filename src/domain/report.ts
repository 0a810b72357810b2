/** Reports: what an executor found. They are recorded or, when their effect is not wanted any more, dropped; never refused. */
import type { ApprovalAsk, QuestionAsk } from "./approval.ts";
import type { Charge } from "./budget.ts";
import type { FileChange } from "./change.ts";
import type { EventOf, FailureClass, MemoryType, UndoOutcome } from "./event.ts";
import type { SubtaskSpec } from "./plan.ts";
import type { Quote } from "./reservation.ts";
import type { CheckResult, Verdict } from "./verdict.ts";

export type StepStartEvent = EventOf<"tool_call_started"> | EventOf<"model_invocation">;
export type StepEndEvent =
  | EventOf<"tool_call_completed">
  | EventOf<"model_invocation">
  | EventOf<"model_context_truncated">
  | EventOf<"files_changed">;

export interface MemoryEntry {
  readonly entry_type: MemoryType;
  readonly summary: string;
  readonly detail: string;
  readonly tags: readonly string[];
  readonly relevance_to: readonly string[];
}

export type Report =
  | { readonly type: "Started"; readonly key: string }
  /** A step is about to run; `instructionSeqs` are the instructions that enter with it. */
  | {
      readonly type: "StepStarted";
      readonly key: string;
      readonly step: string;
      readonly event: StepStartEvent;
      readonly instructionSeqs: readonly number[];
      /** Of a model call: what it would like to have set aside. */
      readonly quote?: Quote;
    }
  | {
      readonly type: "StepEnded";
      readonly key: string;
      readonly step: string;
      readonly events: readonly StepEndEvent[];
    }
  | {
      readonly type: "StepUncertain";
      readonly key: string;
      readonly event: EventOf<"uncertain_effect">;
      readonly ask?: ApprovalAsk;
    }
  | {
      readonly type: "PlanProposed";
      readonly key: string;
      readonly subtasks: readonly SubtaskSpec[];
      readonly flaws: readonly string[];
    }
  | { readonly type: "NeedsApproval"; readonly key: string; readonly ask: ApprovalAsk }
  | { readonly type: "NeedsAnswer"; readonly key: string; readonly ask: QuestionAsk }
  /** The attempt ended, in this turn, for a path that another subtask holds: costs no attempt. */
  | { readonly type: "NeedsLease"; readonly key: string; readonly path: string; readonly turn: number }
  | { readonly type: "Delivered"; readonly key: string; readonly summary: string; readonly digest: string }
  | { readonly type: "Failed"; readonly key: string; readonly class: FailureClass; readonly feedback: string }
  /** The model is down, rate-limited or out of reach: costs no attempt. */
  | { readonly type: "ModelDown"; readonly key: string; readonly reason: string; readonly retryAfterMs: number }
  | { readonly type: "Judged"; readonly key: string; readonly verdict: Verdict }
  | { readonly type: "Yielded"; readonly key: string }
  | {
      readonly type: "Reverted";
      readonly key: string;
      readonly outcome: UndoOutcome;
      readonly changes: readonly FileChange[];
      readonly undoneIds: readonly string[];
    }
  | { readonly type: "Extracted"; readonly key: string; readonly entries: readonly MemoryEntry[] }
  | { readonly type: "ChecksRan"; readonly key: string; readonly results: readonly CheckResult[] }
  | { readonly type: "Answered"; readonly key: string; readonly summary: string; readonly answer: string }
  | { readonly type: "TimeReached"; readonly key: string }
  | { readonly type: "Recovered"; readonly stepsInFlight: readonly string[] }
  | {
      readonly type: "UndoDone";
      readonly key: string;
      readonly outcome: UndoOutcome;
      readonly changes: readonly FileChange[];
      readonly undoneIds: readonly string[];
    }
  | { readonly type: "WebhookSettled"; readonly event: EventOf<"webhook_delivered"> | EventOf<"webhook_failed"> };

/** What the rules must know of the world beside the task: the time, and how many effects the driver has in flight. */
export interface Circumstances {
  readonly now: number;
  /** Effects in flight beside the one that reports, waits not counted. */
  readonly inFlight: number;
  /** What the account of the task was charged today, by all its tasks; absent where it has none. */
  readonly ledger?: Charge;
}
