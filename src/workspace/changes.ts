/** Shows what changes came to, as one patch that git can apply. Reads content by digest; undo is next door. */
import { type FileChange, type FileState, netChanges } from "../domain/change.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import type { ChangeMade, Changes } from "../ports/workspace.ts";
import { hunksOf } from "./text-diff.ts";
import { undoChanges } from "./undo.ts";

/** Larger files are named, not compared. */
const comparedBytesMax = 2 * 1024 * 1024;
/** Git takes a file for binary when a NUL is among its first 8000 bytes. */
const sniffedBytes = 8000;

type Side =
  | { readonly kind: "nothing" }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "unshown"; readonly why: string };

export function createChanges({ blobs }: { readonly blobs: BlobStore }): Changes {
  return {
    diff: async (changes, maxBytes) => await diffOf(blobs, changes, maxBytes),
    foreseen: async (planned, maxBytes) => await diffOf(withBlobs(planned, blobs), planned.changes, maxBytes),
    undo: async (workspace, request) => await undoChanges({ workspace, blobs }, request),
  };
}

function withBlobs({ blobs }: ChangeMade, kept: BlobStore): BlobStore {
  const named = new Map(blobs.map(({ digest, bytes }) => [digest, bytes]));
  return { get: async (digest) => named.get(digest) ?? (await kept.get(digest)) };
}

async function diffOf(blobs: BlobStore, changes: readonly FileChange[], maxBytes: number): Promise<string> {
  const net = netChanges(changes)
    .filter(({ before, after }) => isShown(before) || isShown(after))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const renames = renamesIn(net, changes);
  const gone = new Set(renames.values());
  let diff = "";
  for (const [index, change] of net.entries()) {
    if (gone.has(change.path)) continue;
    const source = renames.get(change.path);
    const section = source === undefined ? await sectionOf(blobs, change) : renamed(source, change.path);
    if (Buffer.byteLength(diff) + Buffer.byteLength(section) > maxBytes)
      return cutShort(diff, section, { maxBytes, left: net.length - index });
    diff += section;
  }
  return diff;
}

function isShown(state: FileState): boolean {
  return state.kind === "file" || state.kind === "link";
}

/** @returns destination → source of files that were moved and are otherwise as they were */
function renamesIn(net: readonly FileChange[], changes: readonly FileChange[]): Map<string, string> {
  const left = new Map(
    net.filter(({ after }) => after.kind === "absent").map((change) => [change.path, change.before]),
  );
  const sources = new Map(
    changes.flatMap(({ path, moved_from }) => (moved_from === undefined ? [] : [[path, moved_from]])),
  );
  const renames = new Map<string, string>();
  for (const { path, before, after } of net) {
    const source = sources.get(path);
    const was = source === undefined ? undefined : left.get(source);
    if (source === undefined || was?.kind !== "file" || after.kind !== "file" || before.kind !== "absent") continue;
    if (was.digest === after.digest && was.mode === after.mode) renames.set(path, source);
  }
  return renames;
}

function renamed(source: string, destination: string): string {
  const names = `diff --git ${quoted("a/", source)} ${quoted("b/", destination)}`;
  return `${names}\nsimilarity index 100%\nrename from ${quoted("", source)}\nrename to ${quoted("", destination)}\n`;
}

async function sectionOf(blobs: BlobStore, { path, before, after }: FileChange): Promise<string> {
  const [old, fresh] = await Promise.all([sideOf(blobs, before), sideOf(blobs, after)]);
  const [a, b] = [quoted("a/", path), quoted("b/", path)];
  const header = [`diff --git ${a} ${b}`, ...modeLines(before, after)].join("\n");
  const unshown = [old, fresh].find((side) => side.kind === "unshown");
  if (unshown?.kind === "unshown") return `${header}\n${unshown.why} ${a} and ${b} differ\n`;
  const hunks = hunksOf(old.kind === "text" ? old.text : "", fresh.kind === "text" ? fresh.text : "");
  if (hunks === "") return `${header}\n`;
  return `${header}\n--- ${old.kind === "nothing" ? "/dev/null" : a}\n+++ ${fresh.kind === "nothing" ? "/dev/null" : b}\n${hunks}`;
}

function modeLines(before: FileState, after: FileState): string[] {
  const [old, fresh] = [gitMode(before), gitMode(after)];
  if (old === fresh) return [];
  // Without an index line git does not take the patch of an empty file for one.
  if (old === null) return [`new file mode ${fresh}`, "index 0000000..e69de29"];
  if (fresh === null) return [`deleted file mode ${old}`, "index e69de29..0000000"];
  return [`old mode ${old}`, `new mode ${fresh}`];
}

function gitMode(state: FileState): string | null {
  if (state.kind === "link") return "120000";
  if (state.kind !== "file") return null;
  return (state.mode & 0o100) === 0 ? "100644" : "100755";
}

async function sideOf(blobs: BlobStore, state: FileState): Promise<Side> {
  if (state.kind === "link") return { kind: "text", text: state.target };
  if (state.kind !== "file") return { kind: "nothing" };
  if (state.bytes > comparedBytesMax) return { kind: "unshown", why: "Large files" };
  const bytes = await blobs.get(state.digest);
  if (bytes === null) return { kind: "unshown", why: "Files of unknown content" };
  if (bytes.subarray(0, sniffedBytes).includes(0)) return { kind: "unshown", why: "Binary files" };
  return { kind: "text", text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) };
}

/** Names as git quotes them: control characters, quotes and backslashes would else end the name. */
function quoted(prefix: string, path: string): string {
  const plain = JSON.stringify(`${prefix}${path}`);
  return /["\\\p{Cc}]/u.test(path)
    ? plain.replaceAll(
        /\\u00(..)/g,
        (_match, hex: string) => `\\${Number.parseInt(hex, 16).toString(8).padStart(3, "0")}`,
      )
    : `${prefix}${path}`;
}

function cutShort(diff: string, section: string, { maxBytes, left }: { maxBytes: number; left: number }): string {
  const note = `\n[diff cut at ${maxBytes} bytes; ${left} of the changed files not shown, or not whole]\n`;
  const room = maxBytes - Buffer.byteLength(note) - Buffer.byteLength(diff);
  const kept = room > 0 ? Buffer.from(section).subarray(0, room).toString("utf8") : "";
  return `${diff}${kept.slice(0, kept.lastIndexOf("\n") + 1)}${note}`;
}
