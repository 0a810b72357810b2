/** A circuit breaker: after some failed calls in a row nobody calls for a while, then one tries, and the others wait for what it finds. */
import type { Clock } from "../ports/runtime.ts";

const failuresMax = 3;
const openMs = 15_000;
/** What those are told who come while one call tries a model that was down. */
const trialMs = 1000;

export class Breaker {
  readonly #clock: Clock;
  #failures = 0;
  #closedAgainAt = 0;
  #trying = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long to stay away; 0 when a call may be made. */
  get awayMs(): number {
    if (this.#failures < failuresMax) return 0;
    const leftMs = this.#closedAgainAt - this.#clock.now();
    return Math.max(leftMs, this.#trying ? trialMs : 0);
  }

  /** @returns `awayMs`; when that is 0 a call is made, and `succeeded`, `failed` or `left` must follow */
  enter(): number {
    const { awayMs } = this;
    if (awayMs <= 0 && this.#failures >= failuresMax) this.#trying = true;
    return Math.max(0, awayMs);
  }

  succeeded(): void {
    this.#failures = 0;
    this.#trying = false;
  }

  failed(): void {
    this.#failures += 1;
    this.#trying = false;
    if (this.#failures >= failuresMax) this.#closedAgainAt = this.#clock.now() + openMs;
  }

  /** The call ended and says nothing of the server: it was cut short. */
  left(): void {
    this.#trying = false;
  }
}
