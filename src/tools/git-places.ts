/** Where git may look: paths stay inside the workspace, also where the repository is larger; uncommitted work is not lost. */
import { lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import { LoomError } from "../lib/errors.ts";
import type { Workspace } from "../ports/workspace.ts";
import { isReadOnly, optionsOf } from "./git-rules.ts";

/** @returns the folder that holds `.git`, this one or one above it; null outside any repository */
export function repositoryOf(root: string): string | null {
  for (let folder = root; ; folder = dirname(folder)) {
    if (exists(join(folder, ".git"))) return folder;
    if (folder === "/") return null;
  }
}

export interface GitPlace {
  readonly workspace: Workspace;
  /** The repository is the workspace itself, not one that it lies in. */
  readonly isWhole: boolean;
}

/** @returns why git may not be given these paths, or null */
export async function placeRefusal(args: readonly string[], place: GitPlace): Promise<string | null> {
  const [subcommand = "", ...rest] = args;
  if (!place.isWhole && !isReadOnly(subcommand)) {
    return `git ${subcommand} is not allowed here: the repository is larger than the workspace, so only its history can be read`;
  }
  const end = rest.indexOf("--");
  const named = [...optionsOf(subcommand, rest), ...(end === -1 ? [] : rest.slice(end + 1))];
  for (const arg of named.filter((candidate) => !isRemote(candidate))) {
    const refusal = await argumentRefusal(arg, place);
    if (refusal !== null) return refusal;
  }
  return subcommand === "checkout" ? await discardRefusal(rest, place.workspace) : null;
}

function isRemote(arg: string): boolean {
  return /^https?:|^ssh:|^[\w.-]+@[\w.-]+:/.test(arg);
}

async function argumentRefusal(arg: string, { workspace, isWhole }: GitPlace): Promise<string | null> {
  const value = arg.startsWith("-") ? arg.slice(arg.indexOf("=") + 1) : arg;
  if (value.split(/[/:]/).includes("..")) return `"${value}" leads up and out. Name paths from the workspace's root`;
  if (!isWhole && /:(?!\.\/)/.test(value)) return `"${value}" may lie outside the workspace. Write <revision>:./<path>`;
  if (arg.startsWith("-") && !value.startsWith("/")) return null;
  try {
    await workspace.resolve(value === "" ? "." : value);
    return null;
  } catch (error) {
    if (!(error instanceof LoomError)) throw error;
    return error.message;
  }
}

/** `git checkout` with a path throws away what was changed there. */
async function discardRefusal(args: readonly string[], workspace: Workspace): Promise<string | null> {
  const positional = args.filter((arg) => !arg.startsWith("-"));
  const reason =
    "git checkout of paths is not allowed: it loses uncommitted work. Change branches with switch; change files with edit_file";
  if (
    args.includes("--") ||
    positional.includes(".") ||
    (positional.length > 1 && !args.some((arg) => ["-b", "--orphan", "-t", "--track"].includes(arg)))
  )
    return reason;
  const [first] = positional;
  return first !== undefined && (await workspace.state(first)).kind !== "absent" ? reason : null;
}

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
