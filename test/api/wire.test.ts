/** The wire form of events: what holds for every event, however long. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { EventAnswer } from "../../src/api/answers.ts";
import { eventText, taskFrame } from "../../src/api/wire.ts";
import type { TaskEvent } from "../../src/domain/event.ts";

const Envelope = z.looseObject({
  seq: z.int(),
  truncated: z.boolean().optional(),
  data: z.record(z.string(), z.unknown()),
});
const limit = 16 * 1024;
const text = fc
  .string({ unit: "binary", maxLength: 400 })
  .chain((part) => fc.integer({ min: 1, max: 100 }).map((times) => part.repeat(times)));

function answered(summary: string, answer: string, flagged: string[] = []): TaskEvent {
  return { type: "task_completed", completed: 1, total: 1, summary, answer, subtasks_flagged: flagged, seq: 1, at: 0 };
}

describe("an event on the wire", () => {
  test("is one line of at most 16 KiB of data, whatever it holds", () => {
    fc.assert(
      fc.property(text, text, fc.array(text, { maxLength: 200 }), (summary, answer, flagged) => {
        const event: TaskEvent = answered(summary, answer, flagged);
        const line = eventText("task_1", event);
        expect(line).not.toMatch(/[\r\n]/);
        const { data, truncated } = Envelope.parse(JSON.parse(line));
        expect(Buffer.byteLength(JSON.stringify(data))).toBeLessThanOrEqual(limit);
        const { type: _type, seq: _seq, at: _at, ...facts } = event;
        const fits = Buffer.byteLength(JSON.stringify(facts)) <= limit;
        expect(truncated === true).toBe(!fits);
        expect(fits ? data : facts).toEqual(JSON.parse(JSON.stringify(facts)));
      }),
    );
  });

  test("tells moments as ISO 8601, as its schema says", () => {
    const event: TaskEvent = {
      type: "subtask_waiting",
      subtask_id: "s1",
      on: "model",
      until: 1_800_000_000_000,
      reason: "down",
      seq: 1,
      at: 0,
    };
    const { data } = EventAnswer.parse(JSON.parse(eventText("task_1", event)));
    expect(data["until"]).toBe("2027-01-15T08:00:00.000Z");
  });

  test("that is cut says how much there was, keeps its shape, and never half a character", () => {
    const summary = "a".repeat(4095) + "😀".repeat(5000);
    const { data, truncated } = EventAnswer.parse(JSON.parse(eventText("task_1", answered(summary, "42"))));
    expect(truncated).toBe(true);
    expect(data).toMatchObject({ answer: "42", summary: `${"a".repeat(4095)}… [cut: 24095 bytes in all]` });
  });

  test("that is a long list of long things keeps its first ones", () => {
    const files = Array.from({ length: 3000 }, (_, index) => `src/${"x".repeat(30)}/${index}.ts`);
    const event: TaskEvent = {
      type: "undo_applied",
      restored: files,
      conflicts: [],
      skipped: [],
      changes: [],
      undone_ids: [],
      seq: 1,
      at: 0,
    };
    const { data } = EventAnswer.parse(JSON.parse(eventText("task_1", event)));
    expect(data["restored"]).toEqual(files.slice(0, 64));
  });

  test("that cannot be cut to size keeps its envelope", () => {
    const args = Object.fromEntries(Array.from({ length: 4 }, (_, index) => [`${index}${"k".repeat(5000)}`, 1]));
    const event: TaskEvent = {
      type: "tool_call_started",
      subtask_id: "s1",
      tool: "t",
      step: "1",
      attempt: 1,
      args,
      effect_class: "pure",
      seq: 7,
      at: 0,
    };
    expect(Envelope.parse(JSON.parse(eventText("task_1", event)))).toMatchObject({
      seq: 7,
      subtask_id: "s1",
      data: {},
      truncated: true,
    });
  });

  test("is put into text and frame once", () => {
    const event = answered("s", "a");
    const serialised = vi.spyOn(JSON, "stringify");
    eventText("task_1", event);
    eventText("task_1", event);
    expect(serialised.mock.calls).toHaveLength(2);
    serialised.mockRestore();
    expect(taskFrame("task_1", event)).toBe(taskFrame("task_1", event));
    expect(taskFrame("task_1", event).toString()).toMatch(/^id: 1\nevent: task_completed\ndata: \{.*\}\n\n$/);
  });
});
