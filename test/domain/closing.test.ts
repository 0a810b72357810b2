import { describe, expect, test } from "vitest";
import { given } from "../support/given.ts";
import {
  attemptFailed,
  briefOf,
  completed,
  created,
  delivered,
  done,
  executing,
  passed,
  spec,
  started,
} from "../support/happenings.ts";

const told = (key = "answer:1") => ({ type: "Answered", key, summary: "All done", answer: "The tests pass." }) as const;
const finished = given(executing("a", "b"), done("a"), done("b"));
const unremembered = [started("a"), delivered("a"), passed("a"), completed("a")];

describe("submitting a task", () => {
  test("creates it with the rules it runs under", () => {
    const task = given(created()).task;
    expect(task.brief).toEqual(briefOf());
    expect(task).toMatchObject({ phase: "pending", outcome: null, lastSeq: 1 });
  });

  test("is refused when its id is taken", () => {
    given(created()).requested({ type: "SubmitTask", brief: briefOf() }).isRefused("wrong_state", "exists already");
  });
});

describe("a task whose subtasks are all done", () => {
  test("is answered, and then completed", () => {
    finished
      .wants("answer:1")
      .reported(told())
      .records(
        { type: "subtask_delivered", subtask_id: "answer", summary: "All done", answer: "The tests pass." },
        {
          type: "task_completed",
          completed: 2,
          total: 2,
          summary: "All done",
          answer: "The tests pass.",
          subtasks_flagged: [],
        },
      )
      .wants()
      .viewIs({
        status: "completed",
        result: { summary: "All done", answer: "The tests pass." },
        progress: { percent_complete: 100 },
      });
  });

  test("names those that a person should look at", () => {
    given(executing("a", "b"), done("a"), started("b"), delivered("b"), passed("b"), completed("b", { flagged: true }))
      .reported(told())
      .reported({ type: "Extracted", key: "extract:b", entries: [] })
      .records({ type: "extraction_settled" }, { type: "task_completed", subtasks_flagged: ["b"] });
  });

  test.each([
    { type: "Failed", key: "answer:1", class: "no_output", feedback: "empty" },
    { type: "ModelDown", key: "answer:1", reason: "down", retryAfterMs: 0 },
  ] as const)("is answered with what its subtasks said when the model gives no answer: $type", (report) => {
    finished
      .reported(report)
      .records(
        { type: "subtask_delivered", subtask_id: "answer", answer: "a: a is done\nb: b is done" },
        { type: "task_completed" },
      );
  });

  test("is answered once, however often it is told", () => {
    finished.reported(told()).reported(told()).recordsNothing();
  });
});

describe("what is remembered of a subtask", () => {
  const entry = { entry_type: "decision", summary: "tabs", detail: "", tags: ["style"], relevance_to: ["b"] } as const;

  test("is recorded entry by entry", () => {
    given(executing("a"), unremembered)
      .wants("extract:a", "answer:1")
      .reported({ type: "Extracted", key: "extract:a", entries: [entry] })
      .records(
        { type: "memory_recorded", subtask_id: "a", entry_type: "decision", tags: ["style"], relevance_to: ["b"] },
        { type: "extraction_settled", subtask_id: "a", dropped: false, entries: 1 },
      )
      .wants("answer:1");
  });

  test.each([
    { type: "Failed", key: "extract:a", class: "no_output", feedback: "no JSON" },
    { type: "ModelDown", key: "extract:a", reason: "no JSON", retryAfterMs: 0 },
  ] as const)("is dropped when it gets nowhere, at the first try: $type", (report) => {
    given(executing("a"), unremembered)
      .reported(report)
      .records({ type: "extraction_settled", dropped: true, entries: 0, reason: "no JSON" });
  });

  test("holds up the end of the task, and nothing else", () => {
    given(executing("a"), unremembered)
      .reported(told())
      .records({ type: "subtask_delivered" })
      .wants("extract:a")
      .reported({ type: "Extracted", key: "extract:a", entries: [] })
      .records({ type: "extraction_settled" }, { type: "task_completed" });
  });

  test("is forgotten when the task is cancelled", () => {
    given(executing("a"), unremembered).requested({ type: "CancelTask", by: "ada" }).wants();
  });
});

describe("a task that comes to a standstill", () => {
  const stranded = (replansMax: number) =>
    given(
      created({}, { max_replans: replansMax }),
      executing("a", spec("b", { depends_on: ["a"] })),
      started("a"),
      attemptFailed("a", { final: true }),
    );

  test("is planned again", () => {
    stranded(1)
      .reported({ type: "Recovered", stepsInFlight: [] })
      .records(
        { type: "task_stalled", blocked_subtasks: [], pending_subtasks: ["b"] },
        { type: "task_replanning", version: 2, reason: "no subtask can go on" },
      )
      .wants("plan:2:1");
  });

  test("fails when it may not be", () => {
    stranded(0)
      .reported({ type: "Recovered", stepsInFlight: [] })
      .records(
        { type: "task_stalled" },
        { type: "subtask_skipped", subtask_id: "b" },
        { type: "task_failed", reason: "stalled" },
      );
  });

  test("does not count the end of its time as something to wait for", () => {
    given(created({ budget: { wall_seconds: 60 } }), executing("a"), started("a"), attemptFailed("a", { final: true }))
      .reported({ type: "Recovered", stepsInFlight: [] })
      .records({ type: "task_stalled" }, { type: "task_replanning" });
  });
});

describe("feedback", () => {
  const feedback = { type: "GiveFeedback", by: "ada" } as const;

  test("is recorded in the words it was given in, also after the end", () => {
    given(executing("a"), done("a"))
      .reported(told())
      .requested({ ...feedback, rating: 5, comment: "good", subtaskId: "a" })
      .records({ type: "feedback_received", rating: 5, comment: "good", subtask_id: "a", source: "ada" });
  });

  test("says nothing that was not said", () => {
    const [event] = given(executing("a"))
      .requested({ ...feedback, rating: 1 })
      .log.slice(-1);
    expect(event).toMatchObject({ type: "feedback_received", rating: 1 });
    expect(Object.keys(event ?? {}).toSorted()).toEqual(["at", "rating", "seq", "source", "type"]);
  });

  test("may be words alone", () => {
    given(executing("a"))
      .requested({ ...feedback, comment: "good" })
      .records({ type: "feedback_received", comment: "good" });
  });

  test("about an unknown subtask is refused", () => {
    given(executing("a"))
      .requested({ ...feedback, rating: 1, subtaskId: "x" })
      .isRefused("not_found", 'no subtask "x"');
  });
});

describe("the fate of a webhook", () => {
  test("is recorded after the end, and changes nothing", () => {
    const event = {
      type: "webhook_delivered",
      delivery_id: "msg_1",
      target_host: "example.org",
      attempts: 1,
      status_code: 200,
    } as const;
    const failed = {
      type: "webhook_failed",
      delivery_id: "msg_1",
      target_host: "example.org",
      attempts: 7,
      reason: "410",
    } as const;
    finished.reported(told()).reported({ type: "WebhookSettled", event }).records(event).wants();
    finished.reported(told()).reported({ type: "WebhookSettled", event: failed }).records(failed).wants();
  });
});
