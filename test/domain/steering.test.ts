import { describe, expect, test } from "vitest";
import { given } from "../support/given.ts";
import {
  created,
  done,
  executing,
  modelCall,
  planning,
  replanning,
  started,
  toolStarted,
} from "../support/happenings.ts";

const steer = (mode: "next_boundary" | "queue" | "interrupt") =>
  ({ type: "SteerTask", instruction: "use tabs", mode, by: "ada" }) as const;

describe("an instruction", () => {
  test.each(["next_boundary", "queue", "interrupt"] as const)("in mode %s is kept for every later prompt", (mode) => {
    const story = given(executing("a"), started("a"))
      .requested(steer(mode))
      .records({ type: "steer_instruction", instruction: "use tabs", instruction_chars: 8, mode, source: "ada" })
      .wants("work:a:1:1");
    expect(story.task.instructions).toEqual([{ seq: 6, mode, text: "use tabs", readBy: [] }]);
  });

  test("gets a receipt from each attempt that reads it, with the step in which it enters", () => {
    const event = modelCall("start", { subtask_id: "a", iteration: 3 });
    given(executing("a"), started("a"))
      .reported({ type: "StepStarted", key: "work:a:1:1", step: "turn-3", event, instructionSeqs: [6, 7] })
      .records(
        { type: "model_invocation", phase: "start" },
        { type: "steer_applied", subtask_id: "a", attempt: 1, iteration: 3, instruction_seq: 6 },
        { type: "steer_applied", instruction_seq: 7 },
      );
    given(executing("a"), started("a"))
      .reported({ type: "StepStarted", key: "work:a:1:1", step: "s", event: toolStarted("a"), instructionSeqs: [6] })
      .records({ type: "tool_call_started" }, { type: "steer_applied", iteration: 0 });
  });

  test("knows who has read it, each reader once", () => {
    const read = (id: string, seq: number) =>
      ({ type: "steer_applied", subtask_id: id, attempt: 1, iteration: 1, instruction_seq: seq }) as const;
    const { task } = given(executing("a", "b"), started("a"))
      .requested(steer("queue"))
      .requested(steer("next_boundary"))
      .and(read("a", 6), read("a", 6), read("b", 6), read("b", 7));
    expect(task.instructions.map(({ seq, readBy }) => [seq, ...readBy])).toEqual([
      [6, "a", "b"],
      [7, "b"],
    ]);
  });

  test("that interrupts has the plan made again, and costs none of the planner's calls", () => {
    const story = given(planning)
      .requested(steer("interrupt"))
      .records({ type: "steer_instruction" })
      .wants("plan:1:2");
    expect(story.task.planning?.rejected).toBe(0);
    story.reported({ type: "PlanProposed", key: "plan:1:1", subtasks: [], flaws: ["late"] }).recordsNothing();
  });

  test("that interrupts cuts the wait for the planner's model short", () => {
    const waiting = { type: "subtask_waiting", subtask_id: "plan", on: "model", until: 8e15, reason: "down" } as const;
    given(planning, waiting).wants("wait:plan:3").requested(steer("interrupt")).wants("plan:1:2");
  });

  test("that interrupts a new plan leaves the siblings at work", () => {
    given(executing("a"), started("a"), replanning(2)).requested(steer("interrupt")).wants("plan:2:2", "work:a:1:1");
  });

  test("leaves planning alone in any other mode", () => {
    given(planning).requested(steer("next_boundary")).wants("plan:1:1");
  });

  test("comes too late for a task that has ended", () => {
    given(created())
      .requested({ type: "CancelTask", by: "ada" })
      .requested(steer("queue"))
      .isRefused("wrong_state", "it cannot be steered", "POST /tasks/{id}/retry");
    given(executing("a"), done("a"))
      .reported({ type: "Answered", key: "answer:1", summary: "", answer: "" })
      .requested(steer("queue"))
      .isRefused("wrong_state", "Task task_01 is completed", "Submit a new task");
  });
});

describe("a message", () => {
  test("is said in the conversation, and read by what begins later", () => {
    const story = given(executing("a"))
      .requested({ type: "SendMessage", message: "thanks", by: "ada" })
      .records({ type: "conversation_message", role: "user", message: "thanks", source: "ada" });
    expect(story.task.instructions).toMatchObject([{ mode: "queue", text: "thanks" }]);
  });

  test("comes too late for a task that has ended", () => {
    given(created())
      .requested({ type: "CancelTask", by: "ada" })
      .requested({ type: "SendMessage", message: "thanks", by: "ada" })
      .isRefused("wrong_state", "it cannot be sent a message");
  });
});
