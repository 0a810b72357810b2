/** The one rule of the ledger, for every adapter. */
import type { Charge } from "../domain/budget.ts";
import type { LedgerEntry } from "../ports/ledger.ts";

/** @param before what stands there. Without caps nothing is too much: what was used is recorded in any case */
export function passesCap(before: Charge, { tokens, microUsd, caps }: LedgerEntry): boolean {
  if (caps === undefined) return false;
  const isOver = (sum: number, cap: number | undefined): boolean => cap !== undefined && sum > cap;
  return isOver(before.tokens + tokens, caps.tokens) || isOver(before.microUsd + microUsd, caps.microUsd);
}
