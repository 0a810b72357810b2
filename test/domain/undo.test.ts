import { describe, expect, test } from "vitest";
import { undoRefusal } from "../../src/domain/decide.ts";
import type { Report } from "../../src/domain/report.ts";
import type { Request } from "../../src/domain/request.ts";
import { selectedChanges } from "../../src/domain/selection.ts";
import { changesOf } from "../../src/domain/task.ts";
import { given } from "../support/given.ts";
import {
  absent,
  asked,
  change,
  changed,
  created,
  done,
  executing,
  file,
  started,
  toolStarted,
} from "../support/happenings.ts";

const undo = (scope: "change" | "subtask" | "task", id?: string): Request => ({
  type: "UndoChanges",
  scope,
  by: "ada",
  ...(id === undefined ? {} : { id }),
});
const edited = changed("a", "chg_a", change("a.txt", file("a"), file("b")), change("new.txt", absent, file("c")));
const running = given(executing("a", "b"), started("a"), edited);
const finished = given(executing("a", "b"), done("a"), edited);
const undone = (k: number): Extract<Report, { type: "UndoDone" }> => ({
  type: "UndoDone",
  key: `undo:${k}`,
  outcome: { restored: ["a.txt"], conflicts: [{ path: "new.txt", reason: "changed since" }], skipped: [] },
  changes: [change("a.txt", file("b"), file("a"))],
  undoneIds: ["chg_a"],
});

describe("changes of commands that ran at the same time", () => {
  test("are asked for by whoever may have made them", () => {
    const { task } = given(executing("a", "b", "c"), started("a"), edited, {
      type: "files_changed",
      subtask_id: "a",
      change_id: "chg_s",
      changes: [change("s.txt", absent, file("c"))],
      shared_with: ["b"],
    });
    const ids = (id: string) => selectedChanges(task, { scope: "subtask", id }).map(({ changeId }) => changeId);
    expect([ids("a"), ids("b"), ids("c")]).toEqual([["chg_a", "chg_a.1", "chg_s"], ["chg_s"], []]);
    expect(selectedChanges(task, { scope: "subtask" })).toEqual([]);
  });
});

describe("an undo", () => {
  test("is wanted until it is applied, and recorded as changes of its own", () => {
    const story = finished
      .requested(undo("subtask", "a"))
      .records({ type: "undo_requested", k: 1, scope: "subtask", id: "a", requested_by: "ada" })
      .wants("undo:1", "work:b:1:1")
      .reported(undone(1))
      .records({ type: "undo_applied", k: 1, restored: ["a.txt"], undone_ids: ["chg_a"] })
      .wants("work:b:1:1");
    expect(changesOf(story.task).map(({ changeId, subtaskId, undone }) => [changeId, subtaskId, undone])).toEqual([
      ["chg_a", "a", true],
      ["chg_a.1", "a", false],
      ["chg_undo_12", "undo:1", false],
    ]);
  });

  test("goes on after the end of the task, and is owed even when the budget is spent", () => {
    given(created({ budget: { tool_calls: 1 } }), executing("a"), started("a"), toolStarted("a"), edited)
      .requested({ type: "CancelTask", by: "ada" })
      .requested(undo("task"))
      .wants("undo:1")
      .reported({
        type: "StepStarted",
        key: "undo:1",
        step: "undo",
        event: toolStarted("task-undo", "undo"),
        instructionSeqs: [],
      })
      .records({ type: "tool_call_started" })
      .reported(undone(1))
      .records({ type: "undo_applied", k: 1 })
      .wants();
  });

  test("that breaks down has put nothing back", () => {
    finished
      .requested(undo("change", "chg_a"))
      .reported({ type: "Failed", key: "undo:1", class: "internal", feedback: "disk full" })
      .records({
        type: "undo_applied",
        k: 1,
        restored: [],
        conflicts: [{ path: "*", reason: "disk full" }],
        undone_ids: [],
      });
    finished
      .requested(undo("change", "chg_a"))
      .reported({ type: "ModelDown", key: "undo:1", reason: "disk full", retryAfterMs: 0 })
      .records({ type: "undo_applied", restored: [] });
  });

  test("that comes late is recorded for the files it changed", () => {
    given(executing("a"), done("a"))
      .reported(undone(1))
      .records({ type: "undo_applied", changes: [{ path: "a.txt" }] });
    given(executing("a"), done("a"))
      .reported({ ...undone(1), changes: [] })
      .recordsNothing();
  });

  test("leaves nothing to be told about the files of a subtask that was put back", () => {
    const reverting = given(executing("a"), started("a"), edited, asked("a", { kind: "subtask" })).requested({
      type: "DecideApproval",
      subtaskId: "a",
      approved: false,
      reason: "no",
      by: "ada",
    });
    reverting.subtaskIs("a", { files_changed: ["a.txt", "new.txt"] });
    reverting.reported({ ...undone(1), type: "Reverted", key: "revert:a:1" }).subtaskIs("a", { files_changed: [] });
  });
});

