/** Keys and an audit log in memory, for servers that a test puts together by hand. */
import { createHash, randomBytes } from "node:crypto";
import { type ApiKey, type Audit, type AuditFacts, type Keys, type KeyWish, scopes } from "../../src/ports/access.ts";

const unlimited = { ratePerMinute: null, tasksMax: null, tokensPerDay: null, microUsdPerDay: null };

export class FakeAccess {
  /** What was recorded, oldest first. */
  readonly rows: AuditFacts[] = [];
  /** When each key was noted as used. */
  readonly uses: { readonly id: string; readonly at: number }[] = [];
  /** Thrown by whatever is recorded or noted next, until it is null again. */
  failure: Error | null = null;
  readonly #kept = new Map<string, { key: ApiKey; readonly digest: Uint8Array }>();

  readonly keys: Keys = {
    any: () => this.#kept.size > 0,
    find: (id) => this.#kept.get(id) ?? null,
    used: async (id, at) => {
      if (this.failure !== null) throw this.failure;
      this.uses.push({ id, at });
    },
  };

  readonly audit: Audit = {
    record: async (facts) => {
      if (this.failure !== null) throw this.failure;
      this.rows.push(facts);
    },
  };

  make(wish: Partial<KeyWish> = {}): {
    readonly id: string;
    readonly text: string;
    readonly headers: Record<string, string>;
  } {
    const place = randomBytes(5).toString("hex");
    const text = `loom_${place}_${randomBytes(32).toString("base64url")}`;
    const usual = { name: `key-${this.#kept.size + 1}`, scopes, ...unlimited };
    const key: ApiKey = { ...usual, ...wish, id: `key_${place}`, createdAt: 0, lastUsedAt: null, revokedAt: null };
    this.#kept.set(key.id, { key, digest: createHash("sha256").update(text).digest() });
    return { id: key.id, text, headers: { "x-api-key": text } };
  }

  revoke(id: string): void {
    const kept = this.#kept.get(id);
    if (kept !== undefined) kept.key = { ...kept.key, revokedAt: 1 };
  }
}
