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

/** The open tasks, judged. One that comes later changes nothing for those before it. @see DECISIONS 3 */
export class Admissions {
  readonly #rules: AdmissionRules;
  readonly #claims = new Claims();
  readonly #judgements = new Map<string, Admission>();
  #places: number;

  /** @param candidates open tasks, oldest first */
  constructor(candidates: readonly Candidate[], rules: AdmissionRules) {
    this.#rules = rules;
    this.#places = rules.openTasksMax;
    for (const candidate of candidates) if (candidate.begun) this.add(candidate);
    for (const candidate of candidates) if (!candidate.begun) this.add(candidate);
  }

  get all(): ReadonlyMap<string, Admission> {
    return this.#judgements;
  }

  /** Judges one that comes behind all others. */
  add(candidate: Candidate): Admission {
    const admission = this.#judged(candidate);
    this.#judgements.set(candidate.taskId, admission);
    return admission;
  }

  #judged({ taskId, workspace, begun, parked }: Candidate): Admission {
    const holder = this.#rules.sharedWorkspaces ? null : this.#claims.holderOf(workspace);
    if (holder !== null) {
      const reason = `task ${holder.taskId} works in ${holder.workspace}`;
      return { admitted: false, held: { kind: "workspace", id: holder.taskId, reason } };
    }
    if (!begun && this.#places <= 0) return { admitted: false, held: null };
    this.#claims.add(taskId, workspace);
    if (!parked) this.#places -= 1;
    return { admitted: true, held: null };
  }
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

/** A path and all folders that it lies in, from the inside out: /a/b → a/b, a, "" (the root). */
function foldersOf(path: string): string[] {
  const own = path
    .split("/")
    .filter((part) => part !== "")
    .join("/");
  const folders = [own];
  for (let cut = own.lastIndexOf("/"); cut > 0; cut = own.lastIndexOf("/", cut - 1)) folders.push(own.slice(0, cut));
  return own === "" ? folders : [...folders, ""];
}
