/** The ledger in SQLite: one row an account and day, added to in the transaction of the append that reserves or settles. */
import type { Database } from "better-sqlite3";
import { type Charge, nothing } from "../domain/budget.ts";
import type { Ledger, LedgerEntry } from "../ports/ledger.ts";
import { guarded } from "./failures.ts";
import { passesCap } from "./ledger.ts";

type Find = (account: string, day: string) => Charge;

export interface LedgerWriter {
  /** Would one of these pass its cap? */
  isOverdrawnBy(entries: readonly LedgerEntry[]): boolean;
  write(entry: LedgerEntry): void;
}

export function createLedgerWriter(connection: Database): LedgerWriter {
  const find = createFind(connection);
  const add = connection.prepare(
    `INSERT INTO ledger (account, day, tokens, micro_usd) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens, micro_usd = micro_usd + excluded.micro_usd`,
  );
  return {
    isOverdrawnBy: (entries) => entries.some((entry) => passesCap(find(entry.account, entry.day), entry)),
    write: ({ account, day, tokens, microUsd }) => void add.run(account, day, tokens, microUsd),
  };
}

export function createLedgerReader(connection: Database): Ledger {
  const find = createFind(connection);
  return { charged: async (account, day) => guarded("read the ledger", () => find(account, day)) };
}

function createFind(connection: Database): Find {
  const select = connection.prepare<[string, string], Charge>(
    "SELECT tokens, micro_usd AS microUsd FROM ledger WHERE account = ? AND day = ?",
  );
  return (account, day) => select.get(account, day) ?? nothing;
}
