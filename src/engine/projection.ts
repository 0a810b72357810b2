/** What is kept beside the log in the same append: the row that lists need, and the webhooks that a terminal event owes. */
import type { Event, TaskEvent } from "../domain/event.ts";
import { changesOf, isClosed, planned, type Task } from "../domain/task.ts";
import { statusOf, viewOf } from "../domain/view.ts";
import { fitted, shortened } from "../lib/fitting.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import type { OutboxRow, TaskRow } from "../ports/event-store.ts";

export function rowOf(task: Task): TaskRow {
  return {
    taskId: task.id,
    goal: task.brief.goal,
    status: statusOf(task),
    workspace: task.brief.workspace,
    // An undo that was asked for after the end is wanted work too: a restart must find it.
    open: !isClosed(task) || task.undos.length > 0,
    createdAt: task.createdAt,
    updatedAt: task.updatedAt,
    lastSeq: task.lastSeq,
  };
}

/** Standard Webhooks asks for less than 20 kB. */
const bodyBytesMax = 18_000;

const webhookTypes: Partial<Record<Event["type"], string>> = {
  task_completed: "task.completed",
  task_failed: "task.failed",
  task_cancelled: "task.cancelled",
  approval_requested: "task.approval_requested",
  ask_user_requested: "task.ask_user_requested",
};

/** @param task as it is after `events` */
export function outboxOf(task: Task, events: readonly TaskEvent[]): OutboxRow[] {
  const { callback_url: url, callback_events } = task.brief;
  if (url === undefined) return [];
  return events.flatMap((event) => {
    const type = webhookTypes[event.type];
    const beside = event.type === "approval_requested" || event.type === "ask_user_requested";
    if (type === undefined || (beside && !callback_events.includes(event.type))) return [];
    return [
      {
        deliveryId: `msg_${task.id.slice("task_".length)}_${event.seq}`,
        taskId: task.id,
        url,
        type,
        body: bodyOf(task, event, type),
        dueAt: event.at,
      },
    ];
  });
}

/** The guide's flat fields, and the envelope of Standard Webhooks beside them. */
function bodyOf(task: Task, event: TaskEvent, type: string): Json {
  const view = viewOf(task);
  const subtasks = planned(task);
  const { seq, at, type: _type, ...facts } = event;
  const told = {
    type,
    timestamp: new Date(at).toISOString(),
    task_id: task.id,
    run_id: view.run_id,
    status: view.status,
    goal: shortened(task.brief.goal, 4000),
    subtasks_completed: view.progress.completed,
    subtasks_failed: view.progress.failed,
    subtasks_flagged: subtasks.filter(({ status }) => status.kind === "completed" && status.flagged).length,
    workspace_changes: view.workspace_changes,
    files_changed: changesOf(task).length,
    data: { seq, ...facts },
  };
  const fits = fitted(told, bodyBytesMax);
  // What was cut stands whole in the log.
  if (fits === null) return { type, timestamp: told.timestamp, task_id: task.id, status: view.status, truncated: true };
  const body = JSON.parse(fits.text) as JsonObject;
  return fits.isCut ? { ...body, truncated: true } : body;
}
