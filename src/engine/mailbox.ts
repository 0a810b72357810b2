/** A mailbox: messages in the order they came, taken together when the owner is free, each answered once. */

export interface Envelope<M, A> {
  readonly message: M;
  readonly answer: (answer: A) => void;
  readonly fail: (error: unknown) => void;
}

export class Mailbox<M, A> {
  readonly #take: (batch: readonly Envelope<M, A>[]) => Promise<void>;
  #waiting: Envelope<M, A>[] = [];
  #running: Promise<void> | null = null;

  /** @param take handles a batch and answers or fails each of its envelopes; what it leaves when it throws fails with that */
  constructor(take: (batch: readonly Envelope<M, A>[]) => Promise<void>) {
    this.#take = take;
  }

  post(message: M): Promise<A> {
    return new Promise((answer, fail) => {
      this.#waiting.push({ message, answer, fail });
      this.#running ??= this.#run();
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
    while (this.#running !== null) await this.#running;
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
