/** Undo as a client sees it: asked for, waited for, and answered with what was put back; or only shown beforehand. */

import { undoRefusal } from "../domain/decide.ts";
import { selectedChanges } from "../domain/selection.ts";
import { changesOf, type Task } from "../domain/task.ts";
import { LoomError, refused } from "../lib/errors.ts";
import type { Loom } from "../ports/loom.ts";
import type { Changes, Workspaces } from "../ports/workspace.ts";
import { type Outcome, staleness } from "./batch.ts";
import { deadlineIn } from "./deadline.ts";
import { type EventPorts, eventsAfter } from "./event-polling.ts";
import { type SendPorts, send, taskOf } from "./task-access.ts";

export interface UndoPorts extends EventPorts, SendPorts {
  readonly workspaces: Workspaces;
  readonly changes: Changes;
}

type UndoRequest = Parameters<Loom["undo"]>[1];

const undoWaitMs = 30_000;
const pageSize = 200;

export async function undo(ports: UndoPorts, taskId: string, request: UndoRequest): ReturnType<Loom["undo"]> {
  if (request.preview) return await previewed(ports, await taskOf(ports, taskId), request);
  const { scope, id, by, idempotency, ifSeq } = request;
  const { after, k, replayed } = await send(ports, {
    taskId,
    request: { type: "UndoChanges", scope, by, ...(id === undefined ? {} : { id }) },
    answerOf: requestedOf,
    ...(idempotency === undefined ? {} : { idempotency }),
    ...(ifSeq === undefined ? {} : { ifSeq }),
  });
  // Under a key it is asked for once, and everyone who asks reads the same outcome in the log.
  const outcome = await applied(ports, taskId, { after, k });
  return replayed === undefined ? outcome : { ...outcome, replayed };
}

interface Requested {
  readonly after: number;
  readonly k?: number;
}

function requestedOf({ task, events }: Outcome): Requested {
  const requested = events.find((event) => event.type === "undo_requested");
  return { after: task.lastSeq, ...(requested === undefined ? {} : { k: requested.k }) };
}

async function applied(
  ports: UndoPorts,
  taskId: string,
  wanted: { readonly after: number; readonly k: number | undefined },
): ReturnType<Loom["undo"]> {
  using deadline = deadlineIn(ports.clock, undoWaitMs);
  const { signal } = deadline;
  for (let { after } = wanted; !signal.aborted && !ports.supervisor.draining; ) {
    const found = await eventsAfter(ports, taskId, { after, limit: pageSize, waitMs: undoWaitMs, signal });
    const done = found.find((event) => event.type === "undo_applied" && event.k === wanted.k);
    if (done?.type === "undo_applied") {
      const { conflicts, merged, restored, seq, skipped } = done;
      return { restored, conflicts, skipped, ...(merged === undefined ? {} : { merged }), appliedSeq: seq };
    }
    after = found.at(-1)?.seq ?? after;
  }
  throw new LoomError("storage_failed", `The undo of task ${taskId} was recorded and is still running`, {
    hint: "GET /tasks/{id}/events shows undo_applied when it is done",
  });
}

async function previewed(ports: UndoPorts, task: Task, request: UndoRequest): ReturnType<Loom["undo"]> {
  const refusal = staleness(task, request.ifSeq) ?? undoRefusal(task, request);
  if (refusal !== null) throw refused(refusal);
  const workspace = await ports.workspaces.open(task.brief.workspace);
  const { id, scope } = request;
  const shown = { selected: selectedChanges(task, request), all: changesOf(task), preview: true };
  const subtask = scope === "subtask" && id !== undefined ? { subtask: id } : {};
  const { outcome } = await ports.changes.undo(workspace, { ...shown, ...subtask });
  return { ...outcome, appliedSeq: task.lastSeq };
}
