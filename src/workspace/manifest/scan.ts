/**
 * One look at a whole tree: names and times only, and the content of what these do not vouch for. Follows no link, leaves
 * `.git` out, gives way every so many entries. What tools fill is looked at last, and left out whole where there is no room.
 */
import { lstatSync, opendirSync, readlinkSync, type Stats } from "node:fs";
import { setImmediate as giveWay } from "node:timers/promises";
import { bulkFolders, type FileState } from "../../domain/change.ts";
import { LoomError } from "../../lib/errors.ts";
import { isGitInternal } from "../confinement.ts";
import { errnoOf, isMissing } from "../failures.ts";
import { OpenFolder } from "../open-folder.ts";
import { lookIn, modeBits } from "../standing.ts";
import { type Delta, type FileStat, isAsKnown, isSameStat, type Known, type Limits, type Tree } from "./tree.ts";

/** Some 2 ms of looking, or of hashing. */
const entriesAtOnce = 128;
const bytesAtOnce = 1024 * 1024;
/** The content of larger files is not kept: it passes through memory. */
export const keptBytesMax = 64 * 1024 * 1024;
/** Twice the coarsest tick that kernels stamp files with. */
const racyMs = 20;
const depthMax = 200;
const pathCharsMax = 4096;
const unseen: ReadonlySet<string> = new Set(["EACCES", "EPERM", "ELOOP", "ENOTDIR"]);

export interface ScanPorts {
  readonly root: string;
  readonly tree: Tree;
  readonly limits: Limits;
  /** @returns whether it could be kept */
  readonly keep: (digest: string, bytes: Uint8Array) => Promise<boolean>;
  readonly now: () => number;
}

/** Brings the tree up to date. @returns what was not as it was known, by path */
export async function scan(ports: ScanPorts): Promise<Delta[]> {
  return await new Scan(ports).run();
}

/** There is no room for a folder that tools fill. */
class NoRoom extends Error {}

class Scan {
  readonly #ports: ScanPorts;
  readonly #tree: Tree;
  readonly #deltas = new Map<string, Delta>();
  readonly #seen = new Set<string>();
  readonly #bulk: string[] = [];
  /** The folder that tools fill, which is looked into now and was not known before. */
  #freshBulk: string | null = null;
  readonly #inFreshBulk: string[] = [];
  #bytes = 0;
  #entriesLeft = entriesAtOnce;
  #bytesLeft = bytesAtOnce;

  constructor(ports: ScanPorts) {
    this.#ports = ports;
    this.#tree = ports.tree;
  }

