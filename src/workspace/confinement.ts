/**
 * Confinement: which place inside a workspace a path names, whatever a model wrote. Symlinks are resolved, what leads out
 * is refused. Decides by looking at the file system as it is now; `open-folder.ts` makes sure that it is still so at use.
 * Looks without giving way: a lookup takes microseconds, and a turn of the thread pool ten times that. @see ADR 8
 */

import { lstatSync, readlinkSync, realpathSync, type Stats } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { errnoOf, failureOf, pathRefused } from "./failures.ts";

/** PATH_MAX of Linux. */
const pathCharsMax = 4096;
/** As many links in a row as a chain of dangling ones may have; the kernel allows 40. */
const danglingLinksMax = 8;

const stayInside = "Use a path inside the workspace, relative to its root";

/** @returns the place relative to `root` (`.` for the root): links resolved, but a last one that stays inside is kept */
export function confine(root: string, path: string): string {
  try {
    return placeOf(root, path, 0);
  } catch (error) {
    throw failureOf(error, "resolve", path);
  }
}

export function isInside(root: string, absolute: string): boolean {
  return absolute === root || absolute.startsWith(root.endsWith("/") ? root : `${root}/`);
}

/** Git's own folder, also under the names that some file systems take for it. */
export function isGitInternal(path: string): boolean {
  return path.split("/").some((name) => {
    const plain = name
      .normalize("NFKC")
      .replaceAll(/\p{Cf}/gu, "")
      .replace(/[. ]+$/, "")
      .toLowerCase();
    return plain === ".git" || plain === "git~1";
  });
}

function placeOf(root: string, path: string, links: number): string {
  refuseMalformed(path);
  const written = path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
  const wanted = isAbsolute(written) ? resolve(written) : resolve(root, withoutOwnName(root, written));
  const real = wanted === "/" ? wanted : join(realFolder(dirname(wanted), path), basename(wanted));
  if (isInside(root, real)) return settled(root, { real, path, links });
  const followed = realOrNull(real);
  if (followed === null || !isInside(root, followed)) {
    throw pathRefused(path, `it leads out of the workspace ${root}`, stayInside);
  }
  return settled(root, { real: followed, path, links });
}

function refuseMalformed(path: string): void {
  if (path === "") throw pathRefused(path, "it is empty", "The root of the workspace is `.`");
  if (path.includes("\0")) throw pathRefused(path, "it contains a NUL character");
  if (path.length > pathCharsMax) throw pathRefused(path, `it is longer than ${pathCharsMax} characters`);
}

/**
 * Models like to put the workspace's own name in front. Taken off only where that name is nothing inside, and what is
 * left names, or lies under, something that is there: else a new folder of that name may well be meant.
 */
function withoutOwnName(root: string, path: string): string {
  const [first, ...rest] = resolve("/", path).slice(1).split("/");
  if (first !== basename(root) || exists(join(root, first))) return path;
  const [below, ...deeper] = rest;
  if (below === undefined) return ".";
  const known = deeper.length > 0 ? join(root, below) : join(root, ...rest);
  return exists(known) ? rest.join("/") : path;
}

/** @returns `folder` with its links resolved, also where its last parts do not exist yet */
function realFolder(folder: string, path: string): string {
  try {
    return realpathSync.native(folder);
  } catch (error) {
    if (!standsNowhere(error)) throw error;
  }
  if (exists(folder)) throw pathRefused(path, `the symbolic link ${folder} leads nowhere`);
  return join(realFolder(dirname(folder), path), basename(folder));
}

interface Candidate {
  readonly real: string;
  readonly path: string;
  readonly links: number;
}

/** Judges what stands at the place: a link must stay inside, and only files, folders and links are paths at all. */
function settled(root: string, { real, path, links }: Candidate): string {
  const found = lookAt(real);
  if (found?.isSymbolicLink()) refuseLeavingLink(root, { real, path, links });
  else if (found !== null && !found.isFile() && !found.isDirectory()) {
    throw pathRefused(path, "it is neither a file nor a folder");
  }
  return relative(root, real) || ".";
}

function refuseLeavingLink(root: string, { real, path, links }: Candidate): void {
  const target = targetOf(real);
  if (target !== null && isInside(root, target)) return;
  if (target !== null || links >= danglingLinksMax) {
    throw pathRefused(path, "it is a symbolic link that leads out of the workspace", stayInside);
  }
  placeOf(root, resolve(dirname(real), readlinkSync(real)), links + 1);
}

function exists(path: string): boolean {
  return lookAt(path) !== null;
}

function lookAt(path: string): Stats | null {
  try {
    // An error for each place where nothing stands would cost more than the look.
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    if (standsNowhere(error)) return null;
    throw error;
  }
}

function targetOf(link: string): string | null {
  try {
    return realpathSync.native(link);
  } catch (error) {
    if (standsNowhere(error)) return null;
    throw error;
  }
}

function realOrNull(path: string): string | null {
  try {
    return realpathSync.native(path);
  } catch {
    return null;
  }
}

/** Below a file stands nothing: that is no worse than a name that is not there. */
function standsNowhere(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "");
}
