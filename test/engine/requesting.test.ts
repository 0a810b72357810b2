import { describe, expect, test } from "vitest";
import { LoomRoom } from "../support/engine-loom.ts";
import { approvalAsk, questionAsk } from "../support/engine-samples.ts";

describe("requests", () => {
  test("answer with the event at which they are visible", async () => {
    await using room = new LoomRoom();
    const { loom } = room;
    const taskId = await room.working();
    const by = "p";
    const steered = await loom.steer(taskId, { instruction: "i", mode: "next_boundary", by });
    const log = await room.bench.store.log(taskId);
    expect(log.at(-1)).toMatchObject({ type: "steer_instruction", seq: steered.appliedSeq });
    expect(steered.status).toBe("executing");
    expect((await loom.message(taskId, { message: "m", by })).appliedSeq).toBe(steered.appliedSeq + 1);
    await loom.pause(taskId, { by });
    room.bench.desk.end({ type: "Yielded", key: "work:a:1:1" });
    await room.bench.store.quiet();
    expect((await loom.view(taskId)).status).toBe("paused");
    expect((await loom.resume(taskId, { by })).status).toBe("executing");
    expect((await loom.feedback(taskId, { rating: 5, comment: "good", by })).status).toBe("executing");
    expect((await loom.cancel(taskId, { by, reason: "enough" })).status).toBe("cancelled");
    expect((await loom.cancel(taskId, { by })).status).toBe("cancelled");
    expect((await loom.retry(taskId, { by })).status).toBe("executing");
  });

  test("that make no sense now are refused with a reason", async () => {
    await using room = new LoomRoom();
    const taskId = await room.submit();
    await room.loom.cancel(taskId, { by: "p" });
    const refused = room.loom.pause(taskId, { by: "p" });
    await expect(refused).rejects.toMatchObject({
      code: "wrong_state",
      hint: "POST /tasks/{id}/retry goes on with a failed or cancelled task",
    });
  });

  test("to approve say whether they decided anything", async () => {
    await using room = new LoomRoom();
    const { loom, bench } = room;
    const taskId = await room.working();
    bench.desk.end({ type: "NeedsApproval", key: "work:a:1:1", ask: approvalAsk("apr_a") });
    await bench.store.quiet();
    expect((await loom.view(taskId)).awaiting).toMatchObject([{ kind: "approval", id: "apr_a" }]);
    expect(await loom.approvals(taskId)).toMatchObject([{ approval_id: "apr_a", status: "pending" }]);
    expect(await loom.pendingApprovals()).toMatchObject([{ approval_id: "apr_a", task_id: taskId }]);
    const yes = { subtaskId: "a", approved: true, by: "p" };
    expect(await loom.approve(taskId, yes)).toMatchObject({ resolvedPending: true, status: "executing" });
    expect(await loom.approve(taskId, yes)).toMatchObject({ resolvedPending: false });
    await expect(loom.approve(taskId, { ...yes, approved: false })).rejects.toMatchObject({ code: "approval_decided" });
    expect(await loom.pendingApprovals()).toEqual([]);
  });

  test("to answer show the question as it then is", async () => {
    await using room = new LoomRoom();
    const taskId = await room.working();
    room.bench.desk.end({ type: "NeedsAnswer", key: "work:a:1:1", ask: questionAsk("qst_a") });
    await room.bench.store.quiet();
    expect(await room.loom.questions(taskId)).toMatchObject([{ question_id: "qst_a", status: "pending" }]);
    const answer = { selected_option_ids: [], custom_response: "the blue one" };
    const answered = await room.loom.answer(taskId, { questionId: "qst_a", answer, by: "p" });
    expect(answered.question).toMatchObject({ status: "answered", answer });
    await expect(room.loom.answer(taskId, { questionId: "qst_b", answer, by: "p" })).rejects.toMatchObject({
      code: "not_found",
    });
  });
});
