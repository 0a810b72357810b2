/**
 * The stock of one task in one workspace: what is known of the tree, the contents that stand in it, and the commands that run.
 * Each change is found by one look and told once: of a command, if any ran since the look before; else someone else's.
 */
import { mkdir, rm } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { type FileChange, type FileState, isBulk, netChanges } from "../../domain/change.ts";
import type { Blob } from "../../ports/event-store.ts";
import type { CommandAt, CommandChanges } from "../../ports/manifests.ts";
import { isInside } from "../confinement.ts";
import { Ledger, type Recalled, recall } from "./ledger.ts";
import { Pack } from "./pack.ts";
import { changesFrom } from "./renames.ts";
import { scan } from "./scan.ts";
import { type Delta, type Limits, Tree } from "./tree.ts";

/** What a diff shows of what stands there now; the rest is read when it is taken away. */
const shownBytesMax = 1024 * 1024;
const shownBytesInAll = 16 * 1024 * 1024;
/** Contents that a task goes through, over those that it began with. */
const packGrowth = 2;
const ledgerBytesMax = 64 * 1024 * 1024;
const lackKinds = ["gaps", "full", "notes"] as const;

export const nothing: CommandChanges = { changes: [], blobs: [], sharedWith: [], partial: null };

export interface StockPlace {
  readonly folder: string;
  readonly root: string;
  readonly limits: Limits;
  readonly now: () => number;
}

interface Open extends Recalled {
  readonly ledger: Ledger;
}

export class Stock implements AsyncDisposable {
  readonly #place: StockPlace;
  readonly #open: Open;
  /** What the next command must wait for: that all of this is on the disk. */
  #synced: Promise<void> = Promise.resolve();
  #isDirty = false;
  lastUsed: number;

  private constructor(place: StockPlace, open: Open) {
    this.#place = place;
    this.#open = open;
    this.lastUsed = place.now();
  }

  /** What an earlier life knew, or nothing yet. */
  static async open(place: StockPlace): Promise<Stock> {
    const known = await opened(place);
    if (known !== null) return new Stock(place, known);
    await rm(place.folder, { recursive: true, force: true });
    const fresh = await opened(place);
    if (fresh === null) throw new Error(`The manifest in ${place.folder} cannot be begun`);
    return new Stock(place, fresh);
  }

  get root(): string {
    return this.#place.root;
  }

  get isBusy(): boolean {
    return this.#open.running.size > 0;
  }

  /** More than is worth reading back: better begun anew. */
  get isWorn(): boolean {
    return this.#open.ledger.size > ledgerBytesMax || this.#open.pack.size > this.#place.limits.maxBytes * packGrowth;
  }

  get lack(): string | null {
    return this.#open.tree.lack;
  }

  async look(): Promise<void> {
    if (!this.isBusy) await this.#scan();
  }

  /** A command is about to run. Beside others there is nothing to look for: what it changes is theirs as well. */
  async begin({ isUnderWay, marker, subtaskId }: CommandAt): Promise<void> {
    const { ledger, running } = this.#open;
    for (const [other, subtask] of running) {
      // One that a crash cut and that runs again goes on where it was.
      if (other !== marker && (subtask === subtaskId || !isUnderWay(subtask))) this.#end(other);
    }
    if (running.size === 0) await this.#scan();
    running.set(marker, subtaskId);
    ledger.say({ is: "run", marker, subtask: subtaskId });
    await this.#write();
    this.#sync();
    await this.#synced;
  }

  async drop(marker: string): Promise<void> {
    this.#end(marker);
    await this.#write();
  }

