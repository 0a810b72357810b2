/** Writing to the log of one task: what became of an append, also where someone else wrote or nobody knows. */
import type { Task } from "../domain/task.ts";
import { canonicalJson } from "../lib/json.ts";
import type { Append, AppendResult, EventStore } from "../ports/event-store.ts";
import type { Drafted } from "./batch.ts";
import { folded, readLog } from "./log-reading.ts";

export type Written =
  | Exclude<AppendResult, { readonly kind: "conflict" }>
  /** Someone else wrote: this is the task after what they wrote. */
  | { readonly kind: "conflict"; readonly task: Task }
  | { readonly kind: "failed"; readonly error: unknown };

interface Place {
  readonly taskId: string;
  /** The task as folded so far. */
  readonly task: Task | null;
}

/** Never throws: a failure is an outcome too. */
export async function write(store: EventStore, place: Place, append: Append | null): Promise<Written> {
  try {
    const result = append === null ? ({ kind: "appended" } as const) : await store.append(append);
    return result.kind === "conflict" ? { kind: "conflict", task: await caughtUp(store, place) } : result;
  } catch (error) {
    return { kind: "failed", error };
  }
}

async function caughtUp(store: EventStore, { taskId, task }: Place): Promise<Task> {
  const events = await readLog(store, taskId, task?.lastSeq ?? 0);
  const next = events.reduce<Task | null>((before, event) => folded(taskId, before, event), task);
  if (next !== null && events.length > 0) return next;
  throw new Error(`The store says that the log of ${taskId} goes on, and has nothing more of it`);
}

/** An append that failed may still have been kept. It is ours when the log goes on with exactly its events. */
export async function tookEffect(store: EventStore, { taskId, task }: Place, { stamped }: Drafted): Promise<boolean> {
  if (stamped.length === 0) return false;
  try {
    const found = await readLog(store, taskId, task?.lastSeq ?? 0);
    return canonicalJson(found.slice(0, stamped.length)) === canonicalJson(stamped);
  } catch {
    return false; // the next append says whether the store is well
  }
}
