/** The part of `evolve` about plans: how one comes to be wanted, what sends it back, and how a new one takes over old state. */
import type { StampedEvents } from "./event.ts";
import { outputPaths } from "./outputs.ts";
import type { SubtaskSpec } from "./plan.ts";
import {
  type Folds,
  freshStats,
  isUnderWay,
  type Planning,
  type Subtask,
  type SubtaskStatus,
  type Task,
} from "./task.ts";

export const firstPlanning: Planning = {
  version: 1,
  call: 1,
  rejected: 0,
  started: false,
  flaws: [],
  replan: null,
  wait: null,
  waitingSince: null,
};

export const planFolds = {
  task_planning: (task) => ({
    ...onPlanning(task, (planning) => ({ ...planning, started: true })),
    phase: "planning",
  }),
  task_replanning: replanning,
  task_plan_rejected: (task, event) =>
    onPlanning(task, (planning) => ({
      ...planning,
      call: planning.call + 1,
      rejected: planning.rejected + 1,
      started: false,
      flaws: event.flaws,
      wait: null,
      waitingSince: null,
    })),
  task_plan_degraded: (task) => task,
  task_plan_ready: (task, event) => ({
    ...task,
    planVersion: event.version,
    planning: null,
    answer: null,
    subtasks: subtasksOf(task, event),
  }),
  plan_approved: (task) => ({ ...task, planApproval: null }),
} satisfies Partial<Folds>;

/** The task with the planning that is wanted changed; as it is when none is. */
export function onPlanning(task: Task, change: (planning: Planning) => Planning): Task {
  return task.planning === null ? task : { ...task, planning: change(task.planning) };
}

/** The planning of a version, its calls numbered on from those that the task's end cut short. */
export function planningOf(task: Task, version: number, replan: Planning["replan"]): Planning {
  const call = task.abandoned?.version === version ? task.abandoned.call + 1 : 1;
  return { ...firstPlanning, version, call, replan };
}

/** A plan that waited for a yes gets none: another one is made in its place, and until then nothing of it begins. */
function replanning(task: Task, event: StampedEvents["task_replanning"]): Task {
  const failed = event.failed_subtask_id === undefined ? {} : { failedSubtaskId: event.failed_subtask_id };
  const approvals = new Map(task.approvals);
  for (const [id, row] of approvals) {
    if (row.kind === "plan" && row.status === "pending")
      approvals.set(id, { ...row, status: "expired", decidedAt: event.at });
  }
  return {
    ...task,
    approvals,
    replans: task.replans + (event.requested_by === "harness" ? 1 : 0),
    planning: planningOf(task, event.version, { reason: event.reason, ...failed }),
  };
}

/** What is completed or under way stays as it is, the rest begins anew, what is gone is retired. */
function subtasksOf(task: Task, event: StampedEvents["task_plan_ready"]): ReadonlyMap<string, Subtask> {
  const wanted = new Set(event.subtask_ids);
  const next = new Map<string, Subtask>();
  for (const [id, subtask] of task.subtasks) {
    if (!wanted.has(id)) next.set(id, retired(subtask, event.reverting.includes(id), event.version));
  }
  for (const spec of event.subtasks) {
    const known = task.subtasks.get(spec.id);
    next.set(spec.id, known !== undefined && staysAsItIs(known) ? known : begun(task, spec, event.seq));
  }
  return next;
}

export function staysAsItIs(subtask: Subtask): boolean {
  return !subtask.retired && (subtask.status.kind === "completed" || isUnderWay(subtask));
}

function retired(subtask: Subtask, reverting: boolean, version: number): Subtask {
  if (subtask.retired) return subtask;
  const reason = `plan ${version} does without it`;
  const status: SubtaskStatus = reverting ? { kind: "reverting", next: "drop", reason } : { kind: "skipped", reason };
  return { ...subtask, status, retired: true };
}

/** It may have to wait for what it did not wait for before, so it lets go of what it held. */
function begun({ brief, subtasks }: Task, spec: SubtaskSpec, seq: number): Subtask {
  const known = subtasks.get(spec.id);
  const last = { attempt: 0, startedSeq: 1, critiques: [], changedPaths: [], ...known };
  return {
    spec,
    outputs: outputPaths(spec.expected_outputs, brief.workspace),
    status: { kind: "queued" },
    attempt: last.startedSeq > 0 ? last.attempt + 1 : last.attempt,
    leg: 1,
    failures: 0,
    tier: spec.model_tier,
    startedSeq: 0,
    critiques: last.critiques,
    changedPaths: last.changedPaths,
    stats: freshStats,
    delivery: null,
    verdict: null,
    waitingSince: null,
    leaseWaits: [],
    leasesFrom: seq,
    retired: false,
  };
}
