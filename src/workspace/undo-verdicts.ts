/** Judges, path by path, whether some changes can be undone: by what they did, what came after, and what stands there now. */
import { type FileState, type RecordedChange, sameState } from "../domain/change.ts";
import { messageOf } from "../lib/errors.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import { lookAt } from "./standing.ts";
import { type Content, type Run, withoutRuns } from "./undo-merge.ts";

export interface Restoration {
  readonly kind: "restore";
  readonly path: string;
  readonly ids: readonly string[];
  readonly current: FileState;
  readonly target: FileState;
  /** The text that is to stand there, where it keeps what others wrote elsewhere in it. */
  readonly merged?: Uint8Array;
  /** Only as far back as what someone else wrote in between: why not further. */
  readonly held?: string;
}

export type Verdict =
  | Restoration
  | { readonly kind: "skip"; readonly path: string; readonly ids: readonly string[] }
  | { readonly kind: "conflict"; readonly path: string; readonly reason: string };

interface Place {
  readonly workspace: { readonly root: string };
  readonly blobs: BlobStore;
}

interface Choice {
  readonly selected: readonly RecordedChange[];
  readonly all: readonly RecordedChange[];
  readonly subtask?: string;
}

/** One verdict for each path that the selected changes touch, in the order in which they first touched it. */
export async function judgePaths(place: Place, { selected, all, subtask }: Choice): Promise<Verdict[]> {
  const chosen = withOtherHalves(selected, all);
  const byPath = Map.groupBy(chosen, ({ path }) => path);
  const mine = new Set(chosen.map(({ changeId }) => changeId));
  const subtasks = new Set(chosen.map(({ subtaskId }) => subtaskId));
  const others = Map.groupBy(
    all.filter((change) => !change.undone && !mine.has(change.changeId) && !subtasks.has(change.subtaskId)),
    ({ path }) => path,
  );
  const verdicts: Verdict[] = [];
  for (const [path, changes] of byPath) {
    const question = { path, changes: withoutMerges(changes), others: others.get(path) ?? [] };
    verdicts.push(await judge(place, subtask === undefined ? question : { ...question, subtask }));
  }
  return await consistent(place, verdicts, chosen);
}

/** What is left where it stands may keep other things from going back: each such finding may lead to the next. */
async function consistent(
  place: Place,
  judged: readonly Verdict[],
  chosen: readonly RecordedChange[],
): Promise<Verdict[]> {
  let verdicts = [...judged];
  for (let left = -1; left !== conflictsIn(verdicts); ) {
    left = conflictsIn(verdicts);
    verdicts = movedTogether(await withGround(place, withFoldersOfOthers(verdicts)), chosen);
  }
  return verdicts;
}

function conflictsIn(verdicts: readonly Verdict[]): number {
  return verdicts.filter(({ kind }) => kind === "conflict").length;
}

/** What someone else wrote comes back, and the folder that it stood in does not go. */
function withFoldersOfOthers(verdicts: readonly Verdict[]): readonly Verdict[] {
  const needed = new Map<string, string>();
  for (const verdict of verdicts) {
    if (verdict.kind !== "restore" || verdict.held === undefined || verdict.target.kind === "absent") continue;
    for (let folder = parentOf(verdict.path); folder !== ""; folder = parentOf(folder))
      needed.set(folder, verdict.path);
  }
  return verdicts.map((verdict) => {
    const { kind, path } = verdict;
    const inside = needed.get(path);
    if (inside === undefined || kind !== "restore" || verdict.target.kind !== "absent") return verdict;
    return { kind: "conflict", path, reason: `${inside}, which someone else wrote, comes back in it` };
  });
}

