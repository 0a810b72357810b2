/** Holders: whose a path is, as the state of a task says it. Only a subtask that has not come to its end holds anything. */
import { type Claim, claimed, claimsOn } from "./lease.ts";
import type { Subtask, Task } from "./task.ts";

export interface HeldPath {
  readonly path: string;
  readonly holder: string;
}

const ended: ReadonlySet<Subtask["status"]["kind"]> = new Set(["completed", "failed", "blocked", "skipped"]);

/** @returns the first of these paths that another subtask holds, or null */
export function heldByOther(task: Task, id: string, paths: Iterable<string>): HeldPath | null {
  for (const path of paths) {
    const holder = claimsOn(task.leases, path).find((claim) => isLive(task, claim))?.holder ?? id;
    if (holder !== id) return { path, holder };
  }
  return null;
}

/** The task with these paths claimed by a subtask; where another one holds a path, it comes behind that one. */
export function withClaims(task: Task, claim: Claim, paths: readonly string[]): Task {
  if (paths.length === 0 || !task.subtasks.has(claim.holder)) return task;
  return { ...task, leases: claimed(task.leases, { paths, claim }, (earlier) => isLive(task, earlier)) };
}

function isLive(task: Task, { holder, seq }: Claim): boolean {
  const subtask = task.subtasks.get(holder);
  return subtask !== undefined && !ended.has(subtask.status.kind) && seq >= subtask.leasesFrom;
}

/** @returns what a subtask that is parked for a path waits for; null when nobody holds that any more, or it is not parked so */
export function awaitedLease(task: Task, id: string): (HeldPath & { readonly since: number }) | null {
  const status = task.subtasks.get(id)?.status;
  if (status?.kind !== "parked" || status.on !== "lease") return null;
  const held = heldByOther(task, id, [status.path]);
  return held === null ? null : { ...held, since: status.since };
}

export function heldText({ holder, path }: HeldPath): string {
  return `"${path}" is held by subtask "${holder}" until that is verified`;
}
