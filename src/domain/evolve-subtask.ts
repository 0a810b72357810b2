/** The part of `evolve` that one subtask sees: how its state follows from an event. */
import type { EventOf, StampedEvents } from "./event.ts";
import { type Folds, freshStats, type Subtask, type SubtaskStatus, type Task } from "./task.ts";
import type { Verdict } from "./verdict.ts";

const critiquesKept = 4;
const changedPathsKept = 100;

export const subtaskFolds = {
  subtask_started: (task, event) => evolveSubtask({ ...task, attempts: task.attempts + 1 }, event),
  subtask_delivered: (task, event) =>
    event.subtask_id === "answer"
      ? { ...task, answer: { summary: event.summary, answer: event.answer ?? event.summary } }
      : evolveSubtask(task, event),
  subtask_completed: (task, event) =>
    evolveSubtask({ ...task, extracts: new Set(task.extracts).add(event.subtask_id) }, event),
  subtask_failed: evolveSubtask,
  subtask_retrying: evolveSubtask,
  subtask_blocked: evolveSubtask,
  subtask_skipped: evolveSubtask,
  verification_started: evolveSubtask,
  verification_passed: evolveSubtask,
  verification_failed: evolveSubtask,
} satisfies Partial<Folds>;

/** The task with the subtask that the event speaks of brought up to date; events about no known subtask change nothing. */
export function evolveSubtask<T extends SubtaskEventType>(
  task: Task,
  event: { [K in T]: StampedEvents[K] & { readonly type: K } }[T],
): Task {
  const id = ("what" in event ? event.what : event.subtask_id) ?? "";
  const subtask = task.subtasks.get(id);
  if (subtask === undefined) return task;
  return { ...task, subtasks: new Map(task.subtasks).set(id, after[event.type](subtask, event)) };
}

type SubtaskEventType =
  | "subtask_started"
  | "subtask_delivered"
  | "subtask_completed"
  | "subtask_failed"
  | "subtask_retrying"
  | "subtask_blocked"
  | "subtask_skipped"
  | "subtask_waiting"
  | "wait_elapsed"
  | "verification_started"
  | "verification_passed"
  | "verification_failed"
  | "approval_requested"
  | "approval_received"
  | "ask_user_requested"
  | "ask_user_answered"
  | "tool_call_completed"
  | "files_changed"
  | "model_invocation"
  | "undo_applied";

const after: { readonly [T in SubtaskEventType]: (subtask: Subtask, event: StampedEvents[T]) => Subtask } = {
  subtask_started: (subtask, event) => ({
    ...subtask,
    status: { kind: "working" },
    attempt: event.attempt,
    startedSeq: event.seq,
    tier: event.model_tier,
    stats: freshStats,
    delivery: null,
    verdict: null,
    leaseWaits: [],
  }),
  subtask_delivered: (subtask, event) => ({
    ...subtask,
    status: { kind: "verifying", try: 1, started: false },
    delivery: { summary: event.summary, digest: event.digest },
    waitingSince: null,
  }),
  subtask_completed: (subtask, event) => ({
    ...subtask,
    status: { kind: "completed", summary: event.summary, confidence: event.confidence, flagged: event.flagged },
  }),
  subtask_failed: failed,
  subtask_retrying: retrying,
  subtask_blocked: (subtask, event) => ({
    ...subtask,
    status: { kind: "blocked", by: event.reasons },
  }),
  subtask_skipped: (subtask, event) => ({
    ...subtask,
    status: { kind: "skipped", reason: event.reason },
  }),
  subtask_waiting: waiting,
  wait_elapsed: resumed,
  verification_started: (subtask, event) => ({
    ...subtask,
    status: { kind: "verifying", try: event.try, started: true },
  }),
  verification_passed: judged,
  verification_failed: judged,
  approval_requested: (subtask, event) => ({
    ...subtask,
    status:
      event.kind === "subtask"
        ? { kind: "judged", approvalId: event.approval_id }
        : { kind: "parked", on: "approval", id: event.approval_id },
  }),
  approval_received: approved,
  ask_user_requested: (subtask, event) => ({
    ...subtask,
    status: { kind: "parked", on: "question", id: event.question_id },
  }),
  ask_user_answered: (subtask, event) => (isParkedOn(subtask, event.question_id) ? nextLeg(subtask) : subtask),
  tool_call_completed: toolDone,
  files_changed: (subtask, event) => {
    const paths = new Set([...subtask.changedPaths, ...event.changes.map(({ path }) => path)]);
    return { ...subtask, changedPaths: [...paths].slice(-changedPathsKept) };
  },
  model_invocation: (subtask) => ({ ...subtask, waitingSince: null }),
  undo_applied: (subtask) => ({ ...subtask, changedPaths: [] }),
};

