/** The state of a task, as folded from its events. Types and small readings of them; no rule of orchestration stands here. */

import { unreachable } from "../lib/result.ts";
import type { Approval, Question } from "./approval.ts";
import type { Charge, Reservations, Usage } from "./budget.ts";
import type { RecordedChange } from "./change.ts";
import type { EventOf, EventType, FailureClass, StampedEvents, SteerMode, UndoScope } from "./event.ts";
import type { Leases } from "./lease.ts";
import type { SubtaskSpec, Tier } from "./plan.ts";
import type { Verdict } from "./verdict.ts";

export type SubtaskStatus =
  /** Wanted as soon as its dependencies are completed; with `leg` over 1 it is on its way again. */
  | { readonly kind: "queued" }
  | { readonly kind: "working" }
  | { readonly kind: "parked"; readonly on: "approval" | "question"; readonly id: string }
  /** For a path that another subtask holds; `n` is the `seq` of the event that said so. */
  | { readonly kind: "parked"; readonly on: "lease"; readonly path: string; readonly n: number; readonly since: number }
  | { readonly kind: "verifying"; readonly try: number; readonly started: boolean }
  | { readonly kind: "judged"; readonly approvalId: string }
  | { readonly kind: "reverting"; readonly next: "retry" | "fail" | "drop"; readonly reason: string }
  | {
      readonly kind: "backoff";
      readonly until: number;
      readonly n: number;
      readonly resume: SubtaskStatus;
      readonly reason: string;
    }
  | { readonly kind: "completed"; readonly summary: string; readonly confidence: number; readonly flagged: boolean }
  | { readonly kind: "failed"; readonly class: FailureClass; readonly reason: string }
  | { readonly kind: "blocked"; readonly by: readonly string[] }
  | { readonly kind: "skipped"; readonly reason: string };

/** What an attempt did so far, as far as verdicts and confidence need it. */
export interface AttemptStats {
  readonly toolCalls: number;
  readonly toolCallsFailed: number;
  readonly destructive: boolean;
  readonly denials: number;
}

export const freshStats: AttemptStats = { toolCalls: 0, toolCallsFailed: 0, destructive: false, denials: 0 };

export interface Critique {
  readonly attempt: number;
  readonly class: FailureClass;
  readonly feedback: string;
  /** Of the event that told it: what was changed before belongs to this attempt or an earlier one. */
  readonly seq: number;
  /** What the attempt after it was to do about it; absent when there was none. */
  readonly strategy?: string;
}

/** An end of an attempt that was none: it was parked for a path, in this turn of its loop, and went on. */
export interface LeaseWait {
  readonly turn: number;
  readonly path: string;
  readonly holder: string | null;
}

export interface Subtask {
  readonly spec: SubtaskSpec;
  /** Paths that it is expected to put out, as `Outputs` compares them. */
  readonly outputs: readonly string[];
  readonly status: SubtaskStatus;
  /** The current attempt, from 1. Never restarts for an id, whatever plan wants it. */
  readonly attempt: number;
  /** The leg of this attempt: an answer, a decision or a wait opens the next one. */
  readonly leg: number;
  /** Failed attempts since the plan version that wants it. */
  readonly failures: number;
  readonly tier: Tier;
  /** `seq` of the event that started the attempt, 0 before it: what was said before stands in the prompt, what came later enters the loop. */
  readonly startedSeq: number;
  readonly critiques: readonly Critique[];
  readonly changedPaths: readonly string[];
  readonly stats: AttemptStats;
  readonly delivery: { readonly summary: string; readonly digest: string } | null;
  readonly verdict: Verdict | null;
  /** Since when its model has been down without a step in between; null when it is up. */
  readonly waitingSince: number | null;
  /** Of this attempt, oldest first; each in a turn of its own. */
  readonly leaseWaits: readonly LeaseWait[];
  /** What it claimed before the event with this `seq` it does not hold any more. */
  readonly leasesFrom: number;
  /** No plan wants it any more. */
  readonly retired: boolean;
}

export interface Planning {
  /** Version of the plan to be made. */
  readonly version: number;
  readonly call: number;
  /** Proposals that were sent back so far; a call that a person interrupted is none. */
  readonly rejected: number;
  readonly started: boolean;
  readonly flaws: readonly string[];
  readonly replan: { readonly reason: string; readonly failedSubtaskId?: string } | null;
  readonly wait: Wait | null;
  readonly waitingSince: number | null;
}

export interface Wait {
  readonly until: number;
  /** `seq` of the event that began it: makes its key its own. */
  readonly n: number;
}

export interface Instruction {
  readonly seq: number;
  readonly mode: SteerMode;
  readonly text: string;
  /** Subtasks that gave their receipt. */
  readonly readBy: readonly string[];
}

