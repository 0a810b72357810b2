/**
 * The sandbox that this machine has: bubblewrap where it works, tried out by running it, else none, with the reason. Without
 * one, commands still have their limits of memory and file size.
 */
import { accessSync, constants } from "node:fs";
import { isAbsolute, join } from "node:path";
import { LoomError } from "../../lib/errors.ts";
import type { Log } from "../../ports/runtime.ts";
import type { Command, Confined, Sandbox, SandboxStanding } from "../../ports/sandbox.ts";
import { Bubblewrap } from "./bubblewrap.ts";
import { ControlGroups, type Limits, limitScript, processLimitScript, shell } from "./limits.ts";
import { databaseFiles, ownersOnly } from "./places.ts";
import { probe } from "./probe.ts";
import { seccompFilter } from "./seccomp.ts";
import { openOf, standingOf } from "./standing.ts";
import { PrivateFolders } from "./task-folders.ts";

export interface SandboxOptions {
  readonly mode: "auto" | "require" | "off";
  /** Every command may reach the network, not only those that were allowed to. */
  readonly network: boolean;
  readonly limits: Limits;
  readonly readable: readonly string[];
  /** The database: it and what lies beside it is nobody's to see; the homes of tasks are kept beside it. */
  readonly database: string;
  /** Other files of Loom's own: its configuration, its keys. */
  readonly ownFiles: readonly string[];
  /** The home that the system knows this user by. */
  readonly systemHome: string;
  readonly inherited: { readonly PATH?: string | undefined; readonly HOME?: string | undefined };
}

export interface SandboxPorts {
  readonly log: Pick<Log, "info" | "warn">;
  readonly now: () => number;
}

const usualSearchPath = "/usr/local/bin:/usr/bin:/bin";

/** @throws LoomError config_invalid when one is required and there is none */
export async function openSandbox(options: SandboxOptions, { log, now }: SandboxPorts): Promise<Sandbox> {
  if (options.mode === "off") return unconfined(standingOf({ kind: "off" }));
  const folders = new PrivateFolders({
    folder: `${options.database}.sandbox`,
    home: options.inherited.HOME ?? options.systemHome,
    now,
  });
  const found = await bubblewrapFor(options, folders);
  if (typeof found !== "string") return found;
  await folders[Symbol.asyncDispose]();
  if (options.mode === "require")
    throw new LoomError("config_invalid", `[sandbox] mode is "require", but ${found}`, {
      hint: 'Install bubblewrap (Debian, Ubuntu: apt install bubblewrap), let this user make user namespaces, or set [sandbox] mode to "auto" to run commands unconfined',
    });
  const standing = standingOf({ kind: "none", reason: found, limits: options.limits });
  log.warn({ reason: found }, openOf(standing));
  return limited(standing, options, log);
}

