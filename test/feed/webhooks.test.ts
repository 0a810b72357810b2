/** Webhooks that are owed reach a real receiver, once recorded as such, or are tried again by the schedule. */
import type { ServerResponse } from "node:http";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { createClock } from "../../src/observability/runtime.ts";
import { delivery, startedAt } from "../contracts/batches.ts";
import { answering } from "./receiver.ts";
import { secret, Workplace } from "./webhook-workplace.ts";

let work: Workplace;
beforeEach(() => {
  work = new Workplace();
});
afterEach(() => work.stack.disposeAsync());

describe("a webhook that is owed", () => {
  test("is posted as JSON with its id and the time, and settled", async () => {
    const receiver = await work.receiver(answering(202));
    await work.owe(delivery("msg_1", { url: `${receiver.url}/done`, body: { type: "task.completed", ümlaut: "ß" } }));
    work.send();
    expect(await work.settledTo(1)).toEqual([
      [
        "task_a",
        {
          type: "webhook_delivered",
          delivery_id: "msg_1",
          target_host: new URL(receiver.url).host,
          attempts: 1,
          status_code: 202,
        },
      ],
    ]);
    const [request] = receiver.received;
    expect(request?.path).toBe("POST /done");
    expect(request?.headers).toMatchObject({
      "content-type": "application/json",
      "webhook-id": "msg_1",
      "webhook-timestamp": String(startedAt / 1000),
    });
    expect(request?.body).toEqual({ type: "task.completed", ümlaut: "ß" });
    expect(await work.storage.nextDue()).toBeNull();
  });

  test("goes out as soon as it is committed, and when its time has come", async () => {
    const receiver = await work.receiver(answering(200));
    work.send();
    await work.owe(
      delivery("now", { url: receiver.url }),
      delivery("later", { url: receiver.url, dueAt: startedAt + 90_000 }),
    );
    await work.settledTo(1);
    expect(await work.clock.nextSleepMs()).toBe(90_000);
    work.clock.advance(90_000);
    await work.settledTo(2);
    expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual(["now", "later"]);
  });

  test("goes out when its time has come, though another hangs", async () => {
    const slow = await work.receiver(() => undefined);
    const quick = await work.receiver(answering(200));
    await work.owe(
      delivery("slow", { url: slow.url }),
      delivery("later", { url: quick.url, dueAt: startedAt + 90_000 }),
    );
    work.send();
    await slow.cameTo(1);
    expect(await work.clock.nextSleepMs()).toBe(90_000);
    work.clock.advance(90_000);
    expect((await work.settledTo(1))[0]?.[1]).toMatchObject({ delivery_id: "later" });
  });

  test("is signed, so that a receiver can verify it", async () => {
    const receiver = await work.receiver(answering(200));
    await work.owe(delivery("msg_1", { url: receiver.url, body: { text: "größer\n" } }));
    work.send({ clock: createClock() });
    await work.settledTo(1);
    const [request] = receiver.received;
    const headers = z.record(z.string(), z.string()).parse(request?.headers);
    expect(new Webhook(secret).verify(request?.text ?? "", headers)).toEqual({ text: "größer\n" });
    expect(() => new Webhook(secret).verify(`${request?.text} `, headers)).toThrow(/signature/);
  });

  test("goes out again when somebody asks, under the same id and by the whole schedule", async () => {
    let status = 200;
    const receiver = await work.receiver((_request, response) => void response.writeHead(status).end());
    await work.owe(delivery("msg_1", { url: receiver.url }));
    work.send();
    await work.settledTo(1);
    status = 500;
    await work.storage.redeliver("msg_1", work.clock.now());
    await receiver.cameTo(2);
    expect(await work.clock.nextSleepMs()).toBe(5000);
    status = 200;
    work.clock.advance(5000);
    expect((await work.settledTo(2))[1]?.[1]).toMatchObject({ type: "webhook_delivered", attempts: 3 });
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set(["msg_1"]));
    expect((await work.storage.delivery("msg_1"))?.history.map(({ statusCode }) => statusCode)).toEqual([
      200, 500, 200,
    ]);
  });

  test("is still owed after a stop in the middle, and goes out after the next start under the same id", async () => {
    const held: ServerResponse[] = [];
    const receiver = await work.receiver((_request, response) => {
      if (held.push(response) > 1) response.end();
    });
    await work.owe(delivery("msg_1", { url: receiver.url }));
    const sender = work.send();
    await receiver.cameTo(1);
    await sender[Symbol.asyncDispose]();
    expect(work.settled).toEqual([]);
    expect(work.logged).toEqual([]);
    work.send();
    expect((await work.settledTo(1))[0]?.[1]).toMatchObject({ type: "webhook_delivered", attempts: 1 });
    expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual(["msg_1", "msg_1"]);
  });
});

