/** Evidence: what an attempt really did, from its journal and the recorded changes. The executor's own words are no part of it. */

import { type FileChange, isBulk, netChanges, type RecordedChange } from "../../domain/change.ts";
import { journalScopeOf } from "../../domain/effect.ts";
import { changesOf, type Subtask, type Task } from "../../domain/task.ts";
import { unreachable } from "../../lib/result.ts";
import type { EventStore } from "../../ports/event-store.ts";
import { type CallRecord, type PastAttempt, pastAttempt } from "../records.ts";

export interface Evidence {
  readonly attempt: PastAttempt;
  /** Changes of this subtask, all its attempts, that were not undone, but for what tools fill; oldest first. */
  readonly changes: readonly RecordedChange[];
  /** Their net effect. */
  readonly net: readonly FileChange[];
  readonly wrote: boolean;
  /** A command ran and succeeded. One that only prints counts as nothing here and below. */
  readonly ran: boolean;
  readonly read: boolean;
  /** Command lines that this attempt and earlier ones ran, oldest first. */
  readonly commands: readonly string[];
}

export async function evidenceOf(
  events: Pick<EventStore, "steps">,
  task: Task,
  subtask: Subtask,
  attempt: number,
): Promise<Evidence> {
  const subtaskId = subtask.spec.id;
  const scopeOf = (nth: number) =>
    journalScopeOf({ kind: "work", subtaskId, attempt: nth, leg: 1, tier: subtask.tier });
  const past = pastAttempt(await events.steps(task.id, scopeOf(attempt)));
  const earlier: string[] = [];
  for (let before = 1; before < attempt; before += 1)
    earlier.push(...commandsOf(pastAttempt(await events.steps(task.id, scopeOf(before)))));
  const changes = changesOf(task).filter(
    (change) => change.subtaskId === subtaskId && !change.undone && !isBulk(change.path),
  );
  const counts = past.calls
    .map(({ record }) => record)
    .filter(({ success, command = "" }) => success && !onlyPrints(command));
  const shows = (kind: CallRecord["kind"]) => counts.some((record) => record.kind === kind);
  return {
    attempt: past,
    changes,
    net: netChanges(changes),
    wrote: shows("write"),
    ran: shows("command"),
    read: shows("read") || shows("command") || shows("write"),
    commands: [...earlier, ...commandsOf(past)],
  };
}

function commandsOf({ calls }: PastAttempt): string[] {
  return calls.flatMap(({ record }) => record.command ?? []);
}

/** `echo done` succeeds whatever was or was not done. */
export function onlyPrints(command: string): boolean {
  return /^\s*(echo|printf|true|:|pwd|date|exit 0)\b[^|&;<>`$()]*$/.test(command);
}

export type Standing =
  | { readonly kind: "shown"; readonly detail: string }
  /** Only a second model can tell, from what was read, whether nothing was needed. */
  | { readonly kind: "to_confirm"; readonly detail: string }
  | { readonly kind: "missing"; readonly detail: string };

/** Does the attempt show what a subtask of its kind must show? @see DECISIONS 13 */
export function standingOf(subtask: Subtask, evidence: Evidence): Standing {
  switch (subtask.spec.kind) {
    case "answer":
      return evidence.attempt.finalText.trim() === "" ? missing("The answer is empty.") : shown("An answer was given.");
    case "inspect":
      return evidence.read || evidence.ran
        ? shown("Something was read or run.")
        : missing("Nothing was read and no command succeeded, so nothing can have been found out.");
    case "change":
      return changeStanding(evidence);
    default:
      return unreachable(subtask.spec.kind);
  }
}

function changeStanding(evidence: Evidence): Standing {
  const { wrote, ran, read, net } = evidence;
  if (wrote && net.length > 0)
    return shown(
      `Changed: ${net
        .map(({ path }) => path)
        .slice(0, 20)
        .join(", ")}`,
    );
  if (ran) return shown("A command succeeded.");
  if (read && net.length > 0) return shown("An earlier attempt changed files, and this one looked at them.");
  if (read) return { kind: "to_confirm", detail: "No file was changed and no command succeeded; something was read." };
  return missing(
    "Work was claimed, but no file was changed, no command succeeded, and nothing was read. Do the work by calling tools.",
  );
}

function shown(detail: string): Standing {
  return { kind: "shown", detail };
}

function missing(detail: string): Standing {
  return { kind: "missing", detail };
}
