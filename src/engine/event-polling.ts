/** Waiting for what a log brings next: the long-poll twin of the stream. */

import type { EventStore } from "../ports/event-store.ts";
import type { Loom } from "../ports/loom.ts";
import type { Clock } from "../ports/runtime.ts";
import { deadlineIn } from "./deadline.ts";
import type { Supervisor } from "./supervisor.ts";
import { taskOf } from "./task-access.ts";

export interface EventPorts {
  readonly supervisor: Supervisor;
  readonly store: EventStore;
  readonly clock: Clock;
}

/** Reads the log itself, so that a task that is set aside can still be read. @throws LoomError not_found */
export async function eventsAfter(
  { supervisor, store, clock }: EventPorts,
  taskId: string,
  { after, limit, waitMs, signal }: Parameters<Loom["events"]>[1],
): ReturnType<Loom["events"]> {
  if ((await store.row(taskId)) === null) await taskOf({ supervisor }, taskId);
  using deadline = deadlineIn(clock, waitMs, signal);
  for (;;) {
    const changed = supervisor.nextChange(taskId, deadline.signal);
    const found = await store.read(taskId, { after, limit });
    if (found.length > 0 || deadline.signal.aborted || supervisor.draining) return found;
    await changed;
  }
}
