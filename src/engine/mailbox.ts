/** A mailbox: messages in the order they came, taken together when the owner is free, each answered once. */

export interface Envelope<M, A> {
  readonly message: M;
  readonly answer: (answer: A) => void;
  readonly fail: (error: unknown) => void;
}

/** `soon`: taken with the next message that is urgent, or when it has lingered; the order stays. */
export type Urgency = "now" | "soon";

export class Mailbox<M, A> {
  readonly #take: (batch: readonly Envelope<M, A>[]) => Promise<void>;
  readonly #linger: (() => Promise<void>) | null;
  readonly #seen: (envelope: Envelope<M, A>) => Urgency;
  #waiting: Envelope<M, A>[] = [];
  #running: Promise<void> | null = null;
  #isLingering = false;
  /** Something waits that is to be taken as soon as the owner is free. */
  #isUrgent = false;

  /**
   * @param take handles a batch and answers or fails each of its envelopes; what it leaves when it throws fails with that
   * @param linger how long a message that is not urgent waits for company; absent, not at all
   * @param seen told of each envelope as it is posted, before it is taken; says how long it may wait
   */
  constructor(
    take: (batch: readonly Envelope<M, A>[]) => Promise<void>,
    linger: (() => Promise<void>) | null = null,
    seen: (envelope: Envelope<M, A>) => Urgency = () => "now",
  ) {
    this.#take = take;
    this.#linger = linger;
    this.#seen = seen;
  }

  post(message: M): Promise<A> {
    return new Promise((answer, fail) => {
      const envelope = { message, answer, fail };
      this.#waiting.push(envelope);
      const urgency = this.#seen(envelope);
      if (urgency === "soon" && this.#linger !== null) this.#wait(this.#linger);
      else this.#wake();
    });
  }

  /** Is there nothing to be taken? */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Takes those that wait and match out of the mailbox; they are the caller's to answer. */
  takeOut(matches: (message: M) => boolean): readonly Envelope<M, A>[] {
    const taken = this.#waiting.filter(({ message }) => matches(message));
    this.#waiting = this.#waiting.filter((envelope) => !taken.includes(envelope));
    return taken;
  }

  /** Resolves when nothing is waiting or being handled. */
  async drained(): Promise<void> {
    while (this.#waiting.length > 0 || this.#running !== null) {
      this.#wake();
      await this.#running;
    }
  }

  #wait(linger: () => Promise<void>): void {
    if (this.#isLingering) return;
    this.#isLingering = true;
    const over = (): void => {
      this.#isLingering = false;
      this.#wake();
    };
    linger().then(over, over);
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    this.#isUrgent = true;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // whatever else is posted in this turn goes along
    while (this.#isUrgent && this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      this.#isUrgent = false;
      try {
        await this.#take(batch);
      } catch (error) {
        for (const { fail } of batch) fail(error);
      }
    }
    this.#running = null;
  }
}
