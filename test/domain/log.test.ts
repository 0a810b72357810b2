import { describe, expect, test } from "vitest";
import { decide } from "../../src/domain/decide.ts";
import { type Event, eventSchema, eventTypes, type TaskEvent, terminalTypes } from "../../src/domain/event.ts";
import { created as begun, evolve, fold } from "../../src/domain/evolve.ts";
import { runIdOf, SubtaskId, TaskId } from "../../src/domain/ids.ts";
import type { settle } from "../../src/domain/settle.ts";
import { changesOf } from "../../src/domain/task.ts";
import { epoch, given, taskId } from "../support/given.ts";
import {
  absent,
  attemptFailed,
  briefOf,
  change,
  changed,
  completed,
  created,
  executing,
  extracted,
  file,
  modelCall,
  passed,
  planning,
  started,
  toolEnded,
  toolStarted,
} from "../support/happenings.ts";

const first = { ...created(), seq: 1, at: epoch } as TaskEvent & { type: "task_created" };

describe("a log", () => {
  test("begins with the creation of its task", () => {
    expect(() => fold(taskId, [])).toThrow("The log of task_01 is empty");
    expect(() => fold(taskId, [{ ...planning, seq: 1, at: epoch }])).toThrow("not with task_planning as seq 1");
    expect(() => fold(taskId, [{ ...first, seq: 2 }])).toThrow("not with task_created as seq 2");
  });

  test("has no gap, and its task is created once", () => {
    const task = begun(taskId, first);
    expect(() => evolve(task, { ...planning, seq: 3, at: epoch })).toThrow("Event 3 does not follow 1");
    expect(() => evolve(task, { ...first, seq: 2 })).toThrow("task_created stands twice");
  });

  test("leads to a task that knows its last event", () => {
    expect(given(planning).task).toMatchObject({ lastSeq: 2, createdAt: epoch, updatedAt: epoch + 1000 });
  });

  test("of an older version is read: an answer without a text of its own is its summary", () => {
    const answer = {
      type: "subtask_delivered",
      subtask_id: "answer",
      attempt: 1,
      summary: "done",
      digest: "",
    } as const;
    expect(given(executing("a"), answer).task.answer).toEqual({ summary: "done", answer: "done" });
  });

  test.each([
    attemptFailed("x"),
    completed("x"),
    started("x"),
    toolEnded("x"),
    modelCall("done", { subtask_id: "x" }),
    { type: "approval_received", subtask_id: "x", approval_id: "apr_x", approved: true, by: "ada" } as const,
  ])("that speaks of an unknown subtask can be folded: $type", (event) => {
    const before = given(executing("a"));
    expect(before.and(event).task.subtasks).toEqual(before.task.subtasks);
  });

  test.each<Event>([
    planning,
    { type: "task_plan_rejected", version: 1, call: 1, flaws: [] },
    { type: "wait_elapsed", what: "plan", n: 1 },
  ])("that speaks of a plan nobody wants can be folded: $type", (event) => {
    expect(given(executing("a"), event).task.planning).toBeNull();
  });

  test("keeps who changed what, the newest last", () => {
    const { task } = given(
      executing("a"),
      changed("a", "chg_1", change("a.txt", absent, file("a")), change("b.txt", absent, file("b"))),
      changed("a", "chg_2", change("a.txt", file("a"), file("c"))),
    );
    expect(changesOf(task).map(({ changeId, path, seq }) => [changeId, path, seq])).toEqual([
      ["chg_1", "a.txt", 5],
      ["chg_1.1", "b.txt", 5],
      ["chg_2", "a.txt", 6],
    ]);
  });

  test("keeps which steps are in flight", () => {
    const working = given(executing("a"), started("a"), toolStarted("a"), modelCall("start", { step: "plan" }));
    expect([...working.task.stepsInFlight]).toEqual(["a/1/turn-1-call-1", "/1/plan"]);
    expect([...working.and(toolEnded("a"), modelCall("done", { step: "plan" })).task.stepsInFlight]).toEqual([]);
    expect([...working.and(modelCall("done", { step: "other" })).task.stepsInFlight]).toHaveLength(2);
  });
});

describe("the vocabulary of events", () => {
  test("has strict schemas: what is not in them is refused by name", () => {
    expect(eventTypes).toHaveLength(new Set(eventTypes).size);
    for (const type of eventTypes) expect(eventSchema(type).safeParse({ surprise: 1 }).success).toBe(false);
  });

  test("has three events that end a task", () => {
    expect([...terminalTypes]).toEqual(["task_completed", "task_failed", "task_cancelled"]);
  });
});

