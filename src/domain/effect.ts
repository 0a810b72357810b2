/** Effects: the work that should be in flight for a task, each with a key that stays the same until the work is another. */

import { unreachable } from "../lib/result.ts";
import type { UndoScope } from "./event.ts";
import type { Tier } from "./plan.ts";

/** `run`: start it, keep it running. `yield`: let it end at its next step boundary, start nothing. */
export type EffectMode = "run" | "yield";

export type EffectWork =
  | { readonly kind: "plan"; readonly version: number; readonly call: number }
  | {
      readonly kind: "work";
      readonly subtaskId: string;
      readonly attempt: number;
      readonly leg: number;
      readonly tier: Tier;
    }
  | {
      readonly kind: "verify";
      readonly subtaskId: string;
      readonly attempt: number;
      readonly try: number;
      readonly tier: number;
    }
  | { readonly kind: "revert"; readonly subtaskId: string; readonly attempt: number }
  | { readonly kind: "extract"; readonly subtaskId: string }
  | { readonly kind: "check"; readonly round: number }
  | { readonly kind: "answer"; readonly call: number }
  | { readonly kind: "undo"; readonly k: number; readonly scope: UndoScope; readonly id?: string }
  | { readonly kind: "wait"; readonly what: string; readonly n: number; readonly until: number };

export type EffectKind = EffectWork["kind"];
export type Effect = EffectWork & { readonly key: string; readonly mode: EffectMode };
export type EffectOf<K extends EffectKind> = Extract<Effect, { readonly kind: K }>;

/** What the wait for the end of the wall budget is named; no subtask can be named so, an id has no colon. */
export const wallBudget = "budget:wall";

export function keyOf(work: EffectWork): string {
  switch (work.kind) {
    case "plan":
      return `plan:${work.version}:${work.call}`;
    case "work":
      return `work:${work.subtaskId}:${work.attempt}:${work.leg}`;
    case "verify":
      return `verify:${work.subtaskId}:${work.attempt}:${work.try}`;
    case "revert":
      return `revert:${work.subtaskId}:${work.attempt}`;
    case "extract":
      return `extract:${work.subtaskId}`;
    case "check":
      return `check:${work.round}`;
    case "answer":
      return `answer:${work.call}`;
    case "undo":
      return `undo:${work.k}`;
    case "wait":
      return `wait:${work.what}:${work.n}`;
    default:
      return unreachable(work);
  }
}

/** The journal an effect writes to: legs of one attempt share theirs. */
export function journalScopeOf(work: EffectWork): string {
  return work.kind === "work" ? `work:${work.subtaskId}:${work.attempt}` : keyOf(work);
}
