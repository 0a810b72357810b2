/**
 * The one handle that every front door holds: what can be asked of a running Loom. Refusals are `LoomError`s with a code,
 * a message that quotes the value, and a hint; front doors only translate.
 */

import type { QuestionAnswer } from "../domain/approval.ts";
import type { Budget, Charge } from "../domain/budget.ts";
import type { ChangeView } from "../domain/change-view.ts";
import type { MemoryType, SteerMode, TaskEvent, UndoOutcome, UndoScope } from "../domain/event.ts";
import type { Check } from "../domain/plan.ts";
import type { TaskPolicy } from "../domain/policy-rules.ts";
import type { ApprovalMode } from "../domain/rules.ts";
import type { ApprovalView, QuestionView, SubtaskView, TaskView } from "../domain/view.ts";
import type { JsonObject } from "../lib/json.ts";
import type { GlobalEvent, TaskRow } from "./event-store.ts";
import type { FeedItem } from "./feed.ts";
import type { MemoryRow } from "./memory.ts";
import type { ModelInfo } from "./model.ts";

/** What a write may carry beside its content. */
export interface Terms {
  /** It happens once: kept with its answer in the transaction of its effect, for 24 h. */
  readonly idempotency?: { readonly key: string; readonly fingerprint: string };
  /** It happens only while the task's `last_seq` is one of these. */
  readonly ifSeq?: readonly number[];
}

export interface Submission {
  readonly goal: string;
  /** Absolute path of an existing, readable folder; absent: a fresh one under the scratch folder. */
  readonly workspace?: string;
  readonly context?: JsonObject;
  readonly metadata?: JsonObject;
  readonly approvalMode?: ApprovalMode;
  readonly callbackUrl?: string;
  readonly callbackEvents?: readonly ("approval_requested" | "ask_user_requested")[];
  readonly checks?: readonly Check[];
  readonly budget?: Budget;
  readonly approvePlan?: boolean;
  readonly approvers?: "wait" | "none";
  readonly approvalTimeoutSeconds?: number;
  /** Narrows what the server's policy lets run. */
  readonly policy?: TaskPolicy;
  readonly submittedBy: string;
  /** How many tasks of this submitter may be open, this one included; absent: any number. */
  readonly openTasksMax?: number;
  /** What all tasks of this submitter may use in a day of UTC; where nothing is said, what the configuration says. */
  readonly dailyBudget?: Partial<Charge>;
  /** Kept in the transaction that creates the task, for 24 h. */
  readonly idempotency?: NonNullable<Terms["idempotency"]>;
}

export interface Submitted {
  readonly taskId: string;
  readonly runId: string;
  readonly appliedSeq: number;
}

/** A write that was taken: visible from event `appliedSeq` on. */
export interface Applied {
  readonly appliedSeq: number;
  readonly status: TaskView["status"];
  /** Nothing was done now: this is the answer that the first request with the same key got. */
  readonly replayed?: true;
}

export interface Cancelled extends Applied {
  /** Something that the task ran has been killed and has not ended yet. */
  readonly lingers?: true;
}

export interface ToolView {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
  readonly risk: "low" | "medium" | "high";
  readonly effect_class: "pure" | "workspace" | "external";
  readonly timeout_seconds: number;
}

/** One recorded step of a subtask: a model turn with its reply, a tool call with its result. Redacted when read. */
export interface TraceStep {
  readonly scope: string;
  readonly step: string;
  readonly started: unknown;
  readonly ended: unknown;
}

/** A webhook as it stands: owed, delivered, or given up. */
export interface DeliveryView {
  readonly delivery_id: string;
  readonly task_id: string;
  readonly url: string;
  readonly type: string;
  readonly status: "pending" | "delivered" | "failed";
  readonly attempts: number;
  /** The latest attempts, oldest first. */
  readonly history: readonly {
    readonly at: string;
    readonly status_code: number | null;
    readonly error: string | null;
  }[];
  readonly last_error: string | null;
  readonly created_at: string;
  /** null when nothing is owed. */
  readonly next_attempt_at: string | null;
}

export interface Health {
  readonly status: "ok" | "degraded" | "draining";
  readonly version: string;
  readonly ready: boolean;
  /** What is wrong and what to do, one sentence each; empty when all is well. */
  readonly problems: readonly string[];
}

