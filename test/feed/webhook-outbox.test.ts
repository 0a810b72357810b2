/** What the sender of webhooks makes of many, of an outbox that fails, and of what was not told before Loom went down. */
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Storage } from "../../src/storage/storage.ts";
import { answered, delivery, startedAt } from "../contracts/batches.ts";
import { answering, plainEgress } from "./receiver.ts";
import { Workplace } from "./webhook-workplace.ts";

let work: Workplace;
beforeEach(() => {
  work = new Workplace();
});
afterEach(() => work.stack.disposeAsync());

describe("an outcome that its task may not have heard of", () => {
  test("is told after the next start, once", async () => {
    const receiver = await work.receiver(answering(200));
    await work.owe(delivery("taken", { url: receiver.url }), delivery("given_up", { url: receiver.url }));
    await work.storage.settle("taken", answered(204));
    await work.storage.settle("given_up", answered(410, { status: "failed" }));
    const target_host = new URL(receiver.url).host;
    const first = work.send();
    expect((await work.settledTo(2)).map(([, event]) => event)).toEqual([
      { type: "webhook_delivered", delivery_id: "taken", target_host, attempts: 1, status_code: 204 },
      { type: "webhook_failed", delivery_id: "given_up", target_host, attempts: 1, reason: "answered 410" },
    ]);
    await first[Symbol.asyncDispose]();
    expect(await work.storage.untold(10)).toEqual([]);
    expect(receiver.received).toEqual([]);
  });

  test("is only marked where the log has it already, and left where the task cannot be told", async () => {
    await work.owe(delivery("heard"), delivery("deaf"));
    for (const id of ["heard", "deaf"]) await work.storage.settle(id, answered(200));
    const tried = Promise.withResolvers<void>();
    const sender = work.send({
      isTold: async (_taskId, { delivery_id }) => delivery_id === "heard",
      settle: async (_taskId, { delivery_id }) => {
        tried.resolve();
        throw new Error(`${delivery_id} is corrupt`);
      },
    });
    await tried.promise;
    await sender[Symbol.asyncDispose]();
    expect((await work.storage.untold(10)).map(({ deliveryId }) => deliveryId)).toEqual(["deaf"]);
    expect(work.logged).toEqual(["A task was not told of its webhook"]);
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
