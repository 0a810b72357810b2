/**
 * Events: everything that can have happened to a task, by the contract's own names. The log is the API, so these schemas
 * are what clients read (`docs/events.md` is made from them), what `evolve` folds, and what survives a crash.
 * Long because the whole vocabulary stands in one place, one schema a type.
 */
import { z } from "zod";
import { ApprovalAsk, QuestionAnswer, QuestionAsk } from "./approval.ts";
import { Account, Budget, CallUsage, Reserved } from "./budget.ts";
import { FileChange } from "./change.ts";
import { SubtaskId } from "./ids.ts";
import { Check, SubtaskSpec, Tier } from "./plan.ts";
import { TaskPolicy } from "./policy-rules.ts";
import { ProtocolLowered } from "./protocol.ts";
import { ApprovalMode, Rules } from "./rules.ts";
import { CheckResult, Verdict } from "./verdict.ts";

const subtask = { subtask_id: SubtaskId };
const count = z.int().min(0);
const text = z.string();
const time = z.int().min(0);

export const SteerMode = z.enum(["next_boundary", "queue", "interrupt"]);
export type SteerMode = z.infer<typeof SteerMode>;

/** Why an attempt failed; decides what is tried next. */
export const FailureClass = z.enum([
  "semantic",
  "no_output",
  "loop",
  "blocked",
  "denied",
  "tool",
  "model",
  "timeout",
  "context",
  "rejected",
  "internal",
]);
export type FailureClass = z.infer<typeof FailureClass>;

export const MemoryType = z.enum([
  "decision",
  "error",
  "tool_result",
  "discovery",
  "artifact",
  "context",
  "user_instruction",
]);
export type MemoryType = z.infer<typeof MemoryType>;

/** What held a command: bubblewrap, or nothing. */
export const SandboxLayer = z.enum(["bubblewrap", "none"]);
export type SandboxLayer = z.infer<typeof SandboxLayer>;

export const UndoScope = z.enum(["change", "subtask", "task"]);
export type UndoScope = z.infer<typeof UndoScope>;

const paths = z.array(text.max(4096)).max(1_000_000);
/**
 * What an undo did: paths put back, paths left because someone changed them since, paths that were as before already;
 * and those of the first where what others wrote elsewhere in the text was kept.
 */
export const UndoOutcome = z.strictObject({
  restored: paths,
  conflicts: z.array(z.strictObject({ path: text.max(4096), reason: text.max(500) })).max(1_000_000),
  skipped: paths,
  merged: paths.optional(),
});
export type UndoOutcome = z.infer<typeof UndoOutcome>;

const totals = { completed: count, total: count };

