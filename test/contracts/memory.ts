/** What every memory must do: entries come from events, and are found by task, by type and by words. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Event, EventOf } from "../../src/domain/event.ts";
import { batch, startedAt } from "./batches.ts";
import type { OpenedStorage, OpenStorage } from "./opened-storage.ts";

export function memoryContract(open: OpenStorage): void {
  let opened: OpenedStorage;
  beforeEach(() => {
    opened = open();
  });
  afterEach(() => opened[Symbol.dispose]());

  const record = async (taskId: string, ...events: Event[]): Promise<void> => {
    const after = (await opened.storage.row(taskId))?.lastSeq ?? 0;
    expect(await opened.storage.append(batch({ taskId, after, events }))).toEqual({ kind: "appended" });
  };
  const entry = (summary: string, parts: Partial<EventOf<"memory_recorded">> = {}): Event => ({
    type: "memory_recorded",
    subtask_id: "a",
    entry_type: "discovery",
    summary,
    detail: "",
    tags: [],
    relevance_to: [],
    ...parts,
  });
  const found = async (query: string, options: { taskId?: string; limit?: number } = {}): Promise<string[]> =>
    (await opened.storage.search(query, { limit: 10, ...options })).map(({ summary }) => summary);

  describe("a memory", () => {
    test("keeps what extraction recorded, as it was", async () => {
      await record(
        "task_a",
        entry("uses pnpm", { detail: "see lock", tags: ["build", "it's"], relevance_to: ["b", "c"] }),
      );
      const [row] = await opened.storage.list("task_a", { limit: 10 });
      expect(row).toEqual({
        id: row?.id,
        taskId: "task_a",
        subtaskId: "a",
        entryType: "discovery",
        summary: "uses pnpm",
        detail: "see lock",
        tags: ["build", "it's"],
        relevanceTo: ["b", "c"],
        seq: 1,
        at: startedAt + 1,
      });
    });

    test("keeps what people said, with a tag that says how", async () => {
      await record(
        "task_a",
        { type: "steer_instruction", instruction: "Use tabs", instruction_chars: 8, mode: "queue", source: "cli" },
        { type: "conversation_message", role: "user", message: "How is it going?", source: "api" },
        { type: "feedback_received", rating: 2, comment: "too slow", subtask_id: "a", source: "api" },
        { type: "feedback_received", rating: 5, source: "api" },
        {
          type: "approval_received",
          subtask_id: "a",
          approval_id: "apr_a_1_1_1",
          approved: false,
          by: "ann",
          reason: "no rm",
        },
        { type: "approval_received", subtask_id: "a", approval_id: "apr_a_1_1_2", approved: true, by: "bob" },
        { type: "task_paused", reason: "not a memory" },
      );
      const rows = (await opened.storage.list("task_a", { limit: 10 })).toReversed();
      expect(rows.map((row) => [row.entryType, row.tags.join(), row.subtaskId, row.summary])).toEqual([
        ["user_instruction", "steer", "", "Use tabs"],
        ["user_instruction", "conversation", "", "How is it going?"],
        ["user_instruction", "feedback", "a", "Rated 2 of 5: too slow"],
        ["user_instruction", "feedback", "", "Rated 5 of 5"],
        ["decision", "approval", "a", "Rejected by ann: no rm"],
        ["decision", "approval", "a", "Approved by bob"],
      ]);
    });

    test("shows a long message as one short line, and keeps it whole", async () => {
      const message = `first\n${"word ".repeat(100)}`;
      await record("task_a", { type: "conversation_message", role: "user", message, source: "api" });
      const [row] = await opened.storage.list("task_a", { limit: 1 });
      expect(row?.summary).toMatch(/^first word .{138}…$/);
      expect(row?.detail).toBe(message);
    });

    test("lists one task's, newest first, by type when asked", async () => {
      await record("task_a", entry("one"), entry("two", { entry_type: "error" }), entry("three"));
      await record("task_b", entry("other"));
      const summaries = async (query: Parameters<typeof opened.storage.list>[1]): Promise<string[]> =>
        (await opened.storage.list("task_a", query)).map(({ summary }) => summary);
      expect(await summaries({ limit: 10 })).toEqual(["three", "two", "one"]);
      expect(await summaries({ limit: 2 })).toEqual(["three", "two"]);
      expect(await summaries({ limit: 10, entryType: "error" })).toEqual(["two"]);
      expect(await summaries({ limit: 10, entryType: "artifact" })).toEqual([]);
    });
  });

  describe("a search", () => {
    beforeEach(async () => {
      await record(
        "task_a",
        entry("The parser rejects tabs", { detail: "found in lexer.ts" }),
        entry("Database migrations are slow", { detail: "the parser is fine", tags: ["postgres"] }),
        entry("Port 8080 → already taken"),
        entry("設定ファイルは壊れている"),
      );
      await record("task_b", entry("Migrating the lexer", { detail: "C++ and 100%_done" }));
    });

    test("finds words in summary, detail and tags, over all tasks or in one", async () => {
      expect(await found("postgres")).toEqual(["Database migrations are slow"]);
      expect(await found("LEXER", { taskId: "task_a" })).toEqual(["The parser rejects tabs"]);
      expect((await found("lexer")).toSorted()).toEqual(["Migrating the lexer", "The parser rejects tabs"]);
      expect(await found("lexer", { limit: 1 })).toHaveLength(1);
    });

    test("finds other forms of a word", async () => {
      expect((await found("migration")).toSorted()).toEqual(["Database migrations are slow", "Migrating the lexer"]);
    });

    test("puts what fits best first", async () => {
      expect((await found("parser tabs"))[0]).toBe("The parser rejects tabs");
      expect((await found("slow parser"))[0]).toBe("Database migrations are slow");
    });

    test("finds signs that are no words, and words without blanks between them, literally", async () => {
      expect(await found("→")).toEqual(["Port 8080 → already taken"]);
      expect(await found("ファイル")).toEqual(["設定ファイルは壊れている"]);
      for (const sign of ["%", "_", "++"]) expect(await found(sign)).toEqual(["Migrating the lexer"]);
      expect(await found("100%_done")).toEqual(["Migrating the lexer"]);
      expect(await found("port →")).toEqual(["Port 8080 → already taken"]);
      expect(await found("tabs →")).toEqual(["The parser rejects tabs", "Port 8080 → already taken"]);
    });

    test.each(["", "   ", "\u0000", "nothingness", '"'])("finds nothing for %j", async (query) => {
      expect(await found(query)).toEqual([]);
    });

    test.each([
      'parser" OR "x',
      "parser*",
      "NEAR(parser tabs)",
      "-parser",
      "^parser",
      "(parser)",
      "{parser}",
      "parser AND",
    ])("takes %j for plain words", async (query) => {
      expect(await found(query)).toContain("The parser rejects tabs");
    });

    test("never fails, whatever is asked", async () => {
      const query = fc.oneof(
        fc.string({ unit: "binary" }),
        fc.string(),
        fc.stringMatching(/^["'()*^:{}+\-ANDORTE \0]{0,20}$/),
      );
      await fc.assert(
        fc.asyncProperty(query, async (text) => {
          expect(Array.isArray(await found(text))).toBe(true);
        }),
        { numRuns: 200 },
      );
      expect(Array.isArray(await found("word ".repeat(50_000)))).toBe(true);
    });
  });
}
