/** Recovery: what an attempt that follows a failed one shall do differently, and when another one would only be the same again. */
import { netChanges, type RecordedChange, sameState } from "./change.ts";
import type { FailureClass } from "./event.ts";
import { changesOf, type Subtask, type Task } from "./task.ts";

/** Reason codes of a verdict that ask for something more exact than "do better". @see sfw-loom.md 5.5 */
const strategies: Readonly<Record<string, string>> = {
  no_work_shown: "evidence_gap",
  claim_unproven: "evidence_gap",
  output_missing: "targeted",
  output_empty: "targeted",
  output_hollow: "targeted",
  syntax_broken: "targeted",
  tests_lost: "restore",
  check_changed: "restore",
  no_tests_ran: "checks",
  check_failed: "checks",
};

/** @returns the name of the way that the next attempt shall take; the class itself where nothing more exact is known */
export function strategyOf(failure: FailureClass, reasonCode = ""): string {
  return failure === "semantic" ? (strategies[reasonCode] ?? failure) : failure;
}

/**
 * Where a second failure of the same kind says something about the work. What comes from outside may pass by itself, a
 * person's no is not counted, and what is blocked twice has a rule of its own.
 */
const comparable: ReadonlySet<FailureClass> = new Set(["semantic", "no_output", "loop", "denied", "tool", "context"]);

/**
 * Did the attempt that now fails come to the very point where the one before it, under the same plan, had failed: the same
 * critique, and the same files left behind?
 */
export function madeNoProgress(
  task: Task,
  subtask: Subtask,
  failure: { readonly class: FailureClass; readonly feedback: string },
): boolean {
  const last = subtask.critiques.at(-1);
  if (last === undefined || subtask.failures === 0 || !comparable.has(failure.class)) return false;
  if (last.class !== failure.class || sameWords(last.feedback) !== sameWords(failure.feedback)) return false;
  const changes = changesOf(task).filter(({ subtaskId, undone }) => subtaskId === subtask.spec.id && !undone);
  return sameOutcome(
    changes.filter(({ seq }) => seq < last.seq),
    changes,
  );
}

const wordsCompared = 600;

/** Numbers, times and spaces differ between two runs that fail alike. */
function sameWords(feedback: string): string {
  return feedback.replace(/\d+/g, "#").replace(/\s+/g, " ").trim().slice(0, wordsCompared);
}

function sameOutcome(earlier: readonly RecordedChange[], now: readonly RecordedChange[]): boolean {
  if (earlier.length === now.length) return true;
  const before = new Map(netChanges(earlier).map(({ path, after }) => [path, after]));
  const after = netChanges(now);
  return (
    after.length === before.size &&
    after.every((change) => {
      const known = before.get(change.path);
      return known !== undefined && sameState(known, change.after);
    })
  );
}
