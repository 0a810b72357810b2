/** What of the log is memory: entries that extraction recorded and what people said, as rows; and a query as its words. */
import type { MemoryType, TaskEvent } from "../domain/event.ts";
import type { MemoryRow } from "../ports/memory.ts";

/** By convention of the memory's readers: a summary fits one line. */
const summaryChars = 150;
/** More words than this say nothing more. */
const wordsMax = 32;

export type MemoryDraft = Omit<MemoryRow, "id">;

/** @returns the memory entry that this event makes, or null */
export function memoryOf(taskId: string, event: TaskEvent): MemoryDraft | null {
  const place = { taskId, seq: event.seq, at: event.at };
  const said = (
    text: string,
    tag: string,
    subtaskId = "",
    entryType: MemoryType = "user_instruction",
  ): MemoryDraft => ({
    ...place,
    subtaskId,
    entryType,
    summary: shortened(text),
    detail: text,
    tags: [tag],
    relevanceTo: subtaskId === "" ? [] : [subtaskId],
  });
  if (event.type === "memory_recorded") {
    const { subtask_id, entry_type, summary, detail, tags, relevance_to } = event;
    return { ...place, subtaskId: subtask_id, entryType: entry_type, summary, detail, tags, relevanceTo: relevance_to };
  }
  if (event.type === "steer_instruction") return said(event.instruction, "steer");
  if (event.type === "conversation_message") return said(event.message, "conversation");
  if (event.type === "feedback_received") {
    return said(feedbackText(event.rating, event.comment), "feedback", event.subtask_id);
  }
  if (event.type === "approval_received") {
    const reason = event.reason === undefined ? "" : `: ${event.reason}`;
    const text = `${event.approved ? "Approved" : "Rejected"} by ${event.by}${reason}`;
    return said(text, "approval", event.subtask_id, "decision");
  }
  return null;
}

export interface Words {
  /** What a tokeniser makes words of. */
  readonly indexed: readonly string[];
  /** Signs without a letter or digit, and scripts that set no blanks between words: found as parts of a text. */
  readonly literal: readonly string[];
}

const hasToken = /[\p{L}\p{N}\p{Co}]/u;
const hasNoBlanks =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;

export function wordsOf(query: string): Words {
  const words = [...new Set(query.split(/[\s\p{Cc}]+/u).filter((word) => word !== ""))].slice(0, wordsMax);
  const isIndexed = (word: string): boolean => hasToken.test(word) && !hasNoBlanks.test(word);
  return { indexed: words.filter(isIndexed), literal: words.filter((word) => !isIndexed(word)) };
}

function feedbackText(rating: number | undefined, comment: string | undefined): string {
  const rated = rating === undefined ? "" : `Rated ${rating} of 5`;
  return [rated, comment ?? ""].filter((part) => part !== "").join(": ");
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= summaryChars ? line : `${line.slice(0, summaryChars - 1)}…`;
}
