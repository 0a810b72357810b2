/** What is there instead of a path that is not: small models misspell paths, and are put right by seeing the real ones. */
import { posix } from "node:path";
import { LoomError } from "../lib/errors.ts";
import { editsBetween } from "../lib/nearest.ts";
import type { ToolResult } from "../ports/tool.ts";
import type { Workspace } from "../ports/workspace.ts";
import { failureFrom } from "./definition.ts";

const depth = 6;
const entriesMax = 1000;
const namedMax = 3;
/** So few are named whether they are alike or not. */
const allNamedMax = 6;

/** @returns a sentence that names the paths that may have been meant; empty when nothing is there that is like it */
export async function nearPaths(workspace: Workspace, path: string): Promise<string> {
  const entries = await workspace.list(".", { depth, limit: entriesMax });
  const paths = entries.map((entry) => entry.path);
  const meant = paths
    .flatMap((other) => {
      const distance = distanceOf(path, other);
      return distance === null ? [] : [{ other, distance }];
    })
    .sort((a, b) => a.distance - b.distance || a.other.localeCompare(b.other))
    .slice(0, namedMax)
    .map(({ other }) => other);
  if (meant.length > 0) return ` Did you mean ${meant.join(" or ")}?`;
  if (paths.length === 0) return " The workspace is empty.";
  return paths.length <= allNamedMax ? ` There are only: ${paths.join(", ")}.` : "";
}

/** The same name elsewhere first, then the same letters in another order of folders, then a slip in the name. */
function distanceOf(wanted: string, other: string): number | null {
  const [name, otherName] = [posix.basename(wanted), posix.basename(other)];
  if (name.toLowerCase() === otherName.toLowerCase()) return 0;
  if (lettersOf(wanted) === lettersOf(other)) return 1;
  const edits = editsBetween(name, otherName);
  return edits === null ? null : edits + 1;
}

/** So that `notes/bak` is found for `notes.bak`, and `read-me.md` for `readme.md`. */
function lettersOf(path: string): string {
  return path.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
}

/** @returns the result for a failure at `path`, with what may have been meant where nothing is there; anything else is thrown on */
export async function failureAt(workspace: Workspace, path: string, error: unknown): Promise<ToolResult> {
  const failure = failureFrom(error);
  if (!(error instanceof LoomError) || error.code !== "not_found") return failure;
  return { ...failure, error: `${failure.error ?? ""}.${await nearPaths(workspace, path)}` };
}
