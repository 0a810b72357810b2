/** Admission: which open tasks may have work in flight now. One task a workspace, a bounded number of tasks begun, the oldest first. */
import type { Held } from "../domain/view.ts";

export interface Candidate {
  readonly taskId: string;
  readonly workspace: string;
  /** Has had work in flight before: it keeps its workspace before those that only want one, and is not made to stand still for a place. */
  readonly begun: boolean;
  /** Waits for a person or is paused: it keeps its workspace, but takes no place. */
  readonly parked: boolean;
}

export interface Admission {
  readonly admitted: boolean;
  readonly held: Held | null;
}

export interface AdmissionRules {
  readonly openTasksMax: number;
  /** Lifts the rule of one task a workspace. */
  readonly sharedWorkspaces: boolean;
}

/**
 * @param candidates open tasks, oldest first
 * @see DECISIONS 3
 */
export function admissions(candidates: readonly Candidate[], rules: AdmissionRules): ReadonlyMap<string, Admission> {
  const result = new Map<string, Admission>();
  const claims = new Claims();
  let places = rules.openTasksMax;
  const byTurn = [...candidates.filter(({ begun }) => begun), ...candidates.filter(({ begun }) => !begun)];
  for (const { taskId, workspace, begun, parked } of byTurn) {
    const holder = rules.sharedWorkspaces ? null : claims.holderOf(workspace);
    if (holder !== null) {
      const reason = `task ${holder.taskId} works in ${holder.workspace}`;
      result.set(taskId, { admitted: false, held: { kind: "workspace", id: holder.taskId, reason } });
    } else if (begun || places > 0) {
      claims.add(taskId, workspace);
      if (!parked) places -= 1;
      result.set(taskId, { admitted: true, held: null });
    } else {
      result.set(taskId, { admitted: false, held: null });
    }
  }
  return result;
}

interface Claim {
  readonly taskId: string;
  readonly workspace: string;
}

/** Workspaces in use, found by their own path, by one above and by one below. */
class Claims {
  readonly #at = new Map<string, Claim>();
  readonly #below = new Map<string, Claim>();

  add(taskId: string, workspace: string): void {
    const claim = { taskId, workspace };
    const [own = "", ...above] = foldersOf(workspace);
    this.#at.set(own, claim);
    for (const folder of above) if (!this.#below.has(folder)) this.#below.set(folder, claim);
  }

  /** The task whose workspace is this one, holds it or lies in it; null when there is none. */
  holderOf(workspace: string): Claim | null {
    const [own = "", ...above] = foldersOf(workspace);
    for (const folder of [own, ...above]) {
      const claim = this.#at.get(folder);
      if (claim !== undefined) return claim;
    }
    return this.#below.get(own) ?? null;
  }
}

/** A path and all folders that it lies in, from the inside out: /a/b → /a/b, /a, "" (the root). */
function foldersOf(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  return Array.from({ length: parts.length + 1 }, (_, cut) => parts.slice(0, parts.length - cut).join("/"));
}
