/**
 * The newest part of one growing log, read and decoded once for everyone who follows it. Who is further behind reads pages
 * from the log, which begin at the same places for all, so that those who are behind together share them too. Knows positions
 * and pages, not what the items are.
 */
import type { PageCache } from "./page-cache.ts";

/** Enough that a reader who keeps up never meets the log again. */
const itemsMax = 512;
const pageItems = 256;

export interface Source<T> {
  /** Of this log alone. */
  readonly name: string;
  /** Items behind a position, ascending. */
  read(after: number, limit: number): Promise<readonly T[]>;
  /** The position of the newest item, 0 when there is none. */
  last(): Promise<number>;
  position(item: T): number;
}

export class Tail<T> {
  readonly #source: Source<T>;
  readonly #changed: () => void;
  /** Everything of the log that lies behind `#start` and was seen so far. */
  readonly #items: T[] = [];
  #start = 0;
  #end = 0;
  #opening: Promise<void> | null = null;
  #refreshing: Promise<void> | null = null;
  #isStale = false;
  #failure: { readonly error: unknown } | null = null;
  readonly #cache: PageCache;

  /** @param changed is called when there is more to read, or nothing more to be had */
  constructor(source: Source<T>, cache: PageCache, changed: () => void) {
    this.#source = source;
    this.#cache = cache;
    this.#changed = changed;
  }

  /** A read has failed: all who follow are told, and a new tail must be made. */
  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  position(item: T): number {
    return this.#source.position(item);
  }

  /** Whether who stands there must read the log itself, as far as is known. */
  isFarBehind(after: number): boolean {
    return after < this.#start;
  }

  /** The log has grown, perhaps. Any number of hints while one read runs make one more read. */
  hint(): void {
    if (this.#opening === null) return; // Nobody has read yet; the first read sees it all.
    this.#isStale = true;
    this.#refreshing ??= this.#refresh();
  }

  /**
   * @returns the next page behind `after`, empty at the end of the log
   * @throws LoomError whatever the log answered
   */
  async after(after: number): Promise<readonly T[]> {
    this.#opening ??= this.#open();
    await this.#opening;
    if (this.#failure !== null) throw this.#failure.error;
    return after >= this.#start ? this.#held(after) : await this.#page(after);
  }

  /** Resolves when nothing is being read. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#opening, this.#refreshing]);
  }

  async #open(): Promise<void> {
    await this.#guard(async () => {
      const last = await this.#source.last();
      this.#start = Math.max(0, last - itemsMax);
      this.#end = this.#start;
      this.#take(await this.#source.read(this.#start, itemsMax));
    });
  }

  async #refresh(): Promise<void> {
    await this.#opening;
    while (this.#isStale && !this.hasFailed) {
      this.#isStale = false;
      await this.#guard(async () => {
        const items = await this.#source.read(this.#end, itemsMax);
        this.#take(items);
        this.#isStale ||= items.length === itemsMax;
      });
      this.#changed();
    }
    this.#refreshing = null;
  }

  async #guard(read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      this.#failure = { error };
    }
  }

  #take(items: readonly T[]): void {
    this.#items.push(...items);
    this.#end = this.#positionOf(items.at(-1)) ?? this.#end;
    const dropped = this.#items.splice(0, Math.max(0, this.#items.length - itemsMax));
    this.#start = this.#positionOf(dropped.at(-1)) ?? this.#start;
  }

  #held(after: number): readonly T[] {
    // From the end: most readers miss only what has just come.
    const at = this.#items.findLastIndex((item) => this.#source.position(item) <= after) + 1;
    return this.#items.slice(at, at + pageItems);
  }

  /** Of the page that `after` lies in, what is behind it: something, when the log has something, also where positions have holes. */
  async #page(after: number): Promise<readonly T[]> {
    const start = after - (after % pageItems);
    const page = await this.#cache.page(`${this.#source.name} ${start}`, {
      read: () => this.#source.read(start, pageItems),
      isWhole: ({ length }) => length === pageItems,
    });
    return page.filter((item) => this.#source.position(item) > after);
  }

  #positionOf(item: T | undefined): number | undefined {
    return item === undefined ? undefined : this.#source.position(item);
  }
}
