/** Puts back what stood before some changes. Each path is judged for itself: restored, already so, or left and named. */
import type { FileChange, FileState, RecordedChange } from "../domain/change.ts";
import { messageOf } from "../lib/errors.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import type { Blob } from "../ports/event-store.ts";
import type { UndoResult, Workspace } from "../ports/workspace.ts";
import { judgePaths, type Restoration, type Verdict } from "./undo-verdicts.ts";

/** Folders that someone else removed, and that something must stand in again. */
const parentMode = 0o755;

export interface UndoPlace {
  readonly workspace: Workspace;
  readonly blobs: BlobStore;
}

export interface UndoRequest {
  readonly selected: readonly RecordedChange[];
  readonly all: readonly RecordedChange[];
  readonly preview: boolean;
}

/** @see Changes.undo */
export async function undoChanges(place: UndoPlace, request: UndoRequest): Promise<UndoResult> {
  const verdicts = await judgePaths(place, request);
  const made: Made = { changes: [], blobs: new Map() };
  const settled = new Map<string, Verdict>();
  for (const verdict of inOrder(verdicts)) {
    settled.set(
      verdict.path,
      verdict.kind === "restore" ? await restore(place, { verdict, request, verdicts, made }) : verdict,
    );
  }
  const final = verdicts.map((verdict) => settled.get(verdict.path) ?? verdict);
  return {
    outcome: {
      restored: final.flatMap(({ kind, path }) => (kind === "restore" ? [path] : [])),
      conflicts: final.flatMap((verdict) =>
        verdict.kind === "conflict" ? [{ path: verdict.path, reason: verdict.reason.slice(0, 500) }] : [],
      ),
      skipped: final.flatMap(({ kind, path }) => (kind === "skip" ? [path] : [])),
    },
    changes: made.changes,
    undoneIds: request.preview ? [] : final.flatMap((verdict) => (verdict.kind === "conflict" ? [] : verdict.ids)),
    blobs: [...made.blobs.values()],
  };
}

interface Made {
  readonly changes: FileChange[];
  readonly blobs: Map<string, Blob>;
}

/** What shall be gone goes first, deepest first; then what shall stand, parents first. */
function inOrder(verdicts: readonly Verdict[]): readonly Verdict[] {
  const goes = (verdict: Verdict) => verdict.kind === "restore" && verdict.target.kind === "absent";
  return [
    ...verdicts.filter(goes).toSorted((a, b) => depthOf(b) - depthOf(a)),
    ...verdicts.filter((verdict) => !goes(verdict)).toSorted((a, b) => depthOf(a) - depthOf(b)),
  ];
}

function depthOf({ path }: Verdict): number {
  return path.split("/").length;
}

interface Step {
  readonly verdict: Restoration;
  readonly request: UndoRequest;
  readonly verdicts: readonly Verdict[];
  readonly made: Made;
}

async function restore(place: UndoPlace, { verdict, request, verdicts, made }: Step): Promise<Verdict> {
  const { path, current, target } = verdict;
  if (request.preview) return await foreseen(place.workspace, verdict, verdicts);
  try {
    const changes = [
      { path, before: current, after: target },
      ...(target.kind === "absent" ? [] : await missingParents(place.workspace, path)),
    ];
    const blobs = await contentOf(place.blobs, target);
    const forgotten = await unlessKept(place, path, current);
    await place.workspace.apply({ changes, blobs });
    made.changes.push(...changes);
    for (const blob of forgotten) made.blobs.set(blob.digest, blob);
    return verdict;
  } catch (error) {
    return { kind: "conflict", path, reason: messageOf(error) };
  }
}

/** A folder is only taken away when nothing else is in it. */
async function foreseen(workspace: Workspace, verdict: Restoration, verdicts: readonly Verdict[]): Promise<Verdict> {
  const { path, current, target } = verdict;
  if (current.kind !== "folder" || target.kind === "folder") return verdict;
  const goes = new Set(
    verdicts.flatMap((other) => (other.kind === "restore" && other.target.kind === "absent" ? [other.path] : [])),
  );
  const staying = (await workspace.list(path, { depth: 1, limit: 1000 })).find((entry) => !goes.has(entry.path));
  return staying === undefined
    ? verdict
    : { kind: "conflict", path, reason: `the folder is not empty: ${staying.path} is in it` };
}

async function missingParents(workspace: Workspace, path: string): Promise<FileChange[]> {
  const missing: FileChange[] = [];
  for (let parent = parentOf(path); parent !== ""; parent = parentOf(parent)) {
    if ((await workspace.state(parent)).kind !== "absent") break;
    missing.push({ path: parent, before: { kind: "absent" }, after: { kind: "folder", mode: parentMode } });
  }
  return missing;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

async function contentOf(blobs: BlobStore, state: FileState): Promise<Blob[]> {
  if (state.kind !== "file") return [];
  const bytes = await blobs.get(state.digest);
  if (bytes === null) throw new Error("its earlier content was not kept");
  return [{ digest: state.digest, bytes }];
}

/** What is about to go is nearly always kept already, as what a change left; else it is handed up, to be kept with the undo. */
async function unlessKept({ workspace, blobs }: UndoPlace, path: string, current: FileState): Promise<Blob[]> {
  if (current.kind !== "file" || (await blobs.get(current.digest)) !== null) return [];
  return [{ digest: current.digest, bytes: await workspace.read(path, current.bytes) }];
}
