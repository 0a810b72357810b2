/** One task of the fake Loom: what its log says of it, and the views that the API shows. No rules, only bookkeeping. */

import type { ChangeView } from "../../src/domain/change-view.ts";
import type { Event, EventOf, TaskEvent } from "../../src/domain/event.ts";
import { runIdOf } from "../../src/domain/ids.ts";
import { defaultRules } from "../../src/domain/rules.ts";
import type { ApprovalView, QuestionView, SubtaskView, TaskStatus, TaskView } from "../../src/domain/view.ts";
import { LoomError } from "../../src/lib/errors.ts";
import type { TaskRow } from "../../src/ports/event-store.ts";
import type { Applied, Submission } from "../../src/ports/loom.ts";
import type { MemoryRow } from "../../src/ports/memory.ts";

export interface FakeTask {
  readonly id: string;
  readonly submission: Submission;
  readonly events: TaskEvent[];
  readonly approvals: ApprovalView[];
  readonly questions: QuestionView[];
  readonly changes: ChangeView[];
  readonly memory: MemoryRow[];
  readonly files: Map<string, Uint8Array>;
  subtasks: SubtaskView[];
  status: TaskStatus;
  result: TaskView["result"];
}

export function newTask(id: string, submission: Submission): FakeTask {
  const none = { events: [], approvals: [], questions: [], changes: [], memory: [], subtasks: [], result: null };
  return { id, submission, status: "pending", files: new Map(), ...none };
}

/** What the rules would make of an event, as far as the API shows it. */
export function foldInto(task: FakeTask, event: TaskEvent): void {
  task.status = statuses[event.type] ?? task.status;
  if (event.type === "task_completed") task.result = { summary: event.summary, answer: event.answer };
  if (event.type === "task_plan_ready") task.subtasks = event.subtasks.map(subtaskView);
  if (event.type === "approval_requested") task.approvals.push(approvalView(task.id, event));
  if (event.type === "ask_user_requested") task.questions.push(questionView(task.id, event));
  if (event.type === "memory_recorded") task.memory.unshift(memoryRow(task.id, event));
  if (event.type === "files_changed") task.changes.push(...changeViews(event));
  if (event.type === "approval_received") {
    replace(task.approvals, ({ approval_id }) => approval_id === event.approval_id, {
      status: event.approved ? "approved" : "rejected",
      decided_by: event.by,
    });
  }
  if (event.type === "ask_user_answered") {
    replace(task.questions, ({ question_id }) => question_id === event.question_id, {
      status: "answered",
      answer: event.answer,
      answered_by: event.by,
    });
  }
}

const statuses: { readonly [T in Event["type"]]?: TaskStatus } = {
  task_planning: "planning",
  task_executing: "executing",
  task_paused: "paused",
  task_resumed: "executing",
  approval_requested: "waiting_approval",
  approval_received: "executing",
  task_completed: "completed",
  task_failed: "failed",
  task_cancelled: "cancelled",
};

function replace<T>(list: T[], isIt: (item: T) => boolean, changes: Partial<T>): void {
  const at = list.findIndex(isIt);
  const old = list[at];
  if (old !== undefined) list[at] = { ...old, ...changes };
}

export function created({ goal, workspace, context, metadata, submittedBy }: Submission): EventOf<"task_created"> {
  return {
    type: "task_created",
    goal,
    workspace: workspace ?? "/tmp/scratch",
    context: { ...context },
    metadata: { ...metadata },
    approval_mode: "auto",
    callback_events: [],
    checks: [],
    budget: {},
    approve_plan: false,
    approvers: "wait",
    submitted_by: submittedBy,
    rules: defaultRules,
  };
}

export function isClosed({ status }: FakeTask): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

export function wrongState(verb: string, { id, status }: FakeTask): LoomError {
  return new LoomError("wrong_state", `Cannot ${verb} task "${id}": it is ${status}`, {
    hint: "Look at its status first",
  });
}

export function applied({ events, status }: FakeTask): Applied {
  return { appliedSeq: events.length, status };
}

export function iso(at: number): string {
  return new Date(at).toISOString();
}

export function rowOf(task: FakeTask): TaskRow {
  const { id: taskId, submission, status, events } = task;
  const at = events[0]?.at ?? 0;
  return {
    taskId,
    goal: submission.goal,
    status,
    workspace: submission.workspace ?? "/tmp/scratch",
    open: !isClosed(task),
    createdAt: at,
    updatedAt: events.at(-1)?.at ?? at,
    lastSeq: events.length,
  };
}

