/**
 * A fair semaphore: slots go to the most urgent class first, and within a class round robin over groups, so that one
 * busy group cannot starve the others. Knows no time; what the slots stand for is the caller's.
 */

export interface Slot extends Disposable {
  /** Gives the slot back; a second call does nothing. */
  release(): void;
}

interface Waiter {
  readonly grant: (slot: Slot) => void;
}

export class Limiter<P extends string> {
  #free: number;
  /** From the most to the least urgent; in each, groups in the order of their next turn. Empty groups are removed. */
  readonly #queues: ReadonlyMap<P, Map<string, Waiter[]>>;

  /**
   * @param slots how many may be held at once, 1 or more
   * @param priorities from the most to the least urgent
   */
  constructor(slots: number, priorities: readonly P[]) {
    if (!Number.isInteger(slots) || slots < 1) throw new Error(`A limiter needs at least one slot, got ${slots}`);
    this.#free = slots;
    this.#queues = new Map(priorities.map((priority) => [priority, new Map()]));
  }

  get free(): number {
    return this.#free;
  }

  get waiting(): number {
    let count = 0;
    for (const groups of this.#queues.values()) for (const waiters of groups.values()) count += waiters.length;
    return count;
  }

  /**
   * Waits for a slot.
   *
   * @throws the signal's reason when it fires first; no slot is held then
   */
  async acquire(want: { readonly priority: P; readonly group: string }, signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return this.#slot();
    }
    return await new Promise((resolve, reject) => {
      const waiter: Waiter = {
        grant: (slot) => {
          signal.removeEventListener("abort", leave);
          resolve(slot);
        },
      };
      const leave = (): void => {
        this.#remove(want, waiter);
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#enqueue(want, waiter);
    });
  }

  #slot(): Slot {
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      const next = this.#next();
      if (next === undefined) this.#free += 1;
      else next.grant(this.#slot());
    };
    return { release, [Symbol.dispose]: release };
  }

  #groups(priority: P): Map<string, Waiter[]> {
    const groups = this.#queues.get(priority);
    if (groups === undefined) throw new Error(`Unknown priority ${priority}`);
    return groups;
  }

  #enqueue(want: { readonly priority: P; readonly group: string }, waiter: Waiter): void {
    const groups = this.#groups(want.priority);
    const waiters = groups.get(want.group);
    if (waiters === undefined) groups.set(want.group, [waiter]);
    else waiters.push(waiter);
  }

  #remove(want: { readonly priority: P; readonly group: string }, waiter: Waiter): void {
    const groups = this.#groups(want.priority);
    const rest = (groups.get(want.group) ?? []).filter((other) => other !== waiter);
    if (rest.length === 0) groups.delete(want.group);
    else groups.set(want.group, rest);
  }

  #next(): Waiter | undefined {
    for (const groups of this.#queues.values()) {
      for (const [group, [first, ...rest]] of groups) {
        groups.delete(group);
        if (rest.length > 0) groups.set(group, rest);
        if (first !== undefined) return first;
      }
    }
    return undefined;
  }
}
