/** Webhooks that are owed reach a real receiver, once recorded as such, or are tried again by the schedule. */
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Storage } from "../../src/storage/storage.ts";
import { delivery, startedAt } from "../contracts/batches.ts";
import { plainEgress, type Received } from "./receiver.ts";
import { Workplace } from "./webhook-workplace.ts";

let work: Workplace;
beforeEach(() => {
  work = new Workplace();
});
afterEach(() => work.stack.disposeAsync());

const answering =
  (status: number, headers: Record<string, string> = {}) =>
  (_request: Received, response: ServerResponse): void =>
    void response.writeHead(status, headers).end();

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

describe("many webhooks", () => {
  test("go out eight at a time, and a receiver that hangs holds up no other", async () => {
    const hanging: ServerResponse[] = [];
    const slow = await work.receiver((_request, response) => void hanging.push(response));
    const quick = await Promise.all(Array.from({ length: 5 }, () => work.receiver(answering(200))));
    const slowRows = Array.from({ length: 12 }, (_, n) => delivery(`slow_${n}`, { url: slow.url }));
    const quickRows = Array.from({ length: 20 }, (_, n) =>
      delivery(`quick_${n}`, { url: quick[n % 5]?.url ?? "", dueAt: startedAt }),
    );
    let underWay = 0;
    let most = 0;
    work.send({
      egress: {
        async fetch(...args) {
          underWay += 1;
          most = Math.max(most, underWay);
          return await plainEgress.fetch(...args).finally(() => {
            underWay -= 1;
          });
        },
      },
    });
    await work.owe(...slowRows, ...quickRows);
    const settled = await work.settledTo(20);
    expect(settled.map(([, { delivery_id }]) => delivery_id).filter((id) => id.startsWith("slow"))).toEqual([]);
    expect(slow.received).toHaveLength(2);
    expect(most).toBe(8);
    for (const count of [2, 4, 6, 8, 10, 12]) {
      await slow.cameTo(count);
      for (const response of hanging.splice(0)) response.end();
    }
    await work.settledTo(32);
  });
});

describe("a storage that fails", () => {
  test("is asked again: nothing goes out twice because its delivery could not be recorded", async () => {
    const receiver = await work.receiver(answering(200));
    let failures = 2;
    const outbox = {
      ...work.storage,
      settle: async (...args: Parameters<Storage["settle"]>) => {
        failures -= 1;
        if (failures >= 0) throw new Error("broken disk");
        await work.storage.settle(...args);
      },
    };
    await work.owe(delivery("msg_1", { url: receiver.url }));
    work.send({ outbox });
    for (const _ of [1, 2]) work.clock.advance(await work.clock.nextSleepMs());
    await work.settledTo(1);
    expect(receiver.received).toHaveLength(1);
    expect(work.logged).toEqual(["Cannot record a webhook", "Cannot record a webhook"]);
  });

  test("is read again after five seconds", async () => {
    const receiver = await work.receiver(answering(200));
    let failures = 1;
    const outbox = {
      ...work.storage,
      due: async (...args: Parameters<Storage["due"]>) => {
        failures -= 1;
        if (failures >= 0) throw new Error("broken disk");
        return await work.storage.due(...args);
      },
    };
    await work.owe(delivery("msg_1", { url: receiver.url }));
    work.send({ outbox });
    const waitMs = await work.clock.nextSleepMs();
    expect(waitMs).toBe(5000);
    work.clock.advance(waitMs);
    await work.settledTo(1);
    expect(work.logged).toEqual(["Cannot read the outbox"]);
  });

  test("or a task that does not take the news, is said in the log and stops nothing", async () => {
    const receiver = await work.receiver(answering(200));
    const told: string[] = [];
    const second = Promise.withResolvers<void>();
    await work.owe(
      delivery("msg_1", { url: receiver.url }),
      delivery("msg_2", { url: receiver.url, dueAt: startedAt + 1000 }),
    );
    work.send({
      settle: async (_taskId, { delivery_id }) => {
        told.push(delivery_id);
        if (delivery_id === "msg_1") throw new Error("log is corrupt");
        second.resolve();
      },
    });
    work.clock.advance(await work.clock.nextSleepMs());
    await second.promise;
    expect(told).toEqual(["msg_1", "msg_2"]);
    expect(work.logged).toEqual(["A webhook was not settled"]);
  });
});
