/**
 * evolve (task, event) → task: what is true after an event. No rules, no time, no chance. Events of every version ever
 * written are read here. What each event does stands in one table a noun: task, plan, persons, steps, subtask.
 */
import { nothing, noUsage } from "./budget.ts";
import type { EventOf, EventType, StampedEvents, TaskEvent } from "./event.ts";
import { personFolds } from "./evolve-persons.ts";
import { firstPlanning, planFolds } from "./evolve-plan.ts";
import { stepFolds } from "./evolve-steps.ts";
import { subtaskFolds } from "./evolve-subtask.ts";
import { taskFolds } from "./evolve-task.ts";
import type { Folds, Task } from "./task.ts";

/** @throws Error when the event does not follow the last one */
export function evolve(task: Task, event: TaskEvent): Task {
  if (event.seq !== task.lastSeq + 1) throw new Error(`Event ${event.seq} does not follow ${task.lastSeq}`);
  return { ...applied(task, event), lastSeq: event.seq, updatedAt: event.at };
}

/** The state after `task_created`. */
export function created(id: string, event: TaskEvent & EventOf<"task_created">): Task {
  const { type: _type, seq, at, ...brief } = event;
  return {
    id,
    brief,
    lastSeq: seq,
    createdAt: at,
    opened: { seq, at },
    updatedAt: at,
    completedAt: null,
    phase: "pending",
    outcome: null,
    paused: "no",
    planVersion: 0,
    planning: firstPlanning,
    abandoned: null,
    planApproval: null,
    replans: 0,
    attempts: 0,
    subtasks: new Map(),
    approvals: new Map(),
    questions: new Map(),
    instructions: [],
    extracts: new Set(),
    checks: { round: 1, started: false, passed: false, failed: 0, failures: [] },
    answer: null,
    result: null,
    failure: null,
    usage: noUsage,
    reservations: new Map(),
    excess: nothing,
    changes: null,
    leases: null,
    undone: new Set(),
    undos: [],
    undoCount: 0,
    recoveries: 0,
    stepsInFlight: new Set(),
  };
}

/** Folds a whole log. @throws Error naming the first event that cannot be folded */
export function fold(id: string, events: readonly TaskEvent[]): Task {
  const [first, ...later] = events;
  if (first === undefined) throw new Error(`The log of ${id} is empty`);
  if (first.type !== "task_created" || first.seq !== 1) {
    throw new Error(`A log begins with task_created as seq 1, not with ${first.type} as seq ${first.seq}`);
  }
  return later.reduce(evolve, created(id, first));
}

const folds: Folds = { ...taskFolds, ...planFolds, ...personFolds, ...stepFolds, ...subtaskFolds };

function applied<T extends EventType>(
  task: Task,
  event: { [K in T]: StampedEvents[K] & { readonly type: K } }[T],
): Task {
  return folds[event.type](task, event);
}
