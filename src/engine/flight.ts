/** One effect in flight, with the signals that stop it. When it leaves is for the runner to say. */
import type { Effect } from "../domain/effect.ts";
import type { Stop } from "../ports/executor.ts";

/** Why an effect was aborted: its key is not wanted any more, or Loom goes down. */
class NotWanted extends Error {
  constructor(key: string) {
    super(`${key} is not wanted any more`);
    this.name = "NotWanted";
  }
}

/** A person asked the running attempts to listen at once. */
class Interrupted extends Error {
  constructor() {
    super("Interrupted by an instruction");
    this.name = "Interrupted";
  }
}

export class InFlight {
  readonly effect: Effect;
  readonly #abort = new AbortController();
  readonly #yield = new AbortController();
  #interrupt = new AbortController();
  /** Settles when the effect has left the flight. Never rejects. */
  settled: Promise<void> = Promise.resolve();

  constructor(effect: Effect) {
    this.effect = effect;
  }

  get stop(): Stop {
    return { aborted: this.#abort.signal, yielding: this.#yield.signal };
  }

  get stopping(): boolean {
    return this.#abort.signal.aborted;
  }

  get yielding(): boolean {
    return this.#yield.signal.aborted;
  }

  interrupted(): AbortSignal {
    return this.#interrupt.signal;
  }

  abort(): void {
    if (!this.stopping) this.#abort.abort(new NotWanted(this.effect.key));
  }

  yield(): void {
    if (!this.yielding) this.#yield.abort();
  }

  interrupt(): void {
    const told = this.#interrupt;
    this.#interrupt = new AbortController();
    told.abort(new Interrupted());
  }
}
