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
    const isStep = report.type === "StepEnded" || report.type === "StepUncertain";
    // Who was let go on knows nothing of it.
    if ("key" in report && (isStep || message.pace === "soon")) this.#keys.add(report.key);
  }

  /** @returns why a message must not be recorded; null when it may */
  against(message: Message): Error | null {
    if (message.kind !== "report" || message.report.type === "Failed") return null;
    const key = message.report.type === "StepStarted" ? message.report.key : message.ends;
    return key !== undefined && this.#keys.has(key) ? new Error(`A step of ${key} could not be recorded`) : null;
  }

  forget(key: string): void {
    this.#keys.delete(key);
  }
}
