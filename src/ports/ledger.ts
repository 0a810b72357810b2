/**
 * The ledger: what each account was charged on each day, over all its tasks. It is written in the append that reserves or
 * settles, in its transaction, so that a cap holds whoever writes at the same time, and after any crash.
 */
import type { Charge } from "../domain/budget.ts";

export interface LedgerEntry extends Charge {
  /** Id of the key, or name of the submitter, that pays. */
  readonly account: string;
  /** `2026-11-21`, of UTC. */
  readonly day: string;
  /** Added to what stands there; below 0 for what is given back. */
  readonly tokens: number;
  readonly microUsd: number;
  /** Where something is set aside: the append is refused as `overdrawn` if the sum would pass one of these. */
  readonly caps?: { readonly tokens?: number; readonly microUsd?: number };
}

export interface Ledger {
  /** What an account was charged on a day; nothing for one that nobody knows. */
  charged(account: string, day: string): Promise<Charge>;
}