describe("a receiver that fails", () => {
  test.each([500, 404, 301, 429])(
    "with %d is tried again by the schedule, seven times in all, then given up",
    async (status) => {
      const receiver = await work.receiver(answering(status, { location: "/elsewhere" }));
      await work.owe(delivery("msg_1", { url: receiver.url }));
      work.send();
      const waits: number[] = [];
      for (const attempt of [1, 2, 3, 4, 5, 6]) {
        await receiver.cameTo(attempt);
        const waitMs = await work.clock.nextSleepMs();
        waits.push(waitMs);
        work.clock.advance(waitMs);
      }
      const minute = 60_000;
      expect(waits).toEqual([5000, 5 * minute, 30 * minute, 120 * minute, 300 * minute, 600 * minute]);
      expect((await work.settledTo(1))[0]?.[1]).toEqual({
        type: "webhook_failed",
        delivery_id: "msg_1",
        target_host: new URL(receiver.url).host,
        attempts: 7,
        reason: `answered ${status}`,
      });
      expect(receiver.received).toHaveLength(7);
      const stamps = receiver.received.map(({ headers }) => Number(headers["webhook-timestamp"]));
      expect(stamps).toEqual(stamps.toSorted((a, b) => a - b));
      expect(await work.storage.nextDue()).toBeNull();
    },
  );

  test("with 410 is given up at once", async () => {
    const receiver = await work.receiver(answering(410));
    await work.owe(delivery("msg_1", { url: receiver.url }));
    work.send();
    expect((await work.settledTo(1))[0]?.[1]).toMatchObject({ type: "webhook_failed", attempts: 1 });
    expect(await work.storage.nextDue()).toBeNull();
  });

  test.each([
    ["120", 120_000],
    ["1", 5000],
    [new Date(startedAt + 600_000).toUTCString(), 600_000],
    ["99999999", 24 * 3_600_000],
    ["soon", 5000],
  ])("and asks for Retry-After: %s gets it, between the schedule and a day", async (retryAfter, waitMs) => {
    const receiver = await work.receiver(answering(503, { "retry-after": retryAfter }));
    await work.owe(delivery("msg_1", { url: receiver.url }));
    work.send();
    await receiver.cameTo(1);
    expect(await work.clock.nextSleepMs()).toBe(waitMs);
  });

  test("with 410 gets nothing more of that task, until somebody asks for it; other tasks are none of its business", async () => {
    let status = 410;
    const receiver = await work.receiver((_request, response) => void response.writeHead(status).end());
    await work.owe(delivery("msg_1", { url: receiver.url }));
    work.send();
    await work.settledTo(1);
    await work.owe(delivery("msg_2", { url: receiver.url }));
    expect((await work.settledTo(2))[1]?.[1]).toMatchObject({
      type: "webhook_failed",
      delivery_id: "msg_2",
      attempts: 0,
      reason: expect.stringContaining("410") as unknown,
    });
    expect(receiver.received).toHaveLength(1);
    status = 200;
    await work.storage.redeliver("msg_1", work.clock.now());
    expect((await work.settledTo(3))[2]?.[1]).toMatchObject({ type: "webhook_delivered", delivery_id: "msg_1" });
    await work.owe(delivery("msg_3", { url: receiver.url }));
    expect((await work.settledTo(4))[3]?.[1]).toMatchObject({ type: "webhook_delivered", delivery_id: "msg_3" });
  });

  test("is tried again up to a tenth later, so that all do not come back at once", async () => {
    const receiver = await work.receiver(answering(500));
    await work.owe(delivery("msg_1", { url: receiver.url }));
    work.send({ random: { next: () => 0.5 } });
    await receiver.cameTo(1);
    expect(await work.clock.nextSleepMs()).toBe(5250);
  });

  test("because it cannot be reached, or may not be, is tried again with the reason kept", async () => {
    await work.owe(delivery("unreachable", { url: "http://127.0.0.1:1/" }), delivery("nonsense", { url: "no url" }));
    work.send();
    expect(await work.clock.nextSleepMs()).toBe(5000);
    const pending = await work.storage.due(startedAt + 10_000, 10);
    for (const { attempts, lastError } of pending) expect([attempts, lastError === null]).toEqual([1, false]);
    expect(pending).toHaveLength(2);
  });
});
