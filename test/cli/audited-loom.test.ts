/** The audit log of `loom run` without a server. */
import { describe, expect, test } from "vitest";
import { auditedLoom } from "../../src/cli/audited-loom.ts";
import type { Loom } from "../../src/ports/loom.ts";
import { FakeAccess } from "../support/fake-access.ts";
import { FakeLoom } from "../support/fake-loom.ts";
import { approvalAsked, planned, questionAsked } from "./story.ts";

/** The members of the handle, as an engine gives it: plain functions. */
function handleOf(loom: FakeLoom): Loom {
  const names = Object.getOwnPropertyNames(FakeLoom.prototype) as (keyof FakeLoom)[];
  const bound = names.flatMap((name) => {
    const member: unknown = loom[name];
    return typeof member === "function" ? [[name, member.bind(loom) as unknown] as const] : [];
  });
  return Object.fromEntries(bound) as unknown as Loom;
}

describe("what is done without a server", () => {
  test("stands in the audit log, with who did it, to what, and how it ended", async () => {
    const fake = new FakeLoom();
    const { audit, rows } = new FakeAccess();
    const loom = auditedLoom(handleOf(fake), { audit, user: "ada", now: () => 42 });
    const { task } = await loom.submit({ goal: "g", submittedBy: "cli" });
    const id = task.taskId;
    fake.append(id, ...planned, ...approvalAsked, ...questionAsked);
    const by = "cli";
    await loom.approve(id, { subtaskId: "a", approved: true, by });
    await expect(loom.approve(id, { subtaskId: "a", approved: false, by })).rejects.toThrow("It was approved");
    const answer = { selected_option_ids: ["x"], custom_response: "" };
    await loom.answer(id, { questionId: "qst_a_1_1_1", answer, by });
    await loom.steer(id, { instruction: "i", mode: "queue", by });
    await loom.cancel(id, { by });
    await loom.view(id);
    expect(rows.map(({ action, outcome }) => [action, outcome])).toEqual([
      ["task.submit", "ok"],
      ["approval.decide", "ok"],
      ["approval.decide", "refused:409"],
      ["question.answer", "ok"],
      ["task.steer", "ok"],
      ["task.cancel", "ok"],
    ]);
    const facts = { at: 42, actor: "cli:ada", keyId: null, remote: "local", subject: id };
    for (const row of rows) expect(row).toMatchObject(facts);
  });

  test("is not told as done when the log cannot take it", async () => {
    const audit = { record: () => Promise.reject(new Error("full")) };
    const loom = auditedLoom(handleOf(new FakeLoom()), { audit, user: "ada", now: () => 42 });
    await expect(loom.submit({ goal: "g", submittedBy: "cli" })).rejects.toThrow("full");
  });
});
