/**
 * The schema and how older files reach it: numbered steps, each applied once, in one transaction with its number
 * (`PRAGMA user_version`). A released step is never edited; a change is a new one.
 */
import type { Database } from "better-sqlite3";
import { LoomError } from "../lib/errors.ts";

/** Marks our files ("Loom" in ASCII), so that no other program's database is taken for an old one of ours. */
const applicationId = 0x4c6f6f6d;

/** Entry n brings a file from version n to n + 1. */
export const migrations: readonly string[] = [
  `
  -- What lists need. The goal, which may be long and never changes, stands apart: this row is rewritten by each append.
  CREATE TABLE task (
    task_id    TEXT PRIMARY KEY,
    status     TEXT NOT NULL,
    open       INTEGER NOT NULL,
    workspace  TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    last_seq   INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX task_newest ON task (created_at, task_id);
  CREATE INDEX task_by_status ON task (status, created_at, task_id);
  CREATE INDEX task_open ON task (created_at, task_id) WHERE open = 1;

  CREATE TABLE task_goal (
    task_id TEXT PRIMARY KEY REFERENCES task ON DELETE CASCADE,
    goal    TEXT NOT NULL
  ) STRICT;

  -- g numbers the events of all tasks in the order of their commits and is never given twice.
  CREATE TABLE event (
    g       INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id TEXT NOT NULL REFERENCES task ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    type    TEXT NOT NULL,
    data    TEXT NOT NULL,
    UNIQUE (task_id, seq)
  ) STRICT;

  CREATE TABLE step (
    place        INTEGER PRIMARY KEY,
    task_id      TEXT NOT NULL REFERENCES task ON DELETE CASCADE,
    scope        TEXT NOT NULL,
    step         TEXT NOT NULL,
    effect_class TEXT NOT NULL,
    started      TEXT NOT NULL,
    result       TEXT, -- JSON; NULL while the step runs
    UNIQUE (task_id, scope, step)
  ) STRICT;

  CREATE TABLE blob (
    id     INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    bytes  BLOB NOT NULL
  ) STRICT;

  CREATE TABLE delivery (
    place       INTEGER PRIMARY KEY,
    delivery_id TEXT NOT NULL UNIQUE,
    task_id     TEXT NOT NULL REFERENCES task ON DELETE CASCADE,
    url         TEXT NOT NULL,
    type        TEXT NOT NULL,
    body        TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts    INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    last_error  TEXT
  ) STRICT;
  CREATE INDEX delivery_due ON delivery (due_at, place) WHERE status = 'pending';
  CREATE INDEX delivery_of_task ON delivery (task_id);

  CREATE TABLE idempotency (
    key         TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status      INTEGER NOT NULL,
    body        TEXT NOT NULL,
    created_at  INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX idempotency_age ON idempotency (created_at);

  CREATE TABLE memory (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id      TEXT NOT NULL REFERENCES task ON DELETE CASCADE,
    subtask_id   TEXT NOT NULL,
    entry_type   TEXT NOT NULL,
    summary      TEXT NOT NULL,
    detail       TEXT NOT NULL,
    tags         TEXT NOT NULL, -- JSON array, as is relevance_to
    relevance_to TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    at           INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX memory_of_task ON memory (task_id, id);

  CREATE VIRTUAL TABLE memory_words USING fts5 (
    summary, detail, tags, content = 'memory', content_rowid = 'id', tokenize = 'porter unicode61'
  );
  CREATE TRIGGER memory_added AFTER INSERT ON memory BEGIN
    INSERT INTO memory_words (rowid, summary, detail, tags) VALUES (new.id, new.summary, new.detail, new.tags);
  END;
  CREATE TRIGGER memory_removed AFTER DELETE ON memory BEGIN
    INSERT INTO memory_words (memory_words, rowid, summary, detail, tags)
    VALUES ('delete', old.id, old.summary, old.detail, old.tags);
  END;
  `,
  `
  -- Deliveries as they are listed, delivered again and told to their tasks. 'told' is 0 between the settling of a delivery
  -- and the event that tells of it; what was settled before there was such a column has been told.
  ALTER TABLE delivery ADD COLUMN attempts_before INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE delivery ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE delivery ADD COLUMN history TEXT NOT NULL DEFAULT '[]'; -- JSON array of attempts
  ALTER TABLE delivery ADD COLUMN told INTEGER NOT NULL DEFAULT 1;
  UPDATE delivery SET created_at = due_at;
  CREATE INDEX delivery_by_status ON delivery (status, place);
  CREATE INDEX delivery_untold ON delivery (place) WHERE told = 0;
  `,
  `
  -- 0: the log is kept; 1: it is dropped and its rows are going; 2: they are gone. A dropped log is read as empty.
  ALTER TABLE task ADD COLUMN log_state INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX task_closed ON task (updated_at, task_id) WHERE open = 0 AND log_state = 0;
  CREATE INDEX task_dropping ON task (task_id) WHERE log_state = 1;

  -- The last view of a task whose log is dropped, as JSON.
  CREATE TABLE task_remains (
    task_id TEXT PRIMARY KEY REFERENCES task ON DELETE CASCADE,
    view    TEXT NOT NULL
  ) STRICT;

  -- Every digest in the events and steps of a task: a blob that has no row here is nobody's.
  CREATE TABLE blob_name (
    digest  TEXT NOT NULL,
    task_id TEXT NOT NULL REFERENCES task ON DELETE CASCADE,
    PRIMARY KEY (digest, task_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX blob_name_of_task ON blob_name (task_id);
  INSERT OR IGNORE INTO blob_name (digest, task_id)
  WITH RECURSIVE
    written (task_id, text) AS (
      SELECT task_id, data FROM event UNION ALL
      SELECT task_id, started FROM step UNION ALL
      SELECT task_id, result FROM step WHERE result IS NOT NULL
    ),
    found (task_id, rest) AS (
      SELECT task_id, substr(text, instr(text, 'sha256:')) FROM written WHERE instr(text, 'sha256:') > 0
      UNION ALL
      SELECT task_id, substr(rest, 7 + instr(substr(rest, 8), 'sha256:')) FROM found
      WHERE instr(substr(rest, 8), 'sha256:') > 0
    )
  SELECT substr(rest, 1, 71), task_id FROM found
  WHERE length(substr(rest, 8, 64)) = 64 AND substr(rest, 8, 64) NOT GLOB '*[^0-9a-f]*';
  `,
  `
  -- Keys are never deleted: their names stand in logs, and one that was ever made keeps the door closed.
  CREATE TABLE api_key (
    key_id          TEXT PRIMARY KEY,
    name            TEXT NOT NULL UNIQUE,
    digest          BLOB NOT NULL,
    scopes          TEXT NOT NULL, -- with spaces between
    rate_per_minute INTEGER,
    tasks_max       INTEGER,
    created_at      INTEGER NOT NULL,
    last_used_at    INTEGER,
    revoked_at      INTEGER
  ) STRICT, WITHOUT ROWID;

  -- Who did what. AUTOINCREMENT remembers the highest number ever given, so that a cut end is seen.
  CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    key_id  TEXT,
    remote  TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT,
    outcome TEXT NOT NULL,
    hash    TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
  CREATE TRIGGER audit_keeps_facts BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
  `,
  `
  -- What each key may spend in a day, and what each account was charged: what its model calls used, and what those in
  -- flight have set aside. Days are those of UTC.
  ALTER TABLE api_key ADD COLUMN tokens_per_day INTEGER;
  ALTER TABLE api_key ADD COLUMN micro_usd_per_day INTEGER;
  CREATE TABLE ledger (
    account   TEXT NOT NULL,
    day       TEXT NOT NULL,
    tokens    INTEGER NOT NULL,
    micro_usd INTEGER NOT NULL,
    PRIMARY KEY (account, day)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- What was found out about a model at a server, as JSON; the key names provider, address and model, and holds no secret.
  CREATE TABLE model_profile (
    key     TEXT PRIMARY KEY,
    profile TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
];

/**
 * Refuses files that are not ours to write, and changes nothing.
 *
 * @throws LoomError storage_newer, storage_failed (another program's database)
 */
export function checkSchema(connection: Database, steps: readonly string[] = migrations): void {
  const found = versionOf(connection);
  const isEmpty = connection.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (!isEmpty && connection.pragma("application_id", { simple: true }) !== applicationId) {
    throw new LoomError("storage_failed", `The database "${connection.name}" belongs to another program`, {
      hint: "Name another file: [memory] database_path in loom.toml, or LOOM_MEMORY__DATABASE_PATH",
    });
  }
  if (found > steps.length) {
    const message = `The database "${connection.name}" has schema version ${found}, this Loom knows versions up to ${steps.length}`;
    throw new LoomError("storage_newer", message, {
      hint: "Run the newer Loom that wrote it, or name another file",
      extra: { found, known: steps.length },
    });
  }
}

/** Brings a file that `checkSchema` passed to the newest schema. */
export function migrate(connection: Database, steps: readonly string[] = migrations): void {
  for (let version = versionOf(connection); version < steps.length; version += 1) {
    const apply = connection.transaction(() => {
      connection.exec(steps[version] ?? "");
      connection.pragma(`application_id = ${applicationId}`);
      connection.pragma(`user_version = ${version + 1}`);
    });
    apply.immediate();
  }
}

export function versionOf(connection: Database): number {
  return Number(connection.pragma("user_version", { simple: true }));
}