export interface Undo {
  readonly k: number;
  readonly scope: UndoScope;
  readonly id?: string;
}

/** A list that grows at its head, so that adding costs the same however long it is. */
export type Newest<T> = { readonly value: T; readonly rest: Newest<T> } | null;

export type Brief = Omit<EventOf<"task_created">, "type">;

export interface Task {
  readonly id: string;
  readonly brief: Brief;
  readonly lastSeq: number;
  readonly createdAt: number;
  /** When, and by which event, it was opened last: created, or retried after its end. Its wall time counts from there. */
  readonly opened: { readonly seq: number; readonly at: number };
  readonly updatedAt: number;
  readonly completedAt: number | null;
  readonly phase: "pending" | "planning" | "executing" | "closed";
  readonly outcome: "completed" | "failed" | "cancelled" | null;
  readonly paused: "no" | "asked" | "yes";
  readonly planVersion: number;
  /** The planning that is wanted now: the first, or a replanning while siblings go on. */
  readonly planning: Planning | null;
  /** The planning that the task's end cut short: its calls are not numbered anew when the task is retried. */
  readonly abandoned: Pick<Planning, "version" | "call"> | null;
  /** The approval without which the plan in force is not worked on; null when it has it, or needs none. */
  readonly planApproval: string | null;
  readonly replans: number;
  readonly attempts: number;
  readonly subtasks: ReadonlyMap<string, Subtask>;
  readonly approvals: ReadonlyMap<string, Approval>;
  readonly questions: ReadonlyMap<string, Question>;
  readonly instructions: readonly Instruction[];
  readonly extracts: ReadonlySet<string>;
  readonly checks: {
    readonly round: number;
    readonly started: boolean;
    readonly passed: boolean;
    /** Rounds that failed since the task was opened; each made one subtask that shall put it right. */
    readonly failed: number;
    readonly failures: readonly string[];
  };
  readonly answer: { readonly summary: string; readonly answer: string } | null;
  readonly result: { readonly summary: string; readonly answer: string } | null;
  readonly failure: { readonly reason: string; readonly message: string } | null;
  readonly usage: Usage;
  /** Of the model calls in flight. */
  readonly reservations: Reservations;
  /** What calls used beyond their reservations, all together: so far may the task pass a cap. */
  readonly excess: Charge;
  readonly changes: Newest<RecordedChange>;
  /** Who holds which path. @see holders.ts */
  readonly leases: Leases;
  readonly undone: ReadonlySet<string>;
  readonly undos: readonly Undo[];
  readonly undoCount: number;
  /** Recoveries since the last new recorded step. */
  readonly recoveries: number;
  /** Steps started and not ended, by effect and step. */
  readonly stepsInFlight: ReadonlySet<string>;
}

/** How the state follows from each event; its members stand in the `evolve-…` files. */
export type Folds = { readonly [T in EventType]: (task: Task, event: StampedEvents[T]) => Task };

export function isClosed(task: Task): boolean {
  return task.phase === "closed";
}

/** Subtasks that the current plan wants, in plan order. */
export function planned(task: Task): Subtask[] {
  return [...task.subtasks.values()].filter((subtask) => !subtask.retired);
}

/** Has it been started and not come to an end? Such a subtask survives a new plan as it is. */
export function isUnderWay(subtask: Subtask): boolean {
  switch (subtask.status.kind) {
    case "working":
    case "parked":
    case "verifying":
    case "judged":
    case "reverting":
      return true;
    case "queued":
    case "backoff":
      return subtask.startedSeq > 0;
    case "completed":
    case "failed":
    case "blocked":
    case "skipped":
      return false;
    default:
      return unreachable(subtask.status);
  }
}

/** Has an attempt of it begun under this plan, and is it not over with? Between two attempts nothing runs, and what it did stands. */
export function hasBegun(subtask: Subtask): boolean {
  const { failures, status } = subtask;
  return isUnderWay(subtask) || (failures > 0 && (status.kind === "queued" || status.kind === "backoff"));
}

/** Are all subtasks of the plan completed or skipped, and nothing still being put back? */
export function allDone(task: Task): boolean {
  if (task.phase !== "executing" || task.planning !== null || task.planApproval !== null) return false;
  return [...task.subtasks.values()].every(({ status }) => status.kind === "completed" || status.kind === "skipped");
}

/** @returns recorded changes, oldest first; those that an undo took back are marked `undone` */
export function changesOf(task: Task): RecordedChange[] {
  const changes: RecordedChange[] = [];
  for (let at = task.changes; at !== null; at = at.rest) {
    changes.push(task.undone.has(at.value.changeId) ? { ...at.value, undone: true } : at.value);
  }
  return changes.reverse();
}