export function viewOf(task: FakeTask): TaskView {
  const { id, submission, events, subtasks, status } = task;
  const completed = subtasks.filter((subtask) => subtask.status === "completed").length;
  const updated = iso(events.at(-1)?.at ?? 0);
  return {
    task_id: id,
    run_id: runIdOf(id),
    goal: submission.goal,
    status,
    workspace: submission.workspace ?? "/tmp/scratch",
    approval_mode: submission.approvalMode ?? "auto",
    approvers: submission.approvers ?? "wait",
    approval_timeout_seconds: submission.approvalTimeoutSeconds ?? 0,
    policy: submission.policy ?? null,
    process: null,
    context: submission.context ?? {},
    metadata: submission.metadata ?? {},
    plan: subtasks.length === 0 ? null : { version: 1, subtasks },
    progress: {
      total_subtasks: subtasks.length,
      completed,
      failed: 0,
      pending: subtasks.length - completed,
      running: 0,
      percent_complete: 0,
    },
    errors: [],
    result: task.result,
    awaiting: task.approvals
      .filter((approval) => approval.status === "pending")
      .map(({ approval_id, requested_at }) => ({ kind: "approval", id: approval_id, since: requested_at })),
    workspace_changes: { files_created: 0, files_modified: 0, files_deleted: 0 },
    usage: { input_tokens: 0, output_tokens: 0, cached_tokens: 0, model_calls: 0, tool_calls: 0, wall_ms: 0 },
    budget: {
      cap: submission.budget ?? {},
      settled: { tokens: 0, model_calls: 0, tool_calls: 0, wall_seconds: 0 },
      reserved: { tokens: 0 },
    },
    last_seq: events.length,
    created_at: iso(events[0]?.at ?? 0),
    updated_at: updated,
    completed_at: isClosed(task) ? updated : null,
  };
}

function subtaskView(spec: EventOf<"task_plan_ready">["subtasks"][number]): SubtaskView {
  const {
    id,
    description,
    depends_on,
    kind,
    model_tier,
    verification_tier,
    is_critical_path,
    is_synthesis,
    acceptance_criteria,
  } = spec;
  const fresh = {
    status: "pending",
    attempt: 1,
    retry_count: 0,
    summary: "",
    confidence: null,
    flagged: false,
    files_changed: [],
  } as const;
  return {
    id,
    description,
    depends_on,
    kind,
    model_tier,
    verification_tier,
    is_critical_path,
    is_synthesis,
    acceptance_criteria,
    ...fresh,
  };
}

function approvalView(taskId: string, event: TaskEvent & EventOf<"approval_requested">): ApprovalView {
  const { approval_id, subtask_id, kind, summary, reason: reason_requested, risk, action, at } = event;
  return {
    approval_id,
    task_id: taskId,
    subtask_id,
    kind,
    status: "pending",
    summary,
    reason_requested,
    action: action ?? { tool: kind, arguments: {}, paths: [], hosts: [] },
    risk,
    requested_at: iso(at),
  };
}

function questionView(taskId: string, event: TaskEvent & EventOf<"ask_user_requested">): QuestionView {
  const {
    question_id,
    subtask_id,
    question,
    question_type,
    options,
    allow_custom_response,
    default_option_id: usual,
    context_note,
    urgency,
    at,
  } = event;
  return {
    question_id,
    task_id: taskId,
    subtask_id,
    status: "pending",
    question,
    question_type,
    options,
    allow_custom_response,
    ...(usual === undefined ? {} : { default_option_id: usual }),
    context_note,
    urgency,
    requested_at: iso(at),
  };
}

function memoryRow(taskId: string, event: TaskEvent & EventOf<"memory_recorded">): MemoryRow {
  const {
    subtask_id: subtaskId,
    entry_type: entryType,
    summary,
    detail,
    tags,
    relevance_to: relevanceTo,
    seq,
    at,
  } = event;
  return { id: seq, taskId, subtaskId, entryType, summary, detail, tags, relevanceTo, seq, at };
}

function changeViews({ change_id, subtask_id, changes, seq }: TaskEvent & EventOf<"files_changed">): ChangeView[] {
  return changes.map(({ path }, index) => ({
    change_id: `${change_id}-${index}`,
    path,
    operation: "created",
    subtask_id,
    seq,
    undone: false,
    bytes_before: null,
    bytes_after: 3,
  }));
}