/** Commands run as they are. */
export function unconfined(standing: SandboxStanding = standingOf({ kind: "off" })): Sandbox {
  return {
    standing,
    confine: ({ file, args, environment }) => ({ ...bare, file, args, environment }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const bare = { layer: "none", inputs: [], diesWhole: false, [Symbol.dispose]: () => undefined } as const;

/** No walls, but limits. Of each task it is said once. */
function limited(standing: SandboxStanding, { limits }: SandboxOptions, log: SandboxPorts["log"]): Sandbox {
  const script = limitScript(limits, []);
  const told = new Set<string>();
  return {
    standing,
    confine: ({ file, args, environment, taskId }) => {
      if (!told.has(taskId)) log.warn({ task_id: taskId }, "Commands of this task run unconfined: there is no sandbox");
      told.add(taskId);
      return { ...bare, file: shell, args: ["-c", script, shell, file, ...args], environment };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** @returns the sandbox, or why there is none */
async function bubblewrapFor(options: SandboxOptions, folders: PrivateFolders): Promise<Sandbox | string> {
  const { limits, inherited } = options;
  if (process.platform !== "linux") return `there is no sandbox for ${process.platform} in this version`;
  const program = programIn(inherited.PATH ?? usualSearchPath, "bwrap");
  if (program === null) return "bubblewrap (bwrap) is not installed";
  const parts = { ...options, program, folders, filter: seccompFilter(process.arch) };
  const whole = await tried(new Confining(parts, limits));
  if (typeof whole !== "string") return whole;
  // A group may refuse its processes, and before Linux 5.14 a user's processes are counted over all sandboxes.
  const uncounted = await tried(new Confining(parts, { ...limits, processes: 0 }, noGroups));
  return typeof uncounted === "string" ? `bubblewrap does not work here: ${whole}` : uncounted;
}

const noGroups = new ControlGroups({ memoryBytes: 0, processes: 0, fileBytes: 0 });

async function tried(confining: Confining): Promise<Sandbox | string> {
  const { failure, limitsProcesses } = await probe((command) => confining.confine(command), confining.processes);
  return failure ?? confining.sandbox(limitsProcesses);
}

interface Parts extends SandboxOptions {
  readonly program: string;
  readonly folders: PrivateFolders;
  readonly filter: Uint8Array | null;
}

/** Commands in bubblewrap: a shell sets the limits and becomes bubblewrap, which becomes the command. */
class Confining {
  readonly #parts: Parts;
  readonly #limits: Limits;
  readonly #groups: ControlGroups;
  readonly #bubblewrap: Bubblewrap;
  readonly #isRoot = process.getuid?.() === 0;

  constructor(parts: Parts, limits: Limits, groups = new ControlGroups(limits)) {
    const { program, database, ownFiles, filter, readable, inherited, systemHome } = parts;
    this.#parts = parts;
    this.#limits = limits;
    this.#groups = groups;
    this.#bubblewrap = new Bubblewrap({
      homes: [inherited.HOME ?? systemHome, systemHome].filter((home) => isAbsolute(home) && home !== "/"),
      searchPath: inherited.PATH ?? usualSearchPath,
      readable,
      covers: this.#isRoot ? ownersOnly() : [],
      own: () => [...databaseFiles(database), ...ownFiles],
      hasFilter: filter !== null,
      isRoot: this.#isRoot,
      program,
    });
  }

  /** What each command may start, counted by its user; root is counted in groups. */
  get processes(): number {
    return this.#isRoot ? 0 : this.#limits.processes;
  }

  sandbox(limitsProcesses: boolean): Sandbox {
    const { filter, folders, network } = this.#parts;
    const isLimited = limitsProcesses || this.#groups.countsProcesses;
    const limits = { ...this.#limits, processes: isLimited ? this.#limits.processes : 0 };
    return {
      standing: standingOf({ kind: "bubblewrap", limits, network, isRoot: this.#isRoot, hasFilter: filter !== null }),
      confine: (command) => this.confine({ ...command, network: network || command.network }),
      [Symbol.asyncDispose]: () => folders[Symbol.asyncDispose](),
    };
  }

  confine({ file, args, environment, root, taskId, network }: Command): Confined {
    const { filter, folders } = this.#parts;
    const own = folders.take(taskId);
    const group = this.#groups.make();
    const { processes } = this;
    const counted = processes === 0 ? [] : [shell, "-c", processLimitScript(processes), shell];
    const wrapped = [...this.#bubblewrap.command({ root, network }, own), ...counted, file, ...args];
    return {
      layer: "bubblewrap",
      file: shell,
      args: ["-c", limitScript(this.#limits, group.joins), shell, ...wrapped],
      environment: { ...environment, HOME: this.#bubblewrap.homePath(), TMPDIR: "/tmp" },
      inputs: filter === null ? [] : [filter],
      diesWhole: true,
      [Symbol.dispose]: () => {
        own[Symbol.dispose]();
        this.#groups.remove(group.folders);
      },
    };
  }
}

function programIn(searchPath: string, name: string): string | null {
  const places = searchPath.split(":").filter(isAbsolute);
  return places.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
