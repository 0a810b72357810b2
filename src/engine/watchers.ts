/** Watchers: who waits for the next change of a task. Holds nothing for a task that nobody watches. */

export class Watchers {
  readonly #waiting = new Map<string, Set<() => void>>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves at the next `wake` of a task, or when `signal` fires. */
  async wait(taskId: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const leave = (): void => resolve();
    const waiting = this.#waiting.get(taskId) ?? new Set();
    this.#waiting.set(taskId, waiting.add(leave));
    signal.addEventListener("abort", leave, { once: true });
    await promise;
    signal.removeEventListener("abort", leave);
    waiting.delete(leave);
    if (waiting.size === 0 && this.#waiting.get(taskId) === waiting) this.#waiting.delete(taskId);
  }

  wake(taskId: string): void {
    const waiting = this.#waiting.get(taskId);
    this.#waiting.delete(taskId);
    for (const resolve of waiting ?? []) resolve();
  }

  wakeAll(): void {
    for (const taskId of this.#waiting.keys()) this.wake(taskId);
  }
}
