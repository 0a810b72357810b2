/** Time limits that can be moved, on the injected clock; and streams that end when a signal says so, whatever their source does. */
import type { Clock } from "../ports/runtime.ts";

/** Why a nap ends early; one for all, since an error of its own for each call would cost more than the nap. */
const cutShort = new Error("The nap was cut short");

/** Fires `signal` once `ms` have passed since the start or the last `extend`. Disposing stops the clock. */
export class Deadline implements Disposable {
  readonly #clock: Clock;
  readonly #fire = new AbortController();
  readonly #reason: () => Error;
  #until: number;
  #nap = new AbortController();
  #over = false;

  constructor(clock: Clock, ms: number, reason: () => Error) {
    this.#clock = clock;
    this.#reason = reason;
    this.#until = clock.now() + ms;
    void this.#watch();
  }

  get signal(): AbortSignal {
    return this.#fire.signal;
  }

  extend(ms: number): void {
    const until = this.#clock.now() + ms;
    const sooner = until < this.#until;
    this.#until = until;
    if (sooner) this.#nap.abort(cutShort);
  }

  [Symbol.dispose](): void {
    this.#over = true;
    this.#nap.abort(cutShort);
  }

  async #watch(): Promise<void> {
    while (!this.#over && this.#clock.now() < this.#until) {
      this.#nap = new AbortController();
      // The nap rejects only when it is cut short: by `extend` to a sooner end, or by disposal.
      await this.#clock.sleepUntil(this.#until, this.#nap.signal).catch(() => undefined);
    }
    if (!this.#over) this.#fire.abort(this.#reason());
  }
}

/** Fires with the first of some signals. For one call, `AbortSignal.any` costs ten times as much: it keeps books for life. */
export class Joined implements Disposable {
  readonly #fire = new AbortController();
  readonly #sources: readonly AbortSignal[];
  readonly #follow = (event: Event): void => this.#abort(event.target as AbortSignal);

  constructor(...sources: readonly AbortSignal[]) {
    this.#sources = sources;
    for (const source of sources) {
      if (source.aborted) this.#abort(source);
      else source.addEventListener("abort", this.#follow);
    }
  }

  get signal(): AbortSignal {
    return this.#fire.signal;
  }

  [Symbol.dispose](): void {
    for (const source of this.#sources) source.removeEventListener("abort", this.#follow);
  }

  #abort(source: AbortSignal): void {
    this.#fire.abort(source.reason);
  }
}

/** @returns what `promise` brings, or throws the signal's reason as soon as it fires; the promise is left to itself then */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const gone = Promise.withResolvers<never>();
  const leave = (): void => gone.reject(signal.reason as Error);
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave, { once: true });
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, gone.promise]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/**
 * The items of `source` until `signal` fires; then its reason is thrown at once, and the source is told to end
 * without being waited for: an SDK may take its time, or never notice.
 */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  signal.throwIfAborted();
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  // One listener for all items: of one that came in time, rejecting changes nothing.
  let leave: (reason: Error) => void = () => undefined;
  const gone = (): void => leave(signal.reason as Error);
  signal.addEventListener("abort", gone, { once: true });
  try {
    for (;;) {
      const step = await new Promise<IteratorResult<T>>((resolve, reject) => {
        leave = reject;
        if (signal.aborted) gone();
        iterator.next().then(resolve, reject);
      });
      ended = step.done === true;
      if (step.done === true) break;
      yield step.value;
    }
  } finally {
    signal.removeEventListener("abort", gone);
    if (!ended) iterator.return?.()?.catch(() => undefined);
  }
}
