/**
 * The audit log as a chain: each row holds the hash of the one before, so that no row can be changed, taken out or moved
 * without all later ones telling. How rows are written, in the transaction that is open, and how they are checked.
 */
import { createHash } from "node:crypto";
import type { Database } from "better-sqlite3";
import type { AuditFacts, AuditRow, AuditVerdict } from "../ports/access.ts";

/** What the first row is chained to. */
const origin = "0".repeat(64);

interface Row extends Omit<AuditRow, "keyId"> {
  readonly key_id: string | null;
}

const columns = "seq, at, actor, key_id, remote, action, subject, outcome, hash";

export function createAuditWriter(connection: Database): (facts: AuditFacts) => void {
  const last = connection.prepare<[], { readonly seq: number; readonly hash: string }>(
    "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1",
  );
  const insert = connection.prepare(
    `INSERT INTO audit (${columns}) VALUES (@seq, @at, @actor, @keyId, @remote, @action, @subject, @outcome, @hash)`,
  );
  return (facts) => {
    const before = last.get();
    const row = { ...facts, seq: (before?.seq ?? 0) + 1 };
    insert.run({ ...row, hash: hashOf(before?.hash ?? origin, row) });
  };
}

/** @returns the latest `limit`, oldest first */
export function auditRows(connection: Database, limit: number): AuditRow[] {
  return connection
    .prepare<[number], Row>(`SELECT ${columns} FROM audit ORDER BY seq DESC LIMIT ?`)
    .all(limit)
    .map(decode)
    .toReversed();
}

export function verdictOn(connection: Database, expected?: AuditVerdict["head"]): AuditVerdict {
  let head: AuditVerdict["head"] = null;
  const ended = (fault: AuditVerdict["fault"]): AuditVerdict => ({ rows: head?.seq ?? 0, head, fault });
  for (const raw of connection.prepare<[], Row>(`SELECT ${columns} FROM audit ORDER BY seq`).iterate()) {
    const row = decode(raw);
    const seq: number = (head?.seq ?? 0) + 1;
    if (row.seq !== seq) return ended({ seq, reason: `row ${seq} is missing: the next one is ${row.seq}` });
    if (hashOf(head?.hash ?? origin, row) !== row.hash)
      return ended({ seq, reason: `row ${seq}, or its place, is not as it was written` });
    if (expected != null && expected.seq === seq && expected.hash !== row.hash)
      return ended({
        seq,
        reason: `row ${seq} does not have the hash that was noted: what leads to it was written anew`,
      });
    head = { seq, hash: row.hash };
  }
  return ended(cutAt(head?.seq ?? 0, Math.max(highestGiven(connection), expected?.seq ?? 0)));
}

function cutAt(last: number, known: number): AuditVerdict["fault"] {
  if (known <= last) return null;
  return { seq: last + 1, reason: `rows ${last + 1} to ${known} are missing: the end was cut off` };
}

function highestGiven(connection: Database): number {
  const given = connection.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").pluck().get();
  return typeof given === "number" ? given : 0;
}

function decode({ key_id: keyId, ...row }: Row): AuditRow {
  return { ...row, keyId };
}

function hashOf(
  before: string,
  { seq, at, actor, keyId, remote, action, subject, outcome }: Omit<AuditRow, "hash">,
): string {
  const content = JSON.stringify([before, seq, at, actor, keyId, remote, action, subject, outcome]);
  return createHash("sha256").update(content).digest("hex");
}
