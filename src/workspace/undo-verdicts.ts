/** Judges, path by path, whether some changes can be undone: by what they did, what came after, and what stands there now. */
import { type FileState, type RecordedChange, sameState } from "../domain/change.ts";
import { messageOf } from "../lib/errors.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import type { Workspace } from "../ports/workspace.ts";

export interface Restoration {
  readonly kind: "restore";
  readonly path: string;
  readonly ids: readonly string[];
  readonly current: FileState;
  readonly target: FileState;
}

export type Verdict =
  | Restoration
  | { readonly kind: "skip"; readonly path: string; readonly ids: readonly string[] }
  | { readonly kind: "conflict"; readonly path: string; readonly reason: string };

interface Place {
  readonly workspace: Workspace;
  readonly blobs: BlobStore;
}

interface Choice {
  readonly selected: readonly RecordedChange[];
  readonly all: readonly RecordedChange[];
}

/** Changes of one path in a row, each beginning where the one before it ended. */
type Run = readonly [RecordedChange, ...RecordedChange[]];

/** One verdict for each path that the selected changes touch, in the order in which they first touched it. */
export async function judgePaths(place: Place, { selected, all }: Choice): Promise<Verdict[]> {
  const chosen = withOtherHalves(selected, all);
  const byPath = Map.groupBy(chosen, ({ path }) => path);
  const verdicts = await Promise.all(
    [...byPath].map(async ([path, changes]) => await judge(place, { path, changes, chosen, all })),
  );
  return movedTogether(verdicts, chosen);
}

/** A move is two changes; one of them is never undone alone. In the order of the log. */
function withOtherHalves(selected: readonly RecordedChange[], all: readonly RecordedChange[]): RecordedChange[] {
  const ids = new Set(selected.map(({ changeId }) => changeId));
  for (const { seq, path } of selected.filter(({ moved_to, moved_from }) => (moved_to ?? moved_from) !== undefined)) {
    const other = all.find((change) => change.seq === seq && (change.moved_to === path || change.moved_from === path));
    if (other !== undefined) ids.add(other.changeId);
  }
  return all.filter(({ changeId }) => ids.has(changeId));
}

interface Question {
  readonly path: string;
  readonly changes: readonly RecordedChange[];
  readonly chosen: readonly RecordedChange[];
  readonly all: readonly RecordedChange[];
}

async function judge(place: Place, question: Question): Promise<Verdict> {
  const { path, changes } = question;
  const ids = changes.map(({ changeId }) => changeId);
  const conflict = (reason: string): Verdict => ({ kind: "conflict", path, reason });
  const runs = runsOf(changes).filter((run) => !comesToNothing(run) && !run.every(({ undone }) => undone));
  const [run, ...others] = runs;
  if (run === undefined) return { kind: "skip", path, ids };
  const target = run[0].before;
  const left = run.at(-1)?.after ?? run[0].after;
  try {
    const current = await place.workspace.state(path);
    if (others.length === 0 && sameState(current, target)) return { kind: "skip", path, ids };
    if (others.length > 0) return conflict("someone else changed it between these changes");
    const later = laterByOthers(question, run[0]);
    if (later !== undefined) return conflict(`"${later.subtaskId}" changed it later`);
    if (!sameState(current, left)) return conflict("someone changed it since");
    if (target.kind === "file" && (await place.blobs.get(target.digest)) === null)
      return conflict("its earlier content was not kept");
    return { kind: "restore", path, ids, current, target };
  } catch (error) {
    return conflict(messageOf(error));
  }
}

function runsOf(changes: readonly RecordedChange[]): Run[] {
  const runs: [RecordedChange, ...RecordedChange[]][] = [];
  for (const change of changes) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run !== undefined && last !== undefined && sameState(last.after, change.before)) run.push(change);
    else runs.push([change]);
  }
  return runs;
}

function comesToNothing(run: Run): boolean {
  return sameState(run[0].before, run.at(-1)?.after ?? run[0].after);
}

function laterByOthers({ path, chosen, all }: Question, first: RecordedChange): RecordedChange | undefined {
  const mine = new Set(chosen.map(({ changeId }) => changeId));
  const subtasks = new Set(chosen.map(({ subtaskId }) => subtaskId));
  return all
    .slice(all.indexOf(first) + 1)
    .find(
      (change) =>
        change.path === path && !change.undone && !mine.has(change.changeId) && !subtasks.has(change.subtaskId),
    );
}

/** Where one end of a move must be left, the other is left too: else its content would stand twice, or nowhere. */
function movedTogether(verdicts: readonly Verdict[], chosen: readonly RecordedChange[]): Verdict[] {
  const byPath = new Map(verdicts.map((verdict) => [verdict.path, verdict]));
  const moves = chosen.flatMap(({ path, moved_to }) => (moved_to === undefined ? [] : [[path, moved_to] as const]));
  for (let settled = false; !settled; ) {
    settled = true;
    for (const [path, other] of moves.flatMap(([source, destination]) => [
      [source, destination] as const,
      [destination, source] as const,
    ])) {
      if (byPath.get(path)?.kind !== "restore" || byPath.get(other)?.kind !== "conflict") continue;
      byPath.set(path, {
        kind: "conflict",
        path,
        reason: `it was moved together with ${other}, which is left as it is`,
      });
      settled = false;
    }
  }
  return verdicts.map((verdict) => byPath.get(verdict.path) ?? verdict);
}