/** Nothing can stand below what is no folder, and will be none. */
async function withGround({ workspace: { root } }: Place, verdicts: readonly Verdict[]): Promise<Verdict[]> {
  const byPath = new Map(verdicts.map((verdict) => [verdict.path, verdict]));
  const holds = new Map<string, boolean>();
  const canHold = async (path: string): Promise<boolean> => {
    const known = holds.get(path);
    if (known !== undefined) return known;
    const verdict = byPath.get(path);
    const { kind } = verdict?.kind === "restore" ? verdict.target : (await lookAt(root, path)).state;
    // What stands nowhere yet is made; below a link or a file, nothing is.
    const holdsHere = kind === "folder" || (kind === "absent" && verdict?.kind !== "restore");
    const all = holdsHere && (path.includes("/") ? await canHold(parentOf(path)) : true);
    holds.set(path, all);
    return all;
  };
  const grounded: Verdict[] = [];
  for (const verdict of verdicts) {
    const { path } = verdict;
    const needs = verdict.kind === "restore" && verdict.target.kind !== "absent" && path.includes("/");
    if (!needs || (await canHold(parentOf(path)))) grounded.push(verdict);
    else
      grounded.push({ kind: "conflict", path, reason: `${parentOf(path)} is no folder any more, and stays as it is` });
  }
  return grounded;
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

/** A move is two changes; one of them is never undone alone. In the order of the log. */
function withOtherHalves(selected: readonly RecordedChange[], all: readonly RecordedChange[]): RecordedChange[] {
  const ids = new Set(selected.map(({ changeId }) => changeId));
  const halves = new Set<string>();
  for (const { seq, path, moved_to, moved_from } of selected) {
    if (moved_to !== undefined || moved_from !== undefined) halves.add(`${seq} ${path}`);
  }
  for (const { changeId, seq, moved_to, moved_from } of all) {
    if (halves.has(`${seq} ${moved_to ?? ""}`) || halves.has(`${seq} ${moved_from ?? ""}`)) ids.add(changeId);
  }
  return all.filter(({ changeId }) => ids.has(changeId));
}

/**
 * A merge took back changes that stand here as undone, and is left out with them: it does not lead back to where they
 * began, so that together they would not come to nothing. A merge alone is what is to be undone.
 */
function withoutMerges(changes: readonly RecordedChange[]): readonly RecordedChange[] {
  const hasUndone = changes.some(({ merged, undone }) => undone && merged !== true);
  return hasUndone ? changes.filter(({ merged }) => merged !== true) : changes;
}

interface Question {
  readonly path: string;
  readonly changes: readonly RecordedChange[];
  /** What subtasks that are not meant changed there, and is not undone. */
  readonly others: readonly RecordedChange[];
  readonly subtask?: string;
}

async function judge(place: Place, question: Question): Promise<Verdict> {
  const { path, changes } = question;
  const ids = changes.map(({ changeId }) => changeId);
  const conflict = (reason: string): Verdict => ({ kind: "conflict", path, reason });
  const [run, ...more] = runsOf(changes).filter((each) => !comesToNothing(each) && !each.every(({ undone }) => undone));
  if (run === undefined) return { kind: "skip", path, ids };
  const sharers = sharersOf([run, ...more], question.subtask);
  if (sharers !== "") return conflict(`${sharers} ran commands at the same time, and any of them may have changed it`);
  const target = run[0].before;
  const left = lastOf(run).after;
  try {
    const { state: current } = await lookAt(place.workspace.root, path);
    if (more.length === 0 && sameState(current, target)) return { kind: "skip", path, ids };
    const later = question.others.find(({ seq }) => seq > run[0].seq);
    if (more.length === 0 && later === undefined && isAsLeft(current, { left, target })) {
      if (target.kind === "file" && (await place.blobs.get(target.digest)) === null)
        return conflict("its earlier content was not kept");
      return { kind: "restore", path, ids, current, target };
    }
    const all: readonly Run[] = [run, ...more];
    const content = more.length === 0 && sameState(current, left) ? null : await withoutRuns(place, path, all);
    if (content !== null) return await restored(place, { path, ids, current }, content);
    const reason = reasonOf(more, later);
    return (await takenAway(place, path, { current, runs: all, reason })) ?? conflict(reason);
  } catch (error) {
    return conflict(messageOf(error));
  }
}

/** What someone else wrote, and these changes took away, comes back as they left it; what came before is left. */
async function takenAway(
  { blobs }: Place,
  path: string,
  { current, runs, reason }: { readonly current: FileState; readonly runs: readonly Run[]; readonly reason: string },
): Promise<Restoration | null> {
  const last = runs.at(-1);
  if (last === undefined || runs.length === 1 || current.kind !== "absent") return null;
  const target = last[0].before;
  if (lastOf(last).after.kind !== "absent" || target.kind !== "file") return null;
  if ((await blobs.get(target.digest)) === null) return null;
  return { kind: "restore", path, ids: last.map(({ changeId }) => changeId), current, target, held: reason };
}

async function restored(
  { blobs }: Place,
  { path, ids, current }: Pick<Restoration, "path" | "ids" | "current">,
  { state: target, bytes: merged }: Content,
): Promise<Verdict> {
  if (sameState(current, target)) return { kind: "skip", path, ids };
  const isKept = merged !== undefined || target.kind !== "file" || (await blobs.get(target.digest)) !== null;
  if (!isKept) throw new Error("its earlier content was not kept");
  return { kind: "restore", path, ids, current, target, ...(merged === undefined ? {} : { merged }) };
}

function reasonOf(more: readonly Run[], later: RecordedChange | undefined): string {
  if (more.length > 0) return "someone else changed it between these changes";
  return later === undefined ? "someone changed it since" : `"${later.subtaskId}" changed it later`;
}

/** What is taken away whole need not have kept its mode: a folder that was made on the way may have had another one. */
function isAsLeft(current: FileState, { left, target }: { left: FileState; target: FileState }): boolean {
  if (target.kind === "absent" && left.kind === "folder") return current.kind === "folder";
  return sameState(current, left);
}

function sharersOf(runs: readonly Run[], subtask: string | undefined): string {
  if (subtask === undefined) return "";
  const all = runs.flatMap((run) => run.flatMap(({ sharedWith = [], subtaskId }) => [subtaskId, ...sharedWith]));
  const names = [...new Set(all)];
  return names.some((name) => name !== subtask) ? names.map((name) => `"${name}"`).join(" and ") : "";
}

function runsOf(changes: readonly RecordedChange[]): Run[] {
  const runs: [RecordedChange, ...RecordedChange[]][] = [];
  for (const change of changes) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    const goesOn =
      last !== undefined && (sameState(last.after, change.before) || (isTold(last, change) && !change.undone));
    if (run !== undefined && goesOn) run.push(change);
    else runs.push([change]);
  }
  return runs;
}

