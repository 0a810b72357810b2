/** Outcomes: what follows when an executor failed, by what it was about; and when something was put back, or extracted. */
import { failAttempt } from "./attempts.ts";
import { checksRan } from "./checking.ts";
import { failTask, joinedSummaries } from "./closing.ts";
import type { Draft } from "./draft.ts";
import type { EffectKind, EffectOf } from "./effect.ts";
import type { EventOf } from "./event.ts";
import { ifKind } from "./narrowing.ts";
import { propose } from "./planning.ts";
import type { MemoryEntry, Report } from "./report.ts";
import type { Verdict } from "./verdict.ts";
import { judge } from "./verdicts.ts";

type Failure = Extract<Report, { readonly type: "Failed" }>;
type Undone = Omit<EventOf<"undo_applied">, "type" | "k" | "subtask_id">;

export function failed<K extends EffectKind>(
  draft: Draft,
  failure: Failure,
  effect: { [P in K]: EffectOf<P> & { readonly kind: P } }[K],
): void {
  failures[effect.kind](draft, failure, effect);
}

type Failures = { readonly [K in EffectKind]: (draft: Draft, failure: Failure, effect: EffectOf<K>) => void };

const failures: Failures = {
  work: (draft, { class: failure, feedback }, { subtaskId }) =>
    failAttempt(draft, subtaskId, { class: failure, feedback, tier: 0 }),
  verify: (draft, { feedback }, effect) => judge(draft, effect, unverified(feedback)),
  plan: (draft, { class: failure, feedback }, effect) => {
    if (failure === "model") failTask(draft, "model_refused", feedback);
    else propose(draft, effect, { subtasks: [], flaws: [feedback] });
  },
  extract: (draft, { feedback }, { subtaskId: subtask_id }) => {
    const reason = feedback.slice(0, 500);
    draft.say({ type: "extraction_settled", subtask_id, dropped: true, entries: 0, reason });
  },
  answer: (draft) => {
    const answer = joinedSummaries(draft.task);
    draft.say({ type: "subtask_delivered", subtask_id: "answer", attempt: 1, ...answer, digest: "" });
  },
  check: (draft, { feedback }, { round }) =>
    checksRan(draft, [{ name: "checks", passed: false, detail: feedback.slice(0, 2000) }], round),
  revert: (draft, { feedback }, effect) => reverted(draft, effect, nothingRestored(feedback)),
  undo: (draft, { feedback }, { k }) => draft.say({ type: "undo_applied", k, ...nothingRestored(feedback) }),
  wait: () => undefined,
};

/** A verifier that fails says nothing about the work. */
function unverified(feedback: string): Verdict {
  return {
    tier: 0,
    outcome: "inconclusive",
    reason_code: "infra_verifier_error",
    severity_class: "infra",
    feedback,
    issues: [],
    checks: [],
    independent: false,
  };
}

function nothingRestored(reason: string): Undone {
  const conflicts = [{ path: "*", reason: reason.slice(0, 500) }];
  return { restored: [], conflicts, skipped: [], changes: [], undone_ids: [] };
}

export function reverted(draft: Draft, { subtaskId }: EffectOf<"revert">, undone: Undone): void {
  draft.say({ type: "undo_applied", subtask_id: subtaskId, ...undone });
  ifKind(draft.subtask(subtaskId).status, "reverting", ({ next, reason }) => {
    if (next === "drop") draft.say({ type: "subtask_skipped", subtask_id: subtaskId, reason });
    else failAttempt(draft, subtaskId, { class: "rejected", feedback: reason, tier: 0, final: next === "fail" });
  });
}

export function extracted(draft: Draft, id: string, entries: readonly MemoryEntry[]): void {
  for (const { tags, relevance_to, ...entry } of entries) {
    const memory = { ...entry, tags: [...tags], relevance_to: [...relevance_to] };
    draft.say({ type: "memory_recorded", subtask_id: id, ...memory });
  }
  draft.say({ type: "extraction_settled", subtask_id: id, dropped: false, entries: entries.length });
}
