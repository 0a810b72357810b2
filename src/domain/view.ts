/** Views: what the outside reads of a task, folded from its state. Field names are the contract's. */
import type { Approval, Question } from "./approval.ts";
import { type AwaitingView, awaitingOf } from "./awaiting.ts";
import { type BudgetView, budgetView } from "./budget-view.ts";
import { type FileChange, netChanges, operationOf } from "./change.ts";
import { effects, pendingRows } from "./effects.ts";
import { runIdOf } from "./ids.ts";
import type { SubtaskKind, Tier } from "./plan.ts";
import type { TaskPolicy } from "./policy-rules.ts";
import {
  type ErrorView,
  errorsOf,
  type Progress,
  progressOf,
  publicStatusOf,
  type SubtaskPublicStatus,
} from "./progress.ts";
import { changesOf, isClosed, planned, type Subtask, type Task } from "./task.ts";

export type TaskStatus =
  | "pending"
  | "planning"
  | "executing"
  | "paused"
  | "waiting_approval"
  | "completed"
  | "failed"
  | "cancelled";
export interface SubtaskView {
  readonly id: string;
  readonly description: string;
  readonly status: SubtaskPublicStatus;
  readonly depends_on: readonly string[];
  readonly kind: SubtaskKind;
  readonly model_tier: Tier;
  readonly verification_tier: Tier;
  readonly is_critical_path: boolean;
  readonly is_synthesis: boolean;
  readonly acceptance_criteria: string;
  readonly attempt: number;
  readonly retry_count: number;
  readonly summary: string;
  readonly confidence: number | null;
  readonly flagged: boolean;
  readonly files_changed: readonly string[];
}

export interface TaskView {
  readonly task_id: string;
  readonly run_id: string;
  readonly goal: string;
  readonly status: TaskStatus;
  readonly workspace: string;
  readonly approval_mode: string;
  /** Whether someone answers for the task, and for how long they are waited for; 0: for ever. */
  readonly approvers: "wait" | "none";
  readonly approval_timeout_seconds: number;
  /** How it was narrowed at its submission; null when it was not. */
  readonly policy: TaskPolicy | null;
  readonly process: string | null;
  readonly context: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly plan: { readonly version: number; readonly subtasks: readonly SubtaskView[] } | null;
  readonly progress: Progress;
  readonly errors: readonly ErrorView[];
  readonly result: { readonly summary: string; readonly answer: string } | null;
  readonly awaiting: readonly AwaitingView[];
  readonly workspace_changes: {
    readonly files_created: number;
    readonly files_modified: number;
    readonly files_deleted: number;
  };
  readonly usage: {
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly cached_tokens: number;
    readonly model_calls: number;
    readonly tool_calls: number;
    readonly wall_ms: number;
    readonly usd?: number;
  };
  readonly budget: BudgetView;
  readonly last_seq: number;
  readonly created_at: string;
  readonly updated_at: string;
  readonly completed_at: string | null;
}

export interface ApprovalView {
  readonly approval_id: string;
  readonly task_id: string;
  readonly subtask_id: string;
  readonly kind: string;
  readonly status: string;
  readonly summary: string;
  readonly reason_requested: string;
  readonly action: unknown;
  readonly risk: string;
  readonly requested_at: string;
  readonly expires_at?: string;
  readonly decided_at?: string;
  readonly decided_by?: string;
  readonly reason?: string;
}

export interface QuestionView {
  readonly question_id: string;
  readonly task_id: string;
  readonly subtask_id: string;
  readonly status: string;
  readonly question: string;
  readonly question_type: string;
  readonly options: readonly { readonly id: string; readonly label: string; readonly description: string }[];
  readonly allow_custom_response: boolean;
  /** What stands when nobody answers in time. */
  readonly default_option_id?: string;
  readonly context_note: string;
  readonly urgency: string;
  readonly requested_at: string;
  readonly expires_at?: string;
  readonly answer?: unknown;
  readonly answered_at?: string;
  readonly answered_by?: string;
}

/** What the driver knows beside the log: why a task is held although it is wanted. */
export interface Held {
  readonly kind: "workspace" | "storage" | "operator";
  readonly id: string;
  readonly reason?: string;
}

/** Folders that were made for a file are changes too, but nobody counts them. */
function isOfFile({ before, after }: FileChange): boolean {
  return before.kind !== "folder" && after.kind !== "folder";
}

const iso = (at: number): string => new Date(at).toISOString();

