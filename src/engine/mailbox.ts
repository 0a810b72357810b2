/** A mailbox: messages in the order they came, taken together when the owner is free, each answered once. */

export interface Envelope<M, A> {
  readonly message: M;
  readonly answer: (answer: A) => void;
  readonly fail: (error: unknown) => void;
}

export class Mailbox<M, A> {
  readonly #take: (batch: readonly Envelope<M, A>[]) => Promise<void>;
  readonly #linger: (() => Promise<void>) | null;
  #waiting: Envelope<M, A>[] = [];
  #running: Promise<void> | null = null;
  #isLingering = false;

  /**
   * @param take handles a batch and answers or fails each of its envelopes; what it leaves when it throws fails with that
   * @param linger how long a message that is not urgent waits for company; absent, not at all
   */
  constructor(take: (batch: readonly Envelope<M, A>[]) => Promise<void>, linger: (() => Promise<void>) | null = null) {
    this.#take = take;
    this.#linger = linger;
  }

  /** @param urgency `soon`: taken with the next message that is urgent, or when it has lingered; the order stays */
  post(message: M, urgency: "now" | "soon" = "now"): Promise<A> {
    return new Promise((answer, fail) => {
      this.#waiting.push({ message, answer, fail });
      if (urgency === "soon" && this.#linger !== null) this.#wait(this.#linger);
      else this.#wake();
    });
  }

  /** Takes those that wait and match out of the mailbox; they are the caller's to answer. */
  takeOut(matches: (message: M) => boolean): readonly Envelope<M, A>[] {
    const taken = this.#waiting.filter(({ message }) => matches(message));
    this.#waiting = this.#waiting.filter((envelope) => !taken.includes(envelope));
    return taken;
  }

  /** Resolves when nothing is waiting or being handled. */
  async drained(): Promise<void> {
    this.#wake();
    while (this.#running !== null) await this.#running;
  }

  #wait(linger: () => Promise<void>): void {
    if (this.#isLingering || this.#running !== null) return;
    this.#isLingering = true;
    const over = (): void => {
      this.#isLingering = false;
      this.#wake();
    };
    linger().then(over, over);
  }

  #wake(): void {
    if (this.#waiting.length > 0) this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // whatever else is posted in this turn goes along
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#take(batch);
      } catch (error) {
        for (const { fail } of batch) fail(error);
      }
    }
    this.#running = null;
  }
}
