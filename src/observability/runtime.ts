/** The real clock, ids and chance. Made once, in the composition root; everything else is handed them. */
import { randomBytes } from "node:crypto";
import type { Clock, Ids, Random } from "../ports/runtime.ts";

/** The longest wait that a timer of Node can hold; longer ones are taken in turns. */
const timerMsMax = 2 ** 31 - 1;

export function createClock(): Clock {
  return {
    now: () => Date.now(),
    sleepUntil: async (until, signal) => {
      signal.throwIfAborted();
      for (let left = until - Date.now(); left > 0; left = until - Date.now()) {
        await sleep(Math.min(left, timerMsMax), signal);
      }
    },
  };
}

/** Not the one of `node:timers/promises`: that makes an error with a stack for each wait that is cut, and most are. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = (): void => {
    clearTimeout(timer);
    reject(signal.reason as Error);
  };
  const timer = setTimeout(() => {
    signal.removeEventListener("abort", stop);
    resolve();
  }, ms);
  signal.addEventListener("abort", stop, { once: true });
  return promise;
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const randomBits = 80n;

/**
 * Ids as ULIDs in lower case: 48 bits of milliseconds, 80 of chance, so that they sort by time as text. Within one
 * millisecond, or when the clock steps back, the last number is counted up: no two are alike and none sorts before an earlier one.
 */
export function createIds(source: {
  readonly now: () => number;
  readonly randomBytes?: (count: number) => Uint8Array;
}): Ids {
  const random = source.randomBytes ?? randomBytes;
  let last = -1n;
  return {
    next: (prefix) => {
      const time = BigInt(source.now()) << randomBits;
      last =
        time >> randomBits > last >> randomBits
          ? time | BigInt(`0x${Buffer.from(random(10)).toString("hex")}`)
          : last + 1n;
      return `${prefix}_${base32(last)}`;
    },
  };
}

export function createRandom(): Random {
  return { next: () => Math.random() };
}

/** 26 digits of five bits, the most significant first. */
function base32(value: bigint): string {
  return Array.from(
    { length: 26 },
    (_digit, index) => alphabet[Number((value >> BigInt(5 * (25 - index))) & 31n)],
  ).join("");
}