function nextLeg(subtask: Subtask): Subtask {
  return { ...subtask, status: { kind: "queued" }, leg: subtask.leg + 1 };
}

function waiting(subtask: Subtask, event: StampedEvents["subtask_waiting"]): Subtask {
  const { at, lease, reason, seq, until = at } = event;
  if (lease !== undefined) return parkedFor(subtask, lease, { n: seq, since: at });
  return {
    ...subtask,
    status: { kind: "backoff", until, n: seq, resume: resumable(subtask.status), reason },
    waitingSince: subtask.waitingSince ?? event.at,
  };
}

function parkedFor(
  subtask: Subtask,
  { holder, path, turn }: NonNullable<EventOf<"subtask_waiting">["lease"]>,
  begun: { readonly n: number; readonly since: number },
): Subtask {
  return {
    ...subtask,
    status: { kind: "parked", on: "lease", path, ...begun },
    leaseWaits: [...subtask.leaseWaits, { turn, path, holder: holder ?? null }],
  };
}

/** What is wanted again after a wait. A work leg that was cut comes back as the next leg. */
function resumable(status: SubtaskStatus): SubtaskStatus {
  return status.kind === "verifying" ? { ...status, started: true } : { kind: "queued" };
}

function resumed(subtask: Subtask): Subtask {
  const { status } = subtask;
  if (status.kind === "parked" && status.on === "lease") return nextLeg(subtask);
  if (status.kind !== "backoff") return subtask;
  const { resume } = status;
  return resume.kind === "queued" && subtask.startedSeq > 0 ? nextLeg(subtask) : { ...subtask, status: resume };
}

function failed(subtask: Subtask, event: StampedEvents["subtask_failed"]): Subtask {
  const critique = { attempt: event.attempt, class: event.class, feedback: event.feedback };
  return {
    ...subtask,
    status: { kind: "failed", class: event.class, reason: event.feedback },
    failures: subtask.failures + 1,
    critiques: [...subtask.critiques, { ...critique, seq: event.seq }].slice(-critiquesKept),
    waitingSince: null,
  };
}

function retrying(subtask: Subtask, event: StampedEvents["subtask_retrying"]): Subtask {
  const next: Subtask = {
    ...subtask,
    status: { kind: "queued" },
    attempt: event.attempt,
    leg: 1,
    tier: event.escalated_tier,
    startedSeq: 0,
    waitingSince: null,
    critiques: subtask.critiques.map((critique, at, { length }) =>
      at === length - 1 ? { ...critique, strategy: event.retry_strategy } : critique,
    ),
  };
  if (event.until === undefined) return next;
  return {
    ...next,
    status: {
      kind: "backoff",
      until: event.until,
      n: event.seq,
      resume: { kind: "queued" },
      reason: event.retry_strategy,
    },
  };
}

function judged(subtask: Subtask, event: EventOf<"verification_passed"> | EventOf<"verification_failed">): Subtask {
  const { tier, outcome, reason_code, severity_class, feedback, issues, checks, independent } = event;
  const verdict: Verdict = {
    tier,
    outcome,
    reason_code,
    severity_class,
    feedback,
    issues,
    checks,
    independent,
    ...(event.confidence === undefined ? {} : { confidence: event.confidence }),
    ...(event.files === undefined ? {} : { files: event.files }),
    ...(event.remarks === undefined ? {} : { remarks: event.remarks }),
  };
  const status: SubtaskStatus =
    outcome === "inconclusive" ? { kind: "verifying", try: event.try + 1, started: false } : subtask.status;
  return { ...subtask, verdict, status, waitingSince: null };
}

function isParkedOn({ status }: Subtask, id: string): boolean {
  return status.kind === "parked" && status.on !== "lease" && status.id === id;
}

/** A person's no puts the work back; with a reason there is something that another attempt could do better. */
function approved(subtask: Subtask, event: EventOf<"approval_received">): Subtask {
  const { stats, status } = subtask;
  if (isParkedOn(subtask, event.approval_id)) {
    return nextLeg({ ...subtask, stats: { ...stats, denials: stats.denials + (event.approved ? 0 : 1) } });
  }
  if (status.kind !== "judged" || status.approvalId !== event.approval_id || event.approved) return subtask;
  const next = event.reason === undefined ? "fail" : "retry";
  return { ...subtask, status: { kind: "reverting", next, reason: event.reason ?? "rejected by a person" } };
}

function toolDone(subtask: Subtask, event: EventOf<"tool_call_completed">): Subtask {
  const { stats } = subtask;
  return {
    ...subtask,
    stats: {
      ...stats,
      toolCalls: stats.toolCalls + 1,
      toolCallsFailed: stats.toolCallsFailed + (event.success ? 0 : 1),
      destructive: stats.destructive || event.destructive,
    },
  };
}
