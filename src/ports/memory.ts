/** Memory: entries that extraction and people left, findable by task, by type and by words. Made from `memory_recorded` and the like. */
import type { MemoryType } from "../domain/event.ts";

export interface MemoryRow {
  readonly id: number;
  readonly taskId: string;
  readonly subtaskId: string;
  readonly entryType: MemoryType;
  readonly summary: string;
  readonly detail: string;
  readonly tags: readonly string[];
  readonly relevanceTo: readonly string[];
  readonly seq: number;
  readonly at: number;
}

export interface Memory {
  /** Newest first. */
  list(taskId: string, query: { readonly entryType?: MemoryType; readonly limit: number }): Promise<MemoryRow[]>;
  /** Best match first; `query` is plain words, never a query language. Over all tasks when `taskId` is absent. */
  search(query: string, options: { readonly taskId?: string; readonly limit: number }): Promise<MemoryRow[]>;
}