const shapes = {
  task_created: {
    goal: text.max(100_000),
    workspace: text.max(4096),
    context: z.record(text, z.unknown()),
    metadata: z.record(text, z.unknown()),
    approval_mode: ApprovalMode,
    callback_url: text.max(2000).optional(),
    callback_events: z.array(z.enum(["approval_requested", "ask_user_requested"])),
    checks: z.array(Check),
    budget: Budget,
    /** Of the key it was submitted with, where that has a daily budget. */
    account: Account.optional(),
    approve_plan: z.boolean(),
    approvers: z.enum(["wait", "none"]),
    submitted_by: text.max(200),
    rules: Rules,
    policy: TaskPolicy.optional(),
  },
  task_planning: { goal: text, version: count, call: count },
  task_replanning: {
    reason: text,
    failed_subtask_id: text.optional(),
    version: count,
    requested_by: z.enum(["harness", "person"]),
  },
  task_plan_rejected: { version: count, call: count, flaws: z.array(text) },
  task_plan_degraded: { reason_code: text, detail: text, version: count },
  task_plan_ready: {
    version: count,
    replanned: z.boolean(),
    subtask_count: count,
    subtask_ids: z.array(SubtaskId),
    subtasks: z.array(SubtaskSpec),
    reverting: z.array(SubtaskId),
  },
  plan_approved: { version: count },
  task_executing: { version: count },
  task_pausing: { requested_by: text },
  task_paused: { reason: text },
  task_resumed: { requested_by: text, reopened: z.boolean() },
  task_cancel_requested: { requested_by: text, reason: text.optional() },
  task_cancelled: { ...totals, reason: text },
  task_budget_exhausted: { budget_name: text, observed: z.number(), limit: z.number() },
  task_stalled: { blocked_subtasks: z.array(text), pending_subtasks: z.array(text) },
  /** `settled`: what the model calls in flight had reserved; nobody knows what they used, so that is what counts. */
  task_recovered: { steps_in_flight: z.array(text), recoveries: count, settled: CallUsage.optional() },
  task_completed: { ...totals, summary: text, answer: text, subtasks_flagged: z.array(text) },
  /** `result`: what was done all the same, where a budget ended the task. */
  task_failed: {
    ...totals,
    reason: text,
    message: text,
    failed_subtasks: z.array(text),
    result: z.strictObject({ summary: text, answer: text }).optional(),
  },
  subtask_started: { ...subtask, attempt: count, model_tier: Tier },
  subtask_delivered: { ...subtask, attempt: count, summary: text, digest: text, answer: text.optional() },
  subtask_completed: {
    ...subtask,
    summary: text,
    confidence: z.number(),
    flagged: z.boolean(),
    flag_reason: text.optional(),
    attempt: count,
    status: z.literal("success"),
  },
  subtask_failed: {
    ...subtask,
    attempt: count,
    final: z.boolean(),
    class: FailureClass,
    feedback: text,
    verification_tier: count,
    /** The last two attempts failed in the same way and left the same files: no further one was made. */
    no_progress: z.literal(true).optional(),
  },
  subtask_retrying: {
    ...subtask,
    attempt: count,
    escalated_tier: Tier,
    feedback: text,
    retry_strategy: text,
    until: time.optional(),
  },
  subtask_blocked: { ...subtask, reasons: z.array(text) },
  subtask_skipped: { ...subtask, reason: text },
  /** `on: "model"` waits `until` then; `on: "lease"` until the subtask that holds the path comes to its end. */
  subtask_waiting: {
    ...subtask,
    on: z.enum(["model", "lease"]),
    until: time.optional(),
    reason: text,
    lease: z
      .strictObject({
        path: text,
        /** Absent where it was let go of in the meantime: the wait is over at once. */
        holder: SubtaskId.optional(),
        attempt: count,
        turn: count,
        /** Would have waited for this one, all around: holds nothing any more. */
        let_go: SubtaskId.optional(),
      })
      .optional(),
  },
  wait_elapsed: { what: text, n: count },
  model_invocation: {
    subtask_id: SubtaskId.optional(),
    /** `failed`: the call gave no reply; the same step may start again. */
    phase: z.enum(["start", "done", "failed"]),
    role: text,
    step: text,
    attempt: count,
    iteration: count,
    model: text.optional(),
    request_chars: count.optional(),
    /** Set aside with `start`; what is not used is given back with the end. */
    reserved: Reserved.optional(),
    usage: CallUsage.optional(),
    finish: text.optional(),
    duration_ms: z.number().optional(),
    repaired: z.array(text).optional(),
    error: text.optional(),
    /** How the calls of this reply travelled, where not natively. */
    protocol: z.enum(["json_schema", "text"]).optional(),
    /** Of a start: replies were malformed again and again, and from this turn on a weaker protocol is spoken. A new epoch begins with it. */
    protocol_lowered: ProtocolLowered.optional(),
    /** How often this conversation was begun anew to fit the window, and once more; absent where it is one request. */
    epoch: count.optional(),
  },
  /** The server cut the prompt without a word: it counted fewer tokens than were sent. */
  model_context_truncated: {
    subtask_id: SubtaskId.optional(),
    role: text,
    step: text,
    attempt: count,
    iteration: count,
    model: text,
    counted_tokens: count,
    window_tokens: count,
  },
  tool_call_started: {
    ...subtask,
    tool: text,
    step: text,
    attempt: count,
    args: z.record(text, z.unknown()),
    effect_class: z.enum(["pure", "workspace", "external"]),
    /** Paths that it is about to change: the subtask holds them from here on. */
    writes: z.array(text).optional(),
    /** Rules that made a call of what the model wrote. */
    repaired: z.array(text).optional(),
  },
  tool_call_completed: {
    ...subtask,
    tool: text,
    step: text,
    attempt: count,
    success: z.boolean(),
    error: text.optional(),
    output: text,
    files_changed: z.array(text),
    exit_code: z.int().optional(),
    /** Of a call that ran a command. */
    sandbox: SandboxLayer.optional(),
    destructive: z.boolean(),
    duration_ms: z.number(),
    /** Not all that this command may have changed can be put back; why stands beside it. */
    undo: z.enum(["partial"]).optional(),
    undo_reason: text.optional(),
  },
  /** `shared_with`: subtasks whose commands ran at the same time, so that the changes may be theirs. */
  files_changed: {
    ...subtask,
    change_id: text,
    changes: z.array(FileChange),
    shared_with: z.array(text).optional(),
  },
  uncertain_effect: { ...subtask, attempt: count, step: text, tool: text, detail: text },
  verification_started: { ...subtask, attempt: count, try: count, target_tier: count },
  verification_passed: { ...subtask, attempt: count, try: count, ...Verdict.shape },
  verification_failed: { ...subtask, attempt: count, try: count, ...Verdict.shape },
  approval_requested: {
    ...subtask,
    ...ApprovalAsk.shape,
    proposed_action: text,
    risk_level: text,
    attempt: count,
    expires_at: time.optional(),
  },
  approval_received: { ...subtask, approval_id: text, approved: z.boolean(), by: text, reason: text.optional() },
  approval_expired: { ...subtask, approval_id: text, on_timeout: z.enum(["reject", "pause"]) },
  ask_user_requested: { ...subtask, ...QuestionAsk.shape, attempt: count, expires_at: time.optional() },
  ask_user_answered: { ...subtask, question_id: text, answer: QuestionAnswer, by: text },
  steer_instruction: { instruction: text, instruction_chars: count, mode: SteerMode, source: text },
  steer_applied: { ...subtask, attempt: count, iteration: count, instruction_seq: count },
  conversation_message: { role: z.enum(["user"]), message: text, source: text },
  feedback_received: {
    rating: z.int().min(1).max(5).optional(),
    comment: text.optional(),
    subtask_id: text.optional(),
    source: text,
  },
  memory_recorded: {
    ...subtask,
    entry_type: MemoryType,
    summary: text,
    detail: text,
    tags: z.array(text),
    relevance_to: z.array(text),
  },
  extraction_settled: { ...subtask, dropped: z.boolean(), entries: count, reason: text.optional() },
  checks_started: { round: count, checks: z.array(Check) },
  checks_passed: { round: count, results: z.array(CheckResult) },
  checks_failed: { round: count, results: z.array(CheckResult) },
  undo_requested: { k: count, scope: UndoScope, id: text.optional(), requested_by: text },
  undo_applied: {
    k: count.optional(),
    subtask_id: text.optional(),
    ...UndoOutcome.shape,
    changes: z.array(FileChange),
    undone_ids: z.array(text),
  },
  webhook_delivered: { delivery_id: text, target_host: text, attempts: count, status_code: count },
  webhook_failed: { delivery_id: text, target_host: text, attempts: count, reason: text },
} as const;

type Shapes = typeof shapes;
export type EventType = keyof Shapes;

/** An event as the rules make it: its type and its facts, before the log gave it a place and a time. */
export type Event = { [T in EventType]: { readonly type: T } & Readonly<z.infer<z.ZodObject<Shapes[T]>>> }[EventType];
export type EventOf<T extends EventType> = Extract<Event, { readonly type: T }>;

/** An event in the log of its task: `seq` 1, 2, 3 … without a gap, `at` in epoch milliseconds. */
export type TaskEvent = Event & { readonly seq: number; readonly at: number };

/** Events of the log by their type. */
export type StampedEvents = { readonly [T in EventType]: EventOf<T> & { readonly seq: number; readonly at: number } };

export const eventTypes = Object.keys(shapes) as readonly EventType[];

/** Strict schema of the facts of one event type: what SSE carries in `data.data`. */
export function eventSchema(type: EventType): z.ZodObject {
  return z.strictObject(shapes[type]);
}

export const terminalTypes: ReadonlySet<EventType> = new Set(["task_completed", "task_failed", "task_cancelled"]);
