/** When a webhook that failed goes out again. Pure: the attempts made, what the receiver asked for, and chance in, a wait out. */

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** Waits before the second attempt, the third and so on; the first goes out at once. @see CONTRACT section 3 */
const retryDelaysMs = [5 * secondMs, 5 * minuteMs, 30 * minuteMs, 2 * hourMs, 5 * hourMs, 10 * hourMs];
/** Up to a tenth longer, so that what failed together does not come back together. */
const jitterShare = 0.1;
/** What a receiver may ask for. */
const retryAfterMaxMs = 24 * hourMs;

/**
 * @param attempts made so far in this round
 * @param chance 0 up to 1
 * @returns how long to wait for the next one, or null when that was the last
 */
export function waitMsAfter(
  attempts: number,
  { retryAfterMs, chance }: { readonly retryAfterMs: number; readonly chance: number },
): number | null {
  const delayMs = retryDelaysMs[attempts - 1];
  return delayMs === undefined ? null : Math.ceil(Math.max(delayMs * (1 + jitterShare * chance), retryAfterMs));
}

/** Seconds or an HTTP date. @see RFC 9110 section 10.2.3 */
export function parseRetryAfter(value: string | undefined, now: number): number {
  if (value === undefined) return 0;
  const waitMs = /^\s*\d+\s*$/.test(value) ? Number(value) * secondMs : Date.parse(value) - now;
  return Number.isFinite(waitMs) ? Math.min(Math.max(0, waitMs), retryAfterMaxMs) : 0;
}
