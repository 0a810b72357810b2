/**
 * Waiting for a path that another subtask holds: who is parked, who goes on when it is free, and who lets go where subtasks
 * would wait for each other in a circle. @see docs/adr/0021-parallel-writers.md
 */
import type { Draft } from "./draft.ts";
import type { EffectOf } from "./effect.ts";
import { awaitedLease, heldByOther, heldText } from "./holders.ts";
import type { Report } from "./report.ts";
import type { Task } from "./task.ts";

/** An attempt ended for a path that was refused to it. It costs none, and goes on when the path is free. */
export function leaseNeeded(
  draft: Draft,
  { path, turn }: Extract<Report, { type: "NeedsLease" }>,
  { attempt, subtaskId: id }: EffectOf<"work">,
): void {
  const holder = heldByOther(draft.task, id, [path])?.holder;
  const letsGo = holder === undefined ? null : youngestInCircle(draft.task, id, holder);
  draft.say({
    type: "subtask_waiting",
    subtask_id: id,
    on: "lease",
    reason: holder === undefined ? `"${path}" was held, and is free by now` : heldText({ path, holder }),
    lease: {
      path,
      attempt,
      turn,
      ...(holder === undefined ? {} : { holder }),
      ...(letsGo === null ? {} : { let_go: letsGo }),
    },
  });
}

/** Said after every decision: who waited for a path that nobody holds any more gets it, one a path, in plan order. */
export function leasesFreed(draft: Draft): void {
  for (const { spec, status } of draft.task.subtasks.values()) {
    if (status.kind !== "parked" || status.on !== "lease") continue;
    if (awaitedLease(draft.task, spec.id) === null) draft.say({ type: "wait_elapsed", what: spec.id, n: status.n });
  }
}

/** Who waits for whom has no circle before: each is parked for one path, and a circle is broken when it would close. */
function youngestInCircle(task: Task, id: string, holder: string): string | null {
  const met = new Set([id]);
  let at: string | null = holder;
  while (at !== null && !met.has(at)) {
    met.add(at);
    at = awaitedLease(task, at)?.holder ?? null;
  }
  if (at !== id) return null;
  return [...task.subtasks.keys()].reduce<string | null>((last, key) => (met.has(key) ? key : last), null);
}
