/** Puts back what stood before some changes. Each path is judged for itself: restored, already so, or left and named. */
import type { FileChange, FileState, RecordedChange } from "../domain/change.ts";
import { messageOf } from "../lib/errors.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import type { Blob } from "../ports/event-store.ts";
import type { UndoResult, Workspace } from "../ports/workspace.ts";
import { namesIn } from "./listing.ts";
import { lookAt } from "./standing.ts";
import { judgePaths, parentOf, type Restoration, type Verdict } from "./undo-verdicts.ts";

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
  readonly subtask?: string;
}

/** @see Changes.undo */
export async function undoChanges(place: UndoPlace, request: UndoRequest): Promise<UndoResult> {
  const verdicts = await judgePaths(place, request);
  const made: Made = { changes: [], merges: [], blobs: new Map() };
  const going = new Set(verdicts.filter(goes).map(({ path }) => path));
  const settled = new Map<string, Verdict>();
  for (const verdict of inOrder(verdicts)) {
    settled.set(
      verdict.path,
      verdict.kind === "restore" ? await restore(place, { verdict, preview: request.preview, going, made }) : verdict,
    );
  }
  const final = verdicts.map((verdict) => settled.get(verdict.path) ?? verdict);
  const merged = made.merges.map(({ path }) => path);
  return {
    outcome: {
      restored: final.flatMap(({ kind, path }) => (kind === "restore" ? [path] : [])),
      conflicts: final.flatMap((verdict) => {
        const reason = reasonOf(verdict);
        return reason === undefined ? [] : [{ path: verdict.path, reason: reason.slice(0, 500) }];
      }),
      skipped: final.flatMap(({ kind, path }) => (kind === "skip" ? [path] : [])),
      ...(merged.length === 0 ? {} : { merged }),
    },
    changes: made.changes,
    undoneIds: request.preview ? [] : final.flatMap((verdict) => (verdict.kind === "conflict" ? [] : verdict.ids)),
    blobs: [...made.blobs.values()],
    merges: made.merges,
  };
}

function reasonOf(verdict: Verdict): string | undefined {
  if (verdict.kind === "conflict") return verdict.reason;
  return verdict.kind === "restore" ? verdict.held : undefined;
}

interface Made {
  readonly changes: FileChange[];
  readonly merges: FileChange[];
  readonly blobs: Map<string, Blob>;
}

/** What shall be gone goes first, deepest first; then what shall stand, parents first. */
function inOrder(verdicts: readonly Verdict[]): readonly Verdict[] {
  return [
    ...verdicts.filter(goes).toSorted((a, b) => depthOf(b) - depthOf(a)),
    ...verdicts.filter((verdict) => !goes(verdict)).toSorted((a, b) => depthOf(a) - depthOf(b)),
  ];
}

function goes(verdict: Verdict): boolean {
  return verdict.kind === "restore" && verdict.target.kind === "absent";
}

function depthOf({ path }: Verdict): number {
  return path.split("/").length;
}

interface Step {
  readonly verdict: Restoration;
  readonly preview: boolean;
  /** Paths that shall be gone. */
  readonly going: ReadonlySet<string>;
  readonly made: Made;
}

async function restore(place: UndoPlace, { verdict, preview, going, made }: Step): Promise<Verdict> {
  const { path, current, target, merged } = verdict;
  try {
    const blocked = preview ? await staying(place.workspace, verdict, going) : null;
    if (blocked !== null) return { kind: "conflict", path, reason: `the folder is not empty: ${blocked} is in it` };
    const change = { path, before: current, after: target, ...(merged === undefined ? {} : { merged: true as const }) };
    const forgotten = await unlessKept(place, path, current);
    const content = merged === undefined ? [] : contentOf(target, merged);
    if (!preview) {
      const changes = [change, ...(target.kind === "absent" ? [] : await missingParents(place.workspace, path))];
      const blobs = merged === undefined ? await keptContentOf(place.blobs, target) : content;
      await place.workspace.apply({ changes, blobs });
      made.changes.push(...changes);
    }
    if (merged !== undefined) made.merges.push(change);
    for (const blob of [...forgotten, ...content]) made.blobs.set(blob.digest, blob);
    return verdict;
  } catch (error) {
    return { kind: "conflict", path, reason: messageOf(error) };
  }
}

/** A folder is only taken away when nothing else is in it. @returns what would stay in it */
async function staying(
  { root }: Pick<Workspace, "root">,
  { path, current, target }: Restoration,
  going: ReadonlySet<string>,
): Promise<string | null> {
  if (current.kind !== "folder" || target.kind === "folder") return null;
  return (await namesIn(root, path)).map((name) => `${path}/${name}`).find((below) => !going.has(below)) ?? null;
}

async function missingParents({ root }: Pick<Workspace, "root">, path: string): Promise<FileChange[]> {
  const missing: FileChange[] = [];
  for (let parent = parentOf(path); parent !== ""; parent = parentOf(parent)) {
    if ((await lookAt(root, parent)).state.kind !== "absent") break;
    missing.push({ path: parent, before: { kind: "absent" }, after: { kind: "folder", mode: parentMode } });
  }
  return missing;
}

function contentOf(state: FileState, bytes: Uint8Array): Blob[] {
  return state.kind === "file" ? [{ digest: state.digest, bytes }] : [];
}

async function keptContentOf(blobs: BlobStore, state: FileState): Promise<Blob[]> {
  if (state.kind !== "file") return [];
  const bytes = await blobs.get(state.digest);
  if (bytes === null) throw new Error("its earlier content was not kept");
  return [{ digest: state.digest, bytes }];
}

/** What is about to go is often kept already, as what a change left; else it is handed up, to be kept with the undo. */
async function unlessKept({ workspace, blobs }: UndoPlace, path: string, current: FileState): Promise<Blob[]> {
  if (current.kind !== "file" || (await blobs.get(current.digest)) !== null) return [];
  const { bytes, state } = await lookAt(workspace.root, path, current.bytes);
  if (bytes === undefined || state.kind !== "file") throw new Error("it is being changed by someone");
  return [{ digest: state.digest, bytes }];
}
