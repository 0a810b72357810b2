/** What is kept beside the log in the same append: the row that lists need, and the webhooks that a terminal event owes. */
import type { Event, TaskEvent } from "../domain/event.ts";
import { changesOf, isClosed, planned, type Task } from "../domain/task.ts";
import { statusOf, viewOf } from "../domain/view.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
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
    goal: task.brief.goal.slice(0, 4000),
    subtasks_completed: view.progress.completed,
    subtasks_failed: view.progress.failed,
    subtasks_flagged: subtasks.filter(({ status }) => status.kind === "completed" && status.flagged).length,
    workspace_changes: view.workspace_changes,
    files_changed: changesOf(task).length,
    data: { seq, ...facts },
  };
  return fitted(JSON.parse(JSON.stringify(told)) as Json);
}

/** Cuts long texts and lists until it fits; what was cut is said, and stands whole in the log. */
function fitted(body: Json): Json {
  for (const max of [4000, 1000, 250]) {
    if (sizeOf(body) <= bodyBytesMax) return body;
    body = { ...(cut(body, max) as JsonObject), truncated: true };
  }
  return body;
}

function cut(value: Json, max: number): Json {
  if (typeof value === "string") return value.length > max ? `${value.slice(0, max)}…` : value;
  if (Array.isArray(value)) return value.slice(0, max / 10).map((inner: Json) => cut(inner, max));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, cut(inner, max)]));
}

function sizeOf(body: Json): number {
  return new TextEncoder().encode(JSON.stringify(body)).byteLength;
}