describe("a report that comes late", () => {
  const closed = given(
    executing("a"),
    started("a"),
    toolStarted("a"),
    modelCall("start", { subtask_id: "a" }),
  ).requested({ type: "CancelTask", by: "ada" });
  const key = "work:a:1:1";

  test("is recorded for what happened to files and budget, and for nothing else", () => {
    const event = modelCall("done", { subtask_id: "a", usage: { input_tokens: 3, output_tokens: 1 } });
    const wrote = changed("a", "chg_a", change("a.txt", absent, file("a"))) as TaskEvent & { type: "files_changed" };
    closed
      .reported({ type: "StepEnded", key, step: "s", events: [toolEnded("a"), wrote, event] })
      .records({ type: "files_changed" }, { type: "model_invocation" })
      .viewIs({ status: "cancelled", usage: { input_tokens: 3 }, workspace_changes: { files_created: 1 } });
  });

  test("starts no step", () => {
    closed
      .reported({ type: "StepStarted", key, step: "s", event: toolStarted("a"), instructionSeqs: [] })
      .recordsNothing();
  });
});

describe("a step that ends", () => {
  test("says what it led to", () => {
    given(executing("a"), started("a"), toolStarted("a"))
      .reported({
        type: "StepEnded",
        key: "work:a:1:1",
        step: "s",
        events: [toolEnded("a", { success: false, destructive: true })],
      })
      .records({ type: "tool_call_completed" });
  });
});

describe("a report that no executor of its effect would make", () => {
  test.each([
    { type: "Delivered", key: "plan:1:1", summary: "", digest: "" },
    { type: "Answered", key: "plan:1:1", summary: "", answer: "" },
    { type: "TimeReached", key: "plan:1:1" },
    {
      type: "UndoDone",
      key: "plan:1:1",
      outcome: { restored: [], conflicts: [], skipped: [] },
      changes: [],
      undoneIds: [],
    },
    { type: "ChecksRan", key: "plan:1:1", results: [] },
  ] as const)("says nothing: $type", (report) => {
    given(planning)
      .reported(report as Parameters<typeof settle>[1])
      .recordsNothing();
  });

  test("says nothing when a wait is told to have begun, or to have failed", () => {
    const waiting = given(created({ budget: { wall_seconds: 9 } }), planning);
    waiting.reported({ type: "Started", key: "wait:budget:wall:1" }).recordsNothing();
    waiting.reported({ type: "Failed", key: "wait:budget:wall:1", class: "internal", feedback: "" }).recordsNothing();
  });

  test("says nothing when extraction is told to have begun", () => {
    given(executing("a"), started("a"), passed("a"), completed("a"))
      .reported({ type: "Started", key: "extract:a" })
      .recordsNothing();
    given(executing("a"), extracted("a")).reported({ type: "Started", key: "extract:a" }).recordsNothing();
  });
});

describe("a request to a task that is not there", () => {
  test("is refused, unless it is the one that creates it", () => {
    const circumstances = { now: epoch, inFlight: 0 };
    expect(decide(null, { type: "PauseTask", by: "ada" }, circumstances)).toMatchObject({
      ok: false,
      error: { code: "not_found" },
    });
    const brief = briefOf();
    expect(decide(null, { type: "SubmitTask", brief }, circumstances)).toEqual({
      ok: true,
      value: [{ type: "task_created", ...brief }],
    });
  });
});

describe("ids", () => {
  test.each(["task_01", "task_0abc"])("of tasks look like %s", (id) => expect(TaskId.safeParse(id).success).toBe(true));
  test.each(["01", "task_", "task_A", `task_${"0".repeat(64)}`])("of tasks do not look like %j", (id) =>
    expect(TaskId.safeParse(id).success).toBe(false),
  );
  test.each(["a", "fix-1", "A.b_c"])("of subtasks look like %s", (id) =>
    expect(SubtaskId.safeParse(id).success).toBe(true),
  );
  test.each(["", "-a", "a b", "a:b", "a".repeat(65)])("of subtasks do not look like %j", (id) =>
    expect(SubtaskId.safeParse(id).success).toBe(false),
  );
  test("of runs are those of their tasks", () => expect(runIdOf("task_01")).toBe("run_01"));
});
