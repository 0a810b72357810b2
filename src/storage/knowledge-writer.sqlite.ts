/** Memory in SQLite, written: rows that go in with the events they come from. Loads no schema, since the writing thread needs none. */
import type { Database } from "better-sqlite3";
import type { MemoryDraft } from "./knowledge.ts";

/** @returns writes one entry, in the transaction that is open */
export function createMemoryWriter(connection: Database): (entry: MemoryDraft) => void {
  const insert = connection.prepare(
    "INSERT INTO memory (task_id, subtask_id, entry_type, summary, detail, tags, relevance_to, seq, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  return ({ taskId, subtaskId, entryType, summary, detail, tags, relevanceTo, seq, at }) => {
    insert.run(
      taskId,
      subtaskId,
      entryType,
      summary,
      detail,
      JSON.stringify(tags),
      JSON.stringify(relevanceTo),
      seq,
      at,
    );
  };
}
