/** Between a task and people: approvals, questions, feedback, messages. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import * as answers from "../../src/api/answers.ts";
import * as peopleAnswers from "../../src/api/people-answers.ts";
import { type Problem, RunningApi } from "./running-api.ts";
import { approvalAsked, asked, completed, planned } from "./samples.ts";

let api: RunningApi;
let id: string;
beforeEach(async () => {
  api = await RunningApi.open();
  id = await api.task();
});
afterEach(async () => await api.close());

const codeOf = (body: unknown) => (body as Problem).code;

describe("approving", () => {
  beforeEach(() => api.loom.append(id, planned, approvalAsked("apr_1")));

  test("decides once; the same answer again is fine, the other one is not", async () => {
    const yes = { subtask_id: "s1", approved: true };
    const first = await api.post(`/tasks/${id}/approve`, yes);
    expect(peopleAnswers.ApproveAnswer.parse(first.body)).toEqual({
      status: "ok",
      approved: true,
      subtask_id: "s1",
      resolved_pending: true,
      applied_seq: 4,
    });
    expect((await api.post(`/tasks/${id}/approve`, yes)).body).toMatchObject({ resolved_pending: false });
    const { status, body } = await api.post(`/tasks/${id}/approve`, { ...yes, approved: false });
    expect([status, codeOf(body)]).toEqual([409, "approval_decided"]);
  });

  test("hands on reason and approval id", async () => {
    await api.post(`/tasks/${id}/approve`, { subtask_id: "s1", approved: false, reason: "no", approval_id: "apr_1" });
    expect(api.loom.calls.at(-1)).toEqual([
      "approve",
      { subtaskId: "s1", approved: false, by: "api", reason: "no", approvalId: "apr_1" },
    ]);
  });

  test.each([
    { subtask_id: "s1" },
    { approved: true },
    { subtask_id: "s1", approved: "yes" },
    { subtask_id: "../s1", approved: true },
  ])("refuses %j", async (body) => {
    expect((await api.post(`/tasks/${id}/approve`, body)).status).toBe(422);
  });

  test("what waits is listed for its task, and among all", async () => {
    const ofTask = z.array(peopleAnswers.ApprovalAnswer).parse((await api.get(`/tasks/${id}/approvals`)).body);
    expect(ofTask).toMatchObject([{ approval_id: "apr_1", status: "pending" }]);
    expect((await api.get("/approvals")).body).toEqual(ofTask);
    await api.post(`/tasks/${id}/approve`, { subtask_id: "s1", approved: true });
    expect((await api.get("/approvals")).body).toEqual([]);
    expect((await api.get(`/tasks/${id}/approvals`)).body).toMatchObject([{ status: "approved" }]);
  });
});

describe("a question", () => {
  const path = () => `/tasks/${id}/questions/${asked.question_id}/answer`;
  beforeEach(() => api.loom.append(id, asked));

  test("is listed, and answered by option, by label or in own words", async () => {
    expect(z.array(peopleAnswers.QuestionAnswer).parse((await api.get(`/tasks/${id}/questions`)).body)).toHaveLength(1);
    const { status, body } = await api.post(path(), {
      response_type: "single_choice",
      selected_option_ids: ["a"],
      selected_labels: ["The second", "The first"],
      custom_response: "both",
      source: "tui",
      answered_by: "ada",
      client_id: "c1",
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: "answered", answered_by: "ada", applied_seq: 3 });
    expect(peopleAnswers.QuestionAnswer.parse(body).answer).toEqual({
      selected_option_ids: ["a", "b"],
      custom_response: "both",
    });
  });

  test("knows its labels", async () => {
    const { status, body } = await api.post(path(), { selected_labels: ["The first", "The third"] });
    expect(status).toBe(422);
    expect(body).toMatchObject({ errors: [{ pointer: "#/selected_labels/1" }] });
  });

  test("that nobody asked is a 404", async () => {
    expect((await api.post(`/tasks/${id}/questions/q_0/answer`, {})).status).toBe(404);
    expect((await api.post(`/tasks/${id}/questions/q_0/answer`, { selected_labels: ["x"] })).status).toBe(404);
  });
});

describe("feedback", () => {
  test.each([
    [
      { rating: 4, comment: "Good" },
      { rating: 4, comment: "Good" },
    ],
    [{ rating: 1 }, { rating: 1 }],
    [
      { feedback: "Fine", subtask_id: "s1" },
      { comment: "Fine", subtaskId: "s1" },
    ],
  ])("%j is recorded, whatever the task's state", async (body, heard) => {
    api.loom.append(id, completed);
    const answer = await api.post(`/tasks/${id}/feedback`, body);
    expect(answers.DoneAnswer.parse(answer.body)).toEqual({
      status: "ok",
      message: "Feedback recorded.",
      applied_seq: 3,
    });
    expect(api.loom.calls.at(-1)).toEqual(["feedback", heard]);
  });

  test.each([
    {},
    { subtask_id: "s1" },
    { rating: 0 },
    { rating: 6 },
    { rating: 2.5 },
    { comment: " " },
    { comment: "a", feedback: "b" },
  ])("%j is refused", async (body) => {
    expect((await api.post(`/tasks/${id}/feedback`, body)).status).toBe(422);
  });
});

describe("a message", () => {
  test("is delivered and kept in the conversation", async () => {
    const { body } = await api.post(`/tasks/${id}/message`, { message: "Hello", role: "user" });
    expect(peopleAnswers.MessageAnswer.parse(body)).toEqual({
      status: "ok",
      message: "Message delivered.",
      task_id: id,
      applied_seq: 2,
    });
    const said = peopleAnswers.ConversationAnswer.parse((await api.get(`/tasks/${id}/conversation`)).body);
    expect(said).toMatchObject([{ role: "user", message: "Hello" }]);
  });
});
