/**
 * Keys and the audit log: who may ask for what, and who asked. A key is known by its id and the digest of the whole; the key
 * itself is shown once, to who made it, and kept nowhere.
 */

/** What a key may be used for. None of them includes another. */
export const scopes = ["read", "submit", "approve", "admin"] as const;
export type Scope = (typeof scopes)[number];

/** What a key may be made with. */
export interface KeyWish {
  /** Stands in events as `submitted_by` and the like; never given twice. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Requests a minute; null: any number. */
  readonly ratePerMinute: number | null;
  /** Tasks that are open at a time; null: any number. */
  readonly tasksMax: number | null;
  /** Tokens that its tasks may use in a day of UTC; null: as [keys] in loom.toml says. */
  readonly tokensPerDay: number | null;
  /** Money, the same. */
  readonly microUsdPerDay: number | null;
}

export interface ApiKey extends KeyWish {
  readonly id: string;
  readonly createdAt: number;
  /** To the minute. */
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
}

/** Read at each request, so that a key that another process made or revoked is known at once. */
export interface Keys {
  /** Was ever one made? From then on everybody needs one, also when all are revoked. */
  any(): boolean;
  /** @returns the key with the SHA-256 of its text */
  find(id: string): { readonly key: ApiKey; readonly digest: Uint8Array } | null;
  /** Notes when a key was used last. */
  used(id: string, at: number): Promise<void>;
}

export interface AuditFacts {
  readonly at: number;
  /** Name of the key; `api` for the configured one and where none is needed; `cli:<user>` for who has the file. */
  readonly actor: string;
  readonly keyId: string | null;
  /** Address of the client, or `local`. */
  readonly remote: string;
  readonly action: string;
  /** Id of what it was done to. */
  readonly subject: string | null;
  readonly outcome: string;
}

export interface AuditRow extends AuditFacts {
  /** 1, 2, 3 … without a gap. */
  readonly seq: number;
  /** SHA-256 over the hash of the row before and all of this one. */
  readonly hash: string;
}

export interface Audit {
  /** Durable when it resolves. @throws LoomError storage_full, storage_failed */
  record(facts: AuditFacts): Promise<void>;
}

export interface AuditVerdict {
  readonly rows: number;
  /** Of the last row: kept elsewhere, it proves later that nothing before it was changed or taken away. */
  readonly head: { readonly seq: number; readonly hash: string } | null;
  /** The first row that is not as it was written; null when all are. */
  readonly fault: { readonly seq: number; readonly reason: string } | null;
}

/** Keys and the audit log of a database file, from outside a server and beside one. Each: @throws LoomError storage_failed, storage_newer. */
export interface AccessCare {
  /** Makes the file too, where there is none. @returns the key itself, for the one time. @throws LoomError wrong_state: the name is taken */
  createKey(path: string, wish: KeyWish): Promise<{ readonly key: ApiKey; readonly text: string }>;
  /** Oldest first; none where there is no file. */
  keys(path: string): Promise<readonly ApiKey[]>;
  /** @throws LoomError not_found, wrong_state: it is revoked already */
  revokeKey(path: string, id: string): Promise<ApiKey>;
  /** The latest `limit`, oldest first. */
  auditRows(path: string, limit: number): Promise<readonly AuditRow[]>;
  /** @param expected a head that was noted before: rows up to it must still be there, and lead to the same hash */
  verifyAudit(path: string, expected?: { readonly seq: number; readonly hash: string }): Promise<AuditVerdict>;
}
