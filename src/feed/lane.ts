/** One subscriber: when it is woken, when it ends, and the few tokens it has not taken yet. Holds no events. */
import type { Token } from "../ports/feed.ts";

/** Tokens of about five seconds of a fast model; who is slower loses the oldest. */
const tokensMax = 256;

export class Lane implements Disposable {
  readonly #signal: AbortSignal;
  readonly #left: (lane: Lane) => void;
  readonly #end = (): void => this[Symbol.dispose]();
  #tokens: Token[] = [];
  #isWoken = false;
  #wake: (() => void) | null = null;
  #hasEnded = false;

  /** @param left is called once, as soon as the subscription has ended, whether or not anyone still reads from it */
  constructor(signal: AbortSignal, left: (lane: Lane) => void) {
    this.#signal = signal;
    this.#left = left;
    signal.addEventListener("abort", this.#end, { once: true });
    if (signal.aborted) this.#hasEnded = true;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  push(token: Token): void {
    this.#tokens.push(token);
    if (this.#tokens.length > tokensMax) this.#tokens.shift();
    this.wake();
  }

  takeTokens(): readonly Token[] {
    const tokens = this.#tokens;
    this.#tokens = [];
    return tokens;
  }

  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  /** Resolves when woken since the last call, or ended. */
  async woken(): Promise<void> {
    if (!this.#isWoken && !this.#hasEnded) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
      this.#wake = null;
    }
    this.#isWoken = false;
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#end);
    this.#hasEnded = true;
    this.#tokens = [];
    this.#wake?.();
    this.#left(this);
  }
}
