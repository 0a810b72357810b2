/** Batches as tests write them: events without their numbers, and what a batch must have beside them. */
import { createHash } from "node:crypto";
import type { Event, TaskEvent } from "../../src/domain/event.ts";
import type { Append, Blob, IdempotencyRow, OutboxRow, StepRow, TaskRow } from "../../src/ports/event-store.ts";
import type { Outcome } from "../../src/ports/outbox.ts";

export const startedAt = Date.parse("2025-01-01T00:00:00.000Z");

export type Parts = Omit<Append, "expectedSeq" | "events" | "projection"> & {
  /** The `seq` that the writer has seen; 0 when absent. */
  readonly after?: number;
  readonly events?: readonly Event[];
  readonly row?: Partial<TaskRow>;
};

export function batch({ after = 0, events = [], row = {}, ...parts }: Parts): Append {
  const lastSeq = after + events.length;
  return {
    ...parts,
    expectedSeq: after,
    events: events.map((event, index) => numbered(event, after + index + 1)),
    projection: {
      taskId: parts.taskId,
      goal: `the goal of ${parts.taskId}`,
      status: "executing",
      workspace: "/workspace",
      open: true,
      createdAt: startedAt,
      updatedAt: startedAt + lastSeq,
      lastSeq,
      ...row,
    },
  };
}

export function numbered(event: Event, seq: number): TaskEvent {
  return { ...event, seq, at: startedAt + seq };
}

/** Events that tell themselves apart. */
export function notes(count: number, from = 1): Event[] {
  return Array.from({ length: count }, (_, index) => ({ type: "task_paused", reason: `note ${from + index}` }));
}

export function step(name: string, parts: Partial<StepRow> = {}): StepRow {
  return { scope: "work:a:1", step: name, effectClass: "pure", started: { name }, ...parts };
}

export function blob(content: string | Uint8Array): Blob {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, bytes };
}

export function delivery(deliveryId: string, parts: Partial<OutboxRow> = {}): OutboxRow {
  const body = { type: "task.completed", data: { ok: true } };
  return {
    deliveryId,
    taskId: "task_a",
    url: "http://127.0.0.1:9/done",
    type: "task_completed",
    body,
    dueAt: startedAt,
    ...parts,
  };
}

/** What an attempt came to: by its status delivered or still owed, unless it is said otherwise. */
export function answered(
  statusCode: number,
  { at = startedAt, ...parts }: Partial<Omit<Outcome, "attempt">> & { readonly at?: number } = {},
): Outcome {
  const error = statusCode < 300 ? null : `answered ${statusCode}`;
  const attempt = { at, statusCode, error };
  return { status: error === null ? "delivered" : "pending", dueAt: startedAt, error, ...parts, attempt };
}

export function key(name: string, parts: Partial<IdempotencyRow> = {}): IdempotencyRow {
  return { key: name, fingerprint: "f1", status: 201, body: { task_id: "task_a" }, createdAt: startedAt, ...parts };
}