export function viewOf(task: Task, held: Held | null = null): TaskView {
  const net = netChanges(changesOf(task)).filter(isOfFile).map(operationOf);
  const { brief, usage } = task;
  return {
    task_id: task.id,
    run_id: runIdOf(task.id),
    goal: brief.goal,
    status: statusOf(task),
    workspace: brief.workspace,
    approval_mode: brief.approval_mode,
    approvers: brief.approvers,
    approval_timeout_seconds: brief.rules.approval_timeout_ms / 1000,
    policy: brief.policy ?? null,
    process: null,
    context: brief.context,
    metadata: brief.metadata,
    plan: task.planVersion === 0 ? null : { version: task.planVersion, subtasks: planned(task).map(subtaskView) },
    progress: progressOf(task),
    errors: errorsOf(task),
    result: task.result,
    awaiting: [...awaitingOf(task), ...(held === null || isClosed(task) ? [] : [held])],
    workspace_changes: {
      files_created: net.filter((operation) => operation === "created").length,
      files_modified: net.filter((operation) => operation === "modified").length,
      files_deleted: net.filter((operation) => operation === "deleted").length,
    },
    usage: {
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      cached_tokens: usage.cachedTokens,
      model_calls: usage.modelCalls,
      tool_calls: usage.toolCalls,
      wall_ms: (task.completedAt ?? task.updatedAt) - task.createdAt,
      ...(usage.costMicroUsd > 0 ? { usd: usage.costMicroUsd / 1e6 } : {}),
    },
    budget: budgetView(task),
    last_seq: task.lastSeq,
    created_at: iso(task.createdAt),
    updated_at: iso(task.updatedAt),
    completed_at: task.completedAt === null ? null : iso(task.completedAt),
  };
}

/** @see DECISIONS 20 */
export function statusOf(task: Task): TaskStatus {
  if (task.outcome !== null) return task.outcome;
  if (task.paused === "yes") return "paused";
  const isAtRest = effects(task).every((effect) => effect.kind === "wait");
  return isAtRest && pendingRows(task).length > 0 ? "waiting_approval" : openStatus[task.phase];
}

/** A closed task has its outcome, which goes before. */
const openStatus: Readonly<Record<Task["phase"], TaskStatus>> = {
  pending: "pending",
  planning: "planning",
  executing: "executing",
  closed: "failed",
};

/** Every subtask that a plan ever wanted, in the order in which they came. */
export function subtaskViews(task: Task): SubtaskView[] {
  return [...task.subtasks.values()].map(subtaskView);
}

function subtaskView(subtask: Subtask): SubtaskView {
  const { spec, status } = subtask;
  const { confidence, flagged, reason, summary } = {
    summary: "",
    reason: "",
    confidence: null,
    flagged: false,
    ...status,
  };
  return {
    id: spec.id,
    description: spec.description,
    status: publicStatusOf(subtask),
    depends_on: spec.depends_on,
    kind: spec.kind,
    model_tier: spec.model_tier,
    verification_tier: spec.verification_tier,
    is_critical_path: spec.is_critical_path,
    is_synthesis: spec.is_synthesis,
    acceptance_criteria: spec.acceptance_criteria,
    attempt: subtask.attempt,
    retry_count: subtask.failures,
    summary: summary + reason,
    confidence,
    flagged,
    files_changed: subtask.changedPaths,
  };
}

export function approvalView(task: Task, approval: Approval): ApprovalView {
  return {
    approval_id: approval.approval_id,
    task_id: task.id,
    subtask_id: approval.subtask_id,
    kind: approval.kind,
    status: approval.status,
    summary: approval.summary,
    reason_requested: approval.reason,
    action: approval.action ?? { tool: approval.kind, arguments: {}, paths: [], hosts: [] },
    risk: approval.risk,
    requested_at: iso(approval.requestedAt),
    ...(approval.expiresAt === undefined ? {} : { expires_at: iso(approval.expiresAt) }),
    ...(approval.decidedAt === undefined ? {} : { decided_at: iso(approval.decidedAt) }),
    ...(approval.decidedBy === undefined ? {} : { decided_by: approval.decidedBy }),
    ...(approval.decisionReason === undefined ? {} : { reason: approval.decisionReason }),
  };
}

export function questionView(task: Task, question: Question): QuestionView {
  return {
    question_id: question.question_id,
    task_id: task.id,
    subtask_id: question.subtask_id,
    status: question.status,
    question: question.question,
    question_type: question.question_type,
    options: question.options,
    allow_custom_response: question.allow_custom_response,
    ...(question.default_option_id === undefined ? {} : { default_option_id: question.default_option_id }),
    context_note: question.context_note,
    urgency: question.urgency,
    requested_at: iso(question.requestedAt),
    ...(question.expiresAt === undefined ? {} : { expires_at: iso(question.expiresAt) }),
    ...(question.answer === undefined ? {} : { answer: question.answer }),
    ...(question.answeredAt === undefined ? {} : { answered_at: iso(question.answeredAt) }),
    ...(question.answeredBy === undefined ? {} : { answered_by: question.answeredBy }),
  };
}
