/** Prices and what tokens cost at them. Money is whole micro-dollars, worked out in whole numbers: nothing drifts. */

/** Pico-dollars a token: dollars per million tokens, times a million, so that six decimals of a price are exact. */
export interface Price {
  readonly input: number;
  /** For input tokens that the provider took from its cache. */
  readonly cachedInput: number;
  readonly output: number;
}

/** What is counted of a call: `input` holds the cached ones too. */
export interface Counted {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
}

const picoInMicro = 1_000_000n;

export function picoPerToken(usdPerMillion: number): number {
  return Math.round(usdPerMillion * 1e6);
}

/** Rounded up: a call that costs anything costs something. */
export function costMicroUsd(counted: Counted, price: Price): number {
  return Number((costPico(counted, price) + picoInMicro - 1n) / picoInMicro);
}

/** @returns the price that no call at one of these is dearer than; null when one of them is not known, or there is none */
export function dearest(prices: readonly (Price | null)[]): Price | null {
  const known = prices.filter((price) => price !== null);
  if (known.length === 0 || known.length < prices.length) return null;
  const input = Math.max(...known.map((price) => Math.max(price.input, price.cachedInput)));
  return { input, cachedInput: input, output: Math.max(...known.map((price) => price.output)) };
}

/** @returns how many output tokens this much pays for beside the input; below 0 when not even for that */
export function outputFor(
  microUsd: number,
  { input, price }: { readonly input: number; readonly price: Price },
): number {
  const left = BigInt(microUsd) * picoInMicro - costPico({ input, cached: 0, output: 0 }, price);
  if (left < 0n) return -1;
  return price.output === 0 ? Number.MAX_SAFE_INTEGER : Number(left / BigInt(price.output));
}

function costPico({ input, cached, output }: Counted, price: Price): bigint {
  const fromCache = Math.min(cached, input);
  return (
    BigInt(input - fromCache) * BigInt(price.input) +
    BigInt(fromCache) * BigInt(price.cachedInput) +
    BigInt(output) * BigInt(price.output)
  );
}