/** After a crash the same change may be found by the step that made it and by a command that ran beside it. */
function isTold(last: RecordedChange, change: RecordedChange): boolean {
  return sameState(last.before, change.before) && sameState(last.after, change.after);
}

function lastOf(run: Run): RecordedChange {
  return run.at(-1) ?? run[0];
}

function comesToNothing(run: Run): boolean {
  return sameState(run[0].before, lastOf(run).after);
}

/** Where one end of a move must be left, the other is left too: else its content would stand twice, or nowhere. */
function movedTogether(verdicts: readonly Verdict[], chosen: readonly RecordedChange[]): Verdict[] {
  const byPath = new Map(verdicts.map((verdict) => [verdict.path, verdict]));
  const ends = new Map<string, string[]>();
  const tie = (from: string, to: string): void => {
    ends.set(from, [...(ends.get(from) ?? []), to]);
    ends.set(to, [...(ends.get(to) ?? []), from]);
  };
  for (const { path, moved_to } of chosen) if (moved_to !== undefined) tie(path, moved_to);
  for (const [from, to] of exchanged(chosen)) tie(from, to);
  // The list grows while it is walked: what is left on account of another may hold back a third.
  const left = verdicts.flatMap(({ kind, path }) => (kind === "conflict" ? [path] : []));
  for (const other of left) {
    for (const path of ends.get(other) ?? []) {
      if (byPath.get(path)?.kind !== "restore") continue;
      const reason = `it was moved together with ${other}, which is left as it is`;
      byPath.set(path, { kind: "conflict", path, reason });
      left.push(path);
    }
  }
  return verdicts.map((verdict) => byPath.get(verdict.path) ?? verdict);
}

/** Contents that one command took from one file and put into another, as when it swaps two: neither path is new or gone. */
function exchanged(chosen: readonly RecordedChange[]): (readonly [from: string, to: string])[] {
  const ties: (readonly [string, string])[] = [];
  for (const together of Map.groupBy(chosen, ({ seq }) => seq).values()) {
    if (together.length === 1) continue;
    const cameFrom = new Map(
      together.flatMap(({ path, before }) => (isContent(before) ? [[before.digest, path]] : [])),
    );
    for (const { path, after } of together) {
      const from = isContent(after) ? cameFrom.get(after.digest) : undefined;
      if (from !== undefined && from !== path) ties.push([from, path]);
    }
  }
  return ties;
}

function isContent(state: FileState): state is Extract<FileState, { kind: "file" }> {
  return state.kind === "file" && state.bytes > 0;
}
