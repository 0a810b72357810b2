/** What every event store asks of a batch before it writes: the caller's arithmetic, and the names of blobs. */
import { digestForm } from "../domain/digest.ts";
import type { Append } from "../ports/event-store.ts";

/** Keys of requests are kept for a day. @see CONTRACT section 1 */
const idempotencyKeptMs = 24 * 60 * 60 * 1000;

/** @throws Error a bug of the caller: numbers that do not follow each other, a row of another task, a digest that is none */
export function checkBatch({ taskId, expectedSeq, events, projection, blobs = [] }: Append): void {
  for (const [index, event] of events.entries()) {
    if (event.seq === expectedSeq + index + 1) continue;
    throw new Error(`Event ${event.type} of ${taskId} has seq ${event.seq}, expected ${expectedSeq + index + 1}`);
  }
  const lastSeq = expectedSeq + events.length;
  if (projection.taskId !== taskId || projection.lastSeq !== lastSeq) {
    const found = `${projection.taskId} at seq ${projection.lastSeq}`;
    throw new Error(`The projection of ${taskId} at seq ${lastSeq} is one of ${found}`);
  }
  const misnamed = blobs.find(({ digest }) => !isDigest(digest));
  if (misnamed !== undefined) throw new Error(`A blob of ${taskId} is named "${misnamed.digest}", not sha256:<64 hex>`);
}

export function isDigest(text: string): boolean {
  return digestForm.test(text);
}

/** @returns the time up to which keys are forgotten */
export function idempotencyHorizon(now: number): number {
  return now - idempotencyKeptMs;
}
