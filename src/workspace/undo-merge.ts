/** Takes runs of changes out of a text that someone else has changed as well: what they wrote elsewhere in it is kept. */
import { type FileState, type RecordedChange, sameState } from "../domain/change.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import { mergedText } from "./merging.ts";
import { digestOf, lookAt } from "./standing.ts";

/** Larger texts are not merged. */
const textBytesMax = 1024 * 1024;

/** Changes of one path in a row, each beginning where the one before it ended. */
export type Run = readonly [RecordedChange, ...RecordedChange[]];

type TextState = Extract<FileState, { readonly kind: "file" }>;

export interface Content {
  readonly state: TextState;
  readonly bytes: Uint8Array;
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
  const { state, bytes } = await lookAt(workspace.root, path, textBytesMax);
  let content = contentOf(state, bytes ?? null);
  for (const run of runs.toReversed()) {
    if (content === null) return null;
    const [left, target] = [run.at(-1)?.after ?? run[0].after, run[0].before];
    const [base, ours] = [await keptContent(blobs, left), await keptContent(blobs, target)];
    content = base === null || ours === null ? null : merged(base, ours, content);
  }
  return content;
}

async function keptContent(blobs: BlobStore, state: FileState): Promise<Content | null> {
  return state.kind === "file" && state.bytes <= textBytesMax ? contentOf(state, await blobs.get(state.digest)) : null;
}

function contentOf(state: FileState, bytes: Uint8Array | null): Content | null {
  return state.kind === "file" && bytes !== null ? { state, bytes } : null;
}

function merged(base: Content, ours: Content, theirs: Content): Content | null {
  if (sameState(base.state, theirs.state)) return ours;
  const mode = mergedMode([base, ours, theirs]);
  const texts = [base, ours, theirs].map(textOf);
  const [was, wanted, stands] = texts;
  if (mode === null || was == null || wanted == null || stands == null) return null;
  const text = mergedText(was, wanted, stands);
  if (text === null) return null;
  const bytes = new TextEncoder().encode(text);
  return { state: { kind: "file", digest: digestOf(bytes), mode, bytes: bytes.length }, bytes };
}

function mergedMode([base, ours, theirs]: readonly [Content, Content, Content]): number | null {
  if (base.state.mode === theirs.state.mode) return ours.state.mode;
  return base.state.mode === ours.state.mode || ours.state.mode === theirs.state.mode ? theirs.state.mode : null;
}

/** @returns null where it is no text, or would not be the same bytes again */
function textOf({ bytes }: Content): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
