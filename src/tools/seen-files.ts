/** What a subtask has seen of a file, compared with what stands there: nobody overwrites what they have not read. */
import { createHash } from "node:crypto";
import { type FileState, sameState } from "../domain/change.ts";
import type { PreparedCall, ToolContext, ToolResult } from "../ports/tool.ts";
import type { ChangeMade } from "../ports/workspace.ts";
import { actionOf, failing, failureFrom } from "./definition.ts";
import { failureAt } from "./near-paths.ts";
import { rememberVersion } from "./read-versions.ts";

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** @returns why this file may not be changed now, or null */
export function staleness(context: ToolContext, path: string, current: FileState): string | null {
  const seen = context.seen.get(path);
  if (seen === undefined || sameContent(seen, current)) return null;
  return current.kind === "absent"
    ? `${path} is gone since you last saw it. Read it again to confirm, then go on`
    : `${path} has changed since you last saw it. Read it again, then repeat the call on what stands there now`;
}

function isSeen(context: ToolContext, path: string, state: FileState): boolean {
  const seen = context.seen.get(path);
  return seen !== undefined && sameContent(seen, state);
}

/** Permission bits are nothing one reads. */
function sameContent(seen: FileState, current: FileState): boolean {
  if (seen.kind === "file" && current.kind === "file") return seen.digest === current.digest;
  return sameState(seen, current);
}

export function withSeen(
  context: ToolContext,
  result: ToolResult,
  seen: Readonly<Record<string, FileState>>,
): ToolResult {
  for (const [path, state] of Object.entries(seen)) context.seen.set(path, state);
  return { ...result, seen };
}

interface Changing {
  readonly tool: string;
  readonly deletes?: boolean;
  /** Done without regard to what stands there, so that it shows nothing of it either. */
  readonly blind?: boolean;
  readonly plan: () => Promise<ChangeMade>;
  /** Why the call is refused although it could be done; asked before the plan is made. */
  readonly refusal?: () => Promise<ToolResult | null>;
  readonly done: (planned: ChangeMade) => ToolResult;
}

/** Plans a change of files now, and makes the call that applies it. */
export async function changing(
  context: ToolContext,
  paths: readonly string[],
  changing: Changing,
): Promise<PreparedCall> {
  const action = actionOf(changing.tool, changing.deletes === true ? { deletes: paths } : { writes: paths });
  try {
    const refusal = await changing.refusal?.();
    if (refusal) return failing(action, refusal);
    const change = await changing.plan();
    return { action, destructive: false, change, run: async () => await applied(context, change, changing) };
  } catch (error) {
    return failing(action, await failureAt(context.workspace, paths[0] ?? ".", error));
  }
}

async function applied(
  context: ToolContext,
  change: ChangeMade,
  { done, blind = false }: Changing,
): Promise<ToolResult> {
  try {
    await context.workspace.apply(change);
  } catch (error) {
    return failureFrom(error);
  }
  const result = done(change);
  for (const { path, after } of change.changes) {
    const blob = after.kind === "file" ? change.blobs.find(({ digest }) => digest === after.digest) : undefined;
    if (blob !== undefined)
      rememberVersion(context.seen, { path, digest: blob.digest, bytes: Buffer.from(blob.bytes) });
  }
  const files = change.changes.filter(({ before, after }) => before.kind !== "folder" && after.kind !== "folder");
  const states = Object.fromEntries(
    files.flatMap(({ path, before, after, moved_from }) => {
      const isKnown = blind
        ? before.kind === "absent" || isSeen(context, path, before)
        : moved_from === undefined || context.seen.get(moved_from) !== undefined;
      return isKnown ? [[path, after]] : [];
    }),
  );
  return withSeen(context, result, states);
}
