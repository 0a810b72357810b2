import { describe, expect, test } from "vitest";
import { answerText, type QuestionAsk } from "../../src/domain/approval.ts";
import { approvalIdOf, questionIdOf } from "../../src/domain/ids.ts";
import type { Request } from "../../src/domain/request.ts";
import { given } from "../support/given.ts";
import { asked, created, executing, questionAsk, questioned, started } from "../support/happenings.ts";

const working = [executing("a"), started("a")];
const answer = (selected: readonly string[], custom = ""): Request => ({
  type: "AnswerQuestion",
  questionId: "qst_a_1_1_1",
  answer: { selected_option_ids: [...selected], custom_response: custom },
  by: "ada",
});
const needs = { type: "NeedsAnswer", key: "work:a:1:1", ask: questionAsk() } as const;

describe("a question of a model", () => {
  test("parks its subtask until a person answers", () => {
    given(working)
      .reported(needs)
      .records({ type: "ask_user_requested", subtask_id: "a", question_id: "qst_a_1_1_1", attempt: 1 })
      .wants()
      .viewIs({ status: "waiting_approval", awaiting: [{ kind: "question", id: "qst_a_1_1_1" }] })
      .requested(answer(["low"]))
      .records({ type: "ask_user_answered", answer: { selected_option_ids: ["low"], custom_response: "" }, by: "ada" })
      .wants("work:a:1:2");
  });

  test("is answered once: the same again says nothing, another answer is refused", () => {
    const answered = given(working, questioned("a")).requested(answer(["low"]));
    answered.requested(answer(["low"])).recordsNothing();
    answered.requested(answer(["high"])).isRefused("approval_decided", "answered already by ada: ");
    answered.requested(answer(["low"], "and more")).isRefused("approval_decided");
  });

  test("that is not known cannot be answered", () => {
    given(working)
      .requested(answer(["low"]))
      .isRefused("not_found", 'no question "qst_a_1_1_1"');
  });

  test("of a task that has ended waits for no answer any more", () => {
    given(working, questioned("a"))
      .requested({ type: "CancelTask", by: "ada" })
      .requested(answer(["low"]))
      .isRefused("nothing_pending");
  });

  test("goes unanswered by an answer to another one", () => {
    const stray = { selected_option_ids: [], custom_response: "x" };
    given(working, questioned("a"), {
      type: "ask_user_answered",
      subtask_id: "a",
      question_id: "qst_x",
      answer: stray,
      by: "ada",
    }).wants();
    given(working, questioned("a"), asked("a"), {
      type: "ask_user_answered",
      subtask_id: "a",
      question_id: "qst_a_1_1_1",
      answer: stray,
      by: "ada",
    }).wants();
  });

  test.each([
    ["nothing", {}, answer([]), "the answer is empty"],
    ["an unknown option", {}, answer(["x"]), '"x" is none of the options low, high'],
    ["two options of which one was to be chosen", {}, answer(["low", "high"]), "this question takes one option"],
    ["words where options were given", {}, answer([], "8081"), "this question takes one of its options only"],
  ])("takes no answer that is %s", (_, more, request, message) => {
    given(working, questioned("a", more)).requested(request).isRefused("invalid_request", message);
  });

  const welcoming: readonly (readonly [string, Partial<QuestionAsk>, Request])[] = [
    ["several options where several may be chosen", { question_type: "multi_choice" }, answer(["low", "high"])],
    ["words where they are welcome", { allow_custom_response: true }, answer([], "8081")],
    ["words where there are no options", { question_type: "free_text", options: [] }, answer([], "8081")],
  ];

  test.each(welcoming)("takes %s", (_, more, request) => {
    given(working, questioned("a", more)).requested(request).records({ type: "ask_user_answered" });
  });
});

describe("a question that nobody answers", () => {
  const hurried = created({}, { approval_timeout_ms: 60_000 });

  test("says until when it waits, and then counts as no preference", () => {
    const story = given(hurried, working).reported(needs);
    story
      .records({ type: "ask_user_requested", expires_at: story.now + 60_000 })
      .wants("wait:qst_a_1_1_1:0")
      .after(60_000)
      .reported({ type: "TimeReached", key: "wait:qst_a_1_1_1:0" })
      .records({ type: "ask_user_answered", by: "timeout", answer: { selected_option_ids: [], custom_response: "" } })
      .wants("work:a:1:2")
      .requested(answer(["low"]))
      .isRefused("nothing_pending");
  });

  test("has its default stand, where it has one", () => {
    given(hurried, working)
      .reported({ ...needs, ask: questionAsk({ default_option_id: "high" }) })
      .after(60_000)
      .reported({ type: "TimeReached", key: "wait:qst_a_1_1_1:0" })
      .records({ type: "ask_user_answered", answer: { selected_option_ids: ["high"], custom_response: "" } });
  });

  test("is not even waited for where nobody answers for the task", () => {
    given(created({ approvers: "none" }), working)
      .reported(needs)
      .records({ type: "ask_user_requested" }, { type: "ask_user_answered", by: "timeout" })
      .wants("work:a:1:2");
  });
});

describe("an answer, as the model reads it,", () => {
  test.each([
    [{ selected_option_ids: ["low", "high"], custom_response: "" }, "8080, 9000"],
    [{ selected_option_ids: ["low"], custom_response: "8081, please" }, "8081, please"],
    [{ selected_option_ids: ["gone"], custom_response: "" }, "gone"],
    [{ selected_option_ids: [], custom_response: "" }, "No preference."],
  ])("%j reads %s", (given, text) => expect(answerText(questionAsk(), given)).toBe(text));
});

describe("ids of rows", () => {
  test("say which call of which turn asked", () => {
    const at = { subtaskId: "a", attempt: 1, turn: 2, call: 3 };
    expect([approvalIdOf(at), questionIdOf(at)]).toEqual(["apr_a_1_2_3", "qst_a_1_2_3"]);
  });
});
