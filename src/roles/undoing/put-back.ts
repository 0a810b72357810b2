/** Putting back recorded changes, as one step of the journal: what revert and undo share. Safe to come back to after a crash. */
import { z } from "zod";
import { FileChange, netChanges, type RecordedChange } from "../../domain/change.ts";
import { UndoOutcome } from "../../domain/event.ts";
import { changesOf, type Task } from "../../domain/task.ts";
import type { Journal } from "../../ports/journal.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { Changes, UndoResult, Workspaces } from "../../ports/workspace.ts";
import { jsonOf } from "../records.ts";

export interface PutBackPorts {
  readonly workspaces: Pick<Workspaces, "open">;
  readonly changes: Pick<Changes, "undo">;
  readonly clock: Pick<Clock, "now">;
}

export interface PutBack {
  readonly task: Task;
  readonly journal: Journal;
  readonly selected: readonly RecordedChange[];
  /** Stands where an event wants a subtask's id. */
  readonly subtaskId: string;
  readonly attempt: number;
  /** Only what this subtask changed, and no other may have. */
  readonly subtask?: string;
}

const Undone = z.object({ outcome: UndoOutcome, changes: z.array(FileChange), undoneIds: z.array(z.string()) });
export type Undone = z.infer<typeof Undone>;

const Intended = z.object({ restored: z.array(z.string()), merges: z.array(FileChange).default([]) });
type Intended = z.infer<typeof Intended>;
const step = "undo";

export async function putBack(
  ports: PutBackPorts,
  { task, journal, selected, subtaskId, attempt, subtask }: PutBack,
): Promise<Undone> {
  const workspace = await ports.workspaces.open(task.brief.workspace);
  const all = changesOf(task);
  const request = { selected, all, ...(subtask === undefined ? {} : { subtask }) };
  const earlier = journal.recall(step);
  const foreseen = earlier === undefined ? await ports.changes.undo(workspace, { ...request, preview: true }) : null;
  const intended: Intended =
    foreseen === null
      ? Intended.parse(earlier?.started)
      : { restored: foreseen.outcome.restored, merges: [...foreseen.merges] };
  const about = { subtask_id: subtaskId, tool: "undo", step, attempt };
  const result = await journal.step(
    {
      step,
      effectClass: "workspace",
      event: { type: "tool_call_started", ...about, args: {}, effect_class: "workspace" },
      started: jsonOf(intended),
      // What goes must be on the disk before it goes.
      blobs: foreseen?.blobs ?? [],
      // What was put back before the crash is found as it should be, and left.
      interrupted: () => Promise.resolve({ kind: "again" }),
    },
    async () => {
      const began = ports.clock.now();
      const done = await ports.changes.undo(workspace, { ...request, preview: false });
      const told = earlier === undefined ? done : withEarlier(done, intended, selected);
      const { outcome, changes, undoneIds, blobs } = told;
      const ended = {
        type: "tool_call_completed" as const,
        ...about,
        success: outcome.conflicts.length === 0,
        output: `${outcome.restored.length} put back, ${outcome.conflicts.length} left, ${outcome.skipped.length} as before already`,
        files_changed: outcome.restored.slice(0, 100),
        destructive: false,
        duration_ms: ports.clock.now() - began,
      };
      return { result: jsonOf({ outcome, changes, undoneIds }), events: [ended], blobs };
    },
  );
  return Undone.parse(result);
}

/** Paths that were put back in an earlier life now stand as before already; they were put back all the same. */
function withEarlier(done: UndoResult, intended: Intended, selected: readonly RecordedChange[]): UndoResult {
  const wanted = new Set(intended.restored);
  const before = new Set(done.outcome.skipped.filter((path) => wanted.has(path)));
  if (before.size === 0) return done;
  const merges = intended.merges.filter(({ path }) => before.has(path));
  const merged = new Set(merges.map(({ path }) => path));
  const whole = netChanges(selected)
    .filter(({ path }) => before.has(path) && !merged.has(path))
    .map((change) => ({ path: change.path, before: change.after, after: change.before }));
  const changes = [...merges, ...whole];
  const { restored, conflicts, skipped, merged: now = [] } = done.outcome;
  return {
    ...done,
    outcome: {
      restored: [...before, ...restored],
      conflicts,
      skipped: skipped.filter((path) => !before.has(path)),
      ...(merged.size + now.length === 0 ? {} : { merged: [...merged, ...now] }),
    },
    changes: [...changes, ...done.changes],
  };
}
