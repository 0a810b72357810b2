/**
 * A command line in bubblewrap: namespaces of its own, the system read-only, the workspace writable at its own path, a home
 * and a /tmp of the task's own, no network unless it was allowed. The kernel takes all of it away with the first process.
 */
import type { Command } from "../../ports/sandbox.ts";
import {
  type Cover,
  isFolder,
  ownerOf,
  ownFilesIn,
  repositoryAround,
  resolverFile,
  systemPlaces,
  toolFolders,
} from "./places.ts";

export interface BubblewrapOptions {
  readonly program: string;
  /** The homes of this user: what HOME says, and what the system says. */
  readonly homes: readonly string[];
  readonly searchPath: string;
  /** Further folders that commands may read. */
  readonly readable: readonly string[];
  /** Loom's own files, looked for anew each time: they come and go. */
  readonly own: () => readonly string[];
  /** Of the system's files, those that are covered up. */
  readonly covers: readonly Cover[];
  /** A filter of system calls comes in on descriptor 3. */
  readonly hasFilter: boolean;
  readonly isRoot: boolean;
}

const walls =
  "--unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup-try --die-with-parent --new-session --cap-drop ALL".split(
    " ",
  );
const kernelPlaces =
  "--proc /proc --dev /dev --dir /run --dir /var --symlink /run /var/run --symlink /tmp /var/tmp".split(" ");

export interface TaskFolders {
  readonly home: string;
  readonly tmp: string;
}

/** Builds command lines; what does not change between commands is looked up once. */
export class Bubblewrap {
  readonly #options: BubblewrapOptions;
  readonly #system: readonly string[];
  readonly #tools: readonly string[];

  constructor(options: BubblewrapOptions) {
    this.#options = options;
    this.#tools = [...toolFolders(options.homes, options.searchPath), ...options.readable.filter(isFolder)];
    this.#system = [
      ...systemPlaces().flatMap((place) =>
        place.kind === "link" ? ["--symlink", place.target, place.path] : ["--ro-bind", place.path, place.path],
      ),
      ...options.covers.flatMap(covered),
      ...kernelPlaces,
    ];
  }

  /** @returns the program and its arguments, up to the command itself */
  command({ root, network }: Pick<Command, "root" | "network">, folders: TaskFolders): readonly string[] {
    const { program, homes, hasFilter, own } = this.#options;
    const around = repositoryAround(root, homes);
    const shown = [...this.#tools, ...(around === null ? [] : [around.path]), root];
    const resolver = network ? resolverFile() : null;
    return [
      program,
      ...this.#namespaces(root, network),
      ...(hasFilter ? ["--seccomp", "3"] : []),
      ...this.#system,
      "--bind",
      folders.tmp,
      "/tmp",
      ...this.#home(folders),
      ...this.#tools.flatMap((folder) => ["--ro-bind", folder, folder]),
      ...(resolver === null ? [] : ["--ro-bind", resolver, resolver]),
      ...(around === null ? [] : [around.isWritable ? "--bind" : "--ro-bind", around.path, around.path]),
      "--bind",
      root,
      root,
      ...ownFilesIn(shown, own()).flatMap(covered),
      "--remount-ro",
      "/",
      "--chdir",
      root,
      "--",
    ];
  }

  /** Where the task's own home stands: at the path of the real one, unless that is no place for it. */
  homePath(): string {
    const [home] = this.#options.homes;
    return home !== undefined && isFolder(home) ? home : "/tmp";
  }

  #home({ home }: TaskFolders): readonly string[] {
    const path = this.homePath();
    return path === "/tmp" ? [] : ["--bind", home, path];
  }

  #namespaces(root: string, network: boolean): readonly string[] {
    const { isRoot, hasFilter } = this.#options;
    return [
      ...walls,
      ...(network ? [] : ["--unshare-net"]),
      // Root writes to what others own by a capability that holds only in the first user namespace.
      ...(isRoot && ownerOf(root) !== 0
        ? ["--cap-add", "CAP_DAC_OVERRIDE"]
        : ["--unshare-user", ...(hasFilter ? [] : ["--disable-userns"])]),
    ];
  }
}

function covered({ path, isFolder: folder }: Cover): readonly string[] {
  return folder ? ["--tmpfs", path, "--remount-ro", path] : ["--ro-bind", "/dev/null", path];
}