export interface Loom {
  /**
   * @throws LoomError workspace_unusable, callback_refused, no_model_configured, shutting_down, storage_full, quota_exceeded;
   * idempotency_conflict, when the key was used with another body
   */
  submit(
    submission: Submission,
  ): Promise<
    { readonly kind: "created"; readonly task: Submitted } | { readonly kind: "replayed"; readonly task: Submitted }
  >;
  list(query: {
    readonly status?: string;
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly tasks: readonly TaskRow[]; readonly nextCursor: string | null }>;
  /** @throws LoomError not_found */
  view(taskId: string): Promise<TaskView>;
  /** Resolves when the task is closed or the time is up, with the view as it then is. */
  wait(taskId: string, options: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<TaskView>;

  /** Events after `after`; when there are none, waits up to `waitMs` for one. */
  events(
    taskId: string,
    query: { readonly after: number; readonly limit: number; readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<readonly TaskEvent[]>;
  subscribe(
    taskId: string,
    options: { readonly after: number; readonly tokens: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<FeedItem>;
  subscribeAll(options: { readonly after: number; readonly signal: AbortSignal }): AsyncIterable<GlobalEvent>;
  lastGlobal(): Promise<number>;

  /** Each write: @throws LoomError precondition_failed, idempotency_conflict, idempotency_running. */
  /** Answers when nothing of the task runs any more, its commands and what they started included. */
  cancel(taskId: string, request: Terms & { readonly by: string; readonly reason?: string }): Promise<Cancelled>;
  steer(
    taskId: string,
    request: Terms & { readonly instruction: string; readonly mode: SteerMode; readonly by: string },
  ): Promise<Applied>;
  message(taskId: string, request: Terms & { readonly message: string; readonly by: string }): Promise<Applied>;
  pause(taskId: string, request: Terms & { readonly by: string }): Promise<Applied>;
  resume(taskId: string, request: Terms & { readonly by: string }): Promise<Applied>;
  /** @param request.openTasksMax as at a submission: the task is open again. @throws LoomError quota_exceeded */
  retry(taskId: string, request: Terms & { readonly by: string; readonly openTasksMax?: number }): Promise<Applied>;
  approve(
    taskId: string,
    request: Terms & {
      readonly subtaskId: string;
      readonly approved: boolean;
      readonly reason?: string;
      readonly approvalId?: string;
      readonly by: string;
    },
  ): Promise<Applied & { readonly resolvedPending: boolean }>;
  approvals(taskId: string): Promise<readonly ApprovalView[]>;
  /** Pending ones of every task, oldest first. */
  pendingApprovals(): Promise<readonly ApprovalView[]>;
  questions(taskId: string): Promise<readonly QuestionView[]>;
  answer(
    taskId: string,
    request: Terms & { readonly questionId: string; readonly answer: QuestionAnswer; readonly by: string },
  ): Promise<Applied & { readonly question: QuestionView }>;
  feedback(
    taskId: string,
    request: Terms & {
      readonly rating?: number;
      readonly comment?: string;
      readonly subtaskId?: string;
      readonly by: string;
    },
  ): Promise<Applied>;
  conversation(taskId: string): Promise<
    readonly {
      readonly id: number;
      readonly role: string;
      readonly kind: string;
      readonly message: string;
      readonly timestamp: string;
    }[]
  >;

  subtasks(taskId: string): Promise<readonly SubtaskView[]>;
  trace(taskId: string, subtaskId: string): Promise<readonly TraceStep[]>;
  memory(
    taskId: string,
    query: { readonly entryType?: MemoryType; readonly limit: number },
  ): Promise<readonly MemoryRow[]>;
  searchMemory(
    query: string,
    options: { readonly taskId?: string; readonly limit: number },
  ): Promise<readonly MemoryRow[]>;

  changes(taskId: string): Promise<readonly ChangeView[]>;
  diff(taskId: string): Promise<string>;
  undo(
    taskId: string,
    request: Terms & {
      readonly scope: UndoScope;
      readonly id?: string;
      readonly preview: boolean;
      readonly by: string;
    },
  ): Promise<UndoOutcome & { readonly appliedSeq: number; readonly replayed?: true }>;
  /** A file that the task created or changed, as it is now. @throws LoomError not_found, path_refused */
  file(taskId: string, path: string): Promise<{ readonly path: string; readonly bytes: Uint8Array }>;

  /** Webhooks, the latest first. @throws LoomError invalid_request: not a cursor */
  deliveries(query: {
    readonly taskId?: string;
    readonly status?: DeliveryView["status"];
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly deliveries: readonly DeliveryView[]; readonly nextCursor: string | null }>;
  /** Sends it now, whatever became of it, and again by the schedule. @throws LoomError not_found, idempotency_conflict */
  redeliver(
    deliveryId: string,
    terms?: Pick<Terms, "idempotency">,
  ): Promise<{ readonly delivery: DeliveryView; readonly appliedSeq: number; readonly replayed?: true }>;

  models(): readonly ModelInfo[];
  /** As `Models.probe`. */
  probeModels(depth: "first" | "again", signal: AbortSignal): Promise<readonly ModelInfo[]>;
  tools(): readonly ToolView[];
  health(): Health;
  /** The configuration in force, secrets replaced. */
  config(): JsonObject;
}
