/** A sender of webhooks with all it needs, and what a test looks at. */

import { createSigner } from "../../src/feed/webhook-signature.ts";
import { createWebhookSender, type WebhookOptions } from "../../src/feed/webhooks.ts";
import type { OutboxRow } from "../../src/ports/event-store.ts";
import type { Log } from "../../src/ports/runtime.ts";
import { createMemoryEventStore } from "../../src/storage/event-store.memory.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { batch, notes, startedAt } from "../contracts/batches.ts";
import { openReceiver, plainEgress, type Receiver } from "./receiver.ts";
import { SteppedClock } from "./stepped-clock.ts";

/** As Standard Webhooks gives it in its test vectors. */
export const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

type Settled = readonly [taskId: string, event: Parameters<WebhookOptions["settle"]>[1]];

export class Workplace {
  readonly stack = new AsyncDisposableStack();
  readonly clock = new SteppedClock(startedAt);
  readonly storage: Storage = createMemoryEventStore();
  readonly settled: Settled[] = [];
  readonly logged: string[] = [];
  #settling = Promise.withResolvers<void>();

  async owe(...rows: OutboxRow[]): Promise<void> {
    const after = (await this.storage.row("task_a"))?.lastSeq ?? 0;
    await this.storage.append(batch({ taskId: "task_a", after, events: notes(1), outbox: rows }));
  }

  async receiver(answer: Parameters<typeof openReceiver>[0]): Promise<Receiver> {
    return this.stack.use(await openReceiver(answer));
  }

  /** Starts a sender; the test's options go before the usual ones. */
  send(options: Partial<WebhookOptions> = {}): ReturnType<typeof createWebhookSender> {
    const write = (_facts: unknown, message: string): void => void this.logged.push(message);
    const log: Log = { debug: write, info: write, warn: write, error: write };
    const sender = createWebhookSender({
      outbox: this.storage,
      egress: plainEgress,
      clock: this.clock,
      random: { next: () => 0 },
      log,
      allowPrivate: true,
      settle: async (taskId, event) => {
        this.settled.push([taskId, event]);
        this.#settling.resolve();
      },
      sign: createSigner({ secret, ofEndpoints: {} }),
      isTold: async () => false,
      ...options,
    });
    this.stack.use(sender);
    sender.start();
    sender.start();
    return sender;
  }

  async settledTo(count: number): Promise<readonly Settled[]> {
    while (this.settled.length < count) {
      await this.#settling.promise;
      this.#settling = Promise.withResolvers<void>();
    }
    return this.settled;
  }
}