describe("an undo of the whole task", () => {
  test("is refused while it runs", () => {
    running.requested(undo("task")).isRefused("wrong_state", "needs it closed or paused");
  });

  test("is taken when it is paused or closed", () => {
    running
      .requested({ type: "PauseTask", by: "ada" })
      .requested(undo("task"))
      .records({ type: "undo_requested", scope: "task" });
    running
      .requested({ type: "CancelTask", by: "ada" })
      .requested(undo("task"))
      .records({ type: "undo_requested" })
      .wants("undo:1");
  });
});

describe("an undo of a subtask", () => {
  test("is refused while that runs", () => {
    running.requested(undo("subtask", "a")).isRefused("wrong_state", 'Subtask "a" is running');
    running
      .and(asked("a"))
      .requested({ type: "DecideApproval", subtaskId: "a", approved: true, by: "ada" })
      .requested(undo("subtask", "a"))
      .isRefused("wrong_state");
  });

  test.each([
    ["has not begun", "b"],
    ["waits for a person", "a"],
  ])("is taken when it %s", (_, id) => {
    running.and(asked("a")).requested(undo("subtask", id)).records({ type: "undo_requested", id });
  });

  test("is taken when the task is paused", () => {
    running
      .requested({ type: "PauseTask", by: "ada" })
      .requested(undo("subtask", "a"))
      .records({ type: "undo_requested" });
  });

  test.each([
    ["that is not known", undo("subtask", "x"), "not_found"],
    ["that is not named", undo("subtask"), "invalid_request"],
  ])("%s is refused", (_, request, code) => {
    running.requested(request).isRefused(code);
  });
});

describe("an undo of one change", () => {
  test("is taken for a change that is known", () => {
    running.requested(undo("change", "chg_a")).records({ type: "undo_requested", scope: "change", id: "chg_a" });
    expect(undoRefusal(running.task, { scope: "change", id: "chg_a.1" })).toBeNull();
  });

  test.each([
    ["is not known", undo("change", "chg_x"), "not_found"],
    ["is not named", undo("change"), "invalid_request"],
  ])("is refused for one that %s", (_, request, code) => {
    running.requested(request).isRefused(code);
  });
});

describe("what an undo speaks of", () => {
  const again = changed("a", "chg_a2", change("a.txt", file("a"), file("d")));
  const { task } = finished
    .requested(undo("subtask", "a"))
    .reported(undone(1))
    .and(again, changed("b", "chg_b", change("b.txt", absent, file("e"))));
  const ids = (request: Parameters<typeof selectedChanges>[1]) =>
    selectedChanges(task, request).map(({ changeId }) => changeId);

  test("is everything, with what was undone before and its undoing, so that all is put back to where it began", () => {
    expect(ids({ scope: "task" })).toEqual(["chg_a", "chg_a.1", "chg_undo_12", "chg_a2", "chg_b"]);
  });

  test("is what a subtask changed in all its attempts", () => {
    expect(ids({ scope: "subtask", id: "a" })).toEqual(["chg_a", "chg_a.1", "chg_a2"]);
  });

  test("is one step with all its files, or one of its files", () => {
    expect(ids({ scope: "change", id: "chg_a" })).toEqual(["chg_a", "chg_a.1"]);
    expect(ids({ scope: "change", id: "chg_a.1" })).toEqual(["chg_a.1"]);
  });

  test("may be an undo", () => {
    expect(ids({ scope: "change", id: "chg_undo_12" })).toEqual(["chg_undo_12"]);
  });
});
