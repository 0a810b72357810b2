/** A deadline on the clock of the port: fires when the time is up, when the caller gives up, or when it is disposed of. Leaves no timer. */
import type { Clock } from "../ports/runtime.ts";

export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
}

/** @param given fires the deadline too, with its own reason */
export function deadlineIn(clock: Clock, timeoutMs: number, given?: AbortSignal): Deadline {
  const time = new AbortController();
  const needless = new AbortController();
  clock.sleepUntil(clock.now() + timeoutMs, needless.signal).then(
    () => time.abort(new Error(`${timeoutMs} ms are over`)),
    () => undefined,
  );
  return {
    signal: given === undefined ? time.signal : AbortSignal.any([given, time.signal]),
    [Symbol.dispose]: () => {
      const reason = new Error("The deadline is not needed any more");
      needless.abort(reason);
      time.abort(reason); // whatever still waits on it lets go
    },
  };
}

/** Waits for `work`, but no longer than `timeoutMs`. */
export async function waitAtMost(clock: Clock, timeoutMs: number, work: Promise<unknown>): Promise<void> {
  using deadline = deadlineIn(clock, timeoutMs);
  const { promise: late, resolve } = Promise.withResolvers<void>();
  deadline.signal.addEventListener("abort", () => resolve(), { once: true });
  await Promise.race([work, late]);
}
