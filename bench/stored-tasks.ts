/** Tasks as a store gets them, without an engine: a log that folds, steps with bodies, blobs that they name. */
import { createHash } from "node:crypto";
import type { Event, TaskEvent } from "../src/domain/event.ts";
import { defaultRules } from "../src/domain/rules.ts";
import type { Append, Blob, EventStore, StepRow } from "../src/ports/event-store.ts";

const goal = "Write six files, each from what is read of the workspace, and check each of them.";

const created: Event = {
  type: "task_created",
  goal,
  workspace: "/work/soak",
  context: {},
  metadata: {},
  approval_mode: "auto",
  callback_events: [],
  checks: [],
  budget: {},
  approve_plan: false,
  approvers: "wait",
  submitted_by: "bench",
  rules: defaultRules,
};

function called(nth: number): Event {
  const step = `turn-${nth >> 1}`;
  const call = { subtask_id: "s1", role: "executor", step, attempt: 1, iteration: nth >> 1, model: "hands" } as const;
  if (nth % 2 === 0) return { type: "model_invocation", phase: "start", ...call, request_chars: 12_000 };
  return { type: "model_invocation", phase: "done", ...call, finish: "tool_calls", duration_ms: 812 };
}

const ended: Event = { type: "task_cancelled", completed: 0, total: 0, reason: "enough" };

export interface Writing {
  readonly store: Pick<EventStore, "append">;
  readonly taskId: string;
  readonly events: number;
  /** How many events an append carries. */
  readonly together: number;
  readonly now: () => number;
  /** Steps and blobs beside each append. */
  readonly beside?: (nth: number) => { readonly steps: readonly StepRow[]; readonly blobs: readonly Blob[] };
  readonly close: boolean;
}

/** Writes one task from its beginning to its end, each append waiting for the one before, as a driver does. */
export async function writeTask(writing: Writing): Promise<void> {
  for (let seq = 0; seq < writing.events; seq += writing.together) {
    const result = await writing.store.append(appendAfter(seq, writing));
    if (result.kind !== "appended") throw new Error(`${writing.taskId}: ${result.kind}`);
  }
}

function appendAfter(after: number, { taskId, events, together, now, beside, close }: Writing): Append {
  const lastSeq = Math.min(events, after + together);
  const isEnd = close && lastSeq === events;
  const stamped = Array.from({ length: lastSeq - after }, (_, index): TaskEvent => {
    const seq = after + index + 1;
    const event = seq === 1 ? created : isEnd && seq === lastSeq ? ended : called(seq);
    return { ...event, seq, at: now() };
  });
  return {
    taskId,
    expectedSeq: after,
    events: stamped,
    projection: {
      taskId,
      goal,
      status: isEnd ? "cancelled" : "executing",
      workspace: "/work/soak",
      open: !isEnd,
      createdAt: now(),
      updatedAt: now(),
      lastSeq,
    },
    ...beside?.(lastSeq),
  };
}

/** A step with a body of about `chars`, and the blobs that it names. */
export function stepWith(name: string, chars: number, blobs: readonly Blob[]): StepRow {
  const changes = blobs.map(({ digest }) => ({ path: `${name}.txt`, digest }));
  const body = `${name} `.repeat(Math.ceil(chars / (name.length + 1)));
  return { scope: "work:s1:1", step: name, effectClass: "pure", started: { changes }, ended: { result: { body } } };
}

export function blobOf(text: string): Blob {
  const bytes = new TextEncoder().encode(text);
  return { digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, bytes };
}
