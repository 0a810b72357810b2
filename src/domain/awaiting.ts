/**
 * What a task awaits: a person, a time, or a path that another subtask holds. Law 2 reads it: an open task has work in flight,
 * or something stands here.
 */
import { idOf, pendingRows } from "./effects.ts";
import { awaitedLease, heldText } from "./holders.ts";
import { isClosed, type Task } from "./task.ts";

export interface AwaitingView {
  readonly kind: "approval" | "question" | "resume" | "time" | "lease" | "workspace" | "storage" | "operator";
  readonly id: string;
  readonly since?: string;
  readonly until?: string;
  readonly reason?: string;
}

export function awaitingOf(task: Task): AwaitingView[] {
  if (isClosed(task)) return [];
  const awaiting: AwaitingView[] = pendingRows(task).map((row) => ({
    kind: "approval_id" in row ? "approval" : "question",
    id: idOf(row),
    since: iso(row.requestedAt),
  }));
  if (task.paused !== "no") awaiting.push({ kind: "resume", id: task.id });
  if (task.planning?.wait) {
    const until = iso(task.planning.wait.until);
    awaiting.push({ kind: "time", id: "plan", until, reason: "its model is not available" });
  }
  for (const { spec, status } of task.subtasks.values()) {
    const held = awaitedLease(task, spec.id);
    if (held !== null) awaiting.push({ kind: "lease", id: spec.id, since: iso(held.since), reason: heldText(held) });
    if (status.kind !== "backoff") continue;
    awaiting.push({ kind: "time", id: spec.id, until: iso(status.until), reason: status.reason });
  }
  return awaiting;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
