/** The part of `evolve` about what was done: model calls, tool calls, changes to files and their undoing, and times waited for. */
import type { FileChange, RecordedChange } from "./change.ts";
import type { StampedEvents } from "./event.ts";
import { onPlanning } from "./evolve-plan.ts";
import { evolveSubtask } from "./evolve-subtask.ts";
import { withClaims } from "./holders.ts";
import { leasedBy } from "./lease.ts";
import { callName, reserved, settled } from "./reservation.ts";
import type { Folds, Task } from "./task.ts";

export const stepFolds = {
  model_invocation: modelStep,
  model_context_truncated: (task) => task,
  tool_call_started: (task, event) => ({
    ...withClaims(task, { holder: event.subtask_id, seq: event.seq }, event.writes ?? []),
    usage: { ...task.usage, toolCalls: task.usage.toolCalls + 1 },
    stepsInFlight: new Set(task.stepsInFlight).add(callName(event)),
  }),
  tool_call_completed: (task, event) => evolveSubtask(stepRecorded(task, event), event),
  uncertain_effect: (task) => task,
  files_changed: (task, event) => {
    const { shared_with: sharedWith = [] } = event;
    const from = { id: event.change_id, subtaskId: event.subtask_id, seq: event.seq, sharedWith };
    const changed = evolveSubtask({ ...task, changes: withChanges(task, event.changes, from) }, event);
    // Nobody can tell whose these are, so nobody holds them.
    if (sharedWith.length > 0) return changed;
    return withClaims(changed, { holder: event.subtask_id, seq: event.seq }, leasedBy(event.changes));
  },
  undo_requested: (task, event) => ({
    ...task,
    undoCount: event.k,
    undos: [...task.undos, { k: event.k, scope: event.scope, ...(event.id === undefined ? {} : { id: event.id }) }],
  }),
  undo_applied: undoApplied,
  memory_recorded: (task) => task,
  extraction_settled: (task, event) => ({
    ...task,
    extracts: without(task.extracts, event.subtask_id),
  }),
  subtask_waiting: (task, event) => {
    if (event.subtask_id !== "plan") return leasesGiven(evolveSubtask(task, event), event);
    const wait = { until: event.until ?? event.at, n: event.seq };
    return onPlanning(task, (planning) => ({ ...planning, wait, waitingSince: planning.waitingSince ?? event.at }));
  },
  wait_elapsed: (task, event) =>
    event.what === "plan"
      ? onPlanning(task, (planning) => ({ ...planning, wait: null }))
      : evolveSubtask(leaseTaken(task, event), event),
} satisfies Partial<Folds>;

/** So that subtasks do not wait for each other in a circle, one of them lets go of all that it holds. */
function leasesGiven(task: Task, { lease, seq }: StampedEvents["subtask_waiting"]): Task {
  const giver = lease?.let_go === undefined ? undefined : task.subtasks.get(lease.let_go);
  if (giver === undefined) return task;
  return { ...task, subtasks: new Map(task.subtasks).set(giver.spec.id, { ...giver, leasesFrom: seq }) };
}

/** Who waited for a path holds it from the moment that it is free: nobody gets in before. */
function leaseTaken(task: Task, { seq, what }: StampedEvents["wait_elapsed"]): Task {
  const status = task.subtasks.get(what)?.status;
  if (status?.kind !== "parked" || status.on !== "lease") return task;
  return withClaims(task, { holder: what, seq }, [status.path]);
}

/** A recorded step is progress: what crashes after it is not the same crash again. */
function stepRecorded(task: Task, event: Parameters<typeof callName>[0]): Task {
  return { ...task, recoveries: 0, stepsInFlight: without(task.stepsInFlight, callName(event)) };
}

function without(set: ReadonlySet<string>, member: string): ReadonlySet<string> {
  return new Set([...set].filter((other) => other !== member));
}

function modelStep(task: Task, event: StampedEvents["model_invocation"]): Task {
  const name = callName(event);
  if (event.phase === "start") {
    const kept = event.reserved === undefined ? task : reserved(task, name, { usage: event.reserved, at: event.at });
    const usage = { ...kept.usage, modelCalls: kept.usage.modelCalls + 1 };
    return { ...task, ...kept, usage, stepsInFlight: new Set(task.stepsInFlight).add(name) };
  }
  const next = { ...task, ...settled(task, name, event.usage) };
  if (event.phase === "done") return evolveSubtask(stepRecorded(next, event), event);
  // No progress: it may fail again and again.
  return { ...next, stepsInFlight: without(task.stepsInFlight, name) };
}

interface Origin {
  /** Of the first change; the others of the same step add `.1`, `.2` … */
  readonly id: string;
  readonly subtaskId: string;
  readonly seq: number;
  readonly sharedWith?: readonly string[];
}

function withChanges(task: Task, changes: readonly FileChange[], origin: Origin): Task["changes"] {
  const { id, seq, sharedWith = [], subtaskId } = origin;
  return changes.reduce<Task["changes"]>((rest, change, index) => {
    const value: RecordedChange = {
      ...change,
      changeId: index === 0 ? id : `${id}.${index}`,
      subtaskId,
      seq,
      undone: false,
      ...(sharedWith.length === 0 ? {} : { sharedWith }),
    };
    return { value, rest };
  }, task.changes);
}

/** An undo is recorded as changes of its own. A person's belongs to no subtask: `undo:<k>` can be no subtask's id. */
function undoApplied(task: Task, event: StampedEvents["undo_applied"]): Task {
  const subtaskId = event.subtask_id ?? `undo:${event.k ?? 0}`;
  const next: Task = {
    ...task,
    changes: withChanges(task, event.changes, { id: `chg_undo_${event.seq}`, subtaskId, seq: event.seq }),
    undone: new Set([...task.undone, ...event.undone_ids]),
    undos: task.undos.filter((undo) => undo.k !== event.k),
  };
  return evolveSubtask(next, event);
}
