/**
 * What a client is told when retention has taken what it asks for: a `stream_gap`, and of a task whose log is gone the event of
 * its end, made again from the view. @see DECISIONS 28
 */
import { z } from "zod";
import type { Event, TaskEvent } from "../domain/event.ts";
import { runIdOf } from "../domain/ids.ts";
import type { TaskView } from "../domain/view.ts";
import type { Loom } from "../ports/loom.ts";
import { unhurried } from "./door.ts";

export interface Gap {
  readonly from: number;
  /** The first event there still is; null when there is none. */
  readonly firstAvailable: number | null;
  readonly lastSeq: number;
}

/** @returns null when the log goes on right after `after`, or ends there */
export async function gapAfter(
  loom: Pick<Loom, "events">,
  { task_id: taskId, last_seq: lastSeq }: TaskView,
  after: number,
): Promise<Gap | null> {
  if (after >= lastSeq) return null;
  const [next] = await loom.events(taskId, { after, limit: 1, waitMs: 0, signal: unhurried });
  if (next?.seq === after + 1) return null;
  return { from: after, firstAvailable: next?.seq ?? null, lastSeq };
}

export const GapAnswer = z.looseObject({
  event_type: z.literal("stream_gap"),
  task_id: z.string(),
  run_id: z.string(),
  data: z
    .looseObject({ from: z.int(), first_available: z.int().nullable(), last_seq: z.int() })
    .describe("Retention took what stood between; null when nothing of the log is left."),
});

/** One line of JSON, shaped as an event's, without a place in the numbering. */
export function gapText(taskId: string, { from, firstAvailable, lastSeq }: Gap): string {
  return JSON.stringify({
    event_type: "stream_gap",
    task_id: taskId,
    run_id: runIdOf(taskId),
    data: { from, first_available: firstAvailable, last_seq: lastSeq },
  });
}

export function gapFrame(taskId: string, gap: Gap): string {
  return `event: stream_gap\ndata: ${gapText(taskId, gap)}\n\n`;
}

/** Ids here are those of the stream of all tasks. */
export function globalGapFrame({
  from,
  firstAvailable,
}: {
  readonly from: number;
  readonly firstAvailable: number;
}): string {
  const data = { event_type: "stream_gap", data: { from: `g${from}`, first_available: `g${firstAvailable}` } };
  return `event: stream_gap\ndata: ${JSON.stringify(data)}\n\n`;
}

export function isTerminal({ status }: TaskView): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

/** The end of a task whose log is gone, at its last place; null when the task is not over. */
export function endOf(view: TaskView): TaskEvent | null {
  const event = endingOf(view);
  if (event === null) return null;
  return { ...event, seq: view.last_seq, at: Date.parse(view.completed_at ?? view.updated_at) };
}

function endingOf({ status, progress: { completed, total_subtasks: total }, result, errors }: TaskView): Event | null {
  const last = errors.at(-1)?.error ?? "";
  switch (status) {
    case "completed":
      return {
        type: "task_completed",
        completed,
        total,
        summary: result?.summary ?? "",
        answer: result?.answer ?? "",
        subtasks_flagged: [],
      };
    case "failed":
      return { type: "task_failed", completed, total, reason: last, message: last, failed_subtasks: [] };
    case "cancelled":
      return { type: "task_cancelled", completed, total, reason: last };
    case "pending":
    case "planning":
    case "waiting_approval":
    case "executing":
    case "paused":
      return null;
  }
}
