/**
 * Limits of one command: memory, processes, size of a file. Set by a shell that then becomes the command, so that they cost
 * no process of their own; in control groups where this process may make some, since root is above the limit on processes.
 */
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { namesIn, textOf } from "./looking.ts";

export interface Limits {
  /** 0: no limit, for each of the three. */
  readonly memoryBytes: number;
  readonly processes: number;
  readonly fileBytes: number;
}

export const shell = "/bin/sh";
/** What `ulimit -f` counts in, in every shell that `sh` may be. */
const blockBytes = 512;

/** The script that sets limits and becomes its arguments. One that cannot be set (a lower one is in force) is left as it is. */
export function limitScript({ memoryBytes, fileBytes }: Limits, groups: readonly string[]): string {
  return [
    "ulimit -c 0",
    ...(fileBytes > 0 ? [`ulimit -f ${Math.ceil(fileBytes / blockBytes)}`] : []),
    ...(memoryBytes > 0 ? [`ulimit -d ${Math.ceil(memoryBytes / 1024)}`] : []),
  ]
    .map((line) => `${line} 2>/dev/null`)
    .concat(
      groups.map((file) => `echo 0 >${file} || exit 125`),
      'exec "$@"',
    )
    .join("\n");
}

/** The limit that a user's processes count against: set inside, where the sandbox counts for itself. dash says -p, others -u. */
export function processLimitScript(processes: number): string {
  return `ulimit -p ${processes} 2>/dev/null || ulimit -u ${processes} 2>/dev/null\nexec "$@"`;
}

/** One folder of a hierarchy of control groups. */
interface Hierarchy {
  readonly parent: string;
  readonly limits: Readonly<Record<string, number>>;
  /** What a process writes itself into. Of v1 `tasks`: unlike `cgroup.procs` it does not wait for the whole machine (10 ms). */
  readonly joinedBy: "tasks" | "cgroup.procs";
}

/** Control groups for commands, one each. */
export class ControlGroups {
  readonly #hierarchies: readonly Hierarchy[];
  readonly #prefix = `loom-${process.pid}-`;
  #made = 0;

  constructor(limits: Limits) {
    this.#hierarchies = hierarchiesFor(limits);
    for (const { parent } of this.#hierarchies) removeOrphans(parent);
  }

  /** Found by making one. */
  get countsProcesses(): boolean {
    const { joins, folders } = this.make();
    this.remove(folders);
    return joins.length > 0 && this.#hierarchies.some(({ limits }) => "pids.max" in limits);
  }

  /** @returns the files that a process joins by writing 0 to them; none where no groups can be made */
  make(): { readonly joins: readonly string[]; readonly folders: readonly string[] } {
    this.#made += 1;
    const folders: string[] = [];
    try {
      const joins = this.#hierarchies.map(({ parent, limits, joinedBy }) => {
        const folder = join(parent, `${this.#prefix}${this.#made}`);
        mkdirSync(folder);
        folders.push(folder);
        for (const [file, value] of Object.entries(limits)) writeFileSync(join(folder, file), String(value));
        return join(folder, joinedBy);
      });
      return { joins, folders };
    } catch {
      this.remove(folders);
      return { joins: [], folders: [] };
    }
  }

  /** What is not empty yet is left for the next start. */
  remove(folders: readonly string[]): void {
    for (const folder of folders) removed(folder);
  }
}

function hierarchiesFor({ memoryBytes, processes }: Limits): readonly Hierarchy[] {
  const own = ownGroups();
  const pids = { "pids.max": processes };
  const wanted = [
    { controller: "pids", value: processes, limits: pids },
    { controller: "memory", value: memoryBytes, limits: { "memory.limit_in_bytes": memoryBytes } },
  ].filter(({ value }) => value > 0);
  const first = wanted.flatMap(({ controller, limits }): Hierarchy[] => {
    const parent = own.get(controller);
    return parent === undefined
      ? []
      : [{ parent: join("/sys/fs/cgroup", controller, parent), limits, joinedBy: "tasks" }];
  });
  const unified = own.get("");
  if (first.length > 0 || unified === undefined) return first;
  // In v2 a group with processes has no children: the new one stands beside the one Loom is in.
  const limits = { ...(processes > 0 ? pids : {}), ...(memoryBytes > 0 ? { "memory.max": memoryBytes } : {}) };
  return [{ parent: join("/sys/fs/cgroup", dirname(unified)), limits, joinedBy: "cgroup.procs" }];
}

/** @returns controller → path of this process; the unified hierarchy under "" */
function ownGroups(): ReadonlyMap<string, string> {
  const groups = new Map<string, string>();
  for (const line of textOf("/proc/self/cgroup").split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers !== undefined && path !== undefined)
      for (const name of controllers.split(",")) groups.set(name, path);
  }
  return groups;
}

/** Groups of a Loom that was killed; those that still hold a process stay. */
function removeOrphans(parent: string): void {
  for (const name of namesIn(parent)) {
    const pid = /^loom-(\d+)-\d+$/.exec(name)?.[1];
    if (pid !== undefined && textOf(`/proc/${pid}/stat`) === "") removed(join(parent, name));
  }
}

function removed(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Not empty yet, or gone.
  }
}
