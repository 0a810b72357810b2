/** Keys and the audit log in SQLite, as a running server uses them: read at each request, written by the writer's jobs. */
import type { Database } from "better-sqlite3";
import type { ApiKey, Audit, AuditFacts, Keys, Scope } from "../ports/access.ts";
import { createAuditWriter } from "./audit-chain.ts";
import { failureOf, guarded } from "./failures.ts";

/** Each says what went wrong, or null. */
export interface AccessJobs {
  audit(rows: readonly AuditFacts[]): Error | null;
  keyUsed(id: string, at: number): Error | null;
}

/** The same for who asks: done at once, or answered by another thread. */
type AccessWriter = {
  readonly [J in keyof AccessJobs]: (...args: Parameters<AccessJobs[J]>) => Error | null | Promise<Error | null>;
};

interface Row {
  readonly key_id: string;
  readonly name: string;
  readonly digest: Buffer;
  readonly scopes: string;
  readonly rate_per_minute: number | null;
  readonly tasks_max: number | null;
  /** Files that an older Loom wrote do not have these, and can be read beside it. */
  readonly tokens_per_day?: number | null;
  readonly micro_usd_per_day?: number | null;
  readonly created_at: number;
  readonly last_used_at: number | null;
  readonly revoked_at: number | null;
}

export function createAccessJobs(connection: Database): AccessJobs {
  const write = createAuditWriter(connection);
  const writeAll = connection.transaction((rows: readonly AuditFacts[]) => {
    for (const row of rows) write(row);
  });
  const used = connection.prepare("UPDATE api_key SET last_used_at = ? WHERE key_id = ?");
  return {
    audit: (rows) => failureOf("write to the audit log", () => writeAll.immediate(rows)),
    keyUsed: (id, at) => failureOf("note the use of a key", () => used.run(at, id)),
  };
}

export function createAccess(
  connection: Database,
  writer: AccessWriter,
): { readonly keys: Keys; readonly audit: Audit } {
  const any = connection.prepare("SELECT 1 FROM api_key LIMIT 1");
  const one = connection.prepare<[string], Row>("SELECT * FROM api_key WHERE key_id = ?");
  const pages = new AuditPages(writer);
  const keys: Keys = {
    any: () => guarded("read the keys", () => any.get() !== undefined),
    find: (id) => {
      const row = guarded("read the keys", () => one.get(id));
      return row === undefined ? null : { key: decodeKey(row), digest: row.digest };
    },
    used: async (id, at) => {
      const failure = await writer.keyUsed(id, at);
      if (failure !== null) throw failure;
    },
  };
  return { keys, audit: { record: (facts) => pages.add(facts) } };
}

/** Rows that come while some are being written go together with the next. */
class AuditPages {
  readonly #writer: Pick<AccessWriter, "audit">;
  #waiting: { readonly facts: AuditFacts; readonly written: PromiseWithResolvers<void> }[] = [];
  #isWriting = false;

  constructor(writer: Pick<AccessWriter, "audit">) {
    this.#writer = writer;
  }

  add(facts: AuditFacts): Promise<void> {
    const written = Promise.withResolvers<void>();
    this.#waiting.push({ facts, written });
    if (!this.#isWriting) void this.#write();
    return written.promise;
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const page = this.#waiting;
      this.#waiting = [];
      const failure = await this.#writer.audit(page.map(({ facts }) => facts));
      for (const { written } of page) {
        if (failure === null) written.resolve();
        else written.reject(failure);
      }
    }
    this.#isWriting = false;
  }
}

export function decodeKey(row: Omit<Row, "digest">): ApiKey {
  return {
    id: row.key_id,
    name: row.name,
    // Written by `createKey` only, from scopes.
    scopes: row.scopes.split(" ") as Scope[],
    ratePerMinute: row.rate_per_minute,
    tasksMax: row.tasks_max,
    tokensPerDay: row.tokens_per_day ?? null,
    microUsdPerDay: row.micro_usd_per_day ?? null,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}
