/**
 * Turns for readers that have much to read: a few of them go on in each turn of the event loop, the others wait in line. A
 * crowd that catches up together would otherwise keep everyone else from being served.
 */
const readersATurn = 2;

export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is the caller's turn. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(() => this.#serve());
    });
  }

  #serve(): void {
    // The first stays in line while it is served, so that who comes meanwhile starts no second line.
    for (const resolve of this.#waiting.slice(0, readersATurn)) resolve();
    this.#waiting.splice(0, readersATurn);
    if (this.#waiting.length > 0) setImmediate(() => this.#serve());
  }
}