  async run(): Promise<Delta[]> {
    const { root } = this.#ports;
    {
      using folder = OpenFolder.open(root, ".");
      await this.#folder(folder, "", 1);
    }
    const isFirst = new Set(this.#bulk.filter((path) => this.#deltas.has(path)));
    for (const path of this.#bulk) await this.#bulkFolder(path, isFirst.has(path));
    await this.#missing();
    return [...this.#deltas.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  async #bulkFolder(path: string, isFresh: boolean): Promise<void> {
    this.#freshBulk = isFresh ? path : null;
    this.#inFreshBulk.length = 0;
    const bytes = this.#bytes;
    try {
      using folder = OpenFolder.open(this.#ports.root, path);
      await this.#folder(folder, path, path.split("/").length + 1);
    } catch (error) {
      if (error instanceof NoRoom) this.#forget(path, bytes);
      else this.#cannotSee(path, error);
    } finally {
      this.#freshBulk = null;
    }
  }

  /** Half a folder that tools fill is of no use to anyone. */
  #forget(path: string, bytes: number): void {
    this.#tree.gaps.set(path, this.#noRoom());
    this.#bytes = bytes;
    for (const seen of this.#inFreshBulk) {
      this.#seen.delete(seen);
      this.#deltas.delete(seen);
      this.#tree.known.delete(seen);
    }
  }

  #noRoom(): string {
    const { maxBytes, maxFiles } = this.#ports.limits;
    return `over [undo] max_files = ${maxFiles} or max_bytes = ${maxBytes}`;
  }

  #cannotSee(path: string, error: unknown): void {
    // It went away in the meantime; or it is another thing by now, and the next look will tell.
    if (isMissing(error)) return;
    if (!unseen.has(errnoOf(error) ?? "")) throw error;
    this.#tree.gaps.set(path, `it cannot be looked into (${errnoOf(error)})`);
  }

  async #folder(folder: OpenFolder, path: string, depth: number): Promise<void> {
    const folders: string[] = [];
    const opened = opendirSync(folder.at("."), { bufferSize: entriesAtOnce });
    try {
      for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) {
        if (this.#entriesLeft <= 0 || this.#bytesLeft <= 0) await this.#breathe();
        this.#entriesLeft -= 1;
        const { name } = entry;
        if (await this.#entry(folder.at(name), { name, path: joined(path, name), parent: path })) folders.push(name);
      }
    } finally {
      opened.closeSync();
    }
    for (const name of folders) await this.#into(folder, { name, below: joined(path, name), depth });
  }

  async #into(
    folder: OpenFolder,
    { name, below, depth }: { readonly name: string; readonly below: string; readonly depth: number },
  ): Promise<void> {
    if (bulkFolders.has(name) && !below.split("/").slice(0, -1).some(isBulkName)) {
      this.#bulk.push(below);
      return;
    }
    if (depth >= depthMax) {
      this.#tree.gaps.set(below, `deeper than ${depthMax} folders`);
      return;
    }
    try {
      using inner = folder.enter(name);
      await this.#folder(inner, below, depth + 1);
    } catch (error) {
      if (error instanceof NoRoom) throw error;
      this.#cannotSee(below, error);
    }
  }

