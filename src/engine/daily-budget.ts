/** What must hold before a task with a budget in money, or of a submitter with a daily one, is taken: prices, and something left of the day. */
import type { Account, Budget, Charge } from "../domain/budget.ts";
import { dayOf, replyTokensLeast } from "../domain/reservation.ts";
import { LoomError } from "../lib/errors.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { Submission } from "../ports/loom.ts";
import type { ModelInfo, Models } from "../ports/model.ts";
import type { Clock } from "../ports/runtime.ts";
import { isCapped } from "./account-charges.ts";

const dayMs = 86_400_000;

/** @param usual what is in force for who has no daily budget of their own; 0: nothing is */
export function accountOf(
  { submittedBy, dailyBudget = {} }: Pick<Submission, "submittedBy" | "dailyBudget">,
  usual: Charge,
): Account | undefined {
  const { tokens, microUsd } = { ...usual, ...dailyBudget };
  const account = {
    id: submittedBy,
    ...(tokens > 0 ? { tokens_per_day: tokens } : {}),
    ...(microUsd > 0 ? { micro_usd_per_day: microUsd } : {}),
  };
  return isCapped(account) ? account : undefined;
}

/** Money can be kept within bounds only where it can be counted. @throws LoomError invalid_request */
export function requirePrices(
  models: Pick<Models, "list">,
  { budget, account }: { readonly budget: Budget | undefined; readonly account: Account | undefined },
): void {
  const isOwn = budget?.usd !== undefined;
  if (!isOwn && account?.micro_usd_per_day === undefined) return;
  const model = models.list().find(({ price }) => price === null);
  if (model === undefined) return;
  const keys = `input_usd_per_million and output_usd_per_million under [models.${model.name}]`;
  const asked = isOwn ? "budget.usd" : `The daily budget of "${account?.id ?? ""}" in US dollars`;
  throw new LoomError("invalid_request", `${asked} cannot be kept: ${unpriced(model)}`, {
    hint: `Set ${keys} (0 for a model that costs nothing), or leave the budget in dollars out`,
    ...(isOwn ? { errors: [{ pointer: "#/budget/usd", detail: `${unpriced(model)}; set ${keys}` }] } : {}),
  });
}

function unpriced({ name, model }: ModelInfo): string {
  return `model "${name}" (${model}) has no price`;
}

/** @throws LoomError quota_exceeded, until the day is over */
export async function requireDay(
  { ledger, clock }: { readonly ledger: Ledger; readonly clock: Pick<Clock, "now"> },
  account: Account | undefined,
): Promise<void> {
  if (account === undefined) return;
  const now = clock.now();
  const charged = await ledger.charged(account.id, dayOf(now));
  const spent = spentOf(account, charged);
  if (spent === null) return;
  throw new LoomError("quota_exceeded", `"${account.id}" has used its budget of the day: ${spent}`, {
    hint: "It begins anew at 00:00 UTC. `loom keys create --tokens-per-day --usd-per-day` makes a key with another one; [keys] in loom.toml is for those without",
    retryAfterMs: dayMs - (now % dayMs),
  });
}

function spentOf(account: Account, charged: Charge): string | null {
  const { tokens_per_day: tokens, micro_usd_per_day: microUsd } = account;
  if (tokens !== undefined && charged.tokens + replyTokensLeast > tokens)
    return `${charged.tokens} of ${tokens} tokens (calls in flight included)`;
  if (microUsd !== undefined && charged.microUsd >= microUsd)
    return `$${charged.microUsd / 1e6} of $${microUsd / 1e6} (calls in flight included)`;
  return null;
}
