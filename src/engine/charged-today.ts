/** What stands in the ledger before a batch is drafted, where what it sets aside depends on it. */
import { type Charge, nothing } from "../domain/budget.ts";
import { dayOf } from "../domain/reservation.ts";
import type { Task } from "../domain/task.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Ledger } from "../ports/ledger.ts";
import { isCapped } from "./account-charges.ts";
import type { Message } from "./batch.ts";

/** What the account of a task was charged today; nothing where nobody needs to know. */
export async function chargedToday(
  ledger: Ledger,
  { task, messages, now }: { readonly task: Task | null; readonly messages: readonly Message[]; readonly now: number },
): Promise<Result<Charge, unknown>> {
  const account = task?.brief.account;
  if (!isCapped(account) || !messages.some(setsAside)) return ok(nothing);
  try {
    return ok(await ledger.charged(account.id, dayOf(now)));
  } catch (error) {
    return err(error);
  }
}

function setsAside(message: Message): boolean {
  return message.kind === "report" && message.report.type === "StepStarted" && message.report.quote !== undefined;
}
