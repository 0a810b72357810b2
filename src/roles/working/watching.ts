/** Watching: a command between two looks at the files, so that what it changed stands in the log beside its step. */
import { type FileChange, isBulk } from "../../domain/change.ts";
import { effects } from "../../domain/effects.ts";
import type { EventOf } from "../../domain/event.ts";
import { isClosed, isUnderWay } from "../../domain/task.ts";
import type { Execution } from "../../ports/executor.ts";
import type { CommandAt, CommandChanges, Manifests, Watch } from "../../ports/manifests.ts";

/** One event of an `npm install` would be larger than what a log is read in. */
const changesInEvent = 500;
const pathsTold = 20;

export interface Command {
  readonly root: string;
  readonly subtaskId: string;
  readonly marker: string;
}

export function commandAt(execution: Pick<Execution, "current">, { root, subtaskId, marker }: Command): CommandAt {
  const task = execution.current();
  const mayGoOn = (id: string): boolean => {
    const subtask = task.subtasks.get(id);
    return subtask === undefined ? !isClosed(task) : isUnderWay(subtask) && !subtask.retired;
  };
  return { taskId: task.id, root, subtaskId, marker, isUnderWay: mayGoOn };
}

/** Takes stock, and lets `use` run the command as a step; where the step is refused, nothing ran. */
export async function underWatch<T>(
  manifests: Manifests,
  at: CommandAt,
  use: (watch: Watch & { begun(): void }) => Promise<T>,
): Promise<T> {
  const watch = await manifests.watch(at);
  let hasBegun = false;
  try {
    const begun = () => {
      hasBegun = true;
    };
    return await use({ ...watch, begun });
  } finally {
    // Recorded already, or refused. One that began and was cut by the end of this process is asked about in the next life.
    if (!hasBegun) await watch.dropped();
  }
}

/** Is a step of this effect still recorded whole? What a command did whose effect is not wanted any more must be told all the same. */
export function isStillWanted(execution: Pick<Execution, "current" | "effect">): boolean {
  return effects(execution.current()).some(({ key }) => key === execution.effect.key);
}

/** What was done, as events that belong to one change id: an undo of it takes them all. */
export function changeEvents(
  at: { readonly subtaskId: string; readonly changeId: string },
  { changes, sharedWith }: Pick<CommandChanges, "changes" | "sharedWith">,
): EventOf<"files_changed">[] {
  const events: EventOf<"files_changed">[] = [];
  for (let from = 0; from < changes.length; from += changesInEvent) {
    events.push({
      type: "files_changed",
      subtask_id: at.subtaskId,
      change_id: from === 0 ? at.changeId : `${at.changeId}.${from}`,
      changes: changes.slice(from, from + changesInEvent),
      ...(sharedWith.length === 0 ? {} : { shared_with: [...sharedWith] }),
    });
  }
  return events;
}

/** What a step says of how far it can be undone. */
export function undoNote(partial: string | null): Pick<EventOf<"tool_call_completed">, "undo" | "undo_reason"> {
  return partial === null ? {} : { undo: "partial", undo_reason: partial };
}

/** What was written by hand first. */
export function pathsOf(changes: readonly FileChange[]): string {
  const paths = changes.map(({ path }) => path);
  const told = [...paths.filter((path) => !isBulk(path)), ...paths.filter(isBulk)].slice(0, pathsTold);
  return `${told.join(", ")}${paths.length > told.length ? ` and ${paths.length - told.length} more` : ""}`;
}