  async #breathe(): Promise<void> {
    this.#entriesLeft = entriesAtOnce;
    this.#bytesLeft = bytesAtOnce;
    await giveWay();
  }

  /** @returns whether it is a folder whose content is kept track of */
  async #entry(place: string, { name, path, parent }: Entry): Promise<boolean> {
    if (mayBeGit.test(name) && isGitInternal(name)) return false;
    if (this.#tree.full.has(parent === "" ? "." : parent) && !this.#tree.known.has(path)) return false;
    const found = this.#statAt(place, path);
    if (found === null || (this.#tree.gaps.has(path) && !found.isDirectory())) return false;
    const known = this.#tree.known.get(path);
    if (known === undefined && !this.#hasRoom(parent, found)) return false;
    const isKept = await this.#look(place, path, { known, found });
    return isKept && found.isDirectory() && !this.#tree.gaps.has(path);
  }

  #statAt(place: string, path: string): Stats | null {
    const found = lstatSync(place, { throwIfNoEntry: false }) ?? null;
    const why =
      path.length > pathCharsMax
        ? "its path is too long"
        : found === null && path.includes("\uFFFD")
          ? "its name is not UTF-8"
          : found !== null && !found.isFile() && !found.isDirectory() && !found.isSymbolicLink()
            ? "neither file, folder nor link"
            : null;
    if (why === null) return found;
    this.#tree.gaps.set(path.slice(0, 200), why);
    return null;
  }

  #hasRoom(parent: string, found: Stats): boolean {
    const { maxBytes, maxFiles } = this.#ports.limits;
    const size = found.isFile() ? found.size : 0;
    if (this.#seen.size < maxFiles && this.#bytes + size <= maxBytes) return true;
    if (this.#freshBulk !== null) throw new NoRoom();
    this.#tree.full.set(parent === "" ? "." : parent, this.#noRoom());
    return false;
  }

  async #look(place: string, path: string, { known, found }: Sight): Promise<boolean> {
    if (found.isFile() && known?.stat && !known.racy && isSameStat(known.stat, found)) {
      this.#confirm(path, found);
      return true;
    }
    const began = this.#ports.now();
    const looked = await this.#stateAt(place, path, found);
    if (looked === null) return known !== undefined;
    const { state, bytes } = looked;
    this.#confirm(path, found);
    const stat: FileStat = { size: found.size, mtimeMs: found.mtimeMs, ctimeMs: found.ctimeMs, ino: found.ino };
    const racy = state.kind === "file" && Math.max(found.mtimeMs, found.ctimeMs) > began - racyMs;
    this.#tree.known.set(path, { state, stat, racy });
    if (isAsKnown(known, state)) return true;
    this.#note({ path, before: known?.state ?? { kind: "absent" }, after: state }, known, found);
    if (state.kind === "file" && bytes !== undefined && !(await this.#ports.keep(state.digest, bytes)))
      this.#tree.notes.set(path, "the contents that this task went through are over [undo] max_bytes");
    return true;
  }

  #note(delta: Delta, known: Known | undefined, found: Stats): void {
    const inoBefore = known?.state.kind === "file" && known.stat !== null ? { inoBefore: known.stat.ino } : {};
    const inoAfter = delta.after.kind === "file" ? { inoAfter: found.ino } : {};
    this.#deltas.set(delta.path, { ...delta, ...inoBefore, ...inoAfter });
  }

  #confirm(path: string, found: Stats): void {
    this.#seen.add(path);
    if (this.#freshBulk !== null) this.#inFreshBulk.push(path);
    if (found.isFile()) this.#bytes += found.size;
  }

  async #stateAt(
    place: string,
    path: string,
    found: Stats,
  ): Promise<{ readonly state: FileState; readonly bytes?: Uint8Array } | null> {
    try {
      if (found.isDirectory()) return { state: { kind: "folder", mode: found.mode & modeBits } };
      if (found.isSymbolicLink()) return this.#linkAt(place, path);
      if (found.size > keptBytesMax) return this.#leftOut(path, `over ${keptBytesMax} bytes`);
      this.#bytesLeft -= found.size;
      return await lookIn(place, path, keptBytesMax);
    } catch (error) {
      // Gone, or another thing by now: the next look tells.
      if (isMissing(error) || errnoOf(error) === "EINVAL" || error instanceof LoomError) return null;
      if (!unseen.has(errnoOf(error) ?? "")) throw error;
      return this.#leftOut(path, `it cannot be read (${errnoOf(error)})`);
    }
  }

  #linkAt(place: string, path: string): { readonly state: FileState } | null {
    const target = readlinkSync(place);
    return target.includes("\uFFFD")
      ? this.#leftOut(path, "its target is not UTF-8")
      : { state: { kind: "link", target } };
  }

  #leftOut(path: string, why: string): null {
    this.#tree.gaps.set(path, why);
    return null;
  }

  /** What was known and is not there any more. */
  async #missing(): Promise<void> {
    const { known } = this.#tree;
    for (const [path, { state, stat }] of known) {
      if (this.#seen.has(path)) continue;
      known.delete(path);
      if (this.#isLeftOut(path)) continue;
      const ino = state.kind === "file" && stat !== null ? { inoBefore: stat.ino } : {};
      this.#deltas.set(path, { path, before: state, after: { kind: "absent" }, ...ino });
      this.#entriesLeft -= 1;
      if (this.#entriesLeft <= 0) await this.#breathe();
    }
  }

  /** Nobody can say whether it is gone. */
  #isLeftOut(path: string): boolean {
    const { gaps } = this.#tree;
    for (let at = path; at !== ""; at = at.slice(0, Math.max(at.lastIndexOf("/"), 0))) if (gaps.has(at)) return true;
    return false;
  }
}

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly parent: string;
}

function joined(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

interface Sight {
  readonly known: Known | undefined;
  readonly found: Stats;
}

/** Cheaper than the whole question, and never false where that is true. */
const mayBeGit = /git|[^\x20-\x7e]/i;

function isBulkName(name: string): boolean {
  return bulkFolders.has(name);
}
