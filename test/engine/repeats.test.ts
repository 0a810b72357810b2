/** Requests that are sent again under one idempotency key, or for a version of the task that is over. */
import { describe, expect, test } from "vitest";
import { Repeats } from "../../src/engine/repeats.ts";
import type { IdempotencyRow } from "../../src/ports/event-store.ts";
import { StepClock, turn } from "../support/clock.ts";
import { LoomRoom } from "../support/engine-loom.ts";
import { questionAsk } from "../support/engine-samples.ts";

const idempotency = { key: "k", fingerprint: "f" };
const by = "p";

async function countOf(room: LoomRoom, taskId: string, type: string): Promise<number> {
  return (await room.bench.store.log(taskId)).filter((event) => event.type === type).length;
}

describe("a request with a key, sent many times at once", () => {
  test("is taken once, and answered alike to all, also where a second one would be refused", async () => {
    await using room = new LoomRoom();
    const taskId = await room.submit();
    await room.loom.cancel(taskId, { by });
    const sent = Array.from({ length: 20 }, () => room.loom.retry(taskId, { by, idempotency }));
    const answers = await Promise.all(sent);
    expect(answers.filter(({ replayed }) => replayed === undefined)).toHaveLength(1);
    expect(new Set(answers.map(({ appliedSeq, status }) => `${appliedSeq} ${status}`)).size).toBe(1);
    expect(await countOf(room, taskId, "task_resumed")).toBe(1);
  });

  test("leaves one folder where it makes a task", async () => {
    await using room = new LoomRoom();
    const made: string[] = [];
    const real = room.workspaces.createScratch.bind(room.workspaces);
    room.workspaces.createScratch = async (taskId) => {
      made.push(taskId);
      return await real(taskId);
    };
    const submission = { goal: "g", submittedBy: by, idempotency };
    await Promise.all(Array.from({ length: 20 }, () => room.loom.submit(submission)));
    expect(made).toHaveLength(1);
  });
});

describe("a request with a key, sent again later", () => {
  test("is answered as the first one was, however the task has gone on", async () => {
    await using room = new LoomRoom();
    const taskId = await room.working();
    const asked = room.loom.steer(taskId, { instruction: "i", mode: "queue", by, idempotency });
    const first = await asked;
    await room.loom.cancel(taskId, { by });
    const again = await room.loom.steer(taskId, { instruction: "i", mode: "queue", by, idempotency });
    expect(again).toEqual({ ...first, replayed: true });
    expect(await countOf(room, taskId, "steer_instruction")).toBe(1);
  });

  test("is told the question with its answer again", async () => {
    await using room = new LoomRoom();
    const taskId = await room.working();
    room.bench.desk.end({ type: "NeedsAnswer", key: "work:a:1:1", ask: questionAsk("qst_a") });
    await room.bench.store.quiet();
    const answer = { selected_option_ids: [], custom_response: "blue" };
    const asked = { questionId: "qst_a", answer, by, idempotency };
    const first = await room.loom.answer(taskId, asked);
    const again = await room.loom.answer(taskId, asked);
    expect(again).toEqual({ ...first, replayed: true });
    expect(again.question.answer).toMatchObject(answer);
  });

  test("is told again what an undo put back", async () => {
    await using room = new LoomRoom();
    room.playUndo();
    const taskId = await room.working();
    await room.write(taskId, "new.txt", "hello\n");
    await room.loom.cancel(taskId, { by });
    const asked = { scope: "task", preview: false, by, idempotency } as const;
    const [first, second] = await Promise.all([room.loom.undo(taskId, asked), room.loom.undo(taskId, asked)]);
    expect(first.restored).toEqual(["new.txt"]);
    expect(second).toEqual({ ...first, replayed: true });
    expect(await countOf(room, taskId, "undo_requested")).toBe(1);
  });

  test("with another body is refused; one that was refused keeps nothing", async () => {
    await using room = new LoomRoom();
    const taskId = await room.submit();
    const late = { key: "late", fingerprint: "f" };
    await expect(room.loom.retry(taskId, { by, idempotency: late })).rejects.toMatchObject({ code: "wrong_state" });
    await room.loom.cancel(taskId, { by, idempotency });
    const other = room.loom.cancel(taskId, { by, idempotency: { ...idempotency, fingerprint: "other" } });
    await expect(other).rejects.toMatchObject({ code: "idempotency_conflict" });
    expect((await room.loom.retry(taskId, { by, idempotency: late })).replayed).toBe(undefined);
  });
});

describe("a request for one version of a task", () => {
  test("is taken at that version only; of several at once, one is", async () => {
    await using room = new LoomRoom();
    const taskId = await room.working();
    const { last_seq: lastSeq } = await room.loom.view(taskId);
    const sent = ["a", "b", "c"].map((message) => room.loom.message(taskId, { message, by, ifSeq: [lastSeq] }));
    const fates = await Promise.allSettled(sent);
    expect(fates.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    expect(fates[1]).toMatchObject({ reason: { code: "precondition_failed", extra: { last_seq: lastSeq + 1 } } });
    const preview = room.loom.undo(taskId, { scope: "task", preview: true, by, ifSeq: [lastSeq] });
    await expect(preview).rejects.toMatchObject({ code: "precondition_failed" });
  });
});

describe("a request whose first sending takes long", () => {
  test("is told to come back, and gets its answer then", async () => {
    const clock = new StepClock();
    const rows = new Map<string, IdempotencyRow>();
    const store = { idempotency: (key: string) => Promise.resolve(rows.get(key) ?? null) };
    const repeats = new Repeats({ store, clock });
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    const again = ({ body }: IdempotencyRow) => body;
    const first = async () => {
      await done;
      rows.set("k", { ...idempotency, status: 200, body: "first", createdAt: 0 });
      return "first";
    };
    const never = () => Promise.reject(new Error("It is done twice"));
    const running = repeats.once<unknown>(idempotency, { first, again });
    const impatient = repeats.once<unknown>(idempotency, { first: never, again });
    await turn();
    await Promise.all([
      expect(impatient).rejects.toMatchObject({ code: "idempotency_running", retryable: true }),
      clock.advance(2000),
    ]);
    finish();
    expect(await running).toBe("first");
    expect(await repeats.once<unknown>(idempotency, { first: never, again })).toBe("first");
    expect(clock.sleepers).toBe(0);
  });
});
