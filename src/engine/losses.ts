/**
 * Losses: effects of which the end of a step could not be recorded. What they say from then on rests on something that the
 * log does not know; only that they failed may still be said.
 */
import type { Message } from "./batch.ts";

export class Losses {
  readonly #keys = new Set<string>();

  /** A message could not be recorded, and is not tried again. */
  note(message: Message): void {
    if (message.kind !== "report") return;
    const { report } = message;
    if (report.type === "StepEnded" || report.type === "StepUncertain") this.#keys.add(report.key);
  }

  /** @returns why a message must not be recorded; null when it may */
  against(message: Message): Error | null {
    if (message.kind !== "report" || message.ends === undefined || message.report.type === "Failed") return null;
    return this.#keys.has(message.ends) ? new Error(`A step of ${message.ends} could not be recorded`) : null;
  }

  forget(key: string): void {
    this.#keys.delete(key);
  }
}
