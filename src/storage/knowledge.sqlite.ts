/** Memory in SQLite, read: rows found by task, by type, and by words (FTS5, bm25). */
import type { Database } from "better-sqlite3";
import { z } from "zod";
import { MemoryType } from "../domain/event.ts";
import type { Memory, MemoryRow } from "../ports/memory.ts";
import { guarded } from "./failures.ts";
import { wordsOf } from "./knowledge.ts";

/** A hit in the summary is worth four in the detail, one in a tag two. */
const weights = "4.0, 1.0, 2.0";

const columns = "m.id, m.task_id, m.subtask_id, m.entry_type, m.summary, m.detail, m.tags, m.relevance_to, m.seq, m.at";

interface Row {
  readonly id: number;
  readonly task_id: string;
  readonly subtask_id: string;
  readonly entry_type: string;
  readonly summary: string;
  readonly detail: string;
  readonly tags: string;
  readonly relevance_to: string;
  readonly seq: number;
  readonly at: number;
}

type Scope = readonly [taskId: string | null, sameTaskId: string | null];

export function createSqliteMemory(connection: Database): Memory {
  const newest = connection.prepare<[string, string | null, string | null, number], Row>(
    `SELECT ${columns} FROM memory m WHERE task_id = ? AND (? IS NULL OR entry_type = ?) ORDER BY id DESC LIMIT ?`,
  );
  const byWords = connection.prepare<[string, ...Scope, number], Row>(
    `SELECT ${columns} FROM memory_words JOIN memory m ON m.id = memory_words.rowid
     WHERE memory_words MATCH ? AND (? IS NULL OR m.task_id = ?)
     ORDER BY bm25(memory_words, ${weights}), m.id DESC LIMIT ?`,
  );
  const byText = connection.prepare<[string, ...Scope, number], Row>(
    `SELECT ${columns} FROM memory m
     WHERE EXISTS (
         SELECT 1 FROM json_each(?) word
         WHERE instr(m.summary, word.value) OR instr(m.detail, word.value)
            OR EXISTS (SELECT 1 FROM json_each(m.tags) tag WHERE instr(tag.value, word.value)))
       AND (? IS NULL OR m.task_id = ?)
     ORDER BY m.id DESC LIMIT ?`,
  );
  return {
    async list(taskId, { entryType = null, limit }) {
      return guarded("read the memory", () => newest.all(taskId, entryType, entryType, limit).map(decode));
    },
    async search(query, { taskId = null, limit }) {
      const { indexed, literal } = wordsOf(query);
      return guarded("search the memory", () => {
        const best = indexed.length === 0 ? [] : byWords.all(indexed.map(quoted).join(" OR "), taskId, taskId, limit);
        const seen = new Set(best.map(({ id }) => id));
        const others =
          literal.length === 0 ? [] : byText.all(JSON.stringify(literal), taskId, taskId, limit + seen.size);
        return [...best, ...others.filter(({ id }) => !seen.has(id))].slice(0, limit).map(decode);
      });
    },
  };
}

/** An FTS5 string: nothing in it is syntax. */
function quoted(word: string): string {
  return `"${word.replaceAll('"', '""')}"`;
}

const Strings = z.array(z.string());

function decode(row: Row): MemoryRow {
  return {
    id: row.id,
    taskId: row.task_id,
    subtaskId: row.subtask_id,
    entryType: MemoryType.parse(row.entry_type),
    summary: row.summary,
    detail: row.detail,
    tags: Strings.parse(JSON.parse(row.tags)),
    relevanceTo: Strings.parse(JSON.parse(row.relevance_to)),
    seq: row.seq,
    at: row.at,
  };
}