  async end({ marker, subtaskId }: Pick<CommandAt, "marker" | "subtaskId">): Promise<CommandChanges> {
    const { ledger, running, told, tree } = this.#open;
    if (!running.has(marker)) return { ...nothing, partial: "what stood before it was not kept" };
    const deltas = await this.#scan();
    const before = told.get(marker)?.changes ?? [];
    told.delete(marker);
    const changes = before.length === 0 ? changesFrom(deltas) : netChanges([...before, ...changesFrom(deltas)]);
    const others = [...new Set(running.values())].filter((id) => id !== subtaskId);
    const sharedWith = changes.length === 0 ? [] : others;
    // The log hears of it later: should Loom die before, the command is asked about again.
    for (const change of changes) ledger.say({ is: "did", marker, change });
    if (sharedWith.length > 0) ledger.say({ is: "beside", marker, subtasks: sharedWith });
    this.#end(marker);
    await this.#write();
    // Waited for by the next command only: the model's turn that comes in between takes longer.
    this.#sync();
    return { changes, blobs: await this.#blobsOf(changes), sharedWith, partial: tree.lack };
  }

  /** What became of a command that an earlier life did not see the end of, or could not tell of any more. */
  async interrupted(at: Pick<CommandAt, "marker" | "subtaskId">): Promise<CommandChanges> {
    const { ledger, running, told, tree } = this.#open;
    if (ledger.size === 0) return nothing;
    const known = told.get(at.marker);
    if (known !== undefined) return { ...known, blobs: await this.#blobsOf(known.changes), partial: tree.lack };
    // It began, or was about to, but the machine went down before that was on the disk.
    if (!running.has(at.marker)) running.set(at.marker, at.subtaskId);
    return await this.end(at);
  }

  /** A change that was made through the workspace: its step tells of it, no command. */
  async note(changes: readonly FileChange[]): Promise<void> {
    const { ledger, tree } = this.#open;
    for (const { path, after } of changes) {
      if (after.kind === "absent") tree.known.delete(path);
      else tree.known.set(path, { state: after, stat: null, racy: false });
      ledger.know(path, tree.known.get(path));
    }
    // Not dirty: the log keeps it too, so that nobody needs to wait for the disk.
    await this.#write();
  }

  #end(marker: string): void {
    if (this.#open.running.delete(marker)) this.#open.ledger.say({ is: "end", marker });
  }

  async #scan(): Promise<Delta[]> {
    const { root, limits, now } = this.#place;
    const { ledger, pack, tree } = this.#open;
    this.lastUsed = now();
    if (ledger.size === 0) ledger.say({ is: "tree", version: 1, root });
    const lacked = lackKinds.map((kind) => new Set(tree[kind].keys()));
    const keep = async (digest: string, bytes: Uint8Array): Promise<boolean> => {
      const place = await pack.add(digest, bytes);
      if (place === "full") return false;
      if (place !== null) ledger.say({ is: "content", digest, ...place });
      return true;
    };
    const deltas = await scan({ root, tree, limits, keep, now });
    for (const { path } of deltas) ledger.know(path, tree.known.get(path));
    for (const [index, kind] of lackKinds.entries()) {
      for (const [path, why] of tree[kind]) {
        if (lacked[index]?.has(path) !== true) ledger.say({ is: "lack", kind, path, why });
      }
    }
    if (deltas.length > 0) this.#isDirty = true;
    return deltas;
  }

  async #write(): Promise<void> {
    await this.#open.pack.flush();
    await this.#open.ledger.flush();
  }

  #sync(): void {
    const { ledger, pack } = this.#open;
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.#synced = this.#synced.then(() => Promise.all([pack.sync(), ledger.sync()])).then(() => undefined);
    // Told to whoever waits for it.
    this.#synced.catch(() => undefined);
  }

  async #blobsOf(changes: readonly FileChange[]): Promise<Blob[]> {
    const blobs = new Map<string, Blob>();
    let shown = 0;
    for (const { path, before, after } of changes) {
      await this.#add(blobs, before);
      if (after.kind !== "file" || isBulk(path) || after.bytes > shownBytesMax) continue;
      shown += after.bytes;
      if (shown <= shownBytesInAll) await this.#add(blobs, after);
    }
    return [...blobs.values()];
  }

  /** What is not in the pack is in the store: it was written through the workspace. */
  async #add(blobs: Map<string, Blob>, state: FileState): Promise<void> {
    if (state.kind !== "file" || blobs.has(state.digest)) return;
    const bytes = await this.#open.pack.get(state.digest);
    if (bytes !== null) blobs.set(state.digest, { digest: state.digest, bytes });
  }

  async remove(): Promise<void> {
    await this[Symbol.asyncDispose]();
    await rm(this.#place.folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#synced.catch(() => undefined);
    await this.#open.ledger[Symbol.asyncDispose]();
    await this.#open.pack[Symbol.asyncDispose]();
  }
}

/** @returns null where what lies there is not of this workspace */
async function opened({ folder, root, limits }: StockPlace): Promise<Open | null> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await using stack = new AsyncDisposableStack();
  const ledger = stack.use(await Ledger.open(join(folder, "ledger")));
  const pack = stack.use(await Pack.open(join(folder, "contents"), limits.maxBytes * packGrowth));
  const open: Open = { tree: new Tree(), pack, ledger, running: new Map(), told: new Map() };
  if (ledger.size > 0 && !(await recall(join(folder, "ledger"), root, open))) return null;
  // A database in the workspace itself: what is written about the tree is no part of it.
  if (isInside(root, folder)) open.tree.gaps.set(relative(root, dirname(folder)), "Loom's own");
  stack.move();
  return open;
}
