/**
 * What the log looks like from outside: an event as the JSON that SSE carries in `data` and /events in its array, and rows of
 * tasks and memory. An event is put into text once, however many clients read it.
 */
import { z } from "zod";
import { type EventType, eventSchema, type TaskEvent } from "../domain/event.ts";
import { runIdOf } from "../domain/ids.ts";
import { fitted, shortened } from "../lib/fitting.ts";
import type { GlobalEvent, TaskRow } from "../ports/event-store.ts";
import type { Token } from "../ports/feed.ts";
import type { MemoryRow } from "../ports/memory.ts";

const moment = z.iso.datetime();
const dataBytesMax = 16 * 1024;
const goalCharsMax = 2000;

const texts = new WeakMap<TaskEvent, string>();
const frames = new WeakMap<object, Buffer>();

/** One line of JSON: `{event_type, task_id, run_id, seq, timestamp, subtask_id?, data, truncated?}`. */
export function eventText(taskId: string, event: TaskEvent): string {
  const known = texts.get(event);
  if (known !== undefined) return known;
  const { type, seq, at, ...facts } = event;
  const subtaskId = "subtask_id" in facts ? facts.subtask_id : undefined;
  const envelope = {
    event_type: type,
    task_id: taskId,
    run_id: runIdOf(taskId),
    seq,
    timestamp: timeOf(at),
    subtask_id: subtaskId,
  };
  const data = fitted(withTimes(facts), dataBytesMax) ?? { text: "{}", isCut: true };
  const text = `${JSON.stringify(envelope).slice(0, -1)},"data":${data.text}${data.isCut ? ',"truncated":true' : ""}}`;
  texts.set(event, text);
  return text;
}

export function taskFrame(taskId: string, event: TaskEvent): Buffer {
  return frameFor(event, () => `id: ${event.seq}\nevent: ${event.type}\ndata: ${eventText(taskId, event)}\n\n`);
}

export function globalFrame(item: GlobalEvent): Buffer {
  return frameFor(
    item,
    () => `id: g${item.g}\nevent: ${item.event.type}\ndata: ${eventText(item.taskId, item.event)}\n\n`,
  );
}

/** Without an id: tokens are not in the log, and a client resumes from the event before them. */
export function streamedTokenFrame(taskId: string, token: Token): Buffer {
  const data = { event_type: "token_streamed", task_id: taskId, subtask_id: token.subtaskId, data: tokenFacts(token) };
  return frameFor(token, () => `event: token_streamed\ndata: ${JSON.stringify(data)}\n\n`);
}

/** The same token on the stream of tokens alone; its own text, since the other form is kept under the token itself. */
export function plainTokenFrame(token: Token): string {
  return `event: token\ndata: ${JSON.stringify(tokenFacts(token))}\n\n`;
}

export function taskRow(row: TaskRow): Readonly<Record<string, unknown>> {
  return {
    task_id: row.taskId,
    run_id: runIdOf(row.taskId),
    goal: shortened(row.goal, goalCharsMax),
    status: row.status,
    workspace: row.workspace,
    last_seq: row.lastSeq,
    created_at: timeOf(row.createdAt),
    updated_at: timeOf(row.updatedAt),
  };
}

export function memoryRow(row: MemoryRow): Readonly<Record<string, unknown>> {
  return {
    id: row.id,
    task_id: row.taskId,
    subtask_id: row.subtaskId,
    entry_type: row.entryType,
    summary: row.summary,
    detail: row.detail,
    tags: row.tags,
    relevance_to: row.relevanceTo,
    seq: row.seq,
    timestamp: timeOf(row.at),
  };
}

function tokenFacts({ token, subtaskId, model }: Token): Readonly<Record<string, string>> {
  return { token, subtask_id: subtaskId, model };
}

function frameFor(owner: object, make: () => string): Buffer {
  const known = frames.get(owner);
  if (known !== undefined) return known;
  const frame = Buffer.from(make());
  frames.set(owner, frame);
  return frame;
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}

/** Facts that are moments: epoch milliseconds in the log, ISO 8601 here. */
const moments: readonly string[] = ["expires_at", "until"];

/** The facts of an event as a client reads them. */
export function wireSchema(type: EventType): z.ZodObject {
  const schema = eventSchema(type);
  const told = Object.entries(schema.shape).flatMap(([name, member]) =>
    moments.includes(name) ? [[name, member instanceof z.ZodOptional ? moment.optional() : moment] as const] : [],
  );
  return told.length === 0 ? schema : schema.extend(Object.fromEntries(told));
}

function withTimes(facts: object): object {
  const told = Object.entries(facts).map(([name, value]: [string, unknown]) =>
    moments.includes(name) && typeof value === "number" ? [name, timeOf(value)] : [name, value],
  );
  return Object.fromEntries(told) as object;
}
