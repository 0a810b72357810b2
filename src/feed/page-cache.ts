/** Pages of logs that were read of late, for the next reader who needs them. Bounded over all logs together. */

/** Of 256 items each: some 20 MiB when all are kept and were all put into text. */
const pagesMax = 64;

export class PageCache {
  readonly #pages = new Map<string, Promise<readonly unknown[]>>();

  /**
   * @param key names the log and the place in it; two readers with one key want the same items
   * @param isWhole whether a page will stay as it is: the end of a log grows, and is not kept
   * @throws whatever `read` throws; that is not kept either
   */
  async page<T>(
    key: string,
    {
      read,
      isWhole,
    }: { readonly read: () => Promise<readonly T[]>; readonly isWhole: (page: readonly T[]) => boolean },
  ): Promise<readonly T[]> {
    // Of one key all pages hold the same kind of item.
    const known = this.#pages.get(key) as Promise<readonly T[]> | undefined;
    const page = known ?? read();
    this.#keep(key, page);
    try {
      const items = await page;
      if (!isWhole(items)) this.#drop(key, page);
      return items;
    } catch (error) {
      this.#drop(key, page);
      throw error;
    }
  }

  /** Resolves when nothing is being read. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pages.values());
  }

  #keep(key: string, page: Promise<readonly unknown[]>): void {
    this.#pages.delete(key);
    this.#pages.set(key, page); // the latest asked for is the last to go
    const [oldest] = this.#pages.keys();
    if (this.#pages.size > pagesMax && oldest !== undefined) this.#pages.delete(oldest);
  }

  #drop(key: string, page: Promise<readonly unknown[]>): void {
    if (this.#pages.get(key) === page) this.#pages.delete(key);
  }
}
