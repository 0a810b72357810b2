/** Manifests of all tasks, each in a folder of its own beside the database; what is done in one workspace is done in turn. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { FileChange } from "../../domain/change.ts";
import { messageOf } from "../../lib/errors.ts";
import type { CommandAt, CommandChanges, Manifests } from "../../ports/manifests.ts";
import { Turns } from "../turns.ts";
import { nothing, Stock } from "./stock.ts";
import type { Limits } from "./tree.ts";

/** Held in memory and on the disk at a time; those that were not used for longest go first. */
const stocksMax = 32;
const idleMs = 60_000;

export interface ManifestSettings extends Limits {
  /** Loom's own; made when it is needed. */
  readonly folder: string;
  readonly now: () => number;
}

/** What workspaces tell manifests. */
export interface Witness {
  /** One at a time in a workspace: what is looked at stands still, as far as Loom is concerned. */
  readonly turns: Turns;
  /** Something was changed through the workspace. Called within a turn of that workspace. */
  changed(root: string, changes: readonly FileChange[]): Promise<void>;
}

export class TaskManifests implements Manifests, Witness, AsyncDisposable {
  readonly turns = new Turns();
  readonly #settings: ManifestSettings;
  readonly #stocks = new Map<string, Promise<Stock>>();

  constructor(settings: ManifestSettings) {
    this.#settings = settings;
  }

  async watch(at: CommandAt): ReturnType<Manifests["watch"]> {
    const failure = await this.#guarded(at, async (stock) => await stock.begin(at).then(() => null));
    return {
      ended: async () => (failure === null ? await this.#ended(at) : lacking(failure)),
      dropped: async () => void (await this.#guarded(at, (stock) => stock.drop(at.marker).then(() => null))),
    };
  }

  async interrupted(at: CommandAt): Promise<CommandChanges> {
    const found = await this.#guarded(at, (stock) => stock.interrupted(at));
    return typeof found === "string" ? lacking(found) : found;
  }

  async lack(at: Pick<CommandAt, "taskId" | "root">): Promise<string | null> {
    const found = await this.#guarded(at, async (stock) => {
      await stock.look();
      return { lack: stock.lack };
    });
    return typeof found === "string" ? found : found.lack;
  }

  async changed(root: string, changes: readonly FileChange[]): Promise<void> {
    for (const [taskId, opening] of this.#stocks) {
      const stock = await opening.catch(() => null);
      // What cannot be told of is found by the next look, and taken for someone else's.
      if (stock?.root === root) await stock.note(changes).catch(() => this.#close(taskId, "always"));
    }
  }

  /** Forgets every task but these. */
  async keepOnly(taskIds: ReadonlySet<string>): Promise<void> {
    const kept = new Set([...taskIds].map(nameOf));
    const names = await readdir(this.#settings.folder).catch(() => []);
    for (const name of names.filter((each) => !kept.has(each))) {
      await rm(join(this.#settings.folder, name), { recursive: true, force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const taskId of this.#stocks.keys()) await this.#close(taskId, "idle");
  }

  async #ended(at: CommandAt): Promise<CommandChanges> {
    const found = await this.#guarded(at, (stock) => stock.end(at));
    return typeof found === "string" ? lacking(found) : found;
  }

  /** A manifest that cannot be taken does not keep a command from running. @returns what `use` does, or why it could not */
  async #guarded<T extends object | null>(
    at: Pick<CommandAt, "taskId" | "root">,
    use: (stock: Stock) => Promise<T>,
  ): Promise<T | string> {
    return await this.turns.take(at.root, async () => {
      try {
        return await use(await this.#stock(at));
      } catch (error) {
        await this.#close(at.taskId, "always");
        return `the files could not be taken stock of: ${messageOf(error)}`;
      }
    });
  }

  async #stock({ taskId, root }: Pick<CommandAt, "taskId" | "root">): Promise<Stock> {
    const known = await this.#stocks.get(taskId);
    if (known !== undefined && (known.isBusy || !known.isWorn)) return known;
    if (known !== undefined) await this.#close(taskId, "always");
    await this.#makeRoom();
    const { folder, now, ...limits } = this.#settings;
    const opening = Stock.open({ folder: join(folder, nameOf(taskId)), root, limits, now });
    this.#stocks.set(taskId, opening);
    return await opening;
  }

  async #makeRoom(): Promise<void> {
    if (this.#stocks.size < stocksMax) return;
    const all = await Promise.all([...this.#stocks].map(async ([id, opening]) => ({ id, stock: await opening })));
    const since = this.#settings.now() - idleMs;
    const idle = all
      .filter(({ stock }) => !stock.isBusy && stock.lastUsed < since)
      .toSorted((a, b) => a.stock.lastUsed - b.stock.lastUsed);
    if (idle[0] !== undefined) await this.#close(idle[0].id, "always");
  }

  /** @param remove what is on the disk: where nothing runs that a next life would ask about, or in any case */
  async #close(taskId: string, remove: "idle" | "always"): Promise<void> {
    const stock = await this.#stocks.get(taskId)?.catch(() => null);
    this.#stocks.delete(taskId);
    if (remove === "always" || stock?.isBusy === false) await stock?.remove();
    else await stock?.[Symbol.asyncDispose]();
  }
}

function lacking(partial: string): CommandChanges {
  return { ...nothing, partial };
}

function nameOf(taskId: string): string {
  return taskId.replaceAll(/[^\w-]/g, "_");
}
