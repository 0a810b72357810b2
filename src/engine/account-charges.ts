/** What the events of one batch charge to the account of their task, as rows for the ledger that is written with them. */
import { type Account, type Charge, nothing, sum } from "../domain/budget.ts";
import type { TaskEvent } from "../domain/event.ts";
import { accountCharge } from "../domain/reservation.ts";
import type { Task } from "../domain/task.ts";
import type { LedgerEntry } from "../ports/ledger.ts";

export function isCapped(account: Account | undefined): account is Account {
  return account?.tokens_per_day !== undefined || account?.micro_usd_per_day !== undefined;
}

interface DayCharge extends Charge {
  readonly reserves: boolean;
}

export class AccountCharges {
  readonly #days: Map<string, DayCharge>;

  constructor(days: ReadonlyMap<string, DayCharge> = new Map()) {
    this.#days = new Map(days);
  }

  copy(): AccountCharges {
    return new AccountCharges(this.#days);
  }

  /** @param task as it was before the event */
  add(task: Task, event: TaskEvent): void {
    if (!isCapped(task.brief.account)) return;
    const charge = accountCharge(task, event);
    if (charge === null) return;
    const before = this.#days.get(charge.day);
    const reserves = charge.reserves || before?.reserves === true;
    this.#days.set(charge.day, { ...sum(before ?? nothing, charge), reserves });
  }

  chargedOn(day: string): Charge {
    return this.#days.get(day) ?? nothing;
  }

  /** The caps are looked at where something is set aside: what was used is recorded in any case. */
  entries(account: Account | undefined): LedgerEntry[] {
    if (account === undefined) return [];
    const caps = {
      ...(account.tokens_per_day === undefined ? {} : { tokens: account.tokens_per_day }),
      ...(account.micro_usd_per_day === undefined ? {} : { microUsd: account.micro_usd_per_day }),
    };
    return [...this.#days].map(([day, { tokens, microUsd, reserves }]) => ({
      account: account.id,
      day,
      tokens,
      microUsd,
      ...(reserves ? { caps } : {}),
    }));
  }
}
