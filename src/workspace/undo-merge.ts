/** Takes runs of changes out of a text that someone else has changed as well: what they wrote elsewhere in it is kept. */
import { type FileState, type RecordedChange, sameState } from "../domain/change.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import { mergedText } from "./merging.ts";
import { digestOf, lookAt } from "./standing.ts";

/** Larger texts are not merged. */
const textBytesMax = 1024 * 1024;

/** Changes of one path in a row, each beginning where the one before it ended. */
export type Run = readonly [RecordedChange, ...RecordedChange[]];

export interface Content {
  readonly state: FileState;
  /** Of a file that is small enough to be a text. */
  readonly bytes?: Uint8Array;
}

interface Place {
  readonly workspace: { readonly root: string };
  readonly blobs: BlobStore;
}

/** @returns what is left at `path` without these runs, the last of them taken out first; null where that cannot be told */
export async function withoutRuns(
  { workspace, blobs }: Place,
  path: string,
  runs: readonly Run[],
): Promise<Content | null> {
  let content: Content | null = await lookAt(workspace.root, path, textBytesMax);
  for (const run of runs.toReversed()) {
    const [left, target] = [run.at(-1)?.after ?? run[0].after, run[0].before];
    const [base, ours]: [Content, Content] = [await keptContent(blobs, left), await keptContent(blobs, target)];
    content = merged(base, ours, content);
    if (content === null) return null;
  }
  return content;
}

async function keptContent(blobs: BlobStore, state: FileState): Promise<Content> {
  const bytes = state.kind === "file" && state.bytes <= textBytesMax ? await blobs.get(state.digest) : null;
  return bytes === null ? { state } : { state, bytes };
}

function merged(base: Content, ours: Content, theirs: Content): Content | null {
  if (sameState(base.state, theirs.state)) return ours;
  if (sameState(ours.state, theirs.state)) return theirs;
  const mode = mergedMode([base.state, ours.state, theirs.state]);
  const texts = [base, ours, theirs].map(textOf);
  const [was, wanted, stands] = texts;
  if (mode === null || was == null || wanted == null || stands == null) return null;
  const text = mergedText(was, wanted, stands);
  if (text === null) return null;
  const bytes = new TextEncoder().encode(text);
  return { state: { kind: "file", digest: digestOf(bytes), mode, bytes: bytes.length }, bytes };
}

/** @returns null where they are not all files, or both sides changed it */
function mergedMode([base, ours, theirs]: readonly [FileState, FileState, FileState]): number | null {
  if (base.kind !== "file" || ours.kind !== "file" || theirs.kind !== "file") return null;
  if (base.mode === theirs.mode) return ours.mode;
  return base.mode === ours.mode || ours.mode === theirs.mode ? theirs.mode : null;
}

/** @returns null where it is no text, or would not be the same bytes again */
function textOf({ bytes }: Content): string | null {
  if (bytes === undefined || bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
