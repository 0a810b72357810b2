/** Opens workspaces: the folders of people's projects, and fresh ones under the scratch folder. One object for all tasks. */
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { mkdir, mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { FileChange, FileState } from "../domain/change.ts";
import { LoomError } from "../lib/errors.ts";
import type { ChangeMade, Entry, Workspace, Workspaces } from "../ports/workspace.ts";
import { applyChanges } from "./applying.ts";
import { confine, isInside } from "./confinement.ts";
import { errnoOf, notFound, pathRefused } from "./failures.ts";
import { type ListOptions, listTree } from "./listing.ts";
import type { Witness } from "./manifest/manifests.ts";
import { type NewModes, planDelete, planMove, planWrite } from "./planning.ts";
import { type Found, linkAt, lookAt, standingOf } from "./standing.ts";
import { Turns } from "./turns.ts";

/** As many links in a row as one path may end in. */
const linksMax = 8;
/** Never a workspace: an agent there could change the system, or what starts with it. */
const systemFolders = ["/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/sbin", "/sys", "/usr", "/var"];
const kernelFolders = ["/boot", "/dev", "/etc", "/proc", "/sys"];
const scratchName = /^[\w-][\w.-]{0,99}$/;

export interface WorkspacesOptions {
  readonly scratchDir: string;
  /** Told of every change that is made here. */
  readonly witness?: Witness;
}

export function openWorkspaces({ scratchDir, witness = nobody() }: WorkspacesOptions): Workspaces {
  const umask = process.umask();
  const modes: NewModes = { file: 0o666 & ~umask, folder: 0o777 & ~umask };
  return {
    open: async (root) => new LocalWorkspace(usableRoot(root), modes, witness),
    createScratch: async (name) => await createScratch(scratchDir, name),
    createCopy: async (files) => await createCopy(scratchDir, files, modes),
  };
}

function nobody(): Witness {
  return { turns: new Turns(), changed: () => Promise.resolve() };
}

class LocalWorkspace implements Workspace {
  readonly root: string;
  readonly #modes: NewModes;
  readonly #witness: Witness;

  constructor(root: string, modes: NewModes, witness: Witness) {
    this.root = root;
    this.#modes = modes;
    this.#witness = witness;
  }

  async resolve(path: string): Promise<string> {
    return confine(this.root, path);
  }

  /** Confinement has seen that a link stays inside. */
  async place(path: string): Promise<string> {
    let place = confine(this.root, path);
    for (let links = 0; links < linksMax; links += 1) {
      const target = linkAt(this.root, place);
      if (target === null) return place;
      place = confine(this.root, isAbsolute(target) ? target : join(this.root, place, "..", target));
    }
    throw pathRefused(path, "it is a symbolic link to a link to a link …");
  }

  async look(path: string, maxBytes: number): Promise<Found> {
    return await lookAt(this.root, confine(this.root, path), maxBytes);
  }

  async state(path: string): Promise<FileState> {
    return (await lookAt(this.root, await this.resolve(path))).state;
  }

  async read(path: string, maxBytes: number): Promise<Uint8Array> {
    const { state, bytes } = await lookAt(this.root, await this.place(path), maxBytes);
    if (state.kind === "absent") throw notFound(path);
    if (state.kind === "folder") throw pathRefused(path, "it is a folder", "list_directory shows what is in it");
    if (bytes === undefined)
      throw pathRefused(path, `it has ${sizeOf(state)} bytes, more than the ${maxBytes} that are read at once`);
    return bytes;
  }

  async list(path: string, options: ListOptions): Promise<Entry[]> {
    const place = await this.place(path);
    const { state } = await lookAt(this.root, place);
    if (state.kind === "absent") throw notFound(path);
    if (state.kind !== "folder") throw pathRefused(path, "it is not a folder", "read_file reads a file");
    return await listTree(this.root, place, options);
  }

  async planWrite(path: string, bytes: Uint8Array): Promise<ChangeMade> {
    return await planWrite(this.root, await this.place(path), { bytes, modes: this.#modes });
  }

  async planDelete(path: string): Promise<ChangeMade> {
    return await planDelete(this.root, await this.resolve(path));
  }

  async planMove(source: string, destination: string): Promise<ChangeMade> {
    const place = await this.resolve(destination);
    return await planMove(this.root, await this.resolve(source), { destination: place, modes: this.#modes });
  }

  /** One at a time in a workspace, over all tasks in it: what is checked is still so when it is done. */
  async apply(planned: ChangeMade): Promise<void> {
    await this.#witness.turns.take(this.root, async () => {
      await applyChanges(this.root, planned);
      await this.#witness.changed(this.root, planned.changes);
    });
  }

  async standing(changes: readonly FileChange[]): Promise<"before" | "after" | "neither"> {
    return await standingOf(this.root, changes);
  }
}

/** What died without disposing of its copy leaves it under a name that tells what it was. */
async function createCopy(
  scratchDir: string,
  files: ReadonlyMap<string, Uint8Array>,
  modes: NewModes,
): Promise<Workspace & AsyncDisposable> {
  await mkdir(scratchDir, { recursive: true });
  const root = await realpath(await mkdtemp(join(scratchDir, "copy-")));
  const copy = new CopiedWorkspace(root, modes, nobody());
  try {
    for (const [path, bytes] of files) await copy.apply(await copy.planWrite(path, bytes));
  } catch (error) {
    await copy[Symbol.asyncDispose]();
    throw error;
  }
  return copy;
}

class CopiedWorkspace extends LocalWorkspace implements AsyncDisposable {
  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}

function sizeOf(state: FileState): number {
  return state.kind === "file" ? state.bytes : 0;
}

/** Looks without giving way, as each look in it does. @see ADR 8 */
function usableRoot(root: string): string {
  if (!isAbsolute(root)) throw unusable(root, "it is not an absolute path");
  const real = placeOf(root);
  if (!statSync(real).isDirectory()) throw unusable(root, "it is not a folder");
  if (isInside(real, homedir())) throw unusable(root, "it is your home folder, or holds it");
  if (systemFolders.includes(real) || kernelFolders.some((folder) => isInside(folder, real))) {
    throw unusable(root, "it belongs to the system");
  }
  try {
    accessSync(real, constants.R_OK | constants.X_OK);
  } catch {
    throw unusable(root, "it cannot be read");
  }
  return real;
}

function placeOf(root: string): string {
  try {
    return realpathSync.native(root);
  } catch (error) {
    throw unusable(root, `it cannot be found (${errnoOf(error) ?? "unknown"})`);
  }
}

function unusable(root: string, reason: string): LoomError {
  return new LoomError("workspace_unusable", `Cannot use "${root}" as a workspace: ${reason}`, {
    hint: "Give the absolute path of an existing folder for the work, such as a checkout",
  });
}

async function createScratch(scratchDir: string, name: string): Promise<string> {
  if (!scratchName.test(name)) throw new Error(`"${name}" is no name for a scratch folder`);
  await mkdir(scratchDir, { recursive: true });
  for (let n = 1; ; n += 1) {
    const path = join(scratchDir, n === 1 ? name : `${name}-${n}`);
    await mkdir(path, { recursive: true });
    if ((await readdir(path)).length === 0) return await realpath(path);
  }
}
