/**
 * What a command in the sandbox sees of this machine's files: which folders of the system stay readable, which toolchains
 * under home, which repository the workspace belongs to, and what of it is covered up. Looks; changes nothing.
 */
import { existsSync, lstatSync, readlinkSync, realpathSync, type Stats } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { namesIn, textOf } from "./looking.ts";

const systemFolders = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/gnu"];

/** Where toolchains and their caches live under a home, without the files beside them in which tokens are kept. */
const toolchainFolders = (
  ".asdf .bun .cargo/bin .cargo/git .cargo/registry .deno .dotnet .ghcup .gvm .juliaup .local/bin .local/lib .local/share/fnm " +
  ".local/share/mise .local/share/pipx .local/share/pnpm .local/share/uv .m2/repository .npm-global .nvm .pyenv .rbenv .rustup " +
  ".sdkman .volta go miniconda3 anaconda3 miniforge3"
).split(" ");

/** How deep files are looked at that only their owner may read: deep enough for keys, and soon done. */
const coverDepth = { "/etc": 4, "/opt": 2 };

export function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

export type SystemPlace =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

/** The system's own folders; where `/bin` is a link to `/usr/bin`, it is one in the sandbox too. */
export function systemPlaces(): readonly SystemPlace[] {
  return systemFolders.flatMap((path): SystemPlace[] => {
    const stats = looked(path);
    if (stats?.isSymbolicLink() === true) return [{ kind: "link", path, target: readlinkSync(path) }];
    return stats?.isDirectory() === true ? [{ kind: "folder", path }] : [];
  });
}

export interface Cover {
  readonly path: string;
  readonly isFolder: boolean;
}

/** What only its owner may read (`/etc/shadow`, keys of hosts): root would read it in the sandbox as well. */
export function ownersOnly(): readonly Cover[] {
  return Object.entries(coverDepth).flatMap(([folder, depth]) => closedBelow(folder, depth));
}

function closedBelow(folder: string, depth: number): readonly Cover[] {
  return namesIn(folder).flatMap((name) => {
    const path = join(folder, name);
    const stats = looked(path);
    if (stats === null || stats.isSymbolicLink()) return [];
    const isFolder = stats.isDirectory();
    if ((stats.mode & (isFolder ? 0o5 : 0o4)) === 0) return [{ path, isFolder }];
    return isFolder && depth > 1 ? closedBelow(path, depth - 1) : [];
  });
}

/** Folders under a home, and those of PATH wherever they are, that programs are run from. */
export function toolFolders(homes: readonly string[], searchPath: string): readonly string[] {
  const known = homes.flatMap((home) => toolchainFolders.map((folder) => join(home, folder)));
  const searched = searchPath.split(":").flatMap((folder) => (isAbsolute(folder) ? [programFolder(folder)] : []));
  const isTool = (folder: string) =>
    !homes.some((home) => isWithin(folder, home)) && !systemFolders.some((system) => isWithin(system, folder));
  return [...new Set([...known, ...searched])].filter((folder) => isTool(folder) && isFolder(folder));
}

/** A folder of programs is of no use without what they stand for: a toolchain's root, the packages beside `.bin`. */
function programFolder(folder: string): string {
  const path = resolve(folder);
  const toolchain = toolchainFolders.find((name) => name.startsWith(".") && path.includes(`/${name}/`));
  if (toolchain !== undefined) return path.slice(0, path.indexOf(`/${toolchain}/`) + toolchain.length + 1);
  return basename(path) === ".bin" ? dirname(path) : path;
}

/** The resolver's settings, where `/etc/resolv.conf` is a link out of the folders that are shown. */
export function resolverFile(): string | null {
  try {
    const real = realpathSync("/etc/resolv.conf");
    return systemFolders.some((folder) => isWithin(folder, real)) ? null : real;
  } catch {
    return null;
  }
}

export interface Repository {
  readonly path: string;
  readonly isWritable: boolean;
}

/**
 * What of a repository lies outside its workspace: the tree around it, to be read; or, of a linked work tree or a submodule,
 * the folder that git keeps it in, to be written, if that folder is known to be one: its name stands in a file of the
 * workspace, which a model can write.
 */
export function repositoryAround(root: string, homes: readonly string[]): Repository | null {
  const top = repositoryTop(root);
  if (top === null) return null;
  if (top !== root) return homes.some((home) => isWithin(top, home)) ? null : { path: top, isWritable: false };
  const pointer = join(root, ".git");
  if (looked(pointer)?.isFile() !== true) return null;
  const folder = /^gitdir: (.+)$/m.exec(textOf(pointer))?.[1];
  if (folder === undefined) return null;
  const own = resolve(root, folder);
  const above = repositoryTop(dirname(root));
  if (above !== null && isWithin(join(above, ".git", "modules"), own)) return { path: own, isWritable: true };
  if (basename(dirname(own)) !== "worktrees" || textOf(join(own, "gitdir")).trim() !== pointer) return null;
  return { path: dirname(dirname(own)), isWritable: true };
}

function repositoryTop(root: string): string | null {
  for (let folder = root; folder !== "/"; folder = dirname(folder)) {
    if (looked(join(folder, ".git")) !== null) return folder;
  }
  return null;
}

/** @returns those of Loom's own files that lie where a command could see them */
export function ownFilesIn(shown: readonly string[], own: readonly string[]): readonly Cover[] {
  return own
    .filter((path) => shown.some((folder) => isWithin(folder, path)))
    .flatMap((path) => {
      const stats = looked(path);
      return stats === null || stats.isSymbolicLink() ? [] : [{ path, isFolder: stats.isDirectory() }];
    });
}

/** The database is several files of one stem: `-wal`, `-shm`, its secrets; and a folder of blobs. */
export function databaseFiles(database: string): readonly string[] {
  const folder = dirname(database);
  const named = namesIn(folder).filter((name) => name.startsWith(basename(database)));
  return [...named.map((name) => join(folder, name)), join(folder, "blobs")];
}

export function ownerOf(path: string): number | null {
  return looked(path)?.uid ?? null;
}

export function isFolder(path: string): boolean {
  return existsSync(path) && lstatSync(realpathSync(path)).isDirectory();
}

function looked(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}
